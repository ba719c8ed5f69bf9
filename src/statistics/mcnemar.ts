// Paired right/wrong answers: b samples where only the first system is right, c where only the second is, n in all.
// McNemar's exact test, Tango's score interval, and the smallest difference that the test would show.

import { binomialCdf, binomialPmf, normalQuantile } from "./distributions.js";

/**
 * McNemar's test (McNemar 1947), exact: under no difference b is Binomial(b + c, 1/2); two-sided p = 2 P(X ≤ min(b, c)),
 * at most 1. `mid: true` gives the mid-p (Fagerland, Lydersen and Laake 2013), less conservative but not guaranteed to
 * keep the level; studies use the exact one.
 * @example
 * import { mcnemar } from "@honelab/hone";
 * mcnemar(10, 2).toFixed(4); // "0.0386"
 */
export function mcnemar(b: number, c: number, { mid = false }: { mid?: boolean } = {}): number {
  const discordant = b + c;
  // As even as possible: the doubled tail is 1 (or more), free of rounding.
  if (discordant === 0 || (!mid && Math.abs(b - c) <= 1)) return 1;
  const least = Math.min(b, c);
  if (mid && b === c) return 1 - binomialPmf(least, discordant, 0.5) / 2;
  const p = 2 * binomialCdf(least, discordant, 0.5) - (mid ? binomialPmf(least, discordant, 0.5) : 0);
  return Math.min(1, p);
}

/**
 * Tango's score interval for the difference of two paired proportions (Tango 1998): all D that the score test
 * (b - c - nD) / √(n (2q + D (1 - D))) does not reject, q being the maximum-likelihood P(only second right) given D.
 * Never of zero width: with b = c = 0 it is ±z²/(n + z²). b, c and n may be fractional (effective counts).
 *
 * @param critical the normal or t quantile, 1.96 for 95 %
 */
export function tango(b: number, c: number, n: number, critical: number): [number, number] {
  if (n <= 0) return [-1, 1];
  const upper = tangoUpper(b, c, n, critical);
  return [-tangoUpper(c, b, n, critical), upper];
}

