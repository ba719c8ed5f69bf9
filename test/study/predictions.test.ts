// Predictions made elsewhere: reading, matching, comparing, and every way such a file can be broken.

import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { normalQuantile } from "../../src/statistics/distributions.js";
import { mcnemar, mcnemarDetectable, wilson } from "../../src/statistics/index.js";
import { firstInteger, firstLetter, matches, readGold } from "../../src/study/answers.js";
import { adjustFamily, compareScores } from "../../src/study/compare.js";
import { comparePredictionsFile, readPredictions } from "../../src/study/predictions.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hone-predictions-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function file(rows: readonly unknown[]): Promise<string> {
  const path = join(folder, `${files++}.jsonl`);
  await writeFile(path, rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row))).join("\n"));
  return path;
}

const row = (id: string, gold: unknown, answers: unknown, more: object = {}) => ({
  id,
  gold,
  answers,
  ...more,
});

describe("reading", () => {
  test("scores, systems in order of appearance, unscored where there is no answer", async () => {
    const path = await file([
      row("1", "yes", { x: "yes", y: " no " }),
      row("2", " no", { x: null, y: "no", z: "no" }),
      "",
      row("3", ["a", "b"], { x: "b", y: "" }),
    ]);
    const { systems, tasks, notes } = await readPredictions(path);
    expect(systems).toEqual(["x", "y", "z"]);
    expect(tasks).toHaveLength(1);
    expect(tasks[0]?.n).toBe(3);
    const scores = [...(tasks[0]?.scores ?? [])].map(([name, list]) => [name, [...list]]);
    expect(Object.fromEntries(scores)).toEqual({
      x: [1, Number.NaN, 1],
      y: [0, 1, 0],
      z: [Number.NaN, 1, Number.NaN],
    });
    expect(notes).toEqual(["y: 1 empty answers count as wrong. Write null where a system gave no answer."]);
  });

  test("takes `pred` where there is no `answers`, and says so; or the field that is named", async () => {
    const path = await file([{ id: 7, gold: 3, pred: { x: 3 }, other: { w: "4" } }]);
    const found = await readPredictions(path);
    expect(found.systems).toEqual(["x"]);
    expect(found.notes).toEqual(['The answers were read from the field "pred".']);
    expect(found.tasks[0]?.n).toBe(1);
    expect((await readPredictions(path, { answersField: "other" })).systems).toEqual(["w"]);
  });

  test("keeps only the systems that are asked for", async () => {
    const path = await file([row("1", "a", { x: "a", y: "b", z: "a" })]);
    expect((await readPredictions(path, { systems: ["z", "x"] })).systems).toEqual(["z", "x"]);
    await expect(readPredictions(path, { systems: ["q"] })).rejects.toThrow('No system is called "q"');
  });

  test("the same id may stand in two tasks; names that JavaScript knows are ordinary", async () => {
    const path = await file([
      '{"id":"1","task":"t","gold":"a","answers":{"__proto__":"a","constructor":"b"}}',
      '{"id":"1","task":"__proto__","gold":"a","answers":{"__proto__":"b"}}',
    ]);
    const { systems, tasks } = await readPredictions(path);
    expect(systems).toEqual(["__proto__", "constructor"]);
    expect(tasks.map(({ task }) => task)).toEqual(["t", "__proto__"]);
  });
});

