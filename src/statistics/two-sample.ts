// Two samples of one quantity, and two tables of counts: whether they come from the same distribution.

import { logGamma } from "./distributions.js";

/** A test's statistic and its p. `size` is the effect: 0 where the samples agree, 1 where they have nothing in common. */
export interface TwoSample {
  size: number;
  p: number;
}

/**
 * Two-sample Kolmogorov-Smirnov test: `size` is the largest distance between the two empirical distribution functions, p its
 * asymptotic tail with Stephens' correction (1970). Ties make p too large, never too small.
 */
export function kolmogorovSmirnov(a: readonly number[], b: readonly number[]): TwoSample {
  if (a.length === 0 || b.length === 0) return { size: 0, p: 1 };
  const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  let size = 0;
  for (let i = 0, j = 0; i < x.length && j < y.length; ) {
    const value = Math.min(x[i] as number, y[j] as number);
    while (i < x.length && x[i] === value) i++;
    while (j < y.length && y[j] === value) j++;
    size = Math.max(size, Math.abs(i / x.length - j / y.length));
  }
  const n = Math.sqrt((x.length * y.length) / (x.length + y.length));
  const t = (n + 0.12 + 0.11 / n) * size;
  let p = 0;
  for (let k = 1; k <= 100; k++) p += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * t * t);
  return { size, p: t < 0.2 ? 1 : Math.min(1, Math.max(0, p)) };
}

/**
 * Pearson's chi-squared test that two lists of counts have the same proportions. Categories are pooled, the rarest first, until
 * each is expected at least five times in both. `size` is the total variation distance of the unpooled proportions.
 */
export function chiSquared(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): TwoSample {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const cells = names.map((name) => [a[name] ?? 0, b[name] ?? 0] as [number, number]);
  const [n, m] = [0, 1].map((side) => cells.reduce((sum, cell) => sum + (cell[side] as number), 0)) as [
    number,
    number,
  ];
  if (n === 0 || m === 0) return { size: 0, p: 1 };
  const size = cells.reduce((sum, [x, y]) => sum + Math.abs(x / n - y / m), 0) / 2;
  const least = (5 * (n + m)) / Math.min(n, m);
  const pooled: [number, number][] = [];
  let rest: [number, number] = [0, 0];
  for (const [x, y] of cells.sort(([a1, b1], [a2, b2]) => a1 + b1 - a2 - b2)) {
    rest = [rest[0] + x, rest[1] + y];
    if (rest[0] + rest[1] < least) continue;
    pooled.push(rest);
    rest = [0, 0];
  }
  const last = pooled.at(-1);
  if (last) pooled[pooled.length - 1] = [last[0] + rest[0], last[1] + rest[1]];
  if (pooled.length < 2) return { size, p: 1 };
  let statistic = 0;
  for (const [x, y] of pooled) {
    const [ex, ey] = [((x + y) * n) / (n + m), ((x + y) * m) / (n + m)];
    statistic += (x - ex) ** 2 / ex + (y - ey) ** 2 / ey;
  }
  return { size, p: chiSquaredTail(statistic, pooled.length - 1) };
}

/** P(X > x) for chi-squared with `df` degrees of freedom: the regularized upper incomplete gamma function Q(df/2, x/2). */
export function chiSquaredTail(x: number, df: number): number {
  const [a, z] = [df / 2, x / 2];
  if (z <= 0) return 1;
  const front = Math.exp(a * Math.log(z) - z - logGamma(a));
  if (z < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let k = 1; term > 1e-16 * sum && k < 10_000; k++) {
      term *= z / (a + k);
      sum += term;
    }
    return 1 - front * sum;
  }
  // Lentz's continued fraction.
  let b = z + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < 10_000; k++) {
    const an = -k * (k - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * fraction;
}
