// choose: the best candidate by a task's metric where samples are unscored.

import { describe, expect, it } from "vitest";
import { quantity, share } from "../../src/core/metric.js";
import type { ScoredRow } from "../../src/core/task.js";
import { type Candidate, choose } from "../../src/statistics/choose.js";

const row = (score: number, weight = 1): ScoredRow => ({
  score,
  weight,
  gold: "",
  prediction: "",
  details: {},
});
/** One seed; the score's position is the sample's name, and null is unscored. */
const of = (scores: readonly (number | null)[], tokens?: number): Candidate => ({
  runs: [new Map(scores.map((score, i) => [`s${i}`, score === null ? null : row(score)]))],
  ...(tokens === undefined ? {} : { tokens }),
});
const accuracy = { metric: share("accuracy") };
const error = { metric: quantity("error", "m") };
const times = <T>(n: number, value: T): T[] => new Array<T>(n).fill(value);

describe("with a worst end", () => {
  it("counts an unscored sample as that", () => {
    expect(choose([of([1, 1, null, null]), of([1, 1, 1, 0])], accuracy)).toBe(1);
    expect(choose([of([1, 1, 1, null]), of([1, 1, 0, 0])], accuracy)).toBe(0);
    // An error that cannot exceed 10: 1 on nine of ten is 1.9 on all.
    const bounded = { metric: { ...quantity("error"), most: 10 } };
    expect(choose([of([...times(9, 1), null]), of(times(10, 1.8))], bounded)).toBe(1);
    expect(choose([of([...times(9, 1), null]), of(times(10, 2))], bounded)).toBe(0);
  });

  it("counts a sample that was never answered as unscored, under each seed", () => {
    expect(choose([of([1]), of([1, 1, 0])], accuracy)).toBe(1);
    const half = { runs: [...of([1, 1]).runs, ...of([null, null]).runs] };
    expect(choose([half, of([1, 0])], accuracy)).toBe(0);
    expect(
      choose([of([1, 0, 1]), { runs: [...of([1, 1, 1]).runs, ...of([null, null, 1]).runs] }], accuracy),
    ).toBe(0);
  });

  it("weighs samples", () => {
    const weighed = (scores: number[]): Candidate => ({
      runs: [new Map(scores.map((score, i) => [`s${i}`, row(score, i === 0 ? 5 : 1)]))],
    });
    expect(choose([weighed([0, 1, 1]), weighed([1, 0, 0])], accuracy)).toBe(1);
  });
});

describe("without a worst end", () => {
  it("takes the least error, and an unscored trial is not an error of 0", () => {
    expect(choose([of(times(20, 3)), of(times(20, 2))], error)).toBe(1);
    expect(choose([of([...times(19, 3), null]), of(times(20, 2))], error)).toBe(1);
    // One trial of three is too many: 0.1 on the other two does not win.
    expect(choose([of([0.1, 0.1, null]), of([2, 2, 2])], error)).toBe(1);
  });

  it("compares on what both scored, so that leaving out the hard sample gains nothing", () => {
    const all = [...times(19, 1), 40];
    expect(choose([of([...times(19, 1.1), null]), of(all)], error)).toBe(1);
    expect(choose([of([...times(19, 0.9), null]), of(all)], error)).toBe(0);
  });

  it("compares candidates that have no sample in common with each other", () => {
    const without = (base: number, gaps: number[]) =>
      of(Array.from({ length: 20 }, (_, i) => (gaps.includes(i) ? null : base)));
    const parts = Array.from({ length: 10 }, (_, i) => without(i === 7 ? 1 : 2, [2 * i, 2 * i + 1]));
    expect(choose(parts, error)).toBe(7);
  });

  it("works where more is better, too", () => {
    const open = { metric: { ...quantity("return"), better: "higher" as const } };
    const { least: _, ...metric } = open.metric;
    expect(choose([of([...times(19, -5), null]), of([...times(19, -6), -90])], { metric })).toBe(0);
    expect(choose([of([...times(19, -7), null]), of([...times(19, -6), -90])], { metric })).toBe(1);
  });
});

describe("an aggregate", () => {
  const spread = (rows: readonly ScoredRow[]) =>
    Math.max(...rows.map(({ score }) => score)) - Math.min(...rows.map(({ score }) => score));

  it("is taken in place of the mean, on the samples that all scored", () => {
    const task = { ...accuracy, aggregate: spread };
    expect(choose([of([0.9, 0.9]), of([0, 0.5])], task)).toBe(1);
    // The second would be ahead by its last sample, which the first left unscored.
    const [a, b] = [of([0, ...times(18, 0.5), null]), of([0, ...times(18, 0.4), 1])];
    expect(choose([a, b], task)).toBe(0);
  });

  it("cannot be compared without a sample in common", () => {
    const task = { metric: share("r"), aggregate: spread };
    const apart = Array.from({ length: 10 }, (_, i) =>
      of(Array.from({ length: 10 }, (_, j) => (i === j ? null : 1))),
    );
    expect(choose(apart, task)).toBeUndefined();
  });
});

describe("equals and nothings", () => {
  it("gives ties to fewer tokens, then to the one listed first, whatever order the scores were added up in", () => {
    expect(choose([of([1, 0], 9), of([0, 1], 5), of([1, 0], 5)], accuracy)).toBe(1);
    expect(choose([of([1, 0]), of([0, 1])], accuracy)).toBe(0);
    expect(0.1 + 0.2 + 0.3).not.toBe(0.3 + 0.2 + 0.1);
    expect(choose([of([0.3, 0.2, 0.1], 1), of([0.1, 0.2, 0.3], 2)], accuracy)).toBe(0);
    expect(choose([of([0.1, 0.2, 0.3], 1), of([0.3, 0.2, 0.1], 2)], accuracy)).toBe(0);
  });

  it.each([accuracy, error])("chooses no one who scored nothing", (task) => {
    expect(choose([], task)).toBeUndefined();
    expect(choose([of([null, null]), { runs: [] }], task)).toBeUndefined();
    expect(choose([of([null, null]), of([0, 0])], task)).toBe(1);
  });
});
