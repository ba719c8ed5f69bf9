// Weights, figures that are no means, and training seeds: each has the plain mean as its special case.

import { describe, expect, test } from "vitest";
import { spearman } from "../../bench/statistics/crossed.js";
import { normal, type Random, randomFor } from "../../src/core/random.js";
import {
  aggregateInterval,
  linearized,
  meanInterval,
  pairedDifference,
  standardError,
  unitsOf,
} from "../../src/statistics/index.js";
import { seedPart } from "../../src/statistics/seeds.js";

const drawn = (n: number, draw: (i: number) => number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => draw(i));
const few = { resamples: 300, draws: 300 };
const kinds: [name: string, draw: (random: Random) => number][] = [
  ["right/wrong", (random) => (random() < 0.7 ? 1 : 0)],
  ["scores", (random) => random() ** 2],
  ["nearly constant", (random) => (random() < 0.03 ? random() : 1)],
];
/** Everything that a difference says, `detectableAt` included. */
const told = (...given: Parameters<typeof pairedDifference>) => {
  const { detectableAt, ...rest } = pairedDifference(...given);
  return { ...rest, detectable: [0.05, 0.004].map(detectableAt) };
};

describe("weights", () => {
  test.each(kinds)("equal ones change nothing, to the last bit: %s", (name, draw) => {
    for (const grouped of [false, true]) {
      const random = randomFor(3, name);
      const [a, b] = [drawn(75, () => draw(random)), drawn(75, () => draw(random))];
      const options = { seed: 2, ...few, ...(grouped ? { groups: Array.from(a, (_, i) => i % 23) } : {}) };
      for (const weight of [1, 2.7]) {
        const weights = a.map(() => weight);
        expect(meanInterval(a, { ...options, weights })).toEqual(meanInterval(a, options));
        expect(told(a, b, { ...options, weights })).toEqual(told(a, b, options));
      }
    }
  });

  test("the mean is Σ wy / Σ w, its error the linearized one, and repeated samples weigh as much as grouped ones", () => {
    const random = randomFor(1, "weights");
    const y = drawn(40, () => random());
    const w = drawn(40, () => 1 + Math.floor(4 * random()));
    const total = w.reduce((sum, weight) => sum + weight, 0);
    const mean = y.reduce((sum, value, i) => sum + w[i]! * value, 0) / total;
    const units = unitsOf(y, undefined, w);
    expect(units.mean).toBeCloseTo(mean, 12);
    const { error, freedom } = standardError(units, y);
    const linear = Math.sqrt(y.reduce((sum, value, i) => sum + (w[i]! * (value - mean)) ** 2, 0)) / total;
    expect(error / linear).toBeGreaterThan(1);
    expect(error / linear).toBeLessThan(1.03);
    expect(freedom).toBeGreaterThan(20);
    expect(freedom).toBeLessThan(39);
    // A sample of weight 3 is a group of three equal samples.
    const ids = Array.from(w, (weight, i) => Array.from({ length: weight }, () => i)).flat();
    const repeated = drawn(total, (k) => y[ids[k]!]!);
    const whole = unitsOf(repeated, ids);
    expect([...whole.sums].map((sum) => sum.toFixed(9))).toEqual(
      [...units.sums].map((sum) => sum.toFixed(9)),
    );
    expect(standardError(whole, repeated).error).toBeCloseTo(error, 12);
  });

  test("the test is the paired swap of the weighted means, enumerated", () => {
    const random = randomFor(4, "swap");
    const [a, b, w] = [
      drawn(9, () => random()),
      drawn(9, () => random() / 2),
      drawn(9, () => random() + 0.1),
    ];
    const weighted = (values: (i: number) => number) =>
      w.reduce((sum, weight, i) => sum + weight * values(i), 0);
    const observed = Math.abs(weighted((i) => a[i]! - b[i]!));
    let extreme = 0;
    for (let bits = 0; bits < 512; bits++)
      if (Math.abs(weighted((i) => (a[i]! - b[i]!) * ((bits >> i) & 1 ? -1 : 1))) >= observed - 1e-12)
        extreme++;
    expect(pairedDifference(a, b, { seed: 1, weights: w }).p).toBeCloseTo(extreme / 512, 12);
  });

  test("one sample that outweighs all others leaves few degrees of freedom; nonsense is refused", () => {
    const random = randomFor(5, "heavy");
    const y = drawn(60, () => random());
    const heavy = y.map((_, i) => (i === 0 ? 200 : 1));
    expect(standardError(unitsOf(y, undefined, heavy), y).freedom).toBeLessThan(3);
    expect(() => unitsOf(y, undefined, [1])).toThrow(RangeError);
    expect(() => unitsOf([1, 2], undefined, [1, -1])).toThrow("weight 1 is not");
    expect(() => unitsOf([1, 2], undefined, [0, 0])).toThrow("all weights are 0");
  });
});

