// Properties that the statistics promise: never of zero width, symmetric, seeded, degenerate cases defined, fast.

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { normal, randomFor } from "../../src/core/random.js";
import { nearlyConstantInterval } from "../../src/statistics/bounded.js";
import { binomialPmf, normalQuantile } from "../../src/statistics/distributions.js";
import {
  agreement,
  balancedAccuracy,
  classFigures,
  confusion,
  holm,
  macroF1,
  mcnemar,
  mcnemarDetectable,
  mcnemarPower,
  meanInterval,
  pairedDifference,
  signFlip,
  tango,
  unitsOf,
  unscoredBounds,
  wilson,
} from "../../src/statistics/index.js";

const z = normalQuantile(0.975);
const repeat = (value: number, n: number): number[] => Array.from({ length: n }, () => value);

describe("meanInterval", () => {
  it("takes what weighs nothing for no evidence", () => {
    const alone = meanInterval([0.15, 0.4], { seed: 1, weights: [1, 2] });
    const among = meanInterval([0.15, 0.4, ...repeat(0.3, 19)], {
      seed: 1,
      weights: [1, 2, ...repeat(0, 19)],
    });
    expect(among.mean).toBeCloseTo(alone.mean, 12);
    expect(among.high - among.low).toBeGreaterThan(0.99 * (alone.high - alone.low));
  });

  test("is never of zero width and holds the mean", () => {
    for (const scores of [
      [1],
      [0],
      [0.4],
      repeat(1, 30),
      repeat(0, 2),
      repeat(0.7, 5),
      [0.2, 0.8],
      [...repeat(0, 19), 0.1],
    ]) {
      for (const groups of [undefined, scores.map((_, i) => i >> 1), scores.map(() => "one")]) {
        const { low, high, mean, n } = meanInterval(scores, {
          seed: 1,
          resamples: 500,
          ...(groups ? { groups } : {}),
        });
        expect(n).toBe(scores.length);
        expect(high - low).toBeGreaterThan(0.001);
        expect(low).toBeLessThanOrEqual(mean + 1e-12);
        expect(high).toBeGreaterThanOrEqual(mean - 1e-12);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
      }
    }
  });

  test("no scores: the whole range", () => {
    expect(meanInterval([], { seed: 1 })).toMatchObject({ n: 0, mean: Number.NaN, low: 0, high: 1 });
  });

  test("n equal scores give Wilson's interval for n of n, right/wrong or not, and a group counts once", () => {
    const [low] = wilson(1, 30, z);
    expect(meanInterval(repeat(1, 30), { seed: 1 }).low).toBe(low);
    expect(nearlyConstantInterval(repeat(1, 30), 1, [0, 1], z)[0]).toBeCloseTo(low, 12);
    const groups = Array.from({ length: 120 }, (_, i) => i % 30);
    expect(meanInterval(repeat(1, 120), { seed: 1, groups }).low).toBeCloseTo(low, 12);
  });

  test("groups of one are no groups; equal seeds give equal figures, groups that agree inside widen", () => {
    const random = randomFor(1, "test");
    const scores = Array.from({ length: 60 }, () => random() ** 2);
    const plain = meanInterval(scores, { seed: 3 });
    expect(meanInterval(scores, { seed: 3, groups: scores.map((_, i) => i) })).toEqual(plain);
    expect(meanInterval(scores, { seed: 4 })).not.toEqual(plain);
    const four = scores.flatMap((score) => repeat(score, 4));
    const grouped = meanInterval(four, { seed: 3, groups: four.map((_, i) => i >> 2) });
    expect(grouped.high - grouped.low).toBeGreaterThan(
      1.7 * (meanInterval(four, { seed: 3 }).high - meanInterval(four, { seed: 3 }).low),
    );
    expect(grouped.low).toBeCloseTo(plain.low, 2);
  });

  test("is the mirror image for mirrored scores", () => {
    const random = randomFor(2, "test");
    const scores = Array.from({ length: 40 }, () => (random() < 0.3 ? 0 : random()));
    const one = meanInterval(scores, { seed: 1 });
    const other = meanInterval(
      scores.map((score) => 1 - score),
      { seed: 1 },
    );
    expect(other.low).toBeCloseTo(1 - one.high, 2);
    expect(other.high).toBeCloseTo(1 - one.low, 2);
  });

  test("refuses what is not a number", () => {
    expect(() => meanInterval([0.5, Number.NaN], { seed: 1 })).toThrow("score 1 is not a finite number");
    expect(() => meanInterval([0.5, 0.4], { seed: 1, groups: ["a"] })).toThrow(RangeError);
  });
});

