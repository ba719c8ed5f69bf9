// Synthetic data: what is written and read back, the filter on planted cases, order and lineage, thresholds and controls.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { CallError, noCost } from "../../src/core/call.js";
import { HoneError } from "../../src/core/errors.js";
import type { Query } from "../../src/core/language.js";
import type { GenerateRequest, LanguageModel, ScoreRequest } from "../../src/core/model.js";
import { randomFor } from "../../src/core/random.js";
import type { Given, LanguageSpecializer } from "../../src/core/specializer.js";
import { screenOf } from "../../src/data/screen.js";
import { rougeIndex, rougeL } from "../../src/learn/rouge.js";
import { generalist } from "../../src/models/generalist.js";
import { syntheticFigure } from "../../src/report/synthetic.js";
import { givenFilter, makeFilter } from "../../src/specializers/data/parts/filter.js";
import { inOrder } from "../../src/specializers/data/parts/in-order.js";
import { makeData, makeShape } from "../../src/specializers/data/parts/make.js";
import { asChat, asInstruction, type Pair } from "../../src/specializers/data/parts/pair.js";
import { readTask } from "../../src/specializers/data/parts/write.js";
import { shuffleResponses } from "../../src/specializers/data/self-specialize.js";
import { chooseThreshold, selfTrain } from "../../src/specializers/data/self-train.js";
import { defineSpecializer, makeSpecializer } from "../../src/specializers/index.js";
import { optimize } from "../../src/specializers/prompting/optimize.js";
import { context, given as givenOf, listener, train } from "./fakes.js";

