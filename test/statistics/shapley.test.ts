// Shapley values against games worked out by hand, and the axioms that define them.

import { describe, expect, it } from "vitest";
import { coalition, shapley } from "../../src/statistics/index.js";

const options = { seed: 1, resamples: 500 };
const game = (values: Record<string, number[]>) => new Map(Object.entries(values));

describe("Shapley values", () => {
  it("of the glove game: one left, two right gloves", () => {
    const values = game({
      "": [0],
      l: [0],
      a: [0],
      b: [0],
      "l+a": [1],
      "l+b": [1],
      "a+b": [0],
      "l+a+b": [1],
    });
    const [left, a, b] = shapley(["l", "a", "b"], values, options);
    expect(left?.mean).toBeCloseTo(2 / 3, 12);
    expect(a?.mean).toBeCloseTo(1 / 6, 12);
    expect(b?.mean).toBeCloseTo(1 / 6, 12);
  });

  it("of two players, per sample, add up to the whole's gain, and a player that does nothing gets 0", () => {
    const values = game({ "": [0, 1, 0], x: [1, 1, 0], y: [0, 1, 1], "x+y": [1, 0, 1] });
    const [x, y] = shapley(["x", "y"], values, options);
    // x: ((1 + 0 + 0) + (1 - 1 + 0)) / 2 / 3; y: ((0 + 0 + 1) + (0 - 1 + 1)) / 2 / 3
    expect(x?.mean).toBeCloseTo(1 / 6, 12);
    expect(y?.mean).toBeCloseTo(1 / 6, 12);
    expect((x?.mean ?? 0) + (y?.mean ?? 0)).toBeCloseTo(1 / 3, 12);
    const idle = shapley(["x", "z"], game({ "": [0], x: [1], z: [0], "x+z": [1] }), options);
    expect(idle.map(({ mean }) => mean)).toEqual([1, 0]);
  });

  it("have intervals that groups widen", () => {
    const scores = Array.from({ length: 60 }, (_, i) => (Math.floor(i / 6) % 2 === 0 ? 1 : 0));
    const values = game({ "": scores.map(() => 0), x: scores });
    const width = (groups?: number[]) => {
      const [x] = shapley(["x"], values, { ...options, ...(groups ? { groups } : {}) });
      expect(x?.low).toBeLessThan(x?.mean as number);
      return (x?.high as number) - (x?.low as number);
    };
    expect(width(scores.map((_, i) => Math.floor(i / 6)))).toBeGreaterThan(1.5 * width());
  });

  it("refuse games that are not whole", () => {
    expect(() => shapley(["x"], game({ "": [0] }), options)).toThrow('"x"');
    expect(() => shapley(["x"], game({ "": [0], x: [0, 1] }), options)).toThrow("differ");
    expect(() => shapley(["x", "x"], game({ "": [0] }), options)).toThrow("twice");
    expect(coalition(["a", "b", "c"], ["c", "a"])).toBe("a+c");
  });
});