describe("matching", () => {
  const gold = (value: unknown) => readGold(value) ?? [];

  test("choice reads a stand-alone capital letter", () => {
    expect(matches("H. Economic Activity", gold(" H"), "choice")).toBe(true);
    expect(matches("H. Economic Activity", gold(" H"), "exact")).toBe(false);
    for (const [text, letter] of [
      ["(B) because", "B"],
      ["The answer is C.", "C"],
      ["I would say D", "D"],
      ["I'd go with A", "A"],
      ["A court said: B", "B"],
      ["A criminal case", "A"],
      ["I. Judicial Power", "I"],
      ["The text does not provide", undefined],
      ["É B2 2B Ωmega", undefined],
      ["", undefined],
    ])
      expect(firstLetter(text as string), text).toBe(letter);
  });

  test("choice reads a whole number where gold is one", () => {
    for (const [text, number] of [
      ["Answer: 007", "7"],
      ["about 1,234 pages", "1234"],
      ["-5 degrees", "-5"],
      ["Title-42", "42"],
      ["-0", "0"],
      ["\u22125 degrees", "-5"],
      ["The answer is 3.", "3"],
      ["3.A judge", "3"],
      ["No.5", "5"],
      ["so...5", "5"],
      ["12% of them", "12"],
      ["3.0", "3"],
      ["2020-01-05", "2020"],
      ["5/12/2020", "5"],
      ["1,234,567.00", "1234567"],
      ["none", undefined],
    ])
      expect(firstInteger(text as string), text).toBe(number);
    expect(matches("There are 3 judges, A to C", gold("03"), "choice")).toBe(true);
    expect(matches("13", gold(3), "choice")).toBe(false);
  });

  test("a number that is part of a decimal is no whole number", () => {
    for (const [text, number] of [
      ["3.5", undefined],
      ["0.9", undefined],
      [".5", undefined],
      ["-.5", undefined],
      ["12.5%", undefined],
      ["1,234.5", undefined],
      ["1e-7", undefined],
      ["1.5e3", undefined],
      ["3.1.2020", undefined],
      ["between 2.5 and 10.", "10"],
      ["v1.2.3 has 4", "4"],
    ])
      expect(firstInteger(text as string), text).toBe(number);
    expect(matches("3.5", gold(3), "choice")).toBe(false);
    expect(matches("0.9", gold(0), "choice")).toBe(false);
    expect(matches("\u22125", gold(5), "choice")).toBe(false);
  });

  test("other golds are compared exactly, any accepted one will do", () => {
    expect(matches(" New York ", gold(["NYC", "New York"]), "choice")).toBe(true);
    expect(matches("In New York", gold("New York"), "choice")).toBe(false);
    expect(matches("B", gold(["A", "B"]), "choice")).toBe(true);
    expect(readGold([])).toBeUndefined();
    expect(readGold({ a: 1 })).toBeUndefined();
    expect(readGold("  ")).toBeUndefined();
  });
});

describe("broken files: one error with the line", () => {
  const good = row("1", "a", { x: "a" });
  const cases: [name: string, rows: unknown[], line: number, says: RegExp][] = [
    ["a line that is not JSON", [good, '{"id": "2", "gold": '], 2, /JSON/],
    ["a row that is an array", [good, "[1]"], 2, /not an object/],
    [
      "an id twice in a task",
      [good, row("2", "b", { x: "b" }), row("1", "b", { x: "b" })],
      3,
      /already occurs at .*:1/,
    ],
    ["no id", [{ gold: "a", answers: { x: "a" } }], 1, /no `id`/],
    ["an id that is an object", [row({} as string, "a", { x: "a" })], 1, /no `id`/],
    ["no gold", [good, { id: "2", answers: { x: "a" } }], 2, /no `gold`/],
    ["a null gold", [row("1", null, { x: "a" })], 1, /no `gold`/],
    ["an empty list of golds", [row("1", [], { x: "a" })], 1, /no `gold`/],
    ["gold in a list of objects", [row("1", [{ text: "a" }], { x: "a" })], 1, /no `gold`/],
    ["no answers", [{ id: "1", gold: "a" }], 1, /`answers` is missing/],
    ["answers that are a list", [row("1", "a", ["a"])], 1, /`answers` is not an object/],
    ["answers that are a text", [row("1", "a", "a")], 1, /`answers` is not an object/],
    ["an answer that is an object", [row("1", "a", { x: { text: "a" } })], 1, /answer of "x"/],
    ["a task that is a list", [row("1", "a", { x: "a" }, { task: [] })], 1, /`task`/],
    ["a group that is an object", [row("1", "a", { x: "a" }, { group: {} })], 1, /`group`/],
    [
      "a task that is called like the totals",
      [row("1", "a", { x: "a" }, { task: "(all samples)" })],
      1,
      /over all tasks/,
    ],
    [
      "more than 100 systems",
      [row("1", "a", Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`s${i}`, "a"])))],
      1,
      /more than 100/,
    ],
  ];
  test.each(cases)("%s", async (_, rows, line, says) => {
    const path = await file(rows);
    const error = await readPredictions(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HoneError);
    const { failure } = error as HoneError;
    expect(failure.where).toContain(`.jsonl:${line}`);
    expect(`${failure.what} ${failure.why}`).toMatch(says);
    expect(failure.next).toBeTruthy();
  });

  test("an empty file, a file that is not there, no answers at all", async () => {
    const error = async (path: string) =>
      ((await readPredictions(path).catch((e: unknown) => e)) as HoneError).failure;
    expect((await error(await file([]))).where).toContain(".jsonl");
    expect((await error(join(folder, "nowhere.jsonl"))).where).toContain("nowhere.jsonl");
    expect((await error(await file([row("1", "a", {}), row("2", "a", { x: null })]))).why).toMatch(
      /empty or null in every row/,
    );
  });
});

