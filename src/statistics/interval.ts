// The 95 % interval of every mean. Which method applies where was chosen by measured coverage
// (bench/statistics.js prints the table); none of them ever has zero width.

import { randomFor } from "../core/random.js";
import { bootstrapInterval } from "./bootstrap.js";
import { nearlyConstantInterval, wilson } from "./bounded.js";
import { normalQuantile, tQuantile } from "./distributions.js";
import { columnsOf, meansOf, type SeedPart, type SystemScores, seedPart, withSeeds } from "./seeds.js";
import { type Groups, standardError, type Units, unitsOf } from "./units.js";

/** Grouping and seed of an interval. */
export interface IntervalOptions {
  /** One entry per score: samples of one group are not independent. Undefined entries are groups of their own. */
  groups?: Groups;
  /** One entry per score: its weight (tokens, bytes). The mean is Σ w y / Σ w. */
  weights?: ArrayLike<number>;
  /** One entry per score, where tasks with trainings of their own are combined: seed s of one task is not seed s of another. */
  tasks?: readonly string[];
  seed: number;
  /** Default 0.95. */
  level?: number;
  /** Ends of a score's scale. Default [0, 1]; an absent or infinite end takes the default, widened to the data. */
  range?: readonly [number, number];
  /** Bootstrap resamples, default 10,000. */
  resamples?: number;
}

export type IntervalMethod = "wilson" | "wilson-clustered" | "bootstrap-t" | "t" | "nearly-constant" | "none";

/** A mean with its 95 % interval and the method that gave it. */
export interface Interval {
  n: number;
  /** NaN for n = 0. */
  mean: number;
  low: number;
  high: number;
  /** Independent units: groups where there are groups, else samples. */
  units: number;
  method: IntervalMethod;
}

/** Fewer units than this: t alone; resampled errors of so few are too unstable to studentise with. */
const fewUnits = 8;
/** Fewer units than this that differ from the commonest value: see `nearlyConstantInterval`. */
const fewDeviating = 8;
/** A limit from the studentised bootstrap lies at most this many t half-widths away: resamples without spread give none. */
const mostStretch = 3;

/**
 * Interval for the mean of scores.
 *
 * - several training seeds: the mean over both; the interval below for each sample's mean over seeds, widened by what the
 *   seeds contribute to the variance (`seedPart`, `withSeeds`)
 * - weights: the ratio estimator, a unit being Σ w (y - ȳ) with size Σ w; resampling draws both together
 * - right/wrong scores: Wilson's score interval
 * - right/wrong in groups or weighted: Wilson's with the effective sample size p(1-p)/V and a t quantile, V being the
 *   cluster-robust (CR2) variance (Korn and Graubard 1998, who use Clopper and Pearson's; Wilson's covers closer)
 * - other scores: at each end the wider of the studentised bootstrap over units and t, both with the CR2 error. Either
 *   alone fails somewhere (n = 50: t covers 90 % on skewed scores, the bootstrap 86 % on sparse symmetric differences)
 * - nearly constant scores (fewer than 8 units off the commonest value), n = 1, one group: see `nearlyConstantInterval`; if units
 *   differ in size or weight, at each end the wider of it and t with the CR2 error (weighted scores: t alone covers 60 to 92 %)
 * - n = 0: the whole range, mean NaN
 *
 * More than 1,024 units are merged at random for the resampling, not for the error: time stays flat for large n.
 */
export function meanInterval(scores: SystemScores, options: IntervalOptions): Interval {
  const { groups, weights, level = 0.95 } = options;
  const values = meansOf(scores);
  const range = scaleOf(values, options.range, [0, 1]);
  const n = values.length;
  if (n === 0) return { n, mean: Number.NaN, low: range[0], high: range[1], units: 0, method: "none" };
  const units = unitsOf(values, groups, weights);
  const seeds = columnsOf(scores).length > 1 ? seedPart(scores, options) : null;
  if (!isBinary(values))
    return realInterval(values, units, { ...options, range, limits: options.range ?? range, seeds });
  const { critical, effective } = clustering(values, units, level);
  const mean = units.mean;
  const [low, high] = wilson(mean, n * effective, critical);
  const method = units.sizes ? "wilson-clustered" : "wilson";
  return { n, mean, low, high, units: units.deviations.length, method };
}