describe("pairedDifference", () => {
  const outcome = (b: number, c: number, n: number) => ({
    a: [...repeat(1, b), ...repeat(0, c), ...repeat(1, n - b - c)],
    b: [...repeat(0, b), ...repeat(1, c), ...repeat(1, n - b - c)],
  });

  test("right/wrong: McNemar's exact p and Tango's interval", () => {
    const pair = outcome(12, 3, 60);
    const found = pairedDifference(pair.a, pair.b, { seed: 1 });
    const [low, high] = tango(12, 3, 60, z);
    expect(found).toMatchObject({ n: 60, delta: 0.15, low, high, p: mcnemar(12, 3), test: "mcnemar-exact" });
  });

  test("swapping the systems mirrors everything", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.boolean(),
        (rows, binary) => {
          const score = (k: number) => (binary ? Number(k > 1) : k / 4);
          const a = rows.map(([x]) => score(x));
          const b = rows.map(([, y]) => score(y));
          const one = pairedDifference(a, b, { seed: 1, resamples: 200, draws: 200 });
          const other = pairedDifference(b, a, { seed: 1, resamples: 200, draws: 200 });
          expect(other.delta).toBeCloseTo(-one.delta, 12);
          expect(other.p).toBeCloseTo(one.p, 1);
          expect(one.low).toBeLessThanOrEqual(one.delta + 1e-12);
          expect(one.high).toBeGreaterThanOrEqual(one.delta - 1e-12);
          expect(one.high - one.low).toBeGreaterThan(0);
          if (one.test === "mcnemar-exact") expect(other.low).toBeCloseTo(-one.high, 9);
        },
      ),
      { seed: 7, numRuns: 60 },
    );
  });

  test("identical systems: p = 1, an interval with a width, and a detectable difference above 0", () => {
    for (const scores of [repeat(1, 40), Array.from({ length: 40 }, (_, i) => i / 40)]) {
      const found = pairedDifference(scores, scores, { seed: 1 });
      expect(found).toMatchObject({ delta: 0, p: 1 });
      expect(found.high).toBeCloseTo((z * z) / (40 + z * z), 9);
      expect(found.low).toBeCloseTo(-found.high, 9);
      expect(found.detectableAt(0.05)).toBeGreaterThan(0.1);
      expect(found.detectableAt(0.005)).toBeGreaterThan(found.detectableAt(0.05));
    }
  });

  test("no samples, one sample, too few to show anything", () => {
    expect(pairedDifference([], [], { seed: 1 })).toMatchObject({ n: 0, low: -1, high: 1, p: 1 });
    const one = pairedDifference([1], [0], { seed: 1 });
    expect(one).toMatchObject({ delta: 1, p: 1 });
    expect(one.detectableAt(0.05)).toBe(Number.POSITIVE_INFINITY);
    // Seeds that differ this much: t with 2 degrees of freedom would ask for more than the scale has.
    const far = [0.9, 0.5, 0.1].map((rate) =>
      Array.from({ length: 100 }, (_, i) => (i < 100 * rate ? 1 : 0)),
    );
    const seeds = pairedDifference(far, repeat(0, 100), { seed: 1, resamples: 99, range: [0, 1] });
    expect(seeds.detectableAt(0.05)).toBe(Number.POSITIVE_INFINITY);
    const wide = pairedDifference(far, repeat(0, 100), { seed: 1, resamples: 99, range: [0, 9] });
    expect(wide.detectableAt(0.05)).toBeGreaterThan(1);
    expect(wide.detectableAt(0.05)).toBeLessThan(9);
    expect(one.low).toBeLessThan(0.3);
    expect(pairedDifference([0.3], [0.1], { seed: 1 }).low).toBeLessThan(0);
  });

  test("groups are flipped whole: the same answers given by four clones prove no more than one", () => {
    const pair = outcome(7, 0, 20);
    const four = (scores: number[]) => scores.flatMap((score) => repeat(score, 4));
    const groups = Array.from({ length: 80 }, (_, i) => i >> 2);
    const found = pairedDifference(four(pair.a), four(pair.b), { seed: 1, groups });
    expect(found.test).toBe("sign-flip");
    expect(found.p).toBeCloseTo(mcnemar(7, 0), 12);
    expect(pairedDifference(four(pair.a), four(pair.b), { seed: 1 }).p).toBeLessThan(1e-7);
  });

  test("600 samples well under 100 ms in the mean; 100,000 in seconds at most", () => {
    const random = randomFor(5, "speed");
    const scores = (n: number) => Array.from({ length: n }, () => random());
    const [a, b] = [scores(600), scores(600)];
    pairedDifference(a, b, { seed: 1 });
    // CPU time, so that a busy machine does not fail it.
    const start = process.cpuUsage();
    for (let i = 0; i < 5; i++) pairedDifference(a, b, { seed: i });
    expect(process.cpuUsage(start).user / 5000).toBeLessThan(400);
    const [large, other] = [scores(100_000), scores(100_000)];
    const begun = process.cpuUsage();
    const found = pairedDifference(large, other, { seed: 1 });
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(10_000);
    expect(found.high - found.low).toBeCloseTo(2 * z * Math.sqrt(2 / 12 / 100_000), 3);
  });
});