describe("comparing", () => {
  test("pairs on the samples that both answered, counts the rest, adjusts over the whole family", async () => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      row(`s${i}`, "yes", {
        good: "yes",
        bad: i < 12 ? "yes" : "no",
        partial: i < 10 ? "yes" : null,
      }),
    );
    const { results, comparisons, ranking, notes } = await comparePredictionsFile(await file(rows), {
      seed: 2,
    });
    expect(results.map(({ subject, n, mean, unscored }) => [subject, n, mean, unscored])).toEqual([
      ["good", 40, 1, 0],
      ["bad", 40, 0.3, 0],
      ["partial", 10, 1, 30],
    ]);
    expect(results[2]?.bounds).toEqual([0.25, 1]);
    const [first, second, third] = comparisons;
    expect(first).toMatchObject({
      a: "good",
      b: "bad",
      n: 40,
      delta: 0.7,
      dropped: 0,
      test: "mcnemar-exact",
    });
    expect(first?.p).toBeCloseTo(mcnemar(28, 0), 12);
    expect(first?.pAdjusted).toBeCloseTo(3 * mcnemar(28, 0), 12);
    expect(second).toMatchObject({ a: "good", b: "partial", n: 10, delta: 0, dropped: 30, p: 1 });
    expect(second?.bounds).toEqual([0, 0.75]);
    expect(third).toMatchObject({ a: "bad", b: "partial", n: 10, delta: 0 });
    expect(ranking[0]?.ranks.map(({ subject, letters }) => [subject, letters])).toEqual([
      ["good", "a"],
      ["partial", "ab"],
      ["bad", "b"],
    ]);
    expect(notes).toEqual([
      "partial has no answer to 30 samples: they are unscored, and left out of its comparisons.",
    ]);
  });

  test("several tasks: all samples and the mean of tasks; shared ids are one unit", async () => {
    const rows = ["t", "u"].flatMap((task) =>
      Array.from({ length: task === "t" ? 30 : 10 }, (_, i) =>
        row(`s${i}`, "A", { x: "A", y: i % 2 === 0 || task === "t" ? "A" : "B" }, { task }),
      ),
    );
    const { results, comparisons, ranking } = await comparePredictionsFile(await file(rows), {});
    const of = (task: string) => comparisons.find((comparison) => comparison.task === task);
    expect(of("(all samples)")).toMatchObject({ n: 40, delta: 0.125, test: "sign-flip" });
    // Five units differ, each by one: the exact sign-flip test's 2 · 2⁻⁵.
    expect(of("(all samples)")?.p).toBeCloseTo(2 / 32, 12);
    expect(of("(mean of tasks)")).toMatchObject({ n: 40, delta: 0.25 });
    expect(of("(mean of tasks)")?.low).toBeLessThan(0.2);
    expect(of("(mean of tasks)")?.high).toBeGreaterThan(0.3);
    expect(results.find(({ subject, task }) => subject === "y" && task === "(mean of tasks)")).toMatchObject({
      mean: 0.75,
      bounds: [0.75, 0.75],
    });
    expect(ranking.map(({ task }) => task)).toEqual(["t", "u", "(all samples)", "(mean of tasks)"]);
    for (const { low, high, mean } of results) {
      expect(low).toBeLessThanOrEqual(mean);
      expect(high).toBeGreaterThanOrEqual(mean);
    }
  });

  test("the mean of ten tasks, most without an error, has the interval of its 200 answers, not one drawn to 1/2 by each", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => {
      const [task, k] = [i % 10, Math.floor(i / 10)];
      return row(`s${i}`, "A", { x: task < 2 && k < 5 ? "B" : "A", y: "A" }, { task: `t${task}` });
    });
    const { results } = await comparePredictionsFile(await file(rows), {});
    const of = (system: string) =>
      results.find(({ subject, task }) => subject === system && task === "(mean of tasks)")!;
    const [low, high] = wilson(0.95, 200, normalQuantile(0.975));
    expect(of("x").mean).toBeCloseTo(0.95, 12);
    expect(of("x").low).toBeCloseTo(low, 2);
    expect(of("x").high).toBeCloseTo(high, 2);
    expect(of("y").low).toBeCloseTo(wilson(1, 200, normalQuantile(0.975))[0], 9);
    expect(of("y").high).toBe(1);
  });

  test("the mean of tasks could show what the units that it flips could, full-size where few differ", async () => {
    const compared = async (answered: number, wrong: number) => {
      const rows = ["t", "u"].flatMap((task) =>
        Array.from({ length: 40 }, (_, i) =>
          row(`${task}${i}`, "A", { x: i < answered ? "A" : null, y: i < wrong ? "B" : "A" }, { task }),
        ),
      );
      const { comparisons } = await comparePredictionsFile(await file(rows), {});
      return comparisons.find(({ task }) => task === "(mean of tasks)");
    };
    // One unit in each task differs: of 40 units the Holm level asks for more full-size ones than of 80.
    const few = await compared(20, 1);
    const level = 0.05 / 4;
    expect(few?.n).toBe(40);
    expect(few?.detectable).toBeCloseTo(mcnemarDetectable(40, 0, level), 12);
    // Six units differ: by the interval's own error.
    const more = await compared(20, 3);
    expect(more?.detectable).toBeGreaterThan(0);
    expect(more?.detectable).not.toBeCloseTo(mcnemarDetectable(40, 0, level), 3);
  });

  test("distinct ids over tasks stay McNemar's; a system that lacks a task has no mean of tasks", async () => {
    const rows = Array.from({ length: 24 }, (_, i) =>
      row(
        `s${i}`,
        "A",
        { x: "A", y: i % 3 ? "A" : "B", ...(i < 12 ? { z: "A" } : {}) },
        { task: i < 12 ? "t" : "u" },
      ),
    );
    const { comparisons, notes } = await comparePredictionsFile(await file(rows), {});
    expect(comparisons.find(({ task }) => task === "(all samples)")?.test).toBe("mcnemar-exact");
    expect(comparisons.filter(({ task }) => task === "(mean of tasks)")).toHaveLength(1);
    expect(notes.join(" ")).toContain("z has no scored answer in some tasks");
  });

  test("rows of one group are one unit", async () => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      row(`s${i}`, "A", { x: "A", y: i < 24 ? "B" : "A" }, { group: Math.floor(i / 4) }),
    );
    const { comparisons } = await comparePredictionsFile(await file(rows), {});
    expect(comparisons[0]).toMatchObject({ test: "sign-flip", delta: 0.6 });
    expect(comparisons[0]?.p).toBeCloseTo(2 / 64, 12);
  });

  test("free text against letters: the note says what to type", async () => {
    const rows = Array.from({ length: 8 }, (_, i) =>
      row(`s${i}`, " A", { chat: "A. Criminal Procedure", open: " A" }),
    );
    const path = await file(rows);
    const { results, notes } = await comparePredictionsFile(path, {});
    expect(results[0]?.mean).toBe(0);
    expect(notes[0]).toMatch(/^chat: 0 answers match .* 8 would .*--match choice/);
    const read = await comparePredictionsFile(path, { match: "choice" });
    expect(read.results[0]?.mean).toBe(1);
    expect(read.notes).toEqual([]);
  });
});

