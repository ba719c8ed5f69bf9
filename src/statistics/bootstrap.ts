// The bootstrap over units (samples, or whole groups), for the mean over samples. Three ways to read an interval from
// it; `interval.ts` uses the studentised one, bench/statistics.js measures all three.

import type { Random } from "../core/random.js";
import { normalCdf, normalQuantile } from "./distributions.js";
import { merged, type Units } from "./units.js";

/**
 * - `studentised`: bootstrap-t (Efron 1982; Hall 1988): quantiles of t* = (m* - m)/se*, scaled by the sample's own error
 * - `bca`: bias-corrected and accelerated percentiles (Efron 1987)
 * - `percentile`: plain percentiles of m*
 */
export type BootstrapMethod = "studentised" | "bca" | "percentile";

export interface BootstrapOptions {
  random: Random;
  /** Default 10,000. */
  resamples?: number;
  /** Default 0.95. */
  level?: number;
  /** Standard error for `studentised`; default the plain cluster error of the units. */
  error?: number;
}

/** More units than this are merged before resampling: the quantiles of t* hardly move, and time stays bounded. */
const mostUnits = 1024;

/** [low, high] for the mean over samples. A limit may be infinite (studentised) where resamples have no spread. */
export function bootstrapInterval(
  units: Units,
  method: BootstrapMethod,
  { random, resamples = 10_000, level = 0.95, error }: BootstrapOptions,
): [number, number] {
  const tail = (1 - level) / 2;
  if (method === "studentised") {
    const t = resampledMeans(merged(units, mostUnits, random), resamples, random, true).sort();
    const scale = error ?? plainError(units);
    return [units.mean - scale * quantile(t, 1 - tail), units.mean - scale * quantile(t, tail)];
  }
  const deviations = resampledMeans(merged(units, mostUnits, random), resamples, random, false).sort();
  if (method === "percentile")
    return [units.mean + quantile(deviations, tail), units.mean + quantile(deviations, 1 - tail)];
  // Bias: the share of resampled means below the sample's own, which is 0 here; ties count half, as in SciPy.
  let below = 0;
  for (const deviation of deviations) below += deviation < 0 ? 1 : deviation === 0 ? 0.5 : 0;
  const bias = normalQuantile(below / resamples);
  const acceleration = accelerationOf(units);
  const limit = (p: number): number => {
    const z = bias + normalQuantile(p);
    return units.mean + quantile(deviations, normalCdf(bias + z / (1 - acceleration * z)));
  };
  return [limit(tail), limit(1 - tail)];
}

/** Resampled deviations of the mean, or their t statistics. O(units) each. */
function resampledMeans(units: Units, resamples: number, random: Random, studentise: boolean): Float64Array {
  const { deviations, sizes } = units;
  const count = deviations.length;
  const out = new Float64Array(resamples);
  const scale = Math.sqrt(count / Math.max(1, count - 1));
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    let squares = 0;
    if (sizes) {
      let size = 0;
      let cross = 0;
      let sizeSquares = 0;
      for (let k = 0; k < count; k++) {
        const g = (random() * count) | 0;
        const s = deviations[g]!;
        const w = sizes[g]!;
        sum += s;
        size += w;
        squares += s * s;
        cross += s * w;
        sizeSquares += w * w;
      }
      const mean = sum / size;
      const residual = squares - 2 * mean * cross + mean * mean * sizeSquares;
      out[r] = studentise ? ratio(sum, scale * spread(residual, squares)) : mean;
    } else {
      for (let k = 0; k < count; k++) {
        const s = deviations[(random() * count) | 0]!;
        sum += s;
        squares += s * s;
      }
      const residual = squares - (sum * sum) / count;
      out[r] = studentise ? ratio(sum, scale * spread(residual, squares)) : sum / count;
    }
  }
  return out;
}

// A resample of equal values has no spread; rounding must not turn that into a huge finite t.
const spread = (residual: number, squares: number): number =>
  residual > 1e-12 * squares ? Math.sqrt(residual) : 0;
const ratio = (a: number, b: number): number => (a === 0 ? 0 : a / b);

function plainError(units: Units): number {
  const count = units.deviations.length;
  let squares = 0;
  for (const deviation of units.deviations) squares += deviation * deviation;
  return Math.sqrt((squares * count) / Math.max(1, count - 1)) / units.total;
}

/** Efron's acceleration from the jackknife over units: Σ d³ / (6 (Σ d²)^1.5), d = mean of the leave-one-out means minus each. */
function accelerationOf(units: Units): number {
  const { deviations, sizes, total } = units;
  const without = Array.from(deviations, (deviation, g) => -deviation / (total - (sizes ? sizes[g]! : 1)));
  const centre = without.reduce((sum, value) => sum + value, 0) / without.length;
  let cubes = 0;
  let squares = 0;
  for (const value of without) {
    cubes += (centre - value) ** 3;
    squares += (centre - value) ** 2;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/** Quantile of sorted values by linear interpolation (Hyndman and Fan's type 7, NumPy's default). */
export function quantile(sorted: Float64Array, p: number): number {
  const at = Math.min(1, Math.max(0, p)) * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low]!;
  const b = sorted[Math.min(sorted.length - 1, low + 1)]!;
  if (a === b || at === low || a === Number.NEGATIVE_INFINITY) return a;
  return b === Number.POSITIVE_INFINITY ? b : a + (b - a) * (at - low);
}
