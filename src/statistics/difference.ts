// Two systems on the same samples: the difference of their means, its interval, a test, and what this n could show.

import { randomFor } from "../core/random.js";
import { normalQuantile, tQuantile } from "./distributions.js";
import { type IntervalOptions, isBinary, realInterval, scaleOf } from "./interval.js";
import { mcnemar, mcnemarCritical, mcnemarDetectable, tango } from "./mcnemar.js";
import {
  columnsOf,
  halfWidth,
  joined,
  meansOf,
  type SeedPart,
  type SystemScores,
  seedPart,
  seedsP,
} from "./seeds.js";
import { signFlip } from "./sign-flip.js";
import { standardError, unitsOf } from "./units.js";

/** Grouping, seed, level and effort of a paired comparison; weights and scale hold for both systems. */
export interface DifferenceOptions extends IntervalOptions {
  /** Random sign patterns, default 10,000. */
  draws?: number;
}

/** A paired difference of means with interval, test and smallest detectable difference. */
export interface Difference {
  n: number;
  /** mean(a) - mean(b); NaN for n = 0. */
  delta: number;
  low: number;
  high: number;
  /** Two-sided, not adjusted for other comparisons. 1 for n = 0. */
  p: number;
  test: "mcnemar-exact" | "sign-flip" | "seeds-t";
  /**
   * Smallest true difference that a test at this level shows with 80 % power, never one that these scores failed to show;
   * Infinity where n is too small to show any, or where it would be larger than the scale allows.
   */
  detectableAt: (level: number) => number;
  method: "tango" | "bootstrap-t" | "t" | "nearly-constant" | "none";
}

/**
 * Paired difference of two systems' scores, a minus b, sample by sample.
 *
 * Interval: for right/wrong scores Tango's score interval; for other scores, or with groups, that of the mean difference
 * over units as in `meanInterval` (the wider of studentised bootstrap and cluster-robust t).
 * Test: McNemar's exact test for right/wrong scores without groups; otherwise sign-flip permutation, whole groups at once.
 * With weights Σ w (a - b) is flipped, which is the difference of the two weighted means with systems swapped unit by unit.
 * Seeds of one or both systems are independent draws and widen the interval as in `meanInterval`. p is then the larger of
 * two: sign flips of the means over seeds, which hold these seeds fixed, and t over samples and seeds (`seedsP`).
 * Sign flips test that differences are symmetric about 0. If they are strongly skewed with mean 0, p is below 0.05 in 7 to 13 % of
 * cases for n = 40 to 150 and in 12 to 23 % for n = 20, and so is the p of t (`bench/recorded/statistics.json`, "skewed differences").
 * Test and interval answer nearly the same question by different routes: close to p = 0.05 an interval may exclude 0
 * while the exact test does not reject; claims go by the (corrected) test.
 *
 * `detectableAt`: for McNemar's test its exact power at the observed share of disagreements (`mcnemarDetectable`), with one
 * disagreement added so that none observed is not taken for none possible, and at least the difference that would be
 * significant among that many disagreements; otherwise see `detectableMean`.
 */
export function pairedDifference(a: SystemScores, b: SystemScores, options: DifferenceOptions): Difference {
  const [left, right] = [meansOf(a), meansOf(b)];
  if (left.length !== right.length) throw new RangeError("paired scores differ in length");
  const { groups, weights, seed, level = 0.95, draws } = options;
  const n = left.length;
  const differences = new Float64Array(n);
  for (let i = 0; i < n; i++) differences[i] = left[i]! - right[i]!;
  const most = options.range ? options.range[1] - options.range[0] : Number.POSITIVE_INFINITY;
  const range = scaleOf(differences, [-most, most], [-1, 1]);
  const binary = isBinary(left) && isBinary(right);
  const units = unitsOf(differences, groups, weights);
  const seeds = [a, b].some((scores) => columnsOf(scores).length > 1)
    ? joined(seedPart(a, options), seedPart(b, options))
    : null;
  const test = seeds ? "seeds-t" : binary && !units.sizes ? "mcnemar-exact" : "sign-flip";
  if (n === 0)
    return {
      n,
      delta: Number.NaN,
      low: range[0],
      high: range[1],
      p: 1,
      test,
      detectableAt: () => Number.POSITIVE_INFINITY,
      method: "none",
    };
  if (test === "mcnemar-exact") {
    let first = 0;
    let second = 0;
    for (const difference of differences) {
      if (difference > 0) first++;
      else if (difference < 0) second++;
    }
    const disagreements = first + second;
    const [low, high] = tango(first, second, n, normalQuantile((1 + level) / 2));
    return {
      n,
      delta: (first - second) / n,
      low,
      high,
      p: mcnemar(first, second),
      test,
      detectableAt: (alpha) =>
        Math.max(
          mcnemarDetectable(n, (disagreements + 1) / (n + 1), alpha),
          mcnemarCritical(n, disagreements, alpha),
        ),
      method: "tango",
    };
  }
  const { error, freedom } = standardError(units, differences);
  const flipped = signFlip(units.sums, {
    random: randomFor(seed, "statistics/sign-flip"),
    ...(draws === undefined ? {} : { draws }),
  });
  const p = seeds ? Math.max(flipped, seedsP(units.mean, { error, freedom }, seeds)) : flipped;
  const limits: readonly [number, number] = options.range ? [-most, most] : range;
  const { low, high, method } = realInterval(differences, units, { ...options, range, limits, seeds });
  const differing = units.sums.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0);
  const spread = {
    delta: units.mean,
    p,
    error,
    freedom,
    units: units.sums.length,
    few: differing < 6,
    seeds,
    size: Math.max(-range[0], range[1]),
    most: Math.max(-limits[0], limits[1]),
  };
  return {
    n,
    delta: units.mean,
    low,
    high,
    p,
    test,
    detectableAt: (alpha) => detectableMean(spread, alpha),
    method: method as Difference["method"],
  };
}

/**
 * (t₁₋α/₂ + t₀.₈) · error, t with the error's degrees of freedom; if fewer than 6 units differ at all, the difference given by
 * as many full-size differences as α needs. With few units the permutation test needs slightly more than t does: if the result
 * is no more than the observed difference, which was not shown, it is the observed one times z(α)/z(p). If seeds count,
 * both quantiles are those of t over samples and seeds, and the result is at least the figure for these seeds alone.
 * Infinity where it would be more than `most`, the largest difference on the scale.
 */
export function detectableMean(
  given: {
    delta: number;
    p: number;
    error: number;
    freedom: number;
    units: number;
    few?: boolean;
    size?: number;
    most?: number;
    seeds?: SeedPart | null;
  },
  alpha: number,
): number {
  const { delta, p, error, freedom, units, few = false, size = 1, seeds = null } = given;
  const { most = Number.POSITIVE_INFINITY } = given;
  const quantile = (q: number): number =>
    Number.isFinite(freedom) ? tQuantile(q, freedom) : normalQuantile(q);
  const alone =
    few || Number.isNaN(error)
      ? mcnemarDetectable(units, 0, alpha) * size
      : (quantile(1 - alpha / 2) + quantile(0.8)) * error;
  const both = (q: number): number => (seeds ? halfWidth(q, { error, freedom }, seeds) : 0);
  const needed = seeds ? Math.max(alone, both(1 - alpha / 2) + both(0.8)) : alone;
  const observed = Math.abs(delta);
  const least =
    p < alpha || observed < needed
      ? needed
      : (observed * normalQuantile(1 - alpha / 2)) / normalQuantile(1 - p / 2);
  return least > most ? Number.POSITIVE_INFINITY : least;
}
