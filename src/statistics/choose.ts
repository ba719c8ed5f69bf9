// Chooses the best of several candidates, each of which may have left samples unscored. The champion of a study and the
// winner of `bestOf` are chosen by this rule.

import { directionOf, extremes } from "../core/metric.js";
import type { Grade, ScoredRow, Task } from "../core/task.js";

/** One candidate: its scores by sample, under each seed. */
export interface Candidate {
  /** Results by sample, one map for each seed; a sample that is null or absent is unscored. */
  runs: readonly ReadonlyMap<string, ScoredRow | null>[];
  /** Tokens that its answers cost; breaks ties. */
  tokens?: number;
}

/** Where unscored samples cannot be filled in, missing more than the best-covered candidate by this share of samples excludes. */
const tolerated = 0.1;

/**
 * Position of the best candidate by the task's figure over all samples; undefined if none can be compared. Ties go to
 * fewer tokens, then to the one listed first.
 *
 * An unscored sample counts as the worst value of the metric's range; where the range has no worst end (an error), as the
 * worst score that any candidate has on any sample, so that leaving a hard sample out does not help. An `aggregate` has no
 * value to fill in and is taken on the samples that all of them scored. In both of these cases a candidate could still win
 * on an easy rest, so those missing over a tenth more of the samples than the best-covered one are excluded first.
 */
export function choose(
  candidates: readonly Candidate[],
  { metric, aggregate }: Pick<Task, "metric" | "aggregate">,
): number | undefined {
  const { worst } = extremes(metric);
  const direction = directionOf(metric);
  const fillable = Number.isFinite(worst) && !aggregate;
  const samples = [...new Set(candidates.flatMap(({ runs }) => runs.flatMap((run) => [...run.keys()])))];
  const scored = candidates
    .map(({ runs, tokens = 0 }, position) => {
      const rows = runs.map((run) => samples.map((sample) => run.get(sample) ?? null));
      const missing = rows.flat().filter((row) => row === null).length / Math.max(1, rows.length);
      return { position, rows, missing, tokens };
    })
    .filter(({ missing, rows }) => rows.length > 0 && missing < samples.length);
  const least = Math.min(...scored.map(({ missing }) => missing));
  const eligible = scored.filter(({ missing }) => fillable || missing - least <= tolerated * samples.length);

  const everyone = samples.map((_, i) => eligible.flatMap(({ rows }) => rows.map((row) => row[i] ?? null)));
  const value = aggregate ? aggregated(aggregate) : mean();
  return (
    eligible
      // Equal means may differ in their last digits with the order of summation.
      .map((one) => ({ ...one, value: Number((direction * value(one.rows)).toPrecision(12)) }))
      .filter((one) => !Number.isNaN(one.value))
      .sort((a, b) => b.value - a.value || a.tokens - b.tokens)[0]?.position
  );

  function mean() {
    const seen = everyone
      .flat()
      .reduce((least, cell) => (cell ? Math.min(least, direction * cell.score) : least), Infinity);
    const score = fillable ? worst : direction * seen;
    const fill = everyone.map((cells) => ({
      score,
      weight: cells.find((cell) => cell !== null)?.weight ?? 1,
    }));
    return (rows: readonly (ScoredRow | null)[][]): number => {
      const cells = rows.flatMap((row) => row.map((cell, i) => cell ?? (fill[i] as (typeof fill)[number])));
      const weight = cells.reduce((sum, cell) => sum + cell.weight, 0);
      return cells.reduce((sum, cell) => sum + cell.weight * cell.score, 0) / weight;
    };
  }

  function aggregated(of: (rows: readonly ScoredRow[]) => number) {
    const common = everyone.flatMap((cells, i) => (cells.includes(null) ? [] : [i]));
    return (rows: readonly (ScoredRow | null)[][]): number =>
      common.length === 0
        ? Number.NaN
        : rows.reduce((sum, row) => sum + of(common.map((i) => row[i] as ScoredRow)), 0) / rows.length;
  }
}

/** A grade as a row to choose by; null if it is unscored. */
export function scoredRow(grade: Grade, gold: string): ScoredRow | null {
  if (grade.status === "unscored") return null;
  const { score, prediction, weight = 1, details = {} } = grade;
  return { score, gold, prediction, weight, details };
}
