// Analyses a factorial of compositions from its cells' scores on the same samples: main effects by least squares, one test
// of whether they add up, and what survives. It sees only places and scores, not specializers.

import { randomFor } from "../../../core/random.js";
import {
  type Group,
  maxTest,
  signFlip,
  standardError,
  tQuantile,
  unitsOf,
} from "../../../statistics/index.js";
import { product } from "./space.js";

/** Cells by their levels, and each one's scores, higher being better, sample by sample. */
export interface Measured {
  places: readonly (readonly number[])[];
  scores: readonly ArrayLike<number>[];
  groups: readonly Group[];
}

export interface Effect {
  level: number;
  /** Difference from the factor's first level, over the other factors, with its 95 % interval. */
  delta: number;
  low: number;
  high: number;
  /** Whether it is not shown to be worse than the factor's best level. */
  kept: boolean;
}

export interface Factorial {
  effects: Effect[][];
  /** p that the factors' effects add up (null if there are no spare cells to test this), and whether it shows that they do not. */
  interaction: number | null;
  interacts: boolean;
  /** What survives, best first, with its mean: measured if factors interact, else predicted. */
  survivors: { place: number[]; mean: number }[];
  /** Measured cells that are dropped, and the level that they are dropped for. */
  dropped: { place: readonly number[]; level: { factor: number; level: number } | null }[];
}

/** What is behind with a one-sided p below this is dropped. */
const behind = 0.05;
/** Factors interact where the p of the test is below this. */
const interactsBelow = 0.05;

/**
 * Analyses a factorial.
 *
 * - effects: y = mean + Σ level effects, by least squares over cells, sample by sample; their errors are those of the mean over
 *   independent units
 * - interaction: the max-T test of the cells' residuals, both signs, by joint sign flips of units
 * - if that shows no interaction, levels behind their factor's best one are dropped and all combinations of the others survive,
 *   including unmeasured ones; else the cells survive that are not behind the best cell
 *
 * @param levels open levels of each factor, the simplest first; the first place combines the simplest
 */
export function analyse(
  { places, scores, groups }: Measured,
  levels: readonly (readonly number[])[],
): Factorial {
  const n = groups.length;
  const columns = levels.flatMap((of, factor) => of.slice(1).map((level) => ({ factor, level })));
  const row = (place: readonly number[]) => [
    1,
    ...columns.map(({ factor, level }) => (place[factor] === level ? 1 : 0)),
  ];
  const means = scores.map(mean);
  const solver = pseudoInverse(places.map(row));
  if (!solver)
    return { effects: [], interaction: null, interacts: false, ...bestCells(places, scores, means, groups) };
  /** By column of the model, its value for each sample. */
  const fitted = solver.map((weights) =>
    Float64Array.from({ length: n }, (_, s) =>
      weights.reduce((sum, w, c) => sum + w * (scores[c]?.[s] as number), 0),
    ),
  );
  const zero = new Float64Array(n);
  const valuesOf = (factor: number, level: number): Float64Array => {
    const at = columns.findIndex((one) => one.factor === factor && one.level === level);
    return at < 0 ? zero : (fitted[at + 1] as Float64Array);
  };
  const effects = levels.map((of, factor) => {
    const values = of.map((level) => valuesOf(factor, level));
    const means = values.map(mean);
    const best = values[means.indexOf(Math.max(...means))] as Float64Array;
    return of.map(
      (level, l): Effect => ({
        level,
        ...estimate(values[l] as Float64Array, groups),
        kept: !isBehind(less(values[l] as Float64Array, best), groups, level),
      }),
    );
  });

  const residuals = places.map((place, c) => {
    const own = row(place);
    return Float64Array.from(
      { length: n },
      (_, s) =>
        (scores[c]?.[s] as number) - own.reduce((sum, x, k) => sum + x * (fitted[k]?.[s] as number), 0),
    );
  });
  const sums = residuals.map((values) => unitsOf(values, groups).sums);
  const telling = sums.filter((of) => Array.from(of).some((value) => Math.abs(value) > 1e-9));
  const interaction =
    places.length <= columns.length + 1 || telling.length === 0
      ? null
      : maxTest(
          telling.flatMap((of) => [of, of.map((value) => -value)]),
          { random: randomFor(1, "search", "interaction") },
        );

  if (interaction !== null && interaction < interactsBelow)
    return { effects, interaction, interacts: true, ...bestCells(places, scores, means, groups) };
  const keptLevels = effects.map((of) => of.filter(({ kept }) => kept).map(({ level }) => level));
  const predicted = (place: readonly number[]) =>
    row(place).reduce((sum, x, k) => sum + x * mean(fitted[k] as Float64Array), 0);
  const survivors = product(keptLevels)
    .map((place) => ({ place, mean: predicted(place) }))
    .sort((a, b) => b.mean - a.mean);
  const dropped = places.flatMap((place) => {
    const factor = place.findIndex((level, f) => !keptLevels[f]?.includes(level));
    return factor < 0 ? [] : [{ place, level: { factor, level: place[factor] as number } }];
  });
  return { effects, interaction, interacts: false, survivors, dropped };
}

