// The frame of all papers: claims judged as one family, arms found by name, limits that hold for all studies together, data
// that are missing, seeds as units of inference.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { randomFor } from "../../src/core/random.js";
import { bilateral } from "../../src/papers/bilateral/paper.js";
import { type Draft, judge } from "../../src/papers/claim.js";
import { openData } from "../../src/papers/data.js";
import { claimsOf } from "../../src/papers/deepseekmoe/claims.js";
import {
  columnsDifference,
  crossedDifference,
  crossedMean,
  difference,
  meanOverSeeds,
  meanOverTasks,
  scoresOf,
  seedDifference,
} from "../../src/papers/figures.js";
import { definePaper } from "../../src/papers/paper.js";
import { namedPlans, type Plan, type Preset, planName } from "../../src/papers/plans.js";
import { specializers } from "../../src/specializers/index.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";
import { tQuantile } from "../../src/statistics/index.js";

const folder = mkdtempSync(join(tmpdir(), "hone-frame-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Figure = NonNullable<Draft["measured"]>;

describe("claims", () => {
  const draft = (side: Draft["side"], measured: Partial<Figure> | null): Draft => ({
    id: "x",
    claim: "It does.",
    published: 0.1,
    note: "",
    side,
    measured: measured && { n: 9, mean: 0.2, low: 0.1, high: 0.3, p: 0.001, against: 0, ...measured },
  });

  it.each([
    ["above", { low: 0.1, high: 0.3 }, true, false],
    ["above", { low: -0.1, high: 0.3 }, false, false],
    ["above", { low: -0.3, high: -0.1 }, false, true],
    ["below", { low: -0.3, high: -0.1 }, true, false],
    ["below", { low: 0.1, high: 0.3 }, false, true],
    ["above", { low: 0.4, high: 0.9, against: 0.5 }, false, false],
    ["below", { low: -0.3, high: 0.004, against: 0.005 }, true, false],
    ["above", { low: 0.1, high: 0.3, p: 0.06 }, false, false],
    ["below", { low: 0.1, high: 0.3, p: 0.06 }, false, false],
  ] as const)(
    "that a figure lies %s, measured %j: holds %s, opposite %s",
    (side, figure: Partial<Figure>, holds, opposite) => {
      expect(judge([draft(side, figure)])).toMatchObject([{ holds, opposite, p: figure.p ?? 0.001 }]);
    },
  );

  it("of a paper are one family: what holds alone need not hold among others", () => {
    const alone = judge([draft("above", { p: 0.03 })]);
    expect(alone[0]).toMatchObject({ holds: true, pAdjusted: 0.03 });
    const [first, second, third] = judge([0.03, 0.01, 0.6].map((p) => draft("above", { p })));
    expect(first).toMatchObject({ holds: false, p: 0.03, pAdjusted: 0.06 });
    expect(second).toMatchObject({ holds: true, pAdjusted: 0.03 });
    expect(third).toMatchObject({ holds: false, pAdjusted: 0.6 });
  });

  it("that were not measured neither hold nor fail, and belong to the family", () => {
    const [known, unknown] = judge([draft("above", { p: 0.03 }), draft("above", null)]);
    expect(unknown).toMatchObject({ measured: null, p: null, pAdjusted: null, holds: null, opposite: null });
    expect(known).toMatchObject({ holds: false, pAdjusted: 0.06 });
  });

  it("are not judged while answers are missing", () => {
    const [claim] = judge([draft("above", {})], 1);
    expect(claim).toMatchObject({ measured: 0.2, holds: null, opposite: null });
  });

  it("give no ends where the interval has none", () => {
    const [claim] = judge([
      draft("above", { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, p: 1 }),
    ]);
    expect(claim).toMatchObject({ low: null, high: null, holds: false, opposite: false });
  });
});

describe("scores of a study", () => {
  it("are of the task that an id names, and else of the study's own", () => {
    const row = (task: string, sample: string) => ({
      ...{ task, sample, seed: 1, gold: "a", prediction: "a", score: 1, details: {} },
    });
    const rows = [row("words", "de-fi:11"), row("words", "de-fi:12"), row("words", "law/7")];
    expect([...scoresOf(rows).values()].map(({ task }) => task)).toEqual(["words", "words", "law"]);
    expect(scoresOf([row("words", "3")], "own").get("own/3")?.task).toBe("own");
  });
});

describe("seeds as units", () => {
  const seeds = (values: readonly number[]) => new Map(values.map((value, i) => [i + 1, value]));

  it("give ten values an interval like Student's t: never narrower, rarely much wider", () => {
    const random = randomFor(1, "test/seeds");
    const ratios = Array.from({ length: 200 }, () => {
      // Sums of twelve uniform draws are nearly normal.
      const values = Array.from({ length: 10 }, () =>
        Array.from({ length: 12 }, random).reduce((sum, one) => sum + 0.01 * one, 0),
      );
      const mean = values.reduce((sum, one) => sum + one, 0) / 10;
      const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 9;
      const found = meanOverSeeds(seeds(values));
      expect(found?.mean).toBeCloseTo(mean, 12);
      return ((found?.high ?? 0) - (found?.low ?? 0)) / (2 * tQuantile(0.975, 9) * Math.sqrt(variance / 10));
    }).sort((a, b) => a - b);
    expect(ratios[0]).toBeGreaterThan(0.999);
    expect(ratios[100]).toBeLessThan(1.2);
    expect(ratios.at(-1)).toBeLessThan(3);
  });

  it("show nothing with one of them", () => {
    expect(meanOverSeeds(seeds([0.03]))).toMatchObject({ n: 1, mean: 0.03, high: Number.POSITIVE_INFINITY });
    const one = seedDifference(seeds([0.01]), seeds([0.5]));
    expect(one).toMatchObject({ n: 1, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, p: 1 });
  });

  it("are paired, and test against the margin that is asked for", () => {
    const b = [0.1, 0.4, 0.2, 0.7, 0.3, 0.6, 0.25, 0.55, 0.35, 0.45];
    const a = b.map((value, i) => value + 0.003 + 0.0002 * (i % 3));
    const worse = seedDifference(seeds(a), seeds(b));
    expect(worse?.low).toBeGreaterThan(0.002);
    expect(worse?.p).toBeLessThan(0.01);
    const within = seedDifference(seeds(a), seeds(b), 0.005);
    expect(within?.mean).toBeCloseTo(worse?.mean as number, 12);
    expect(within).toMatchObject({ against: 0.005, n: 10 });
    expect(within?.high).toBeLessThan(0.005);
    expect(within?.p).toBeLessThan(0.01);
    expect(seedDifference(seeds(a), new Map())).toBeNull();
  });
});

describe("scores of several trainings on a task whose ids do not name it", () => {
  const rows = (known: readonly number[]) =>
    known.flatMap((most, s) =>
      Array.from({ length: 60 }, (_, i) => ({
        ...{ task: "lexicon", sample: `de-fi:${i}`, gold: "", prediction: "", details: {} },
        ...{ seed: s + 1, score: i < most ? 1 : 1 / (2 + (i % 7)) },
      })),
    );
  const range = [0, 1] as const;

  it("are those of the samples alone where there is one training", () => {
    const [a, b] = [rows([40]), rows([20])];
    expect(crossedDifference(a, b, null, { range })).toEqual(difference(scoresOf(a), scoresOf(b), range));
    expect(crossedMean(a)).toEqual(meanOverTasks(scoresOf(a)));
  });

  it("count the trainings where they differ", () => {
    const [a, b] = [rows([20, 30, 40]), rows([20])];
    const alone = difference(scoresOf(a), scoresOf(b), range);
    const both = crossedDifference(a, b, null, { range });
    expect(both?.mean).toBeCloseTo(alone?.mean as number, 6);
    expect(both?.low).toBeLessThan(0);
    expect(alone?.low).toBeGreaterThan(0);
    const [mean, wide] = [meanOverTasks(scoresOf(a)), crossedMean(a)];
    expect(wide?.mean).toBeCloseTo(mean?.mean as number, 6);
    expect((wide?.high ?? 0) - (wide?.low ?? 0)).toBeGreaterThan(
      1.5 * ((mean?.high ?? 1) - (mean?.low ?? 0)),
    );
  });
});

describe("trainings that differ by more than a change at test time", () => {
  const random = randomFor(1, "test/same trainings");
  const texts = Array.from({ length: 60 }, random);
  // Seeds lie 0.2 apart; the change costs each of them 0.03 or so.
  const before = [0, 0.2, 0.4].map((seed) => texts.map((one) => one + seed));
  const after = before.map((column) => column.map((one) => one + 0.02 + 0.02 * random()));
  const weights = texts.map(() => 1);

  it("do not hide the change where they are the same on both sides", () => {
    expect(columnsDifference(after, before, weights, { same: true })?.low).toBeGreaterThan(0.02);
    expect(columnsDifference(after, before, weights)?.low).toBeLessThan(0);
  });

  it("do not hide what switching off DeepSeekMoE's shared expert costs", () => {
    const claims = claimsOf({
      difference: () => null,
      probe: (arm, which) =>
        arm !== "deepseekmoe"
          ? []
          : which({ what: "as trained" })
            ? before
            : which({ what: "shared off, 8 routed" })
              ? after
              : [],
      violations: () => [],
      onTexts: (a, b, crossing) => columnsDifference(a, b, weights, crossing),
      onViolations: () => null,
      information: () => null,
      routedOf: () => 31,
    });
    expect(judge(claims.filter(({ id }) => id === "e2"))).toMatchObject([{ holds: true }]);
  });
});

it("what differs from the paper is said for the sizes that were asked for", async () => {
  const store = join(folder, "differs");
  const said = async (preset: Preset) =>
    (await bilateral.reproduce({ preset, store, maxSeconds: 0 })).deviations.join("\n");
  expect(await said("full")).toContain("regulariser acts on the hidden layers");
  expect(await said("original")).toContain("regulariser acts where the published program put it");
});

describe("a paper's data", () => {
  const needs = { folders: ["law", "med"], holding: "law/a.json, med/b.json" } as const;
  const root = join(folder, "data");
  mkdirSync(join(root, "law", "cases"), { recursive: true });

  it("are found in the folder that --data names, whichever paper asks", async () => {
    const data = await openData("some", { ...needs, folders: ["law"] }, root);
    expect([...data.names("law")]).toEqual(["cases"]);
    expect(data.path("law", "cases")).toBe(join(root, "law", "cases"));
    const relative = await openData("some", { ...needs, folders: ["law"] }, "data", folder);
    expect(relative.path("law")).toBe(join(root, "law"));
  });

  it.each([
    [
      undefined,
      {},
      /No data for some[\s\S]*--data[\s\S]*no folder of data is named[\s\S]*law\/ and med\/[\s\S]*a\.json/,
    ],
    ["data", {}, /No data for some[\s\S]*data[\s\S]*there is no med\/ in it/],
    ["nowhere", {}, /No data for some[\s\S]*nowhere[\s\S]*cannot be read/],
    ["data/law", { elsewhere: true as const }, /there is no law\/ and med\/ in it/],
  ])(
    "that are missing in %s are one error that names the folder and what is missing",
    async (data, more, words) => {
      await expect(openData("some", { ...needs, ...more }, data, folder)).rejects.toThrow(words);
    },
  );

  it("may be left out where they can be had from elsewhere", async () => {
    const none = await openData("some", { ...needs, elsewhere: true }, undefined);
    expect(none.names("law").size).toBe(0);
    const some = await openData("some", { ...needs, elsewhere: true }, root);
    expect([some.names("law").size, some.names("med").size]).toEqual([1, 0]);
  });
});

/** Two studies of twelve samples over the mock, with two arms of one label. */
function tinyPaper() {
  const rows = (split: string, n: number) =>
    Array.from({ length: n }, (_, i) => ({
      id: `t/${split}${i}`,
      input: `${split} case ${i * 7919} is about ${["tax", "crime", "land"][i % 3]} ${i}`,
      answer: ["tax", "crime", "land"][i % 3],
    }));
  const settings = { models: ["mock:"] };
  return definePaper({
    name: "tiny",
    summary: "Is one example enough?",
    paper: "Nobody (never)",
    presets: { smoke: settings, full: settings, original: settings },
    data: null,
    plans: ({ models }) =>
      ["first", "second"].map((part) => ({
        part,
        model: models[0] as string,
        description: `The ${part} study`,
        files: {
          "train.jsonl": rows(`${part} train`, 9),
          "dev.jsonl": rows(`${part} dev`, 3),
          "test.jsonl": rows(`${part} test`, 12),
        },
        study: {
          task: {
            name: "t",
            kind: "choice",
            data: {
              splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: "file:test.jsonl" },
              id: "id",
              input: "input",
              label: "answer",
              options: ["tax", "crime", "land"],
              leakage: "off",
            },
          },
        },
        arms: {
          plain: "zeroShot",
          one: { twin: { k: 1 } },
          many: { twin: { k: 3 } },
          again: { twin: { k: 1 } },
        },
      })),
    figures: (studies) =>
      studies.map(({ plan, study }) => ({
        part: plan.part,
        subjects: ["plain", "one", "many", "again", "absent"].map((arm) => study?.result(arm)?.subject),
        sizes: ["plain", "one", "many", "absent"].map((arm) => scoresOf(study?.rows(arm) ?? []).size),
      })),
    claims: () => [],
    tables: () => [{ title: "Nothing", head: ["x"], rows: [], right: [] }],
    deviations: () => ["It is tiny.", undefined],
    more: (figures) => ({ figures }),
  });
}

describe("a paper on the frame", () => {
  const twin = {
    ...specializers.fewShot,
    options: z.looseObject({}),
    make: (options: { k: number }) => ({ ...fewShot(options), name: "twin", label: "twin", options }),
  };
  const run = (store: string, more: object = {}) =>
    tinyPaper().reproduce({
      preset: "smoke",
      store: join(folder, store),
      use: { specializers: { ...specializers, twin } as never },
      ...more,
    });

  it("finds its arms by name, whatever the study's tables call them, and puts the result into the envelope", async () => {
    const stages: unknown[] = [];
    const onEvent = (event: { type: string }) => event.type === "stage" && stages.push(event);
    const done = await run("whole", { onEvent });
    expect(stages).toEqual([
      { type: "stage", stage: 1, of: 2, title: "The first study" },
      { type: "stage", stage: 2, of: 2, title: "The second study" },
    ]);
    const subjects = ["zeroShot", "twin", "twin #2", "twin", undefined];
    expect(done.figures).toEqual([
      { part: "first", subjects, sizes: [12, 12, 12, 0] },
      { part: "second", subjects, sizes: [12, 12, 12, 0] },
    ]);
    expect(done).toMatchObject({
      type: "done",
      paper: "tiny",
      preset: "smoke",
      models: ["mock:"],
      claims: [],
      tables: [],
      deviations: ["It is tiny."],
      studies: ["tiny-smoke-first-model", "tiny-smoke-second-model"],
      stopped: null,
    });
    for (const field of ["seconds", "machine", "hone", "at"]) expect(done[field], field).toBeDefined();
    expect(done.unit).toBeUndefined();
  });

  it("holds its limits over all studies together", async () => {
    const stages: string[] = [];
    const onEvent = (event: { type: string; title?: string }) =>
      event.type === "stage" && stages.push(event.title!);
    const done = await run("limited", { onEvent, maxSeconds: 0.001 });
    expect(done.stopped).toBe("--max-time of 0.001 s reached");
    expect(stages).toEqual(["The first study"]);
    expect(done.figures).toMatchObject([{ sizes: [0, 0, 0, 0] }, { sizes: [0, 0, 0, 0] }]);
  });
});

it("names studies within the 64 characters that a name may have, each its own", () => {
  const name = (part: string, model = "llama:smollm2-135m?format=plain", preset: Preset = "full") =>
    planName("lawma", preset, { part, model });
  expect(name("tasks")).toBe("lawma-full-tasks-smollm2-135m");
  const long = ["a", "b"].map((end) => name(`curve-of-a-task-with-a-very-long-name-indeed-${end}`));
  for (const one of long) expect(one.length).toBeLessThanOrEqual(64);
  expect(long[0]).not.toBe(long[1]);
});

it("names the studies of models that differ in their options alone differently", () => {
  const models = ["plain", "chat"].map((format) => `llama:smollm2-135m?format=${format}`);
  const parts = ["tasks", "a-part-whose-name-alone-is-nearly-as-long-as-a-name-may-be"];
  const plans = models.flatMap((model) => parts.map((part) => ({ part, model }) as Plan));
  const named = [...namedPlans("lawma", "full", plans)];
  expect(named.map(([, plan]) => plan)).toEqual(plans);
  expect(named[0]?.[0]).toBe("lawma-full-tasks-smollm2-135m");
  for (const [name] of named) expect(name.length).toBeLessThanOrEqual(64);
});
