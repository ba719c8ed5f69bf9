// What `study/compare.ts` makes of seeds, weights, aggregates and scales: one table, one comparison, one estimate.

import { describe, expect, test } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { adjustFamily, compareScores, estimateIn, rank } from "../../src/study/compare.js";
import { type ScoredSample, tabled } from "../../src/study/scores.js";

interface Row extends ScoredSample {
  said?: number;
  gold?: number;
}
const system = (name: string, scores: Row[]) => ({ name, binary: false, scores });
const rowsOf = (name: string, n: number, more: (random: () => number, i: number) => Partial<Row>): Row[] =>
  Array.from({ length: n }, (_, i) => {
    const random = randomFor(1, name, i);
    return { sample: `s${i}`, score: random(), ...more(random, i) };
  });
const compare = (a: Row[], b: Row[], more = {}) =>
  compareScores({
    task: "t",
    systems: [system("a", a), system("b", b)],
    pairs: [["a", "b"]],
    seed: 1,
    ...more,
  })[0]!;
const figures = ({ detectableAt, ...rest }: ReturnType<typeof compare>) => ({
  ...rest,
  detectable: detectableAt(0.01),
});

describe("the plain mean is the special case", () => {
  const a = rowsOf("a", 50, () => ({}));
  const b = rowsOf("b", 50, () => ({}));

  test("of weights of 1 and of one seed, to the last bit", () => {
    const plain = figures(compare(a, b));
    expect(
      figures(
        compare(
          a.map((row) => ({ ...row, weight: 1 })),
          b.map((row) => ({ ...row, weight: 1 })),
        ),
      ),
    ).toEqual(plain);
    expect(
      figures(
        compare(
          a.map((row) => ({ ...row, seed: 4 })),
          b,
        ),
      ),
    ).toEqual(plain);
  });

  test("of an aggregate that is the mean", () => {
    const plain = compare(a, b);
    const mean = compare(a, b, {
      aggregate: (rows: Row[]) => rows.reduce((sum, { score }) => sum + score!, 0) / rows.length,
    });
    for (const key of ["delta", "low", "high"] as const) expect(mean[key]).toBeCloseTo(plain[key], 6);
    expect(mean.n).toBe(50);
  });
});

test("seeds are read from the rows, and one pair has one p however the rows lie", () => {
  const seeded = [1, 2, 3].flatMap((seed) =>
    rowsOf(`seed ${seed}`, 40, (random, i) => ({ seed, score: 0.3 * random() + 0.01 * i + 0.05 * seed })),
  );
  const other = rowsOf("other", 40, (random, i) => ({ score: 0.3 * random() + 0.01 * i }));
  const found = compare(seeded, other);
  expect(found.test).toBe("seeds-t");
  expect(figures(compare(seeded.toReversed(), other)).p).toBeCloseTo(found.p, 9);
  const averaged = compare(
    seeded.map(({ seed, ...row }) => row),
    other,
  );
  expect(averaged.delta).toBeCloseTo(found.delta, 12);
  expect(found.p).toBeGreaterThanOrEqual(averaged.p);
  expect(found.high - found.low).toBeGreaterThan(averaged.high - averaged.low);
  expect(adjustFamily([found])[0]!.detectable).toBe(found.detectableAt(0.05));
});

test("weights that systems share count for both; ones that differ make each mean its own ratio", () => {
  const weighted = (name: string, weightOf: (i: number) => number) =>
    rowsOf(name, 60, (_, i) => ({ weight: weightOf(i) }));
  const ratio = (rows: Row[]) =>
    rows.reduce((sum, { score, weight }) => sum + weight! * score!, 0) /
    rows.reduce((sum, { weight }) => sum + weight!, 0);
  const a = weighted("a", (i) => 1 + (i % 7));
  for (const b of [weighted("b", (i) => 1 + (i % 7)), weighted("b", (i) => 1 + (i % 5))]) {
    const found = compare(a, b);
    expect(found.delta).toBeCloseTo(ratio(a) - ratio(b), 9);
    expect(found.low).toBeLessThan(found.delta);
    const table = tabled({ task: "t", systems: [system("a", a)] });
    expect(estimateIn(table, "a", 1).mean).toBeCloseTo(ratio(a), 12);
  }
});

