// Two systems on the same samples: the difference of their means, its interval, a test, and what this n could show.

import { randomFor } from "../../core/random.js";
import { normalQuantile, tQuantile } from "./distributions.js";
import { isBinary, rangeOf, realInterval } from "./interval.js";
import { mcnemar, mcnemarDetectable, tango } from "./mcnemar.js";
import { signFlip } from "./signFlip.js";
import { type Group, standardError, type Units, unitsOf } from "./units.js";

export interface DifferenceOptions {
  /** One entry a sample: samples of one group are resampled and flipped together. */
  groups?: readonly Group[];
  seed: number;
  /** Default 0.95. */
  level?: number;
  /** Ends of the scale of a difference. Default [-1, 1], widened to the data where they go beyond. */
  range?: readonly [number, number];
  /** Bootstrap resamples, default 10,000. */
  resamples?: number;
  /** Random sign patterns, default 10,000. */
  draws?: number;
}

export interface Difference {
  n: number;
  /** mean(a) - mean(b); NaN for n = 0. */
  delta: number;
  low: number;
  high: number;
  /** Two-sided, not adjusted for other comparisons. 1 for n = 0. */
  p: number;
  test: "mcnemar-exact" | "sign-flip";
  /** Smallest true difference shown with 80 % power at the 5 % level; Infinity where n is too small to show any. */
  detectable: number;
  method: "tango" | "bootstrap-t" | "t" | "nearly-constant" | "none";
}

/**
 * Paired difference of two systems' scores, a less b, sample by sample.
 *
 * Interval: for right/wrong scores Tango's score interval; for other scores, or with groups, that of the mean difference
 * over units as in `meanInterval` (the wider of studentised bootstrap and cluster-robust t).
 * Test: McNemar's exact test for right/wrong scores without groups; otherwise sign-flip permutation, whole groups at once.
 * Test and interval answer nearly the same question by different routes: close to p = 0.05 an interval may exclude 0
 * while the exact test does not reject; claims go by the (corrected) test.
 *
 * `detectable`: for McNemar's test its exact power at the observed share of disagreements (`mcnemarDetectable`), one
 * disagreement being added so that none observed is not taken for none possible; otherwise (t₀.₉₇₅ + t₀.₈) · standard
 * error of the difference, t with the error's degrees of freedom.
 */
export function pairedDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: DifferenceOptions,
): Difference {
  if (a.length !== b.length) throw new RangeError("paired scores differ in length");
  const { groups, seed, level = 0.95, draws } = options;
  const n = a.length;
  const differences = Float64Array.from(a, (score, i) => score - b[i]!);
  const range = options.range ?? rangeOf(differences, -1, 1);
  const binary = isBinary(a) && isBinary(b);
  const units = unitsOf(differences, groups);
  const test = binary && !units.sizes ? "mcnemar-exact" : "sign-flip";
  if (n === 0)
    return {
      n,
      delta: Number.NaN,
      low: range[0],
      high: range[1],
      p: 1,
      test,
      detectable: Infinity,
      method: "none",
    };

  let first = 0;
  let second = 0;
  for (const difference of differences) {
    if (difference > 0) first++;
    else if (difference < 0) second++;
  }
  const p =
    test === "mcnemar-exact"
      ? mcnemar(first, second)
      : signFlip(units.sums, {
          random: randomFor(seed, "statistics/sign-flip"),
          ...(draws === undefined ? {} : { draws }),
        });
  if (test === "mcnemar-exact") {
    const [low, high] = tango(first, second, n, normalQuantile((1 + level) / 2));
    const detectable = mcnemarDetectable(n, (first + second + 1) / (n + 1));
    return { n, delta: (first - second) / n, low, high, p, test, detectable, method: "tango" };
  }
  const { low, high, method } = realInterval(differences, units, { ...options, range });
  const detectable = detectableMean(differences, units, range);
  return { n, delta: units.mean, low, high, p, test, detectable, method: method as Difference["method"] };
}

/** (t₀.₉₇₅ + t₀.₈) · error; where fewer than 6 units differ at all, what 6 full-size differences would need. */
function detectableMean(
  differences: ArrayLike<number>,
  units: Units,
  [low, high]: readonly [number, number],
): number {
  const count = units.sums.length;
  const nonZero = units.sums.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0);
  const floor = mcnemarDetectable(count, 0) * Math.max(-low, high);
  if (nonZero < 6) return floor;
  const { error, freedom } = standardError(units, differences);
  const t = Number.isFinite(freedom)
    ? tQuantile(0.975, freedom) + tQuantile(0.8, freedom)
    : normalQuantile(0.975) + normalQuantile(0.8);
  return t * error;
}