function tangoUpper(b: number, c: number, n: number, critical: number): number {
  const score = (d: number): number => {
    const linear = -b - c + (2 * n - b + c) * d;
    const constant = -c * d * (1 - d);
    const q = (Math.sqrt(Math.max(0, linear * linear - 8 * n * constant)) - linear) / (4 * n);
    const variance = n * (2 * q + d * (1 - d));
    const difference = b - c - n * d;
    return variance <= 0 ? (difference < 0 ? Number.NEGATIVE_INFINITY : 0) : difference / Math.sqrt(variance);
  };
  let low = (b - c) / n;
  let high = 1;
  if (low >= 1) return 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (score(middle) > -critical) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Smallest true difference D that McNemar's exact test at level `alpha` shows with probability `power` on n samples,
 * when the systems disagree on a share ψ of samples (but at least D: with few disagreements they must all point one way).
 *
 * Power(D) = Σ_m Binomial(m; n, ψ) P(p-value ≤ alpha | b ~ Binomial(m, (1 + D/ψ)/2)), solved for D by bisection. Above
 * 1,000 expected disagreements the normal form is used: √n D = z₁₋α/₂ √ψ + z_power √(ψ - D²) (Connor 1987).
 *
 * @returns a difference in (0, 1], or Infinity where not even D = 1 would be shown (n < 6 at 5 %)
 */
export function mcnemarDetectable(n: number, discordance: number, alpha = 0.05, power = 0.8): number {
  if (n * discordance > 1000) {
    const a = normalQuantile(1 - alpha / 2);
    const z = normalQuantile(power);
    // (√n D - a √ψ)² = z² (ψ - D²), the larger root.
    const mean = (a * Math.sqrt(n * discordance)) / (n + z * z);
    const rest = (discordance * (z * z - a * a)) / (n + z * z);
    return Math.min(1, mean + Math.sqrt(mean * mean + rest));
  }
  const critical = criticalValues(alpha);
  if (powerOf(1, n, discordance, critical) < power) return Number.POSITIVE_INFINITY;
  // The normal form is close: start around it, and widen where it is not close enough.
  const quantiles = normalQuantile(1 - alpha / 2) + normalQuantile(power);
  const guess = Math.min(1, quantiles * Math.sqrt(Math.max(discordance, 1 / n) / n));
  let low = 0.9 * guess;
  let high = Math.min(1, 1.1 * guess);
  while (low > 1e-9 && powerOf(low, n, discordance, critical) >= power) low /= 2;
  while (high < 1 && powerOf(high, n, discordance, critical) < power) high = Math.min(1, 1.5 * high);
  while (high - low > 1e-4 * high) {
    const middle = (low + high) / 2;
    if (powerOf(middle, n, discordance, critical) < power) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Smallest observed difference that the exact test rejects at `alpha` with this many disagreements; if it rejects none, that
 * of the fewest disagreements that it rejects when all point one way. Infinity if n is smaller than that.
 */
export function mcnemarCritical(n: number, disagreements: number, alpha: number): number {
  const most = criticalValues(alpha)(disagreements);
  const least = most >= 0 ? disagreements - 2 * most : Math.ceil(1 - Math.log2(alpha));
  return least > n ? Number.POSITIVE_INFINITY : least / n;
}

/** Probability that the exact test rejects, for a true difference `d` > 0 and a share `discordance` of disagreements. */
export function mcnemarPower(n: number, discordance: number, d: number, alpha = 0.05): number {
  return powerOf(d, n, discordance, criticalValues(alpha));
}

function powerOf(d: number, n: number, discordance: number, critical: (m: number) => number): number {
  const psi = Math.min(1, Math.max(discordance, d));
  const first = (1 + d / psi) / 2;
  const centre = n * psi;
  const width = 6 * Math.sqrt(centre * (1 - psi)) + 1;
  const rarer = tailAlong(1 - first);
  const commoner = tailAlong(first);
  let power = 0;
  let weight = 0;
  for (let m = Math.max(0, Math.floor(centre - width)); m <= Math.min(n, Math.ceil(centre + width)); m++) {
    weight = weight > 0 && psi < 1 ? (weight * (n - m + 1) * psi) / (m * (1 - psi)) : binomialPmf(m, n, psi);
    const most = critical(m);
    if (most >= 0) power += weight * (rarer(most, m) + commoner(most, m));
  }
  return power;
}

/**
 * P(X ≤ k) for X ~ Binomial(m, q), for calls in which m grows by one and k by zero or one each time: updated by
 * F(k; m + 1) = F(k; m) - q f(k; m) and f's own recurrences, which takes a few operations instead of a series.
 */
function tailAlong(q: number): (k: number, m: number) => number {
  let at = { k: -1, m: -1 };
  let cumulative = 0;
  let density = 0;
  return (k, m) => {
    if (q <= 0) return 1;
    if (q >= 1) return k >= m ? 1 : 0;
    if (at.m !== m - 1 || k < at.k || k > at.k + 1 || density < 1e-250) {
      cumulative = binomialCdf(k, m, q);
      density = binomialPmf(k, m, q);
    } else {
      cumulative -= q * density;
      density *= ((1 - q) * m) / (m - at.k);
      if (k > at.k) {
        density *= ((m - at.k) * q) / (k * (1 - q));
        cumulative += density;
      }
    }
    at = { k, m };
    return cumulative;
  };
}

/** For m disagreements: the largest k so that the test rejects when the rarer kind occurs at most k times; -1 for none. */
function criticalValues(alpha: number): (m: number) => number {
  if (alpha !== lastAlpha) lastValues = new Map();
  lastAlpha = alpha;
  const known = lastValues;
  return (m) => {
    let k = known.get(m);
    if (k === undefined) {
      // Start from the normal approximation and walk; the binomial's tail is monotone in k.
      k = Math.floor(m / 2 + (normalQuantile(alpha / 2) * Math.sqrt(m)) / 2);
      while (k >= 0 && 2 * binomialCdf(k, m, 0.5) > alpha) k--;
      while (2 * binomialCdf(k + 1, m, 0.5) <= alpha) k++;
      known.set(m, k);
    }
    return k;
  };
}

// A family of comparisons uses the same level again and again.
let lastAlpha = Number.NaN;
let lastValues = new Map<number, number>();
