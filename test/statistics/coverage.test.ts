// Simulated studies with known truth: a part of bench/statistics.js's settings with fewer simulations; and the record of a run
// of all of them, held to its rule.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { holdsTo, settings, simulate } from "../../bench/statistics.js";
import { normal, randomFor } from "../../src/core/random.js";
import { normalQuantile } from "../../src/statistics/distributions.js";
import * as statistics from "../../src/statistics/index.js";
import { acrossTasks } from "../../src/study/overall.js";

const api = { ...statistics, randomFor, normal, normalQuantile, acrossTasks };
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
  ["n 150, bits per byte", 600],
  ["n 150, right/wrong, rate 0.8", 1000],
  ["100 single samples and 5 groups of 60, paired, the groups differ by 0.2 ± 0.14", 600],
  ["100 samples, weights with shape 1, paired, those with 0.4 of the weight differ", 600],
  ["10 tasks of 20, rate 0.95", 1000],
  ["n 50, Spearman, 0.7 less 0.5, one on another scale", 200],
  ["40 groups of 5, Spearman", 150],
  ["2 seeds, n 200, large seed variance, mean", 400],
  ["3 seeds, n 200, large seed variance, less a system with as many", 300],
  ["3 seeds, n 200, small seed variance, less a system without seeds", 300],
  ["5 seeds, n 200, large seed variance, mean", 400],
  ["10 seeds, n 100, small seed variance, mean", 400],
  ["4 tasks of 200, 3 seeds each, large seed variance, less a system with as many", 200],
  ["4 systems of 3 seeds, n 200, seed variance large, complete null", 200],
  ["4 systems, Spearman on four scales, n 100, complete null", 100],
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

describe("bench/recorded/statistics.json", () => {
  interface Recorded {
    part: string;
    setting: string;
    share: number;
    sims: number;
    family: boolean;
    conservative: boolean;
    beyond?: boolean;
  }
  const recorded = JSON.parse(
    readFileSync(new URL("../../bench/recorded/statistics.json", import.meta.url), "utf8"),
  ) as { settings: Recorded[] };

  test("has every setting", () => {
    const names = (list: { part: string; name: string }[]) =>
      list.map(({ part, name }) => `${part}: ${name}`);
    expect(names(recorded.settings.map(({ part, setting }) => ({ part, name: setting })))).toEqual(
      names(all),
    );
  });

  test("covers 93 to 97 %, errs in at most 5 % of families, beyond the simulations' own error", () => {
    expect(recorded.settings.filter((setting) => !holdsTo(setting))).toEqual([]);
    for (const part of ["weights", "aggregates", "seeds"]) {
      const judged = recorded.settings.filter((setting) => setting.part === part && !setting.conservative);
      const mean = judged.reduce((sum, { share }) => sum + share, 0) / judged.length;
      expect(mean, part).toBeGreaterThan(0.94);
      expect(mean, part).toBeLessThan(0.97);
    }
  });
});

test("only what breaks a method's assumptions is recorded without being judged", () => {
  const parts = all.filter(({ beyond }: { beyond?: boolean }) => beyond).map(({ part }) => part);
  expect([...new Set(parts)]).toEqual(["seeds that fail", "skewed differences"]);
});

test("the rule can fail: intervals at the 80 % level are found out, and so is a family without correction", () => {
  const narrow = {
    ...api,
    meanInterval: (scores: Float64Array, options: { seed: number }) =>
      statistics.meanInterval(scores, { ...options, level: 0.8 }),
  };
  const mean = all.find(({ name }) => name === "n 150, rate 0.8");
  expect(simulate(narrow, mean, 500).holds).toBe(false);
  // Seeds left out of the variance: their means taken as if there were one.
  const pooled = {
    ...api,
    meanInterval: (scores: Float64Array[], options: { seed: number }) =>
      statistics.meanInterval(statistics.meansOf(scores), options),
  };
  const seeds = all.find(({ name }) => name === "5 seeds, n 200, large seed variance, mean");
  expect(simulate(pooled, seeds, 100).holds).toBe(false);
  const uncorrected = { ...api, holm: (ps: number[]) => ps };
  const family = all.find(({ name }) => name === "6 subjects, all 15 pairs, n 50, complete null");
  expect(simulate(uncorrected, family, 500).holds).toBe(false);
});
