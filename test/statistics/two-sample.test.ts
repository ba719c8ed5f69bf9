// Two-sample tests: known values, and their size where there is no difference.

import { describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { chiSquared, kolmogorovSmirnov } from "../../src/statistics/index.js";
import { chiSquaredTail } from "../../src/statistics/two-sample.js";

describe("two samples", () => {
  it("gives chi-squared's tail as tables do", () => {
    // Abramowitz and Stegun, table 26.8.
    for (const [x, df, p] of [
      [3.84146, 1, 0.05],
      [5.99146, 2, 0.05],
      [23.2093, 10, 0.01],
      [124.342, 100, 0.05],
      [0.00393214, 1, 0.95],
    ] as const)
      expect(chiSquaredTail(x, df)).toBeCloseTo(p, 5);
  });

  it("measures distances exactly", () => {
    expect(kolmogorovSmirnov([1, 2, 3, 4], [3, 4, 5, 6]).size).toBeCloseTo(0.5, 12);
    expect(kolmogorovSmirnov([1, 1, 2], [1, 1, 2])).toEqual({ size: 0, p: 1 });
    const { size, p } = chiSquared({ a: 30, b: 70 }, { a: 60, b: 40 });
    expect(size).toBeCloseTo(0.3, 12);
    // 2 × 2 table: n (ad - bc)² over the product of its margins.
    expect(p).toBeCloseTo(chiSquaredTail((200 * (30 * 40 - 70 * 60) ** 2) / (100 * 100 * 90 * 110), 1), 10);
    expect(chiSquared({ a: 3 }, { b: 3 }).p).toBe(1);
  });

  it("rejects what is the same in about one case of twenty, and hardly misses what differs", () => {
    const random = randomFor(5, "two-sample");
    const draw = (n: number, shift = 0) => Array.from({ length: n }, () => random() + shift);
    const count = (values: number[]) => {
      const counts: Record<string, number> = {};
      for (const value of values)
        counts[`c${Math.floor(4 * value)}`] = (counts[`c${Math.floor(4 * value)}`] ?? 0) + 1;
      return counts;
    };
    const rejected = { ks: 0, chi: 0 };
    for (let i = 0; i < 400; i++) {
      if (kolmogorovSmirnov(draw(80), draw(120)).p < 0.05) rejected.ks++;
      if (chiSquared(count(draw(80)), count(draw(120))).p < 0.05) rejected.chi++;
    }
    for (const n of Object.values(rejected)) {
      expect(n).toBeGreaterThan(4);
      expect(n).toBeLessThan(40);
    }
    expect(kolmogorovSmirnov(draw(200), draw(200, 0.3)).p).toBeLessThan(0.001);
  });
});
