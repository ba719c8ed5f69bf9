// The 95 % interval that stands beside every mean. Which method is used where was chosen by measured coverage
// (bench/statistics.js prints the table); none of them is ever of zero width.
import { randomFor } from "../core/random.js";
import { bootstrapInterval } from "./bootstrap.js";
import { nearlyConstantInterval, wilson } from "./bounded.js";
import { normalQuantile, tQuantile } from "./distributions.js";
import { standardError, unitsOf } from "./units.js";

/** Fewer units than this: t alone; resampled errors of so few are too unstable to studentise with. */
const fewUnits = 8;
/** Fewer units than this that differ from the commonest value: see `nearlyConstantInterval`. */
const fewDeviating = 8;
/** A limit from the studentised bootstrap lies at most this many t half-widths away: resamples without spread know none. */
const mostStretch = 3;
/**
 * Interval for the mean of scores.
 *
 * - right/wrong scores: Wilson's score interval
 * - right/wrong in groups: Wilson's with the effective sample size p(1-p)/V and a t quantile, V being the
 *   cluster-robust (CR2) variance (Korn and Graubard 1998, who use Clopper and Pearson's; Wilson's covers closer)
 * - other scores: at each end the wider of the studentised bootstrap over units and t, both with the CR2 error. Either
 *   alone fails somewhere (n = 50: t covers 90 % on skewed scores, the bootstrap 86 % on sparse symmetric differences)
 * - nearly constant scores (fewer than 8 units off the commonest value), n = 1, one group: see `nearlyConstantInterval`
 * - n = 0: the whole range, mean NaN
 *
 * More than 1,024 units are merged at random for the resampling, not for the error: time stays flat for large n.
 */
export function meanInterval(scores, options) {
  const { groups, level = 0.95 } = options;
  const range = options.range ?? rangeOf(scores, 0, 1);
  const n = scores.length;
  if (n === 0) return { n, mean: Number.NaN, low: range[0], high: range[1], units: 0, method: "none" };
  const units = unitsOf(scores, groups);
  if (!isBinary(scores)) return realInterval(scores, units, { ...options, range });
  const { critical, effective } = clustering(scores, units, level);
  const mean = units.mean;
  const [low, high] = wilson(mean, n * effective, critical);
  const method = units.sizes ? "wilson-clustered" : "wilson";
  return { n, mean, low, high, units: units.deviations.length, method };
}
/** Interval for the mean of values that are not right/wrong; also used for differences. */
export function realInterval(values, units, { seed, level = 0.95, range, resamples }) {
  const { n, mean, sums, sizes } = units;
  const count = sums.length;
  const means = sizes ? sums.map((sum, g) => sum / sizes[g]) : sums;
  const { common, times } = commonest(means);
  const result = (low, high, method) => ({
    n,
    mean,
    low: Math.max(Math.min(range[0], mean), low),
    high: Math.min(Math.max(range[1], mean), high),
    units: count,
    method,
  });
  if (count - times < fewDeviating && (count - times) * 4 < count) {
    const [low, high] = nearlyConstantInterval(means, common, range, normalQuantile((1 + level) / 2));
    return result(Math.min(mean, low), Math.max(mean, high), "nearly-constant");
  }
  const { error, freedom } = standardError(units, values);
  const half = tQuantile((1 + level) / 2, freedom) * error;
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
 * How much grouping costs for right/wrong data: the quantile to use, and the effective share of n (at most 1). Where all
 * samples agree nothing can be estimated, and each group counts as one sample.
 */
function clustering(values, units, level) {
  const critical = normalQuantile((1 + level) / 2);
  const { n, mean, sizes, deviations } = units;
  if (!sizes) return { critical, effective: 1 };
  const count = deviations.length;
  let spread = 0;
  for (let i = 0; i < n; i++) spread += (values[i] - mean) ** 2;
  if (spread === 0 || count < 2) return { critical, effective: count / n };
  const { error, freedom } = standardError(units, values);
  return {
    critical: tQuantile((1 + level) / 2, freedom),
    effective: Math.min(1, spread / n / (n * error * error)),
  };
}
/** The commonest value and how often it occurs. Means of groups that differ by rounding alone count as equal. */
function commonest(values) {
  const sorted = values.slice().sort();
  const slack = 1e-12 * Math.max(1, Math.abs(sorted[0]), Math.abs(sorted.at(-1)));
  let common = sorted[0];
  let times = 0;
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (end < sorted.length && sorted[end] - sorted[start] <= slack) end++;
    if (end - start > times) {
      times = end - start;
      common = sorted[start];
    }
    start = end;
  }
  return { common, times };
}
export function isBinary(scores) {
  for (let i = 0; i < scores.length; i++) if (scores[i] !== 0 && scores[i] !== 1) return false;
  return true;
}
/** [least, most], widened to the data. */
export function rangeOf(values, least, most) {
  let low = least;
  let high = most;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return [low, high];
}
