// optimize: the race on racers whose accuracy is known (false acceptance, distance to the best), the parts of train, the
// candidates, and a search whose answer is known.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { settings, simulate } from "../../bench/optimize.js";
import { CallError, noCost } from "../../src/core/call.js";
import type { LanguageModel } from "../../src/core/model.js";
import { normal, randomFor } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";
import type { Given } from "../../src/core/specializer.js";
import { bankOf, exampleBank } from "../../src/specializers/prompting/optimize/bank.js";
import { ask, homeOf } from "../../src/specializers/prompting/optimize/candidate.js";
import { type Course, confirmation, race } from "../../src/specializers/prompting/optimize/race.js";
import type { Scorer } from "../../src/specializers/prompting/optimize/workshop.js";
import { optimize } from "../../src/specializers/prompting/optimize.js";
import { normalQuantile } from "../../src/statistics/distributions.js";
import { maxTest } from "../../src/statistics/max-test.js";
import { planStudy } from "../../src/study/dryrun.js";
import { runStudy } from "../../src/study/run.js";
import { choice } from "../../src/tasks/choice.js";
import { toneSpec, writeTones } from "../study/fixture.js";
import { context, given, labels, listener, task } from "./fakes.js";
import { answersFor } from "./known-effects.js";

const options = { batch: 32, headroom: 0.5, alpha: 0.05 };
const course = (n: number): Course => ({
  search: Array(n).fill(undefined),
  confirm: Array(n).fill(undefined),
});

describe("the max-T test", () => {
  it("keeps its level where none of twenty differs, and finds one that does", () => {
    const random = randomFor(1, "max-t");
    const p = (gain: number) =>
      maxTest(
        Array.from({ length: 20 }, (_, i) =>
          Float64Array.from({ length: 60 }, () => random() - 0.5 + (i === 7 ? gain : 0)),
        ),
        { random, draws: 199 },
      );
    const level = Array.from({ length: 200 }, () => p(0)).filter((one) => one <= 0.05).length / 200;
    expect(level).toBeLessThan(0.1);
    expect(Array.from({ length: 20 }, () => p(0.2)).filter((one) => one <= 0.05).length).toBeGreaterThan(16);
    expect(maxTest([], { random })).toBe(1);
    expect(maxTest([new Float64Array(9)], { random })).toBe(1);
  });
});

