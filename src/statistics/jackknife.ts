// Jackknife pseudo-values for figures that are not means (a correlation, an F1, bits per byte where the bytes differ between
// systems): one per unit, so that the intervals, tests, groups and seeds of means apply. For a mean they are its values.

import { randomFor } from "../core/random.js";
import { type Interval, type IntervalOptions, meanInterval } from "./interval.js";
import { type Groups, numbered } from "./units.js";

/** A figure of the samples with these indices. It must not depend on their order, and be smooth: no median, no maximum. */
export type Statistic = (samples: Int32Array) => number;

/** A figure that is not a mean, as values whose mean it is. */
export interface Linearized {
  /** The figure of all samples; NaN where it is not defined. */
  estimate: number;
  /** One per unit, with the estimate as their mean; null where the figure is not defined without some unit. */
  values: Float64Array | null;
}

/** The figure is computed once for each unit, so time is units × samples: at most this many samples are read in all. */
const mostRead = 4e6;
const [fewestUnits, mostUnits] = [100, 1024];

/**
 * Jackknife pseudo-values (Quenouille 1956; Tukey 1958) of a figure θ over G units: θ + (G - 1)(θ̄ - θ₋g), θ₋g being the
 * figure without unit g and θ̄ the mean of all θ₋g, which leaves the jackknife's correction for bias out so that their mean
 * is θ. Their variance over G estimates θ's (Efron and Stein 1981: not too small in expectation). Many units are merged at
 * random into at least 100, the same ones for equal `n`, `groups` and `seed`, so that two systems stay paired.
 */
export function linearized(
  statistic: Statistic,
  n: number,
  { groups, seed }: { groups?: Groups | undefined; seed: number },
): Linearized {
  const everyone = Int32Array.from({ length: n }, (_, i) => i);
  const estimate = n === 0 ? Number.NaN : statistic(everyone);
  if (!Number.isFinite(estimate)) return { estimate: Number.NaN, values: null };
  const { unit, count } = blocksOf(n, groups, seed);
  const without = new Float64Array(count);
  for (let g = 0; g < count; g++) {
    const rest = everyone.filter((i) => unit[i] !== g);
    // A unit whose samples this seed left unscored, or the only unit, contributes no information.
    without[g] = rest.length === 0 ? estimate : statistic(rest);
    if (!Number.isFinite(without[g]!)) return { estimate, values: null };
  }
  const slack = 1e-12 * Math.max(1, Math.abs(estimate));
  let shift = 0;
  for (const value of without) shift += (value - estimate) / count;
  const values = without.map((value) => {
    const away = shift - (value - estimate);
    // Rounding alone must not look like variance.
    return Math.abs(away) <= slack ? estimate : estimate + (count - 1) * away;
  });
  return { estimate, values };
}

/** Each sample's unit, units being merged at random where there are too many. */
function blocksOf(n: number, groups: Groups | undefined, seed: number): { unit: Int32Array; count: number } {
  const found = groups ? numbered(groups) : { unit: Int32Array.from({ length: n }, (_, i) => i), count: n };
  const most = Math.max(fewestUnits, Math.min(mostUnits, Math.floor(mostRead / n)));
  if (found.count <= most) return found;
  const random = randomFor(seed, "statistics/blocks");
  const block = Int32Array.from({ length: found.count }, (_, g) => g % most);
  for (let i = block.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [block[i], block[j]] = [block[j]!, block[i]!];
  }
  return { unit: found.unit.map((g) => block[g]!), count: most };
}

/**
 * The figure of one system with its interval: that of the mean of its pseudo-values (`meanInterval`); the mean over seeds
 * if there are several. If it is not defined, or would not be without some unit, the interval is the whole scale.
 *
 * @param statistics one per training seed, over the same samples
 */
export function aggregateInterval(
  statistics: readonly Statistic[],
  n: number,
  { groups, ...options }: Omit<IntervalOptions, "weights">,
): Interval {
  const columns = statistics.map((statistic) => linearized(statistic, n, { groups, seed: options.seed }));
  const values = columns.flatMap(({ values }) => (values ? [values] : []));
  const { range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] } = options;
  const mean = columns.reduce((sum, { estimate }) => sum + estimate / columns.length, 0);
  if (n === 0 || values.length < columns.length)
    return { n, mean, low: range[0], high: range[1], units: 0, method: "none" };
  return { ...meanInterval(values, options), n, mean };
}