/** The cells that are not behind the best one, by their own means. */
function bestCells(
  places: Measured["places"],
  scores: Measured["scores"],
  means: readonly number[],
  groups: readonly Group[],
): Pick<Factorial, "survivors" | "dropped"> {
  const best = scores[means.indexOf(Math.max(...means))] as ArrayLike<number>;
  const left = scores.map((own, c) => own === best || !isBehind(less(own, best), groups, c));
  return {
    survivors: places
      .map((place, c) => ({ place: [...place], mean: means[c] as number }))
      .filter((_, c) => left[c])
      .sort((a, b) => b.mean - a.mean),
    dropped: places.filter((_, c) => !left[c]).map((place) => ({ place, level: null })),
  };
}

/**
 * Whether a is shown to be behind b, from a's scores less b's.
 * @param looks how many such tests there are, for Bonferroni's correction
 */
export function isBehind(
  differences: ArrayLike<number>,
  groups: readonly Group[],
  stream = 0,
  looks = 1,
): boolean {
  if (mean(differences) >= 0) return false;
  const { sums } = unitsOf(differences, groups);
  const p = signFlip(sums, { random: randomFor(1, "search", "behind", stream) }) / 2;
  return looks * p < behind;
}

/** Mean over samples, with the 95 % interval that independent units give. */
export function estimate(
  values: ArrayLike<number>,
  groups: readonly Group[],
): { delta: number; low: number; high: number } {
  const delta = mean(values);
  const found = standardError(unitsOf(values, groups), values);
  const half = found.error > 0 ? tQuantile(0.975, Math.max(1, found.freedom)) * found.error : 0;
  return { delta, low: delta - half, high: delta + half };
}

export function less(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  return Float64Array.from(a, (value, i) => value - (b[i] as number));
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** (X'X)⁻¹X' by elimination; undefined where missing cells leave an effect without an estimate. */
function pseudoInverse(x: readonly (readonly number[])[]): number[][] | undefined {
  const size = x[0]?.length ?? 0;
  const rows = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) =>
      x.reduce((sum, of) => sum + (of[i] as number) * (of[j] as number), 0),
    ),
    ...x.map((of) => of[i] as number),
  ]);
  for (let i = 0; i < size; i++) {
    const pivot = rows.reduce(
      (best, of, r) => (r > i && Math.abs(of[i] as number) > Math.abs(rows[best]?.[i] as number) ? r : best),
      i,
    );
    [rows[i], rows[pivot]] = [rows[pivot] as number[], rows[i] as number[]];
    const head = rows[i] as number[];
    const scale = head[i] as number;
    if (Math.abs(scale) < 1e-9) return undefined;
    for (let c = i; c < head.length; c++) head[c] = (head[c] as number) / scale;
    for (const [r, other] of rows.entries()) {
      const factor = other[i] as number;
      if (r === i || factor === 0) continue;
      for (let c = i; c < head.length; c++) other[c] = (other[c] as number) - factor * (head[c] as number);
    }
  }
  return rows.map((of) => of.slice(size));
}
