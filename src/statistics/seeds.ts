// Training seeds as a second random effect, crossed with samples: how much an estimate would move under other seeds.
// The part of the samples comes from the methods for one seed, applied to the means over seeds; this file adds the seeds'.

import { tQuantile } from "./distributions.js";
import { type Group, type Groups, numbered } from "./units.js";

/**
 * Scores of one system: one entry per sample; or, if it was trained with several seeds, one such list per seed over the same
 * samples, NaN where that seed's answer was left unscored.
 */
export type SystemScores = ArrayLike<number> | readonly ArrayLike<number>[];

/** The lists of scores, one per training seed. */
export function columnsOf(scores: SystemScores): readonly ArrayLike<number>[] {
  return typeof scores[0] === "object"
    ? (scores as readonly ArrayLike<number>[])
    : [scores as ArrayLike<number>];
}

/** Per sample the mean over the seeds that scored it. */
export function meansOf(scores: SystemScores): ArrayLike<number> {
  const columns = columnsOf(scores);
  if (columns.length === 1) return columns[0]!;
  return Float64Array.from({ length: columns[0]!.length }, (_, i) => {
    let sum = 0;
    let count = 0;
    for (const column of columns) {
      if (Number.isNaN(column[i]!)) continue;
      sum += column[i]!;
      count++;
    }
    return sum / count;
  });
}

export interface SeedOptions {
  groups?: Groups | undefined;
  weights?: ArrayLike<number> | undefined;
  /** Per sample the task whose training its scores come from, where each task has trainings of its own. */
  tasks?: readonly string[] | undefined;
}

/** What training seeds contribute to the variance of an estimate. */
export interface SeedPart {
  /** Variance of the mean over seeds that comes from them, with a share of the interaction of samples and seeds. */
  variance: number;
  freedom: number;
  /** That share, which the samples' part of the variance includes as well. */
  interaction: number;
}

/**
 * The seeds' part for the mean of one system, or null if it has one seed or all its seeds agree.
 *
 * Two-way random effects without replication, y_is = μ + a_i + b_s + e_is (Searle, Casella and McCulloch 1992, ch. 4; for
 * means of crossed data Owen 2007): with S seeds, Σ_s (ȳ_s - ȳ)² / (S - 1) estimates σ_b² + σ_e²/n, and the residuals
 * y_is - ȳ_i - (ȳ_s - ȳ), summed over each unit of a seed, estimate σ_e²/n. Unscored cells are left out of a seed's effect.
 *
 * The interaction σ_e²/(nS) is in the variance of the means over seeds and in that of the seeds' means, and is counted once. The
 * part left with the seeds is estimated with their few degrees of freedom. Leaving all of it there makes intervals too wide where
 * seeds hardly differ; leaving none makes them too narrow, since an estimate below 0 counts as 0. The share 1/(S - 1) was chosen by
 * simulation among 1, 3/4, 1/2, 1/4 and 0 for three and five seeds. For seeds that vary normally it covers 93 to 97 % from five
 * seeds on, with three seeds 93 to 98.5 % and with two 93.7 to 99 % (`bench/recorded/statistics.json`: 18 settings for each number
 * of seeds, 600 simulations per setting). Coverage is highest where seeds hardly differ: intervals are too wide there, not too narrow.
 *
 * Where seeds are of two kinds it covers less, since few seeds often agree by chance: if a training fails with probability 0.1 to
 * 0.33, 72 to 88 % with three seeds, 82 to 90 with five and 93 to 96 with ten (the same record, "seeds that fail").
 */
export function seedPart(
  scores: SystemScores,
  { groups, weights, tasks }: SeedOptions = {},
): SeedPart | null {
  const columns = columnsOf(scores);
  if (columns.length < 2) return null;
  if (tasks) return nested(columns, { groups, weights, tasks });
  const means = meansOf(scores);
  const n = means.length;
  const { unit, count } = groups ? numbered(groups) : { unit: null, count: n };
  const effects: number[] = [];
  const noises: number[] = [];
  for (const column of columns) {
    let sum = 0;
    let total = 0;
    for (let i = 0; i < n; i++) {
      if (Number.isNaN(column[i]!)) continue;
      const weight = weights ? weights[i]! : 1;
      sum += weight * (column[i]! - means[i]!);
      total += weight;
    }
    if (total === 0) continue;
    const effect = sum / total;
    const residuals = new Float64Array(count);
    for (let i = 0; i < n; i++) {
      if (Number.isNaN(column[i]!)) continue;
      residuals[unit ? unit[i]! : i]! += (weights ? weights[i]! : 1) * (column[i]! - means[i]! - effect);
    }
    effects.push(effect);
    noises.push(residuals.reduce((squares, r) => squares + r * r, 0) / (total * total));
  }
  const seeds = effects.length;
  if (seeds < 2) return null;
  const centre = effects.reduce((a, b) => a + b, 0) / seeds;
  const squares = effects.reduce((a, b) => a + (b - centre) ** 2, 0);
  const noise = noises.reduce((a, b) => a + b, 0) / (seeds - 1);
  if (squares === 0 && noise === 0) return null;
  const freedom = seeds - 1;
  const interaction = (noise * (count < 2 ? 0 : count / (count - 1))) / seeds;
  return {
    variance: Math.max(0, squares / freedom / seeds - (1 - 1 / freedom) * interaction),
    freedom,
    interaction: interaction / freedom,
  };
}