describe("figures that are no means", () => {
  test("a mean's pseudo-values are its values, whatever the order of units", () => {
    const random = randomFor(6, "pseudo");
    const y = drawn(30, () => random());
    const found = linearized((samples) => samples.reduce((sum, i) => sum + y[i]!, 0) / samples.length, 30, {
      seed: 1,
    });
    found.values!.forEach((value, i) => {
      expect(value).toBeCloseTo(y[i]!, 10);
    });
  });

  test("their error is near the known one of a correlation, and groups count", () => {
    const random = randomFor(7, "error");
    const x = drawn(400, () => normal(random));
    const y = x.map((value) => 0.6 * value + 0.8 * normal(random));
    const options = { seed: 1, range: [-1, 1] as const, resamples: 500 };
    const { mean, low, high } = aggregateInterval([spearman(x, y)], 400, options);
    // Var(r) of normal data is (1 - ρ²)² / n, Spearman's a few per cent more.
    const half = (1.96 * (1 - mean ** 2)) / 20;
    expect((high - low) / 2 / half).toBeGreaterThan(0.9);
    expect((high - low) / 2 / half).toBeLessThan(1.25);
    // Each pair four times over proves no more, if one knows of it.
    const four = (column: Float64Array) => drawn(400, (i) => column[i >> 2]!);
    const figure = spearman(four(x), four(y));
    const groups = Int32Array.from({ length: 400 }, (_, i) => i >> 2);
    const grouped = aggregateInterval([figure], 400, { ...options, groups });
    const ignored = aggregateInterval([figure], 400, options);
    expect((grouped.high - grouped.low) / (ignored.high - ignored.low)).toBeGreaterThan(1.7);
  });

  test("one that is not defined without some sample has the whole scale and shows nothing", () => {
    const f1 = (samples: Int32Array) => (samples.includes(0) ? 0.8 : Number.NaN);
    expect(aggregateInterval([f1], 20, { seed: 1, range: [0, 1] })).toMatchObject({
      mean: 0.8,
      low: 0,
      high: 1,
    });
    expect(linearized(() => Number.NaN, 20, { seed: 1 })).toEqual({ estimate: Number.NaN, values: null });
  });

  test("1,000 rows take 1,001 evaluations; of more rows some are merged, the same ones for every system", () => {
    let evaluations = 0;
    const mean = (column: Float64Array) => (samples: Int32Array) => {
      evaluations++;
      let sum = 0;
      for (const i of samples) sum += column[i]!;
      return sum / samples.length;
    };
    const random = randomFor(8, "evaluations");
    expect(linearized(mean(drawn(1000, () => random())), 1000, { seed: 1 }).values).toHaveLength(1000);
    expect(evaluations).toBe(1001);
    const column = drawn(8000, () => random());
    const [a, b] = [column, column.map((value) => value + 0.1)].map(
      (c) => linearized(mean(c), 8000, { seed: 1 }).values!,
    );
    expect(a).toHaveLength(500);
    b!.forEach((value, g) => {
      expect(value - a![g]!).toBeCloseTo(0.1, 9);
    });
  });
});

