// Two systems on the same samples: the difference of their means, its interval, a test, and what this n could show.
import { randomFor } from "../core/random.js";
import { normalQuantile, tQuantile } from "./distributions.js";
import { isBinary, rangeOf, realInterval } from "./interval.js";
import { mcnemar, mcnemarCritical, mcnemarDetectable, tango } from "./mcnemar.js";
import { signFlip } from "./sign-flip.js";
import { standardError, unitsOf } from "./units.js";
/**
 * Paired difference of two systems' scores, a less b, sample by sample.
 *
 * Interval: for right/wrong scores Tango's score interval; for other scores, or with groups, that of the mean difference
 * over units as in `meanInterval` (the wider of studentised bootstrap and cluster-robust t).
 * Test: McNemar's exact test for right/wrong scores without groups; otherwise sign-flip permutation, whole groups at once.
 * Test and interval answer nearly the same question by different routes: close to p = 0.05 an interval may exclude 0
 * while the exact test does not reject; claims go by the (corrected) test.
 *
 * `detectableAt`: for McNemar's test its exact power at the observed share of disagreements (`mcnemarDetectable`), one
 * disagreement being added so that none observed is not taken for none possible, and at least the difference that would be
 * significant among as many disagreements; otherwise see `detectableMean`.
 */
export function pairedDifference(a, b, options) {
  if (a.length !== b.length) throw new RangeError("paired scores differ in length");
  const { groups, seed, level = 0.95, draws } = options;
  const n = a.length;
  const differences = new Float64Array(n);
  for (let i = 0; i < n; i++) differences[i] = a[i] - b[i];
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
  const p = signFlip(units.sums, {
    random: randomFor(seed, "statistics/sign-flip"),
    ...(draws === undefined ? {} : { draws }),
  });
  const { low, high, method } = realInterval(differences, units, { ...options, range });
  const { error, freedom } = standardError(units, differences);
  const differing = units.sums.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0);
  const spread = {
    delta: units.mean,
    p,
    error,
    freedom,
    units: units.sums.length,
    few: differing < 6,
    size: Math.max(-range[0], range[1]),
  };
  return {
    n,
    delta: units.mean,
    low,
    high,
    p,
    test,
    detectableAt: (alpha) => detectableMean(spread, alpha),
    method: method,
  };
}
/**
 * (t₁₋α/₂ + t₀.₈) · error, t with the error's degrees of freedom; where fewer than 6 units differ at all, what as many
 * full-size differences as α needs would give. The permutation test asks a little more of few units than t does: where
 * that leaves no more than the observed difference, which was not shown, it is the observed one times z(α)/z(p).
 */
export function detectableMean(given, alpha) {
  const { delta, p, error, freedom, units, few = false, size = 1 } = given;
  const quantile = (q) => (Number.isFinite(freedom) ? tQuantile(q, freedom) : normalQuantile(q));
  const needed =
    few || Number.isNaN(error)
      ? mcnemarDetectable(units, 0, alpha) * size
      : (quantile(1 - alpha / 2) + quantile(0.8)) * error;
  const observed = Math.abs(delta);
  if (p < alpha || observed < needed) return needed;
  return (observed * normalQuantile(1 - alpha / 2)) / normalQuantile(1 - p / 2);
}