describe("families and ranks", () => {
  test("several seeds of a sample count once; unknown names and wrong scores are refused", () => {
    const scores = Array.from({ length: 12 }, (_, i) => ({ sample: `s${i}`, score: 1 }));
    const input = {
      task: "t",
      systems: [
        { name: "a", binary: true, scores: [...scores, ...scores] },
        { name: "b", binary: true, scores: scores.map(({ sample }) => ({ sample, score: 0 })) },
      ],
      seed: 1,
    };
    expect(compareScores({ ...input, pairs: [["a", "b"]] })[0]).toMatchObject({
      n: 12,
      delta: 1,
      p: mcnemar(12, 0),
    });
    expect(() => compareScores({ ...input, pairs: [["a", "c"]] })).toThrow('Cannot compare "c"');
    const odd = [{ name: "a", binary: true, scores: [{ sample: "s", score: 0.5 }] }];
    expect(() => compareScores({ task: "t", systems: odd, pairs: [["a", "a"]], seed: 1 })).toThrow(
      "not a 0 or 1",
    );
  });

  test("adjusting keeps the order and the rest of each comparison", () => {
    const one = {
      a: "a",
      b: "b",
      task: "t",
      n: 1,
      delta: 0,
      low: 0,
      high: 0,
      test: "sign-flip" as const,
      detectableAt: (level: number) => 1 / level,
      dropped: 3,
      bounds: [0, 1] as [number, number],
    };
    const adjusted = adjustFamily([
      { ...one, p: 0.06 },
      { ...one, p: 0.01 },
    ]);
    // The second is tested at 0.05 / 2 and shown; the first is then tested at 0.05.
    expect(adjusted.map(({ detectable }) => detectable)).toEqual([20, 40]);
    expect(JSON.parse(JSON.stringify(adjusted))).toEqual(adjusted);
    expect(adjusted.map(({ pAdjusted, dropped }) => [pAdjusted, dropped])).toEqual([
      [0.06, 3],
      [0.02, 3],
    ]);
  });
});