/**
 * The seeds' part of a mean over tasks with trainings of their own: seed 1 of one task has nothing to do with seed 1 of another, so
 * that their order must not matter. The part of each task, times the square of its share of the weight, is summed.
 */
function nested(columns: readonly ArrayLike<number>[], options: SeedOptions): SeedPart | null {
  const { groups, weights, tasks } = options;
  const weightOf = (rows: readonly number[]) => rows.reduce((sum, i) => sum + (weights ? weights[i]! : 1), 0);
  const total = weightOf([...tasks!.keys()]);
  let sum: SeedPart | null = null;
  for (const task of new Set(tasks)) {
    const rows = [...tasks!.keys()].filter((i) => tasks![i] === task);
    const picked = <T>(list: ArrayLike<T>) => rows.map((i) => list[i]!);
    const part = seedPart(columns.map(picked), {
      ...(groups ? { groups: picked<Group>(groups) } : {}),
      ...(weights ? { weights: picked(weights) } : {}),
    });
    if (!part) continue;
    const { freedom, ...variances } = part;
    const square = (weightOf(rows) / total) ** 2;
    const scaled = { variance: variances.variance * square, interaction: variances.interaction * square };
    sum = joined(sum, { freedom, ...scaled });
  }
  return sum;
}

/** Independent parts together, as of two systems for their difference; degrees of freedom by Welch and Satterthwaite. */
export function joined(a: SeedPart | null, b: SeedPart | null): SeedPart | null {
  if (!a || !b) return a ?? b;
  const variance = a.variance + b.variance;
  const square = a.variance ** 2 / a.freedom + b.variance ** 2 / b.freedom;
  return {
    variance,
    freedom: square === 0 ? Math.min(a.freedom, b.freedom) : variance ** 2 / square,
    interaction: a.interaction + b.interaction,
  };
}

export interface SampleError {
  /** Standard error over samples, for these seeds; and its degrees of freedom. */
  error: number;
  freedom: number;
}

/**
 * How far a limit lies from the estimate when seeds count too, given how far (`half`) it lies over samples alone.
 *
 * With V₁ the samples' variance minus the seeds' share of the interaction and V₂ the seeds', the t quantiles are weighted by
 * variance: (t₁V₁ + t₂V₂) / √(V₁ + V₂) (Cochran and Cox 1950, for two variances of unequal degrees of freedom). Satterthwaite's
 * single t covers 86 to 91 % with two or three seeds, since few seeds often estimate their variance near 0; this one errs the other
 * way. `half` may be a bootstrap's, slightly different from t₁ times the error: V₁ is then derived from it. Never less than `half`.
 *
 * @param quantile the one-sided probability of the limit, 0.975 for 95 % intervals
 */
export function withSeeds(
  half: number,
  { error, freedom }: SampleError,
  seeds: SeedPart,
  quantile: number,
): number {
  if (!Number.isFinite(half) || !(seeds.variance > 0)) return half;
  const kept = error > 0 ? Math.max(0, 1 - seeds.interaction / (error * error)) : 1;
  const samples = freedom >= 1 ? tQuantile(quantile, freedom) : Number.POSITIVE_INFINITY;
  const own = (half / samples) ** 2 * kept;
  const theirs = tQuantile(quantile, seeds.freedom) * seeds.variance;
  return Math.max(half, ((own > 0 ? samples * own : 0) + theirs) / Math.sqrt(own + seeds.variance));
}

/** Two-sided p for a difference of `delta`: the level at which the interval by t over samples and seeds ends at 0. */
export function seedsP(delta: number, samples: SampleError, seeds: SeedPart): number {
  const beyond = (p: number): number => Math.abs(delta) - halfWidth(1 - p / 2, samples, seeds);
  let high = 1;
  while (high > 1e-15 && beyond(high / 2) > 0) high /= 2;
  let low = high / 2;
  if (high <= 1e-15) return high;
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2;
    if (beyond(middle) > 0) high = middle;
    else low = middle;
  }
  return high;
}

/** Half of the interval by t over samples and seeds. */
export function halfWidth(quantile: number, samples: SampleError, seeds: SeedPart): number {
  const half = samples.error > 0 ? tQuantile(quantile, samples.freedom) * samples.error : 0;
  return withSeeds(half, samples, seeds, quantile);
}
