// Simulated studies with known truth: a part of bench/statistics.js's settings, which runs them all with 2,000 each.

import { describe, expect, test } from "vitest";
import { settings, simulate } from "../../bench/statistics.js";
import { normal, randomFor } from "../../src/core/random.js";
import { normalQuantile } from "../../src/statistics/distributions.js";
import * as statistics from "../../src/statistics/index.js";

const api = { ...statistics, randomFor, normal, normalQuantile };
const all = settings({ resamples: 299, draws: 199 });

const inSuite: [name: string, sims: number][] = [
  ["n 50, rate 0.8", 2000],
  ["n 150, rates 0.85 and 0.75, correlation 0.9", 2000],
  ["n 50, rates 0.7 and 0.6, correlation 0.5", 2000],
  ["n 50, exponential", 2000],
  ["n 50, log-normal", 2000],
  ["n 50, three seeds averaged", 1000],
  ["n 150, 20 % up, 10 % down", 600],
  ["n 50, unrelated scores", 2000],
  ["20 groups, log-normal sizes, right/wrong, rate 0.5", 1000],
  ["20 groups, geometric sizes, skewed scores", 1000],
  ["40 groups, log-normal sizes, paired, rates 0.8 and 0.7", 500],
  ["6 subjects, all 15 pairs, n 50, complete null", 2000],
  ["6 subjects, three better, all pairs, n 150, partial null", 1000],
  ["6 subjects, scores on a scale, all pairs, n 60, complete null", 500],
  ["8 subjects, right/wrong in 30 groups of 5, three better, all pairs, partial null", 300],
];

describe("95 % intervals cover 93 to 97 %, the corrected family errs at most 5 %, beyond simulation error", () => {
  test.each(inSuite)("%s (%i simulations)", (name, sims) => {
    const setting = all.find((candidate) => candidate.name === name);
    expect(setting).toBeDefined();
    const { share, holds } = simulate(api, setting, sims);
    expect(holds, `measured ${share}`).toBe(true);
  });
});

test("the rule can fail: intervals at the 80 % level are found out, and so is a family without correction", () => {
  const narrow = {
    ...api,
    meanInterval: (scores: Float64Array, options: { seed: number }) =>
      statistics.meanInterval(scores, { ...options, level: 0.8 }),
  };
  const mean = all.find(({ name }) => name === "n 150, rate 0.8");
  expect(simulate(narrow, mean, 500).holds).toBe(false);
  const uncorrected = { ...api, holm: (ps: number[]) => ps };
  const family = all.find(({ name }) => name === "6 subjects, all 15 pairs, n 50, complete null");
  expect(simulate(uncorrected, family, 500).holds).toBe(false);
});
