// Units that count differently: a few large groups, heavy samples. No few of them may pass for the many.

import { describe, expect, it } from "vitest";
import { normalQuantile } from "../../src/statistics/distributions.js";
import { meanInterval, pairedDifference, wilson } from "../../src/statistics/index.js";

const repeat = (value: number, n: number): number[] => Array.from({ length: n }, () => value);

describe("few units that differ, and hold most samples or much of the weight", () => {
  it("have an interval on both sides of the estimate: 100 single samples, 5 groups of 60", () => {
    const b = repeat(1, 100);
    const groups = b.map((_, i) => i);
    for (let g = 0; g < 5; g++)
      for (let i = 0; i < 60; i++) {
        b.push(i % 10 < 8 - (g % 2) ? 1 : 0);
        groups.push(100 + g);
      }
    for (const [a, other] of [
      [repeat(1, 400), b],
      [b, repeat(1, 400)],
    ] as const) {
      const { delta, low, high, method } = pairedDifference(a, other, { seed: 1, groups });
      expect(method).toBe("nearly-constant");
      expect(high - delta).toBeGreaterThan(0.04);
      expect(delta - low).toBeGreaterThan(0.04);
    }
  });

  it("are judged by their weight: heavier samples that differ give a higher and wider interval", () => {
    const scores = [...repeat(1, 57), ...repeat(0.4, 3)];
    const heavy = (weight: number) =>
      meanInterval(scores, { seed: 1, weights: scores.map((score) => (score < 1 ? weight : 1)) });
    const [equal, some, more] = [heavy(1), heavy(3), heavy(9)];
    expect(equal).toEqual(meanInterval(scores, { seed: 1 }));
    for (const { low, mean, high } of [equal, some, more]) {
      expect(mean - low).toBeGreaterThan(0.03);
      expect(high - mean).toBeGreaterThan(0.005);
    }
    expect(some.mean).toBeLessThan(equal.mean);
    expect(more.high - more.low).toBeGreaterThan(some.high - some.low);
    expect(some.high - some.low).toBeGreaterThan(equal.high - equal.low);
  });

  it("change nothing where groups are equally large, whatever their number of samples", () => {
    const scores = [...repeat(1, 38), 0.5, 0.3];
    const twice = scores.flatMap((score) => [score, score]);
    const alone = meanInterval(scores, { seed: 1 });
    const pairs = meanInterval(twice, { seed: 1, groups: twice.map((_, i) => i >> 1) });
    expect(alone.method).toBe("nearly-constant");
    expect(pairs.low).toBeCloseTo(alone.low, 12);
    expect(pairs.high).toBeCloseTo(alone.high, 12);
  });
});

it("gives weighted right/wrong answers no more effective samples than their weights allow", () => {
  // The 20 heavy samples are all right, so that the variance estimated among them is 0: by it alone 1,500 samples would count.
  const scores = [...repeat(1, 210), ...repeat(0, 10)];
  const weights = scores.map((_, i) => (i < 20 ? 10 : 1));
  const { low, high, mean } = meanInterval(scores, { seed: 1, weights });
  const [least, most] = wilson(mean, 400 ** 2 / (20 * 100 + 200), normalQuantile(0.975));
  expect(low).toBeLessThanOrEqual(least);
  expect(high).toBeGreaterThanOrEqual(most);
  expect(high - low).toBeLessThan(1.1 * (most - least));
});