const data = process.env.HONE_TEST_DATA;
const lawma = data ? join(data, "law/lawma_predictions_7tasks.jsonl") : "";
describe.skipIf(!lawma || !existsSync(lawma))(
  "Lawma's stored predictions (skipped unless HONE_TEST_DATA has them)",
  () => {
    test("reproduces the published accuracies and shows which differences are real", async () => {
      const { results, comparisons, ranking, notes } = await comparePredictionsFile(lawma, {
        match: "choice",
        systems: ["gpt4", "lawma-8b", "lawma-70b", "llama-3-8b-instruct", "llama-3-70b-instruct"],
      });
      const mean = (subject: string, task: string) =>
        results.find((result) => result.subject === subject && result.task === task)?.mean;
      // The authors' own result files.
      expect(mean("lawma-8b", "sc_issuearea")).toBeCloseTo(0.844, 4);
      expect(mean("gpt4", "sc_issuearea")).toBeCloseTo(0.657, 4);
      expect(mean("lawma-8b", "songer_origin")).toBeCloseTo(0.777, 4);
      expect(mean("gpt4", "sc_lcdispositiondirection")).toBeCloseTo(0.364, 4);
      const of = (a: string, b: string, task: string) =>
        comparisons.find((c) => c.a === a && c.b === b && c.task === task)!;
      const lawmaOverGpt4 = of("gpt4", "lawma-8b", "(mean of tasks)");
      expect(lawmaOverGpt4.delta).toBeCloseTo(-0.169, 2);
      expect(lawmaOverGpt4.pAdjusted).toBeLessThan(0.01);
      expect(of("lawma-8b", "lawma-70b", "(all samples)").pAdjusted).toBeGreaterThan(0.05);
      const overall = ranking
        .find(({ task }) => task === "(all samples)")
        ?.ranks.map(({ subject, letters }) => `${subject} ${letters}`);
      expect(overall).toEqual([
        "lawma-70b a",
        "lawma-8b a",
        "llama-3-70b-instruct b",
        "gpt4 b",
        "llama-3-8b-instruct c",
      ]);
      expect(notes.join("\n")).toContain("gpt4 has no answer to 3248 samples");
    });
  },
);
