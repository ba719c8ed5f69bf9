// Compares two systems on the same samples by a statistic that is neither a mean nor smooth, such as a distance between
// histograms; smooth statistics are linearized (jackknife.ts).

import { randomFor } from "../core/random.js";

/** The difference of two systems in a statistic that is not a mean. */
export interface StatisticDifference {
  n: number;
  /** The statistic of a's rows minus that of b's; NaN for n = 0. */
  delta: number;
  low: number;
  high: number;
  /** Two-sided, not adjusted for other comparisons. 1 for n = 0. */
  p: number;
}

/**
 * The difference of a statistic, a minus b, row by row on the same samples.
 *
 * Interval: percentiles of 2,000 resamples of samples, both systems' rows of a sample together. Test: if neither system
 * differs, a sample's two rows may be exchanged; p = (k + 1) / (draws + 1), k being the exchanges with at least the observed
 * difference (Phipson and Smyth 2010).
 *
 * @param statistic of one system's rows, independent of their order
 */
export function pairedStatistic<Row>(
  a: readonly Row[],
  b: readonly Row[],
  statistic: (rows: readonly Row[]) => number,
  { seed, draws = 2000 }: { seed: number; draws?: number },
): StatisticDifference {
  const n = a.length;
  if (b.length !== n) throw new RangeError("paired rows differ in length");
  if (n === 0)
    return { n, delta: Number.NaN, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, p: 1 };
  const of = (pick: (i: number) => readonly [Row, Row]): number => {
    const pairs = Array.from({ length: n }, (_, i) => pick(i));
    return statistic(pairs.map(([one]) => one)) - statistic(pairs.map(([, other]) => other));
  };
  const pair = (i: number) => [a[i] as Row, b[i] as Row] as const;
  const delta = of(pair);
  const random = randomFor(seed, "statistics/paired-statistic");
  const resampled = Array.from({ length: draws }, () => of(() => pair(Math.floor(random() * n)))).sort(
    (x, y) => x - y,
  );
  const exchanged = Array.from({ length: draws }, () =>
    of((i) => (random() < 0.5 ? pair(i) : [b[i] as Row, a[i] as Row])),
  );
  const extreme = exchanged.filter((one) => Math.abs(one) >= Math.abs(delta) - 1e-12).length;
  const tail = Math.floor(0.025 * draws);
  return {
    n,
    delta,
    low: resampled[tail] as number,
    high: resampled[draws - 1 - tail] as number,
    p: (extreme + 1) / (draws + 1),
  };
}
