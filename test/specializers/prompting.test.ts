// zeroShot, fewShot and knn: which examples stand before a query, in what order, and that a query's own answer never does.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { bm25 } from "../../src/learn/bm25.js";
import { sameTextKey, words } from "../../src/learn/text.js";
import { packFloats, unpackFloats } from "../../src/learn/vectors.js";
import { renderPrompt } from "../../src/models/prompt.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";
import { knn } from "../../src/specializers/prompting/knn.js";
import { zeroShot } from "../../src/specializers/prompting/zero-shot.js";
import { answer } from "../../src/tasks/answer.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given, labels, letterEncoder, listener, make, queryOf, train } from "./fakes.js";

const shown = async (specializer: ReturnType<typeof fewShot>, input = "a new text", change = {}) => {
  const subject = listener();
  const specialist = await make(specializer, subject, change);
  await specialist.respond(queryOf(input), context);
  return subject.heard[0]!.demonstrations;
};
const countBy = (answers: string[]) =>
  Object.fromEntries([...new Set(answers)].sort().map((a) => [a, answers.filter((b) => b === a).length]));

describe("zeroShot", () => {
  it("is the subject itself", async () => {
    const subject = listener();
    expect(await make(zeroShot(), subject)).toBe(subject);
  });
});

describe("fewShot", () => {
  it("draws k train samples, the same for every query and for equal seeds", async () => {
    const subject = listener();
    const specialist = await make(fewShot({ k: 4 }), subject);
    await specialist.respond(queryOf("one"), context);
    await specialist.respond(queryOf("two"), context);
    const [first, second] = subject.heard.map((query) => query.demonstrations);
    expect(first).toHaveLength(4);
    expect(second).toEqual(first);
    expect(await shown(fewShot({ k: 4 }))).toEqual(first);
    const inputs = train.map((sample) => sample.input);
    for (const shot of first!) expect(inputs).toContain(shot.input);
    expect(new Set(first!.map((shot) => shot.input)).size).toBe(4);
  });

  it("draws differently for different seeds, and says so in the id", async () => {
    const specialists = await Promise.all(
      [1, 2, 3].map((seed) => make(fewShot({ k: 4 }), listener(), { seed })),
    );
    expect(new Set(specialists.map(({ id }) => id)).size).toBe(3);
    expect(fewShot().seeded).toBe(true);
  });

  it("takes fewer where train has fewer", async () => {
    expect(await shown(fewShot({ k: 50 }))).toHaveLength(train.length);
  });

  it("balances answers as far as there are examples, for any k and seed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 0, max: 1e6 }), async (k, seed) => {
        const shots = await shown(fewShot({ k, draw: "balanced" }), "a new text", { seed });
        expect(shots).toHaveLength(Math.min(k, 12));
        const counts = countBy(shots.map((shot) => shot.answer));
        const have = { s: 6, f: 4, i: 2 };
        const most = Math.max(...Object.values(counts));
        // No answer is behind the most frequent one by more than one, unless all of its examples are used.
        for (const [key, total] of Object.entries(have)) {
          expect(counts[key] ?? 0).toBeGreaterThanOrEqual(Math.min(total, most - 1));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("does not favour an answer when k is smaller than their number, nor end on the same one", async () => {
    const draws = await Promise.all(
      Array.from({ length: 60 }, (_, seed) => shown(fewShot({ k: 2, draw: "balanced" }), "new", { seed })),
    );
    const counts = countBy(draws.flat().map((shot) => shot.answer));
    for (const key of ["s", "f", "i"]) expect(counts[key]).toBeGreaterThan(20);
    expect(new Set(draws.map((shots) => shots.at(-1)!.answer)).size).toBe(3);
  });

  it("stands before the demonstrations that a query already has", async () => {
    const subject = listener();
    const specialist = await make(fewShot({ k: 2 }), subject);
    const own = { input: "own", answer: "i" };
    await specialist.respond({ ...queryOf("x"), demonstrations: [own] }, context);
    expect(subject.heard[0]!.demonstrations).toHaveLength(3);
    expect(subject.heard[0]!.demonstrations.at(-1)).toEqual(own);
  });

  it("brings its options along to another task", async () => {
    const other = choice("other", {}, [
      { key: "y", text: "yes" },
      { key: "n", text: "no" },
    ]);
    const subject = listener();
    const specialist = await make(fewShot({ k: 2 }), subject);
    await specialist.respond(queryOf("x", other), context);
    for (const shot of subject.heard[0]!.demonstrations) expect(shot.options).toEqual(labels);
    await specialist.respond(queryOf("x"), context);
    for (const shot of subject.heard[1]!.demonstrations) expect(shot.options).toBeUndefined();
  });

  it("refuses to draw from nothing, naming the task", async () => {
    const error = await fewShot()
      .fit(listener(), given({ train: [] }))
      .then(
        () => undefined,
        (e: unknown) => e,
      );
    expect(error).toBeInstanceOf(HoneError);
    expect((error as HoneError).failure.where).toContain("places");
  });
});

describe("a query's own answer", () => {
  it.each([
    ["fewShot", fewShot({ k: 12 })],
    ["balanced fewShot", fewShot({ k: 12, draw: "balanced" })],
    ["knn by vectors", knn({ k: 12 })],
    ["knn by BM25", knn({ k: 12, by: "bm25" })],
  ])("is never among the demonstrations of %s", async (_name, specializer) => {
    const marked = train.map((sample) => ({ ...sample, input: `${sample.input} ${sample.id}` }));
    for (const sample of marked) {
      const shots = await shown(specializer, `  ${sample.input.toUpperCase()}\n`, { train: marked });
      expect(shots).toHaveLength(11);
      expect(shots.map((shot) => shot.input)).not.toContain(sample.input);
    }
  });

  it("never reaches the prompt's text where golds are unmistakable", async () => {
    const secret = train.map((sample, i) => ({ ...sample, gold: `GOLD${i}x` }));
    const written = answer("secrets", { kind: "answer" });
    for (const specializer of [fewShot({ k: 12 }), knn({ k: 12 }), knn({ k: 12, by: "bm25" })]) {
      const subject = listener(() => ({ text: "" }));
      const specialist = await make(specializer, subject, { train: secret, task: written });
      for (const sample of secret) await specialist.respond(written.query(sample), context);
      for (const [i, query] of subject.heard.entries()) {
        const text = JSON.stringify(renderPrompt(query, "plain"));
        expect(text).not.toContain(`GOLD${i}x`);
        expect(text).toContain(`GOLD${(i + 1) % 12}x`);
      }
    }
  });
});

describe("knn", () => {
  it("puts the nearest last, by BM25", async () => {
    const shots = await shown(knn({ k: 3, by: "bm25" }), "ship in a storm with a wave");
    expect(shots.at(-1)!.input).toBe("storm and wave and ship");
    const score = bm25(train.map((sample) => sample.input));
    const scores = score("ship in a storm with a wave");
    const ranks = shots.map((shot) => scores[train.findIndex((sample) => sample.input === shot.input)]!);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });

  it("puts the nearest last, by vectors, and asks the encoder once a query", async () => {
    const encoder = letterEncoder();
    const subject = listener();
    const specialist = await make(knn({ k: 3 }), subject, { encoder: async () => encoder });
    expect(encoder.texts).toEqual(train.map((sample) => sample.input));
    await specialist.respond(queryOf("the plough cuts furrow a"), context);
    expect(encoder.texts.slice(train.length)).toEqual(["the plough cuts furrow a"]);
    const shots = subject.heard[0]!.demonstrations;
    expect(shots.at(-1)!.input).toBe("the plough cuts a furrow");
    expect(shots).toHaveLength(3);
  });

  it("reads the input and a question of the sample's own, but never the options", async () => {
    const encoder = letterEncoder();
    const own = (question: string) => ({ question, options: [{ key: "x", text: "OPTIONTEXT" }] });
    const asked = train.map((sample, i) => ({ ...sample, ...own(`question ${i}`) }));
    const specialist = await make(knn({ k: 1 }), listener(), {
      train: asked,
      encoder: async () => encoder,
      task: choice("own"),
    });
    await specialist.respond(queryOf("input", choice("own"), own("my question")), context);
    expect(encoder.texts[0]).toBe(`question 0\n${train[0]!.input}`);
    expect(encoder.texts.at(-1)).toBe("my question\ninput");
    expect(encoder.texts.join()).not.toContain("OPTIONTEXT");
  });

  it("leaves out a question that all samples share", async () => {
    const encoder = letterEncoder();
    const shared = choice("shared", { question: "Where?" }, labels);
    await make(knn({ k: 1 }), listener(), { task: shared, encoder: async () => encoder });
    expect(encoder.texts).toEqual(train.map((sample) => sample.input));
  });

  it("spreads over the answers on request", async () => {
    const shots = await shown(
      knn({ k: 6, by: "bm25", balance: true }),
      "ship storm wave harbour sail tide anchor",
    );
    expect(countBy(shots.map((shot) => shot.answer))).toEqual({ f: 2, i: 2, s: 2 });
    const many = await shown(knn({ k: 9, by: "bm25", balance: true }), "ship storm wave");
    expect(many).toHaveLength(9);
  });

  it("refuses another encoder than its own", async () => {
    const specializer = knn({ k: 2 });
    const state = await specializer.fit(listener(), given());
    const specialist = specializer.apply(listener(), state, {
      ...given(),
      encoder: async () => letterEncoder("other"),
    });
    await expect(specialist.respond(queryOf("x"), context)).rejects.toThrow(/another sentence encoder/);
  });

  it("refuses a damaged state", async () => {
    const specializer = knn({ k: 2 });
    const state = (await specializer.fit(listener(), given())) as { vectors: { packed: string } };
    state.vectors.packed = state.vectors.packed.slice(0, 40);
    expect(() => specializer.apply(listener(), state as never, given())).toThrow(/damaged/);
  });

  it("works for queries of unknown words and of no words", async () => {
    for (const input of ["", "zzzz qqqq", "?!"]) {
      expect(await shown(knn({ k: 2, by: "bm25" }), input)).toHaveLength(2);
      expect(await shown(knn({ k: 2 }), input)).toHaveLength(2);
    }
  });
});

describe("BM25", () => {
  it("agrees with a calculation by hand", () => {
    // Three texts of 2, 3 and 1 words, mean 2; "cat" is in two of them, "fish" in one.
    const scores = bm25(["cat dog", "cat cat fish", "bird"])("cat fish");
    const idfCat = Math.log(1 + 1.5 / 2.5);
    const idfFish = Math.log(1 + 2.5 / 1.5);
    expect(scores[0]).toBeCloseTo((idfCat * 1 * 2.2) / (1 + 1.2), 12);
    const norm = 1.2 * (0.25 + (0.75 * 3) / 2);
    expect(scores[1]).toBeCloseTo((idfCat * 2 * 2.2) / (2 + norm) + (idfFish * 2.2) / (1 + norm), 12);
    expect(scores[2]).toBe(0);
    expect([...bm25([])("cat")]).toEqual([]);
  });
});

describe("text", () => {
  it("cuts words in every script", () => {
    expect(words("The CAT's 42 hats, a x_1!")).toEqual(["the", "cat", "42", "hats", "x_1"]);
    expect(words("Größe naïve")).toEqual(["größe", "naïve"]);
    expect(words("法律 text")).toEqual(["法", "律", "text"]);
    expect(words("")).toEqual([]);
    const long = words(`${"x".repeat(6_000_000)} end`);
    expect([long.join("").length, long.at(-1)]).toEqual([6_000_003, "end"]);
  });

  it("tells texts apart that differ in one letter, and not by case, space or form", () => {
    expect(sameTextKey({ input: "Vitamin A?" })).not.toBe(sameTextKey({ input: "Vitamin B?" }));
    expect(sameTextKey({ input: " A\tb\nC " })).toBe(sameTextKey({ input: "a B c" }));
    expect(sameTextKey({ input: "ﬁne" })).toBe(sameTextKey({ input: "fine" }));
  });

  it("packs numbers exactly", () => {
    // Without subnormal numbers: a thread that ONNX Runtime has worked on takes them for 0.
    const normal = fc.float({ noNaN: true }).filter((one) => one === 0 || Math.abs(one) >= 2 ** -126);
    fc.assert(
      fc.property(fc.array(normal), (values) => {
        expect([...unpackFloats(packFloats(values), values.length, "x")]).toEqual(values);
      }),
    );
  });
});
