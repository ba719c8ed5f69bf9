// Agreement with SciPy and statsmodels on fixed cases; bench/statistics_reference.py made the values.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { randomFor } from "../../src/core/random.js";
import {
  binomialCdf,
  binomialPmf,
  normalCdf,
  normalQuantile,
  tQuantile,
} from "../../src/statistics/distributions.js";
import {
  agreement,
  type BootstrapMethod,
  bootstrapInterval,
  holm,
  mcnemar,
  mcnemarPower,
  signFlip,
  standardError,
  tango,
  unitsOf,
  wilson,
} from "../../src/statistics/index.js";

interface Reference {
  normal: { x: number; cdf: number }[];
  normalQuantile: { p: number; x: number }[];
  tQuantile: { p: number; df: number; t: number }[];
  binomial: { k: number; n: number; p: number; cdf: number; pmf: number }[];
  mcnemar: { b: number; c: number; p: number; mid: number }[];
  power: { n: number; psi: number; delta: number; power: number }[];
  tango: { b: number; c: number; n: number; level: number; interval: [number, number] }[];
  wilson: { k: number; n: number; interval: [number, number] }[];
  holm: { ps: number[]; adjusted: number[] }[];
  signFlip: { name: string; differences: number[]; p: number; exact: boolean }[];
  bootstrap: ({ name: string; sample: number[] } & Record<BootstrapMethod, [number, number]>)[];
  clusters: { values: number[]; groups: string[]; error: number; freedom: number }[];
  kappa: { a: string[]; b: string[]; kappa: number };
}

const reference = JSON.parse(
  readFileSync(new URL("../fixtures/statistics/reference.json", import.meta.url), "utf8"),
) as Reference;

/** |found - expected| relative to the expected. */
function close(found: number, expected: number, tolerance: number): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(tolerance * Math.max(Math.abs(expected), 1e-300));
}

test("distributions agree with scipy.stats", () => {
  for (const { x, cdf } of reference.normal) close(normalCdf(x), cdf, 1e-9);
  for (const { p, x } of reference.normalQuantile) expect(normalQuantile(p)).toBeCloseTo(x, 12);
  for (const { p, df, t } of reference.tQuantile) close(tQuantile(p, df), t, 1e-9);
  for (const { k, n, p, cdf, pmf } of reference.binomial) {
    close(binomialCdf(k, n, p), cdf, 1e-9);
    close(binomialPmf(k, n, p), pmf, 1e-9);
  }
});

test("McNemar's exact test agrees with statsmodels, its mid-p with SciPy's binomial", () => {
  for (const { b, c, p, mid } of reference.mcnemar) {
    close(mcnemar(b, c), p, 1e-9);
    close(mcnemar(b, c, { mid: true }), mid, 1e-9);
  }
});

test("McNemar's power agrees with the brute-force sum", () => {
  for (const { n, psi, delta, power } of reference.power) close(mcnemarPower(n, psi, delta), power, 1e-6);
});

test("Tango's interval agrees with one from a numerically maximized likelihood", () => {
  for (const { b, c, n, level, interval } of reference.tango) {
    const found = tango(b, c, n, normalQuantile((1 + level) / 2));
    expect(found[0]).toBeCloseTo(interval[0], 6);
    expect(found[1]).toBeCloseTo(interval[1], 6);
  }
});

test("Wilson's interval agrees with statsmodels", () => {
  for (const { k, n, interval } of reference.wilson) {
    const found = wilson(k / n, n, normalQuantile(0.975));
    expect(found[0]).toBeCloseTo(interval[0], 12);
    expect(found[1]).toBeCloseTo(interval[1], 12);
  }
});

test("Holm's adjusted p-values agree with statsmodels", () => {
  for (const { ps, adjusted } of reference.holm)
    holm(ps).forEach((p, i) => {
      expect(p).toBeCloseTo(adjusted[i]!, 12);
    });
});

describe("sign-flip test against scipy.stats.permutation_test", () => {
  test.each(reference.signFlip)("$name", ({ name, differences, p, exact }) => {
    const found = signFlip(differences, { random: randomFor(1, name), draws: 100_000 });
    // SciPy's own value is drawn (10⁶ patterns) for the last two.
    if (exact) close(found, p, 1e-12);
    else expect(Math.abs(found - p)).toBeLessThan(4 * Math.sqrt(p / 1e5) + 2e-5);
  });
});

describe("bootstrap against scipy.stats.bootstrap (500,000 resamples each)", () => {
  test.each(reference.bootstrap)("$name", ({ name, sample, ...intervals }) => {
    const units = unitsOf(sample);
    for (const method of ["percentile", "bca", "studentised"] as const) {
      const found = bootstrapInterval(units, method, {
        random: randomFor(1, name, method),
        resamples: 200_000,
      });
      const [low, high] = intervals[method];
      // Simulation error of both, as a share of the width.
      expect(Math.abs(found[0] - low)).toBeLessThan(0.012 * (high - low));
      expect(Math.abs(found[1] - high)).toBeLessThan(0.012 * (high - low));
    }
  });
});

test("cluster-robust error and degrees of freedom agree with the full matrices", () => {
  for (const { values, groups, error, freedom } of reference.clusters) {
    const found = standardError(unitsOf(values, groups), values);
    close(found.error, error, 1e-9);
    close(found.freedom, freedom, 1e-9);
  }
});

test("Cohen's kappa agrees with statsmodels", () => {
  const { a, b, kappa } = reference.kappa;
  expect(agreement(a, b).kappa).toBeCloseTo(kappa, 12);
});