describe("the race", () => {
  it("seldom accepts what is no better, and returns one within a standard error of the best", async () => {
    const api = { race, normal, randomFor, normalQuantile };
    expect((await simulate(api, settings["none differs"], 40)).falseAccepts).toBeLessThan(0.13);
    expect((await simulate(api, settings["one is better by 20 points"], 30)).withinOneError).toBeGreaterThan(
      0.85,
    );
  }, 60_000);

  it("did so in the recorded 200 runs of each setting", () => {
    const { runs, settings: found } = JSON.parse(readFileSync("bench/recorded/optimize.json", "utf8"));
    expect([runs, Object.keys(found)]).toEqual([200, Object.keys(settings)]);
    for (const { falseAccepts } of Object.values<{ falseAccepts: number }>(found))
      expect(falseAccepts).toBeLessThanOrEqual(0.05);
    // Where the best is ahead of the others by more than the samples can miss; docs/log.md tells of the rest.
    for (const name of [
      "none differs",
      "all others are worse",
      "one is better by 20 points",
      "one is better by 15 points",
    ])
      expect(found[name].withinOneError, name).toBeGreaterThanOrEqual(0.9);
  });

  it("stops before it searches where the headroom test shows nothing", async () => {
    const asked: number[] = [];
    const score: Scorer = async (racer, _part, samples) => {
      asked.push(...samples.map(() => racer));
      return samples.map(() => 1);
    };
    const racers = ["base", "same", "same again"].map((name) => ({ name, length: 10 }));
    const report = await race(racers, course(256), score, { ...options, seed: 1 });
    expect(report).toMatchObject({ verdict: "no headroom", returned: 0, confirm: null, looked: 3 });
    expect(asked).toHaveLength(3 * 96);
  });

  it("drops what is behind, takes the shorter of equals, and refuses what does not hold on fresh samples", async () => {
    const on =
      (confirmed: number): Scorer =>
      async (racer, part, samples) =>
        samples.map((i) => {
          if (racer === 1) return 0;
          if (racer === 0) return i % 2;
          return part === "search" ? 1 : i % 2 || i < confirmed ? 1 : 0;
        });
    const racers = [
      { name: "base", length: 50 },
      { name: "bad", length: 1 },
      { name: "long", length: 90 },
      { name: "short", length: 20 },
    ];
    const good = await race([...racers], course(128), on(128), { ...options, seed: 1 });
    expect(good).toMatchObject({ verdict: "confirmed", shortest: 3, returned: 3 });
    expect(good.racers[1]?.dropped).toBe(1);
    expect(good.confirm?.delta).toBeCloseTo(0.5, 9);
    const lucky = await race([...racers], course(128), on(4), { ...options, seed: 1 });
    expect(lucky).toMatchObject({ verdict: "not confirmed", shortest: 3, returned: 0 });
    expect(lucky.shrinkage).toBeGreaterThan(0.4);
  });

  it("counts what the endpoint failed to answer for neither side", async () => {
    const score: Scorer = async (racer, part, samples) =>
      samples.map((i) => (racer === 1 && part === "confirm" && i % 2 === 0 ? null : racer));
    const report = await race(
      [
        { name: "base", length: 1 },
        { name: "better", length: 2 },
      ],
      course(128),
      score,
      { ...options, seed: 1 },
    );
    expect(report.confirm).toMatchObject({ n: 64, delta: 1 });
  });

  it("compares racers on the samples that they share, and drops one that answers none", async () => {
    // Scores below 0, as where lower is better: an unanswered racer must not look best, nor one that answers the easy half alone.
    const score: Scorer = async (racer, _, samples) =>
      samples.map((i) => {
        if (racer === 1) return null;
        if (racer === 2 && i % 2 === 0) return null;
        return (i % 2 === 0 ? -4 : -1) + (racer === 3 ? 0.5 : 0) - (racer === 2 ? 0.25 : 0);
      });
    const racers = ["base", "mute", "easy half", "better"].map((name) => ({ name, length: 10 }));
    const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    const report = await race(racers, course(192), score, { ...options, seed: 1, range: unbounded });
    expect(report).toMatchObject({ verdict: "confirmed", best: 3, returned: 3, bestGain: { delta: 0.5 } });
    expect(report.racers[1]?.dropped).toBe(1);
  });

  it("confirms by groups: eight answers of one customer are one piece of evidence", async () => {
    const score: Scorer = async (racer, _, samples) =>
      samples.map((i) => (racer === 1 && i % 16 < 12 ? 1 : 0.5));
    const alone = await confirmation(1, Array(128).fill(undefined), score, { seed: 1 });
    const grouped = await confirmation(
      1,
      Array.from({ length: 128 }, (_, i) => `customer ${i % 16}`),
      score,
      { seed: 1 },
    );
    expect(grouped.delta).toBeCloseTo(alone.delta, 9);
    expect(grouped.high - grouped.low).toBeGreaterThan(2 * (alone.high - alone.low));
    expect(grouped.p).toBeGreaterThan(alone.p);
  });
});

const samples: Sample[] = Array.from({ length: 400 }, (_, i) => {
  const gold = ["s", "f", "i"][i % 3] as string;
  return { id: `t${i}`, input: `text ${i} ${{ s: "wave", f: "wheat", i: "anvil" }[gold]}`, gold };
});