describe("training seeds", () => {
  /** Right/wrong answers under several seeds, each moved as a whole by `moves`. */
  const answers = (name: string, n: number, moves: readonly number[], rate = 0.7) => {
    const random = randomFor(11, name);
    const hard = drawn(n, () => random());
    return moves.map((move) => hard.map((u) => (0.5 * u + 0.5 * random() < rate + move ? 1 : 0)));
  };

  test("one seed, or seeds that all agree, give what the scores alone give, to the last bit", () => {
    for (const [name, draw] of kinds) {
      const random = randomFor(12, name);
      const [a, b] = [drawn(60, () => draw(random)), drawn(60, () => draw(random))];
      const options = { seed: 1, ...few };
      expect(meanInterval([a], options)).toEqual(meanInterval(a, options));
      expect(told([a], [b], options)).toEqual(told(a, b, options));
      const halves = a.map((value) => Math.round(4 * value) / 4);
      expect(told([halves, halves], b, options)).toEqual(told(halves, b, options));
    }
  });

  test("the two parts of the variance are those of a two-way layout", () => {
    const rows = answers("layout", 50, [0.25, -0.15, 0, 0.05]);
    const part = seedPart(rows)!;
    const means = rows.map((row) => row.reduce((a, b) => a + b, 0) / 50);
    const mean = means.reduce((a, b) => a + b, 0) / 4;
    const between = means.reduce((sum, m) => sum + (m - mean) ** 2, 0) / 3;
    let residual = 0;
    for (let i = 0; i < 50; i++) {
      const own = rows.reduce((sum, row) => sum + row[i]!, 0) / 4;
      for (const [s, row] of rows.entries()) residual += (row[i]! - own - means[s]! + mean) ** 2;
    }
    // Of the interaction a third stays with four seeds.
    const interaction = residual / (49 * 3) / 50 / 4;
    expect(part.variance).toBeCloseTo(between / 4 - (2 / 3) * interaction, 14);
    expect(part.freedom).toBe(3);
    expect(part.interaction).toBeCloseTo(interaction / 3, 14);
    // Each sample alone in its group is no group; four clones in one count once.
    expect(seedPart(rows, { groups: Array.from({ length: 50 }, (_, i) => i) })).toEqual(part);
    const clones = rows.map((row) => drawn(200, (i) => row[i >> 2]!));
    const grouped = seedPart(clones, { groups: Array.from({ length: 200 }, (_, i) => i >> 2) })!;
    expect(grouped.interaction).toBeCloseTo(part.interaction, 14);
    expect(seedPart(clones)!.interaction).toBeLessThan(part.interaction / 3);
  });

  test("tasks with trainings of their own: the order of seeds within one changes nothing, and freedom adds up", () => {
    const tasks = ["first", "second"].map((name) => answers(name, 50, [0.25, -0.15, 0]));
    const of = Array.from({ length: 100 }, (_, i) => (i < 50 ? "first" : "second"));
    const joint = (second: Float64Array[]) => tasks[0]!.map((row, s) => [...row, ...second[s]!]);
    const part = seedPart(joint(tasks[1]!), { tasks: of })!;
    const turned = seedPart(joint([1, 2, 0].map((s) => tasks[1]![s]!)), { tasks: of });
    expect(turned!.variance).toBeCloseTo(part.variance, 14);
    const own = tasks.map((rows) => seedPart(rows)!);
    expect(part.variance).toBeCloseTo((own[0]!.variance + own[1]!.variance) / 4, 14);
    expect(part.interaction).toBeCloseTo((own[0]!.interaction + own[1]!.interaction) / 4, 14);
    expect(part.freedom).toBeGreaterThan(2);
    expect(part.freedom).toBeLessThanOrEqual(4);
    // Weights that let one task count for three quarters; a task whose seeds agree adds nothing.
    const weights = of.map((name) => (name === "first" ? 3 : 1));
    const weighted = seedPart(joint(tasks[1]!), { tasks: of, weights })!;
    expect(weighted.variance).toBeCloseTo((9 * own[0]!.variance + own[1]!.variance) / 16, 14);
    const agreed = seedPart(joint([0, 0, 0].map((s) => tasks[1]![s]!)), { tasks: of })!;
    expect(agreed.variance).toBeCloseTo(own[0]!.variance / 4, 14);
  });

  test("seeds that differ widen the interval, two of them far more than ten, and never narrow it", () => {
    const widths = [2, 3, 10].map((count) => {
      const moves = Array.from({ length: count }, (_, k) => (k % 2 === 0 ? 0.05 : -0.05));
      const rows = answers("width", 200, moves);
      const pooled = drawn(200, (i) => rows.reduce((sum, row) => sum + row[i]!, 0) / count);
      const { low, high, mean } = meanInterval(rows, { seed: 1, ...few });
      const fixed = meanInterval(pooled, { seed: 1, ...few });
      expect(mean).toBeCloseTo(fixed.mean, 12);
      expect(low).toBeLessThanOrEqual(fixed.low);
      expect(high).toBeGreaterThanOrEqual(fixed.high);
      return high - low;
    });
    expect(widths[0]).toBeGreaterThan(2 * widths[1]!);
    expect(widths[1]).toBeGreaterThan(1.3 * widths[2]!);
  });

  test("a difference that the samples alone would show is not shown where seeds could have made it", () => {
    const a = answers("a", 400, [0.14, 0.0, 0.05]);
    const b = answers("b", 400, [0], 0.66)[0]!;
    const pooled = drawn(400, (i) => (a[0]![i]! + a[1]![i]! + a[2]![i]!) / 3);
    expect(pairedDifference(pooled, b, { seed: 1, ...few }).p).toBeLessThan(0.02);
    const found = pairedDifference(a, b, { seed: 1, ...few });
    expect(found.test).toBe("seeds-t");
    expect(found.p).toBeGreaterThan(0.05);
    expect(found.low).toBeLessThan(0);
    expect(found.detectableAt(0.05)).toBeGreaterThan(found.delta);
  });

  test("p and interval agree: the interval excludes 0 only where p is below its level", () => {
    for (let k = 0; k < 30; k++) {
      const a = answers(
        `p${k}`,
        120,
        [0.02, 0.06, -0.02].map((move) => move + k / 100),
      );
      const b = answers(`q${k}`, 120, [0.02, -0.03, 0.01]);
      const { low, high, p, delta, detectableAt } = pairedDifference(a, b, { seed: 1, resamples: 300 });
      if (low > 0 || high < 0) expect(p).toBeLessThan(0.055);
      if (p >= 0.05) expect(detectableAt(0.05)).toBeGreaterThan(Math.abs(delta));
      expect(pairedDifference(b, a, { seed: 1, resamples: 300 }).p).toBeCloseTo(p, 9);
    }
  });

  test("an answer that one seed left unscored leaves the sample to the others", () => {
    const rows = answers("missing", 80, [0.03, -0.03, 0]);
    const holed = rows.map((row, s) => row.map((score, i) => (i === 7 && s === 1 ? Number.NaN : score)));
    const whole = meanInterval(rows, { seed: 1, ...few });
    const found = meanInterval(holed, { seed: 1, ...few });
    expect(found.n).toBe(80);
    expect(Math.abs(found.mean - whole.mean)).toBeLessThan(0.01);
    expect((found.high - found.low) / (whole.high - whole.low)).toBeCloseTo(1, 0);
  });
});