/** Interval for the mean of values that are not right/wrong; also used for differences. `values` are means over seeds. */
export function realInterval(
  values: ArrayLike<number>,
  units: Units,
  {
    seed,
    level = 0.95,
    range,
    limits,
    resamples,
    seeds = null,
  }: IntervalOptions & {
    range: readonly [number, number];
    /** Hard limits of the interval: infinite where the scale has no end, even if `range` has a usual one. */
    limits: readonly [number, number];
    seeds?: SeedPart | null;
  },
): Interval {
  const { n, mean, sums, sizes } = units;
  // Units of zero weight are no evidence.
  const kept = sizes?.filter((size) => size > 0);
  const means = sizes ? sums.map((sum, g) => sum / sizes[g]!).filter((_, g) => sizes[g]! > 0) : sums;
  const count = means.length;
  const { common, times } = commonest(means);
  const samples = standardError(units, values);
  const result = (low: number, high: number, method: IntervalMethod): Interval => {
    const ends = seeds
      ? [mean - low, high - mean].map((half) => withSeeds(half, samples, seeds, (1 + level) / 2))
      : null;
    return {
      n,
      mean,
      low: Math.max(Math.min(limits[0], mean), ends ? mean - ends[0]! : low),
      high: Math.min(Math.max(limits[1], mean), ends ? mean + ends[1]! : high),
      units: count,
      method,
    };
  };
  // On a scale without ends, one value does not show how far the next one lies.
  if (count < 2 && limits.some((end) => !Number.isFinite(end)))
    return result(limits[0], limits[1], "nearly-constant");
  const { error, freedom } = samples;
  const half = tQuantile((1 + level) / 2, freedom) * error;
  if (count - times < fewDeviating && (count - times) * 4 < count) {
    const critical = normalQuantile((1 + level) / 2);
    const weighing = units.weights ? kept : undefined;
    const [low, high] = nearlyConstantInterval(means, common, range, critical, weighing);
    // The few units that deviate may hold most samples, or most of the weight.
    const least = kept?.some((size) => size !== kept[0]) ? half : 0;
    return result(Math.min(mean - least, low), Math.max(mean + least, high), "nearly-constant");
  }
  if (count < fewUnits) return result(mean - half, mean + half, "t");
  const random = randomFor(seed, "statistics/bootstrap");
  const [low, high] = bootstrapInterval(units, "studentised", {
    random,
    level,
    error,
    ...(resamples === undefined ? {} : { resamples }),
  });
  return result(
    Math.min(mean - half, Math.max(low, mean - mostStretch * half)),
    Math.max(mean + half, Math.min(high, mean + mostStretch * half)),
    "bootstrap-t",
  );
}

/**
 * How much grouping or weighting costs for right/wrong data: the quantile to use, and the effective share of n. It is at most 1, or
 * what the weights alone leave: few heavy samples that happen to agree would make the estimated variance far too small.
 * Where all samples agree nothing can be estimated: each group counts as one sample, or by weights as (Σ w)² / Σ w² (Kish 1965).
 */
function clustering(
  values: ArrayLike<number>,
  units: Units,
  level: number,
): { critical: number; effective: number } {
  const critical = normalQuantile((1 + level) / 2);
  const { n, total, mean, sizes, squares, deviations, weights } = units;
  if (!sizes) return { critical, effective: 1 };
  const count = deviations.length;
  let spread = 0;
  for (let i = 0; i < n; i++) spread += (weights ? weights[i]! : 1) * (values[i]! - mean) ** 2;
  if (spread === 0 || count < 2) {
    const kish = weights ? (total * total) / sizes.reduce((sum, size) => sum + size * size, 0) : count;
    return { critical, effective: kish / n };
  }
  const { error, freedom } = standardError(units, values);
  return {
    critical: tQuantile((1 + level) / 2, freedom),
    effective: Math.min(
      (total * total) / squares!.reduce((sum, square) => sum + square, 0) / n,
      spread / total / (n * error * error),
    ),
  };
}

/** The commonest value and how often it occurs. Means of groups that differ by rounding alone count as equal. */
function commonest(values: Float64Array): { common: number; times: number } {
  const sorted = values.slice().sort();
  const slack = 1e-12 * Math.max(1, Math.abs(sorted[0]!), Math.abs(sorted.at(-1)!));
  let common = sorted[0]!;
  let times = 0;
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (end < sorted.length && sorted[end]! - sorted[start]! <= slack) end++;
    if (end - start > times) {
      times = end - start;
      common = sorted[start]!;
    }
    start = end;
  }
  return { common, times };
}

export function isBinary(scores: ArrayLike<number>): boolean {
  for (let i = 0; i < scores.length; i++) if (scores[i] !== 0 && scores[i] !== 1) return false;
  return true;
}

/** The ends that the scale has; where it has none (absent or infinite) the usual one, widened to the data. */
export function scaleOf(
  values: ArrayLike<number>,
  range: readonly [number, number] | undefined,
  [least, most]: readonly [number, number],
): [number, number] {
  let low = least;
  let high = most;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return [
    range && Number.isFinite(range[0]) ? range[0] : low,
    range && Number.isFinite(range[1]) ? range[1] : high,
  ];
}