describe("optimize", () => {
  const searched = (subject: Parameters<typeof answersFor>[0], change: Partial<Given> = {}, more = {}) =>
    optimize({ search: 128, confirm: 128, ...more }).fit(
      answersFor(subject, samples),
      given({ train: samples, ...change }),
    ) as Promise<{ candidate: { name: string; after?: string }; report: Awaited<ReturnType<typeof race>> }>;

  it("finds the glossary where that is what helps, and the specialist asks with it", async () => {
    const { candidate, report } = await searched((query) =>
      query.instruction?.includes("wave") ? 0.95 : 0.5,
    );
    expect(report.verdict).toBe("confirmed");
    expect(candidate.name).toBe("glossary");
    expect(candidate.after).toMatch(/sea: .*wave/);
    const heard = listener();
    const state = { candidate, home: homeOf(task, [task.query(samples[0] as Sample)]), report };
    const made = optimize().apply(heard, JSON.parse(JSON.stringify(state)), {
      encoder: given().encoder,
      artifacts: given().artifacts,
    });
    if (made.kind !== "language") throw new Error(made.kind);
    await made.respond(task.query(samples[0] as Sample), context);
    expect(heard.heard[0]?.instruction).toMatch(/^Name the place\.\nWords that are typical/);
  });

  it("has controls that cost alike: as many sets of examples as the bank has candidates, all different", () => {
    const samples = Array.from({ length: 60 }, (_, i): Sample => {
      const { key, text } = labels[i % labels.length] as (typeof labels)[number];
      return { id: String(i), input: `${text} ${i}`, gold: key };
    });
    const [bank, examples] = [bankOf, exampleBank].map((of) => of(task, samples, { seed: 1, draws: 3 }));
    expect(examples).toHaveLength(bank?.length ?? 0);
    for (const { shots, instruction, before, after } of examples ?? []) {
      expect(shots?.length).toBeGreaterThanOrEqual(labels.length);
      expect([instruction, before, after]).toEqual([undefined, undefined, undefined]);
    }
    expect(new Set(examples?.map(({ shots }) => JSON.stringify(shots))).size).toBe(examples?.length);
    expect(optimize({ proposals: "examples" }).label).toBe("optimize(examples)");
  });

  it("leaves the prompt alone where nothing helps, and says how many it looked at", async () => {
    const { candidate, report } = await searched(() => 0.6);
    expect(candidate).toEqual({ name: "as it stands" });
    expect(report.looked).toBeGreaterThan(10);
    expect(report.verdict).not.toBe("confirmed");
  });

  it("asks a reflector with what went wrong, takes its instruction as data, and pays for it", async () => {
    const said: string[] = [];
    const reflector = {
      id: "r",
      name: "r",
      grants: new Set(["text"]),
      concurrency: 1,
      format: "chat",
      generate: async ({ messages }: { messages: { content: string }[] }) => {
        said.push(messages[0]?.content as string);
        return { text: "Sure. <instruction>Think of water.</instruction>", finish: "stop", cost: noCost };
      },
    } as unknown as LanguageModel;
    const open = async () => ({ subject: { ...listener(), model: reflector }, context });
    const { candidate, report } = await searched(
      (query) => (query.instruction === "Think of water." ? 0.9 : 0.4),
      { context: { ...context, open } },
      { reflector: "r", reflections: 2 },
    );
    expect(candidate).toMatchObject({ name: "reflection 1", instruction: "Think of water." });
    expect(report.verdict).toBe("confirmed");
    expect(said[0]).toMatch(/Name the place\.[\s\S]*the right answer is: [sfi]/);
  });

  it("takes no prompt that is too long for part of the texts", async () => {
    const long = (i: number) => i % 2 === 0;
    const texts = samples.map((sample, i) => ({
      ...sample,
      input: `${sample.input} ${long(i) ? "w".repeat(900) : ""}`,
    }));
    // Examples help, but none fits beside a long text.
    const subject = answersFor((query) => {
      const size = query.demonstrations.reduce((sum, { input }) => sum + input.length, query.input.length);
      if (size > 940) throw new CallError("too-long", "the prompt is too long");
      return query.demonstrations.length > 0 ? 0.8 : 0.6;
    }, texts);
    for (const seed of [1, 2]) {
      const state = await optimize({ search: 128, confirm: 120, headroom: 1 }).fit(
        subject,
        given({ train: texts, seed }),
      );
      const { candidate, report } = state as never as {
        candidate: { shots?: unknown };
        report: Awaited<ReturnType<typeof race>>;
      };
      const crowded = report.racers.filter(({ name }) => name.includes("examples"));
      expect(crowded.length).toBeGreaterThan(5);
      for (const { n } of crowded) expect(n).toBeGreaterThanOrEqual(96);
      expect(candidate.shots).toBeUndefined();
    }
  });

  it("tells a reflector what was really wrong, in the options' words, and asks it as often as it was told to", async () => {
    const said: string[] = [];
    const reflector = {
      ...{ id: "r", name: "r", grants: new Set(["text"]), concurrency: 1, format: "chat" },
      generate: async ({ messages }: { messages: { content: string }[] }) => {
        said.push(messages[0]?.content as string);
        const text = said.length === 1 ? "No tags." : `<instruction>Attempt ${said.length}.</instruction>`;
        return { text, finish: "stop", cost: noCost };
      },
    } as unknown as LanguageModel;
    const open = async () => ({ subject: { ...listener(), model: reflector }, context });
    const failing = (query: { input: string; instruction?: string }) => {
      if (query.input.includes("0")) throw new CallError("timeout", "no answer");
      return 0.5;
    };
    const few = samples.slice(0, 240);
    const { report } = await searched(
      failing,
      { context: { ...context, open }, train: few },
      { reflector: "r", reflections: 4, search: 96, headroom: 1 },
    );
    expect(said).toHaveLength(4);
    expect(report).toMatchObject({ reflections: { asked: 4, written: 3 } });
    const cases = said.flatMap((text) => text.split("Case ").slice(1));
    expect(cases.length).toBeGreaterThan(4);
    for (const one of cases) {
      expect(one).toMatch(/^\d\ntext [1-9]+ /);
      const [, answered, right] = /Answered: (\w+), but the right answer is: (\w+)/.exec(one) ?? [];
      for (const name of [answered, right]) expect(labels.map(({ text }) => text)).toContain(name);
      expect(answered).not.toBe(right);
    }
    const own = given({ context: { ...context, open }, train: few });
    const query = own.task.query;
    const task = { ...own.task, query: (sample: Sample) => ({ ...query(sample), instruction: sample.id }) };
    await expect(
      optimize({ reflector: "r" }).fit(
        answersFor(() => 0.5, samples),
        { ...own, task },
      ),
    ).rejects.toThrow(/no instruction to improve/);
  });

  it("keeps the glossary short, whatever the number of labels and the length of words", () => {
    const many = Array.from({ length: 200 }, (_, i) => ({ key: `k${i}`, text: `label ${i}` }));
    const texts = many.flatMap(({ key }, i): Sample[] =>
      [0, 1, 2, 3].map((n) => ({
        id: `${i} ${n}`,
        input: `${"abcde"
          .split("")
          .map((c) => `telling${c}${i}`)
          .join(" ")} ${"x".repeat(5000)}${i}`,
        gold: key,
      })),
    );
    const of = (labels: typeof many) =>
      bankOf(choice("many", { instruction: "Which?" }, labels), texts, { seed: 1, draws: 1 }).find(
        ({ name }) => name === "glossary",
      );
    expect(of(many.slice(0, 3))?.after).toMatch(
      /label 0: telling\w+, telling\w+, telling\w+, telling\w+, telling\w+\n/,
    );
    expect(of(many.slice(0, 80))?.after?.length).toBeLessThanOrEqual(3000);
    expect(of(many)).toBeUndefined();
  });

  it("counts the prompts that a published algorithm scored, not those that it had", async () => {
    const { report } = await searched(() => 0.5, {}, { algorithm: "miprov2", calls: 200 });
    expect(report.looked).toBeLessThan(8);
  });

  it("returns what gepa and miprov2 find, confirmed or not, and says what is left of its gain", async () => {
    const helps = (query: { instruction?: string }) => (query.instruction?.includes("wave") ? 0.9 : 0.5);
    const mipro = await searched(helps, {}, { algorithm: "miprov2", calls: 600 });
    expect(mipro.candidate.after).toMatch(/sea: .*wave/);
    expect(mipro.report).toMatchObject({ confirm: { n: 120 } });
    expect(mipro.report.confirm?.delta).toBeGreaterThan(0.2);
    expect(mipro.report.shrinkage).toBeLessThan(0.2);
    await expect(searched(helps, {}, { algorithm: "gepa" })).rejects.toThrow(/gepa needs a reflector/);
  });

  it("searches on all labels also where train is sorted by them and cut", async () => {
    const sorted = [...samples].sort((a, b) => String(a.gold).localeCompare(String(b.gold)));
    const asked = new Set<string>();
    const helped = (query: { input: string }) => {
      asked.add(query.input.split(" ").at(-1) as string);
      return 0.5;
    };
    await searched(helped, { train: sorted }, { search: 96, confirm: 32, headroom: 0 });
    expect([...asked].sort()).toEqual(["anvil", "wave", "wheat"]);
  });

  it("searches on no text that is among its examples, though train has every text twice", async () => {
    const pairs = samples.map(({ id }, i) => ({ ...(samples[i >> 1] as Sample), id }));
    const shown = new Set<string>();
    const asked = new Set<string>();
    const subject = listener((query) => {
      asked.add(query.input);
      for (const { input } of query.demonstrations) shown.add(input);
      return { choice: "s" };
    });
    await optimize({ search: 128, confirm: 128, headroom: 1 }).fit(subject, given({ train: pairs }));
    expect([shown.size > 0, asked.size > 0]).toEqual([true, true]);
    for (const input of shown) expect(asked.has(input), input).toBe(false);
  });

  it("does not touch another task's instruction, and refuses too little train", async () => {
    const home = { instruction: "Name the place.", labels: labels.map((label) => ({ ...label })) };
    const other = { instruction: "Translate.", input: "x", demonstrations: [] };
    const glossary = "sea: ship";
    const all = { name: "n", instruction: "Mine.", before: "Read first.", after: glossary };
    expect(ask(all, home, other).instruction).toBe("Translate.");
    expect(ask(all, { ...home, instruction: null }, other).instruction).toContain(glossary);
    expect(
      ask({ name: "n", instruction: "Mine." }, home, { ...other, instruction: "Name the place." })
        .instruction,
    ).toBe("Mine.");
    await expect(searched(() => 0.5, { train: samples.slice(0, 100) })).rejects.toThrow(
      /too few train samples/,
    );
    const grouped = samples.map((sample, i) => ({ ...sample, group: `patient ${i % 12}` }));
    await expect(searched(() => 0.5, { train: grouped })).rejects.toThrow(/too few groups .*: 12, .* 30/);
  });
});

it("is refused before anything is asked where train is too small, inside other specializers, too", async () => {
  const base = mkdtempSync(join(tmpdir(), "hone-optimize-"));
  onTestFinished(() => rmSync(base, { recursive: true }));
  for (const [specialist, rows] of [
    ["optimize", 120],
    [["calibrate", "optimize"], 120],
    [{ subset: { n: 100, use: "optimize" } }, 600],
    // Enough for one fit on all of train, too few for those on four fifths of it.
    [{ stack: { of: ["optimize", "linear"] } }, 250],
  ] as const) {
    writeTones(join(base, "tones.jsonl"), rows);
    const study = toneSpec({ model: "mock:", specialists: [specialist] });
    const asked: string[] = [];
    const onEvent = ({ type }: { type: string }) => void asked.push(type);
    const where = { base, store: join(base, "store"), onEvent };
    await expect(planStudy(study, where)).rejects.toThrow(/optimize.* too few train samples: \d+, .* 160/);
    await expect(runStudy(study, where)).rejects.toThrow(/optimize.* too few train samples/);
    expect(asked).not.toContain("progress");
  }
});