describe("sign-flip", () => {
  test("enumeration, convolution and drawing agree", () => {
    const random = randomFor(9, "flip");
    const whole = Array.from({ length: 15 }, () => Math.round(4 * random()) - 1).map((d) => d || 1);
    const enumerated = signFlip(whole, { random });
    // Two zero-sum partners that cannot be told apart from the rest push it over 16 differences: convolution.
    const widened = [...whole, 1, -1];
    const count = (sums: number[]): number => {
      const observed = Math.abs(sums.reduce((x, y) => x + y, 0));
      let extreme = 0;
      for (let bits = 0; bits < 2 ** sums.length; bits++) {
        let sum = 0;
        for (let i = 0; i < sums.length; i++) sum += (bits >> i) & 1 ? sums[i]! : -sums[i]!;
        if (Math.abs(sum) >= observed) extreme++;
      }
      return extreme / 2 ** sums.length;
    };
    expect(enumerated).toBeCloseTo(count(whole), 12);
    expect(signFlip(widened, { random })).toBeCloseTo(count(widened), 12);
    const slanted = widened.map((d) => d * Math.PI);
    expect(signFlip(slanted, { random, draws: 50_000 })).toBeCloseTo(count(widened), 2);
  });

  test("ones are McNemar's test, however many", () => {
    const random = randomFor(1, "ones");
    expect(signFlip([...repeat(1, 40), ...repeat(-1, 15)], { random })).toBeCloseTo(mcnemar(40, 15), 12);
    expect(signFlip([...repeat(1, 400), ...repeat(-1, 150)], { random })).toBeCloseTo(mcnemar(400, 150), 20);
  });

  test("drawn p is never 0, and small p come from more draws", () => {
    const random = randomFor(1, "small");
    const sums = Array.from({ length: 40 }, () => 1 + random());
    const p = signFlip(sums, { random, draws: 999 });
    expect(p).toBe(1 / 9991);
  });

  test("more than 1,024 units: merged ones give the same p within simulation error", () => {
    const random = randomFor(2, "merged");
    const sums = Array.from({ length: 9000 }, () => normal(random) + 0.021);
    const mean = sums.reduce((x, y) => x + y, 0) / 9000;
    const t = (mean * Math.sqrt(9000)) / Math.sqrt(sums.reduce((x, y) => x + y * y, 0) / 9000);
    const p = 2 * (1 - 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (t + 0.044715 * t ** 3))));
    expect(Math.abs(signFlip(sums, { random }) - p)).toBeLessThan(0.02);
  });
});

describe("what n could show", () => {
  test("detectable is where the exact test's power crosses 80 %", () => {
    for (const [n, psi] of [
      [50, 0.2],
      [150, 0.1],
      [600, 0.2],
      [600, 0.01],
    ] as const) {
      const d = mcnemarDetectable(n, psi);
      expect(mcnemarPower(n, psi, d)).toBeGreaterThanOrEqual(0.8);
      expect(mcnemarPower(n, psi, d * 0.97)).toBeLessThan(0.8);
    }
    expect(mcnemarDetectable(5, 0.5)).toBe(Number.POSITIVE_INFINITY);
    expect(mcnemarDetectable(6, 0.5)).toBeGreaterThan(0.95);
  });

  test("the normal form continues the exact one", () => {
    expect(mcnemarDetectable(5000, 0.2001) / mcnemarDetectable(5000, 0.1999)).toBeCloseTo(1, 1);
  });

  test("simulated power at the detectable difference of scores on a scale is about 80 %", () => {
    const random = randomFor(4, "power");
    const n = 60;
    const base = Array.from({ length: n }, () => 0.5);
    const first = pairedDifference(
      base.map((b) => b + 0.2 * normal(random)),
      base,
      { seed: 1, resamples: 100 },
    );
    const detectable = first.detectableAt(0.05);
    const sd = (detectable * Math.sqrt(n)) / 2.85;
    let shown = 0;
    for (let i = 0; i < 400; i++)
      if (
        signFlip(
          base.map(() => detectable + sd * normal(random)),
          { random, draws: 499 },
        ) <= 0.05
      )
        shown++;
    expect(shown / 400).toBeGreaterThan(0.72);
    expect(shown / 400).toBeLessThan(0.88);
  });
});