test("an aggregate reads rows, is compared on what both scored, and its estimate has an interval", () => {
  const rows = (name: string, noise: number) =>
    rowsOf(name, 80, (random, i) => ({ gold: i, said: i + noise * (random() - 0.5) }));
  // Pearson's correlation of what was said with gold.
  const aggregate = (of: readonly Row[]) => {
    const mean = (key: "said" | "gold") => of.reduce((sum, row) => sum + row[key]!, 0) / of.length;
    const [x, y] = [mean("said"), mean("gold")];
    let [xy, xx, yy] = [0, 0, 0];
    for (const { said, gold } of of) {
      xy += (said! - x) * (gold! - y);
      xx += (said! - x) ** 2;
      yy += (gold! - y) ** 2;
    }
    return xy / Math.sqrt(xx * yy);
  };
  const [a, b] = [rows("a", 40), rows("b", 200)];
  const found = compare(a, b, { aggregate, range: [-1, 1] });
  expect(found.delta).toBeCloseTo(aggregate(a) - aggregate(b), 9);
  expect(found.p).toBeLessThan(0.01);
  expect(found.low).toBeGreaterThan(0);
  expect(found.bounds).toEqual([found.delta, found.delta]);
  const holed = a.map((row, i) => (i === 3 ? { ...row, score: null } : row));
  const fewer = compare(holed, b, { aggregate, range: [-1, 1] });
  expect(fewer).toMatchObject({ n: 79, dropped: 1, bounds: [-2, 2] });
  expect(fewer.delta).toBeCloseTo(aggregate(a.toSpliced(3, 1)) - aggregate(b.toSpliced(3, 1)), 9);
  const { mean, low, high, n } = estimateIn(
    tabled({ task: "t", systems: [system("a", a)], aggregate, range: [-1, 1] }),
    "a",
    1,
  );
  expect(mean).toBeCloseTo(aggregate(a), 9);
  expect(n).toBe(80);
  expect(low).toBeLessThan(mean);
  expect(high).toBeGreaterThan(mean);
  const constant = compare(
    a.map((row) => ({ ...row, said: 1 })),
    b,
    { aggregate, range: [-1, 1] },
  );
  expect(constant).toMatchObject({ delta: Number.NaN, p: 1 });
});

describe("the scale", () => {
  const a: Row[] = [
    { sample: "x", score: 4 },
    { sample: "y", score: null },
  ];
  const b: Row[] = [
    { sample: "x", score: 5 },
    { sample: "y", score: 2 },
  ];

  test("bounds reckon with its ends, and are infinite where it has none", () => {
    expect(compare(a, b, { range: [0, 10] }).bounds).toEqual([-1.5, 3.5]);
    expect(compare(a, b, { range: [0, Number.POSITIVE_INFINITY] }).bounds).toEqual([
      -1.5,
      Number.POSITIVE_INFINITY,
    ]);
    expect(compare(a, b, { range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] }).bounds).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test("a seed's unscored answer is bounded by its share", () => {
    const seeded = (scores: (number | null)[]) => scores.map((score, seed) => ({ sample: "x", score, seed }));
    const { bounds, dropped } = compare(seeded([1, null]), seeded([0.5, 0.5]));
    expect(dropped).toBe(0);
    expect(bounds).toEqual([0, 0.5]);
  });

  test("with weights, an unscored sample counts what the other system says that it weighs", () => {
    const weigh = (rows: Row[]) => rows.map((row, i) => ({ ...row, weight: 1 + 2 * i }));
    expect(compare(weigh(a), weigh(b), { range: [0, 10] }).bounds).toEqual([-7 / 4, 23 / 4]);
    const neither = b.map((row, i) => (i === 1 ? { ...row, score: null } : row));
    expect(compare(weigh(a), weigh(neither), { range: [0, 10] }).bounds).toEqual([-10, 10]);
  });
});

test("rank puts the least error first where lower is better", () => {
  const results = [1, 3, 2].map((mean, i) => ({ subject: `s${i}`, task: "t", mean }));
  const first = (better: "higher" | "lower") =>
    rank(results, [], { task: "t", better }).map(({ subject }) => subject);
  expect(first("lower")).toEqual(["s0", "s2", "s1"]);
  expect(first("higher")).toEqual(["s1", "s2", "s0"]);
});