const folder = mkdtempSync(join(tmpdir(), "hone-synthetic-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const vocabulary = Array.from({ length: 300 }, (_, i) => `word${i}`);
function sentence(random: () => number, n: number): string {
  // Frequencies as in a language: few words are common.
  return Array.from({ length: n }, () => vocabulary[Math.floor(300 * random() ** 3)]).join(" ");
}

describe("the pool of ROUGE-L", () => {
  it.each([0.5, 0.7, 0.9])("finds what comparing with every text finds, at %f", (threshold) => {
    const random = randomFor(1, "rouge", String(threshold));
    const index = rougeIndex(threshold);
    const pool: string[] = [];
    let found = 0;
    for (let i = 0; i < 1400; i++) {
      const before = pool.length > 0 ? (pool[Math.floor(random() * pool.length)] as string) : "";
      const words = before.split(" ");
      const text =
        i % 3 === 0 && before !== ""
          ? words.map((word) => (random() < (1 - threshold) / 3 ? sentence(random, 1) : word)).join(" ")
          : sentence(random, 3 + Math.floor(random() * 40));
      // Every twentieth is compared with all; the pool's order is taken anew at 1,024.
      if (i % 20 === 0) {
        let best = 0;
        for (const other of pool) best = Math.max(best, rougeL(text, other));
        const near = index.nearest(text);
        expect(near?.score ?? 0).toBeCloseTo(best >= threshold ? best : 0, 9);
        if (near) {
          expect(rougeL(text, pool[near.index] as string)).toBeCloseTo(near.score, 9);
          found++;
        }
      }
      index.add(text);
      pool.push(text);
    }
    expect(found).toBeGreaterThan(5);
  });

  it("keeps the length beyond 32 words and gives nothing for an empty text", () => {
    const long = Array.from({ length: 200 }, (_, i) => `w${i}`);
    expect(rougeL(long.join(" "), long.toReversed().join(" "))).toBeCloseTo(1 / 200, 12);
    expect(rougeL(long.join(" "), long.filter((_, i) => i % 2 === 0).join(" "))).toBeCloseTo(200 / 300, 12);
    expect(rougeIndex(0.7).nearest("…")).toBeUndefined();
  });
});

const held = [
  "Which enzyme is deficient in a child with recurrent infections and a positive nitroblue test of neutrophils?",
  "A farmer from Ohio has had a dry cough and night sweats for six weeks now",
];
const screen = screenOf(() => ({
  train: ["Read the following passage with care and choose the one best answer to the question below it"],
  dev: ["Read the following passage with care and choose the one best answer to something else in dev only"],
  test: held,
}));

describe("the screen", () => {
  it("finds runs of a held-out text in another frame, and none in phrases that train has", () => {
    expect(
      screen().overlap(`They ask: ${held[0]?.toLowerCase().replace("?", "")} Nobody knows.`),
    ).toMatchObject({
      split: "test",
    });
    expect(
      screen().overlap(
        "Read the following passage with care and choose the one best answer. The sky is blue.",
      ),
    ).toBeUndefined();
    expect(screen().overlap("choose the one best answer to something else in dev only")).toMatchObject({
      split: "dev",
    });
    expect(screen().overlap("")).toBeUndefined();
  });

  it("takes a phrase of three held-out texts for no copy of any", () => {
    const phrase = "which of the following is the most likely diagnosis in this patient";
    const many = screenOf(() => ({
      train: [],
      dev: [],
      test: ["a", "b", "c"].map((one) => `${one} ${phrase} ${one}`),
    }));
    expect(many().overlap(phrase)).toBeUndefined();
    const two = screenOf(() => ({
      train: [],
      dev: [],
      test: ["a", "b"].map((one) => `${one} ${phrase} ${one}`),
    }));
    expect(two().overlap(phrase)).toMatchObject({ split: "test" });
  });
});

describe("what was written", () => {
  const whole = " Choose the answer.\nInput: What carries oxygen?\nOptions:\nA. Haemoglobin\nB. Insulin";
  it("is read field by field", () => {
    expect(readTask(whole, "stop")).toEqual({
      task: {
        instruction: "Choose the answer.",
        input: "What carries oxygen?",
        options: [
          { key: "A", text: "Haemoglobin" },
          { key: "B", text: "Insulin" },
        ],
      },
    });
  });
  it.each([
    ["no input", " Choose.\nInput: \nOptions:\nA. a\nB. b"],
    ["labels out of order", whole.replace("B.", "C.")],
    ["fewer than two options", " Choose.\nInput: x y\nOptions:\nA. one"],
    ["equal options", whole.replace("Insulin", "haemoglobin")],
    ["two inputs", `${whole}\nInput: more`],
    ["a placeholder", whole.replace("What carries", "[insert the question] What carries")],
    ["repeats itself", whole.replace("What carries", "a b c ".repeat(20))],
    ["goes on with an answer", whole.replace("oxygen?", "oxygen? Answer: A")],
    ["no instruction", "\nInput: What carries oxygen?"],
    ["no input", " Choose.\nInput: N/A"],
    ["options without labels", " Choose.\nInput: x y\nOptions: yes or no\nmaybe"],
  ])("is refused: %s", (why, text) => {
    expect(readTask(text, "stop")).toMatchObject({ why });
  });
  it("keeps whole sentences of a text that was cut, or nothing", () => {
    expect(readTask(" Sum up.\nInput: It rains. The wind", "length")).toMatchObject({
      task: { input: "It rains." },
    });
    expect(readTask(" Sum up.\nInput: It rains and the", "length")).toMatchObject({ why: "cut off" });
  });
});

describe("the filter", () => {
  const options = { novelty: 0.7, words: { least: 4, most: 60, response: 20 } };
  const judge = (filter: ReturnType<typeof makeFilter>, input: string) =>
    filter.asked({ instruction: "Answer.", input }).find(({ passed }) => !passed)?.rule ?? "kept";
  it("refuses copies, leaks, wrong lengths and refusals, and keeps the rest", () => {
    const filter = makeFilter(options, screen());
    filter.know({
      instruction: "Answer.",
      input: "Where in the cell are proteins folded after translation ends?",
    });
    expect(judge(filter, "Where in the cell are proteins folded, after translation ends")).toBe("novelty");
    expect(judge(filter, "Why does the liver store glycogen between two meals of a day?")).toBe("kept");
    expect(judge(filter, "why does the liver store glycogen between two meals of the day")).toBe("novelty");
    expect(judge(filter, `Somebody says: ${held[1]}.`)).toBe("leak");
    expect(judge(filter, "Too short")).toBe("length");
    expect(judge(filter, "word ".repeat(80))).toBe("length");
    expect(judge(filter, "I'm sorry, but I cannot help you with that request today.")).toBe("refusal");
    expect(filter.size).toBe(2);
  });
  it("refuses rows that people wrote only where they repeat dev, test or one before", () => {
    const filter = givenFilter(options, screen());
    expect(judge(filter, "I can't log in since the update")).toBe("kept");
    expect(judge(filter, "I can't log in since this update")).toBe("kept");
    expect(judge(filter, "I can't log in since the update")).toBe("novelty");
    expect(judge(filter, "Short")).toBe("kept");
    expect(judge(filter, `Somebody says: ${held[1]}.`)).toBe("leak");
  });
  it.each([
    ["response format", ""],
    ["response format", "What carries oxygen?"],
    ["response format", "Haemoglobin\nQuestion 2: and then?"],
    ["response length", "so ".repeat(21)],
    ["response refusal", "As an AI language model I have no opinion."],
    ["response leak", held[1] as string],
  ])("refuses a response: %s", (rule, response) => {
    const decisions = makeFilter(options, screen()).response({ input: "What carries oxygen?", response });
    expect(decisions.at(-1)).toMatchObject({ rule, passed: false });
  });
});

describe("in order", () => {
  it("keeps the order and the width, and closes its source", async () => {
    let flying = 0;
    let most = 0;
    let closed = false;
    const source = (async function* () {
      try {
        for (let i = 0; i < 50; i++) yield i;
      } finally {
        closed = true;
      }
    })();
    const seen: number[] = [];
    for await (const value of inOrder(source, 4, async (n) => {
      most = Math.max(most, ++flying);
      await new Promise((tick) => setTimeout(tick, (n * 7) % 5));
      flying--;
      return n;
    })) {
      seen.push(value);
      if (value === 30) break;
    }
    expect(seen).toEqual(Array.from({ length: 31 }, (_, i) => i));
    expect(most).toBe(4);
    expect(closed).toBe(true);
  });
  it("passes an error on", async () => {
    const run = async () => {
      for await (const _ of inOrder([1, 2, 3], 2, async (n) => Promise.reject(new Error(`at ${n}`)))) void _;
    };
    await expect(run()).rejects.toThrow("at 1");
  });
});

/** A model that writes tasks of its own: every fifth is broken, every seventh repeats one, some answers are refusals. */
function writer(
  name = "writer",
  fail?: (request: GenerateRequest) => CallError | undefined,
): LanguageModel & { asked: GenerateRequest[] } {
  const asked: GenerateRequest[] = [];
  return {
    id: name,
    name,
    grants: new Set(["text", "logprobs"]),
    concurrency: 3,
    format: "plain",
    asked,
    close: async () => {},
    async generate(request) {
      asked.push(request);
      const error = fail?.(request);
      if (error) throw error;
      // Answers in another order than the requests.
      await new Promise((tick) => setTimeout(tick, request.seed % 4));
      const prompt = request.messages.map(({ content }) => content).join("\n");
      if (!prompt.endsWith("Instruction:"))
        return {
          text: request.seed % 2 ? "I'm sorry, I cannot." : "the harbour",
          finish: "stop",
          cost: noCost,
        };
      const random = randomFor(request.seed, "text");
      const text =
        request.seed % 5 === 0
          ? " Name it."
          : request.seed % 7 === 0
            ? " Name the place.\nInput: the same old words stand here again and again"
            : ` Name the place.\nInput: ${sentence(random, 12)}\nOptions:\nA. sea\nB. field`;
      return { text, finish: "stop", cost: noCost };
    },
    async score({ options }: ScoreRequest) {
      return { options: options.map((_, i) => ({ logprob: i === 1 ? -0.2 : -2, tokens: 1 })), cost: noCost };
    },
  };
}

const options = (more: object) =>
  z.strictObject(makeShape).parse({ domain: "places", words: { least: 3 }, ...more });
const lines = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe("making data", () => {
  const make = async (name: string, model: LanguageModel, more: object = {}, part: Partial<Given> = {}) => {
    const given = { ...givenOf({ train }), context, ...part } as Given;
    const path = join(folder, name);
    const made = await makeData(path, {
      options: options({ pairs: 20, ...more }),
      by: "instructions",
      base: generalist(model),
      given,
    });
    return { ...made, path };
  };

  it("gives the same pairs whatever order the calls come back in, each with its lineage", async () => {
    const one = await make("one", writer());
    const two = await make("two", { ...writer(), concurrency: 1 });
    expect(one.pairs).toEqual(two.pairs);
    expect(lines(join(one.path, "refused.jsonl"))).toEqual(lines(join(two.path, "refused.jsonl")));
    expect(one.pairs).toHaveLength(20);
    const known = new Set(train.map(({ id }) => id));
    for (const { pair, lineage, decisions, kept } of lines(join(one.path, "pairs.jsonl"))) {
      expect(kept).toBe(true);
      expect(decisions.every(({ passed }: { passed: boolean }) => passed)).toBe(true);
      expect(lineage).toMatchObject({
        writer: "writer",
        responder: "writer",
        sampling: { temperature: 1, topP: 0.98 },
      });
      expect(lineage.seeds).toHaveLength(3);
      for (const id of [...lineage.seeds, ...lineage.shots]) expect(known.has(id)).toBe(true);
      if (pair.options) expect(pair.response).toBe("B");
    }
  });

  it("counts in its card what the filter did", async () => {
    const { card, path } = await make("card", writer());
    expect(card.self).toBe(true);
    expect(card.attempts).toBe(
      lines(join(path, "pairs.jsonl")).length + lines(join(path, "refused.jsonl")).length,
    );
    const refused = card.funnel.reduce((sum, one) => sum + one.refused, 0);
    expect(card.attempts - refused).toBe(card.pairs);
    expect(Object.fromEntries(card.funnel.map((one) => [one.rule, one.refused]))).toMatchObject({ leak: 0 });
    expect(card.funnel.find(({ rule }) => rule === "novelty")?.refused).toBeGreaterThan(0);
  });

  it("refuses what repeats the held-out splits", async () => {
    const open = await make("open", writer());
    const copied = open.pairs
      .map(({ input }) => input)
      .filter((input) => !input.startsWith("the same"))
      .slice(0, 5);
    const { pairs, card } = await make(
      "screened",
      writer(),
      {},
      {
        screen: screenOf(() => ({ train: [], dev: copied.slice(0, 2), test: copied.slice(2) })),
      },
    );
    for (const { input } of pairs) expect(copied).not.toContain(input);
    expect(card.overlap).toMatchObject({ dev: 2, test: 3 });
  });

  it("passes over a request that fails alone, and stops at what would fail again", async () => {
    const single = writer("single", ({ seed }) =>
      seed % 6 === 1 ? new CallError("too-long", "too long") : undefined,
    );
    const { pairs, card } = await make("single", single);
    expect(pairs).toHaveLength(20);
    expect(card.funnel.find(({ rule }) => rule === "failed call")?.refused).toBeGreaterThan(0);
    await expect(
      make(
        "down",
        writer("down", () => new CallError("unreachable", "nobody there")),
      ),
    ).rejects.toThrow("nobody there");
  });

  it("says which rule refused everything", async () => {
    const useless: LanguageModel = {
      ...writer("useless"),
      generate: async () => ({ text: "\u001b[31m</script> no idea", finish: "stop", cost: noCost }),
    };
    await expect(make("useless", useless, { attempts: 12 })).rejects.toThrow(
      /No synthetic pair passed[\s\S]*12 attempts/,
    );
  });

  it("names another model's data as such", async () => {
    const given = {
      ...givenOf({ train }),
      context: { ...context, open: async () => ({ subject: generalist(writer("teacher")), context }) },
    } as Given;
    const { card } = await makeData(join(folder, "distilled"), {
      options: options({ pairs: 3, generator: "openai:teacher" }),
      by: "instructions",
      base: generalist(writer("student")),
      given,
    });
    expect(card).toMatchObject({ self: false, writers: ["teacher"], responders: ["teacher"] });
  });
});

describe("controls and steps", () => {
  const pairs: Pair[] = Array.from({ length: 12 }, (_, i) => ({
    id: `p${i}`,
    instruction: "Choose.",
    input: `input ${i}`,
    ...(i % 2
      ? { options: ["x", "y", "z"].map((text, k) => ({ key: "ABC"[k] as string, text: `${text}${i}` })) }
      : {}),
    response: i % 2 ? ("ABC"[i % 3] as string) : `answer ${i}`,
  }));
  it("shuffles responses among pairs of a form: the same answers, other places", () => {
    const moved = shuffleResponses(pairs, 1);
    for (const form of [0, 1]) {
      const of = (all: readonly Pair[]) =>
        all
          .filter((_, i) => i % 2 === form)
          .map(({ response }) => response)
          .sort();
      expect(of(moved)).toEqual(of(pairs));
    }
    expect(moved.filter(({ response }, i) => i % 2 === 0 && response === pairs[i]?.response)).toEqual([]);
    expect(moved.map(({ input }) => input)).toEqual(pairs.map(({ input }) => input));
  });

  it("shows labelled rows as people's, with who labelled them and how many were trained on", async () => {
    const given = { ...givenOf({ train }), context } as Given;
    const rows = ["I can't open the red door again", "It is broken", "It is broken"].map((input, i) => ({
      id: `r${i}`,
      instruction: "Choose.",
      input,
      options: ["broken", "locked"].map((text, k) => ({ key: "AB"[k] as string, text })),
    }));
    const { card, pairs: made } = await makeData(join(folder, "labelled"), {
      options: options({ pairs: 3, shots: { answer: 0 }, words: { least: 0, most: 1000 } }),
      by: "labels",
      base: generalist(writer()),
      given,
      rows,
    });
    expect(made.map(({ id }) => id)).toEqual(["r0", "r1"]);
    // Options say nothing about what rows are about.
    expect(card.topics.map(([word]) => word)).not.toContain("locked");
    const { markup } = syntheticFigure({ ...card, taken: { confidence: 0.9, pairs: 1 } }, []);
    expect(markup).toContain("2 of 3 given rows, labelled by writer. Used for training: the 1 whose");
    expect(markup).toContain("2 to 3: 1, 4 to 7: 1");
  });

  it("finds the lowest threshold that is right often enough, and none where there is none", () => {
    const trials = [0.9, 0.8, 0.7, 0.7, 0.5, 0.4].map((confidence, i) => ({
      confidence,
      right: i !== 3 && i < 4,
    }));
    expect(chooseThreshold(trials, 0.9)).toMatchObject({ value: 0.8, precision: 1, coverage: 2 / 6 });
    expect(chooseThreshold(trials, 0.75)).toMatchObject({ value: 0.7, precision: 0.75 });
    expect(chooseThreshold([{ confidence: 0.9, right: false }], 0.5)).toMatchObject({
      value: null,
      coverage: 0,
    });
  });

  it("finds the threshold of self-training by teachers that have not seen a sample's text, though train has every text twice", async () => {
    const pairs = train.flatMap((sample) => [sample, { ...sample, id: `${sample.id} again` }]);
    const learnt: Set<string>[] = [];
    const heard: { teacher: number; input: string }[] = [];
    const teacher = defineSpecializer<number>({
      name: "teacher",
      fit: async (_, { train }) => learnt.push(new Set(train.map(({ input }) => input))) - 1,
      behave: (teacher) => ({
        respond: async ({ input }) => {
          heard.push({ teacher, input });
          return { choice: "s", scores: { s: 0, f: -1, i: -1 } };
        },
      }),
    }) as unknown as Parameters<typeof selfTrain>[1];
    const fit = selfTrain({ source: "file:none.jsonl" }, teacher).fit(listener(), givenOf({ train: pairs }));
    await expect(fit).rejects.toThrow(/none\.jsonl/);
    expect(heard).toHaveLength(pairs.length);
    for (const { teacher, input } of heard) expect(learnt[teacher]?.has(input), input).toBe(false);
  });

  it("says which option of self-training is wrong, and counts each of its teachers", () => {
    expect(() => selfTrain({ source: "file:x", presicion: 0.9 } as never)).toThrow(HoneError);
    const teacher = optimize();
    const calls = (way: Pick<LanguageSpecializer, "ceiling">) => way.ceiling?.(train).calls as number;
    expect(calls(selfTrain({ source: "file:x", folds: 3 }, teacher))).toBe(4 * calls(teacher));
  });

  it("asks the teacher about rows as about train samples", async () => {
    const rows = [
      { id: "same", input: "a gull over the quay", stratum: "x", instruction: "Its own." },
      { id: "same", input: "oats and rye", stratum: "y" },
    ];
    writeFileSync(join(folder, "rows.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const heard: Query[] = [];
    const teacher = defineSpecializer({
      name: "teacher",
      behave: () => ({
        respond: async (query) => {
          heard.push(query);
          return { choice: "s", scores: { s: 0, f: -9, i: -9 } };
        },
      }),
    }) as unknown as Parameters<typeof selfTrain>[1];
    const model = {
      id: "m",
      name: "m",
      grants: new Set(["text", "logprobs"]),
      concurrency: 1,
      format: "plain",
    };
    const subject = { ...listener(), model: model as never };
    // Training needs weights, which this subject lacks.
    await expect(
      selfTrain({ source: "file:rows.jsonl" }, teacher).fit(subject, givenOf({ train, base: folder })),
    ).rejects.toThrow(/lora cannot train/);
    const asked = heard.slice(-2);
    expect(asked.map(({ instruction }) => instruction)).toEqual(["Its own.", "Name the place."]);
    expect(asked.map(({ input, stratum }) => ({ input, stratum }))).toEqual(
      rows.map(({ input, stratum }) => ({ input, stratum })),
    );
    for (const { input: _, stratum: __, instruction: ___, ...row } of asked) {
      const { input: ____, instruction: _____, ...sample } = heard[0] as Query;
      expect(row).toEqual(sample);
    }
  });

  it("writes pairs as chat and as instructions", () => {
    const pair = pairs[1] as Pair;
    expect(asChat(pair)).toMatchObject({
      messages: [
        { role: "system" },
        { role: "user", content: "input 1\nA. x1\nB. y1\nC. z1" },
        { content: "B. y1" },
      ],
    });
    expect(asInstruction(pairs[0] as Pair)).toMatchObject({
      instruction: "Choose.",
      input: "input 0",
      output: "answer 0",
    });
  });

  it("says in its name whose data it is", () => {
    const name = (spec: object) => makeSpecializer({ selfSpecialize: spec }, "here").label;
    expect(name({ pairs: 100 })).toBe("selfSpecialize(100 pairs)");
    expect(name({ pairs: 100, generator: "openai:big?base=http://x" })).toBe(
      "distil(from openai:big, 100 pairs)",
    );
    expect(name({ pairs: 0 })).toBe("selfSpecialize(seeds alone)");
    expect(name({ pairs: 10, rounds: 2 })).toContain("round 2");
  });
});