describe("exact coverage, by summing over all outcomes", () => {
  test("Wilson's interval: between 92 and 98 % at n = 50, near 95 % in the mean", () => {
    for (const [n, least, most] of [
      [50, 0.92, 0.982],
      [150, 0.93, 0.975],
      [600, 0.938, 0.965],
    ] as const) {
      let total = 0;
      let settings = 0;
      for (let p = 0.03; p <= 0.5; p += 0.01) {
        let covered = 0;
        for (let k = 0; k <= n; k++) {
          const [low, high] = wilson(k / n, n, z);
          if (low <= p && p <= high) covered += binomialPmf(k, n, p);
        }
        expect(covered).toBeGreaterThan(least);
        expect(covered).toBeLessThan(most);
        total += covered;
        settings++;
      }
      expect(total / settings).toBeGreaterThan(0.948);
      expect(total / settings).toBeLessThan(0.956);
    }
  });

  test("Tango's interval: 93 to 97 % with at least four expected disagreements, never below 93 % with fewer", () => {
    for (const n of [50, 150, 600])
      for (const [x, y] of [
        [0.01, 0.01],
        [0.03, 0.01],
        [0.06, 0.02],
        [0.1, 0.05],
        [0.15, 0.15],
        [0.3, 0.05],
        [0.4, 0.1],
      ] as const) {
        let covered = 0;
        for (let b = 0; b <= n; b++) {
          const chance = binomialPmf(b, n, x);
          if (chance < 1e-9) continue;
          for (let c = 0; c <= n - b; c++) {
            const both = chance * binomialPmf(c, n - b, y / (1 - x));
            if (both < 1e-9) continue;
            const [low, high] = tango(b, c, n, z);
            if (low <= x - y && x - y <= high) covered += both;
          }
        }
        expect(covered).toBeGreaterThan(0.93);
        if (n * (x + y) >= 4) expect(covered).toBeLessThan(0.97);
      }
  });

  test("McNemar's exact test keeps its level", () => {
    for (const [n, psi] of [
      [50, 0.1],
      [150, 0.3],
      [600, 0.05],
    ] as const) {
      let rejected = 0;
      for (let m = 0; m <= n; m++)
        for (let b = 0; b <= m; b++)
          if (mcnemar(b, m - b) <= 0.05) rejected += binomialPmf(m, n, psi) * binomialPmf(b, m, 0.5);
      expect(rejected).toBeLessThanOrEqual(0.05);
      expect(rejected).toBeGreaterThan(0.001);
    }
  });
});

describe("profiles", () => {
  const rows = [
    ["a", "a"],
    ["a", "a"],
    ["a", "b"],
    ["b", "b"],
    ["b", "c"],
    ["b", "?"],
  ].map(([gold, prediction]) => ({ gold: gold!, prediction: prediction! }));

  test("confusion, recall, macro-F1", () => {
    const table = confusion(rows, ["a", "b", "c", "d"]);
    expect(table.counts[0]).toEqual([2, 1, 0, 0]);
    expect(table.other).toEqual([0, 1, 0, 0]);
    const [a, b, c, d] = classFigures(table);
    expect(a).toMatchObject({ n: 3, recall: 2 / 3, precision: 1, f1: 0.8 });
    expect(b).toMatchObject({ n: 3, recall: 1 / 3, precision: 0.5 });
    expect(c).toMatchObject({ n: 0, recall: Number.NaN, f1: 0 });
    expect(d?.f1).toBeNaN();
    expect(macroF1(table)).toBeCloseTo((0.8 + 0.4 + 0) / 3, 12);
    expect(balancedAccuracy(table)).toBeCloseTo(0.5, 12);
    expect(() => confusion([{ gold: "x", prediction: "a" }], ["a"])).toThrow(RangeError);
  });

  test("agreement and bounds", () => {
    expect(agreement(["a", "b", "a", "b"], ["a", "b", "b", "a"])).toEqual({ n: 4, agreement: 0.5, kappa: 0 });
    expect(agreement(["a", "a"], ["a", "a"]).kappa).toBeNaN();
    expect(unscoredBounds([1, 0, 1], 1)).toEqual([0.5, 0.75]);
    expect(unscoredBounds([], 0)).toEqual([0, 1]);
  });
});

test("Holm: monotone, capped, NaN counts in the family", () => {
  expect(holm([])).toEqual([]);
  expect(holm([0.02, Number.NaN])).toEqual([0.04, 1]);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }),
      (ps) => {
        const adjusted = holm(ps);
        ps.forEach((p, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p * ps.length));
          ps.forEach((q, j) => {
            if (p < q) expect(adjusted[i]!).toBeLessThanOrEqual(adjusted[j]!);
          });
        });
      },
    ),
    { seed: 1, numRuns: 100 },
  );
});

test("sums of groups that cancel are exactly 0", () => {
  const { sums, sizes } = unitsOf(
    [0.1, -0.1, 0.3, 0.3, -0.3, -0.3, 0.2],
    ["x", "x", "y", "y", "y", "y", undefined],
  );
  expect([...sums]).toEqual([0, 0, 0.2]);
  expect([...(sizes ?? [])]).toEqual([2, 4, 1]);
});
