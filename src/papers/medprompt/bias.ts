// Position bias: the positions of the options that a subject chose, beside those of the right ones.

import { pairedStatistic } from "../../statistics/index.js";
import type { Measured, Score, Scores } from "../figures.js";

/** Shares by an option's position in the listing, in order. They sum to 1. */
export interface PositionHistogram {
  positions: number[];
  /**
   * Total variation distance between the chosen and the right positions, 0 to 1. With few samples it is above 0 even
   * for a subject without preference: compare it with another subject's on the same samples, not with 0.
   */
  distance: number;
}

/** Histograms of the right options and of each subject's choices, on the samples that all have. */
export function positionHistograms(
  subjects: readonly Scores[],
  keys: readonly string[],
): { gold: number[]; subjects: PositionHistogram[] } {
  const rows = sharedRows(subjects);
  return {
    gold: histogram(rows[0] ?? [], keys, "gold"),
    subjects: rows.map((one) => ({
      positions: histogram(one, keys, "prediction"),
      distance: distanceFromGold(one, keys),
    })),
  };
}

/** How much closer the positions of b's choices are to the right ones' than a's; null if they share no sample. */
export function biasReduction(a: Scores, b: Scores, keys: readonly string[]): Measured | null {
  const [one = [], other = []] = sharedRows([a, b]);
  if (one.length === 0) return null;
  const distance = (rows: readonly Score[]) => distanceFromGold(rows, keys);
  const { n, delta, low, high, p } = pairedStatistic(one, other, distance, { seed: 1 });
  return { n, mean: delta, low, high, p, against: 0 };
}

/** Every subject's answers to the samples that all have, in one order. */
function sharedRows(subjects: readonly Scores[]): Score[][] {
  const ids = [...(subjects[0]?.keys() ?? [])].filter((id) => subjects.every((scores) => scores.has(id)));
  return subjects.map((scores) => ids.map((id) => scores.get(id) as Score));
}

function histogram(rows: readonly Score[], keys: readonly string[], of: "gold" | "prediction"): number[] {
  const counts = keys.map(() => 0);
  for (const row of rows) {
    const at = keys.indexOf(row[of]);
    if (at >= 0) counts[at] = (counts[at] as number) + 1 / rows.length;
  }
  return counts;
}

function distanceFromGold(rows: readonly Score[], keys: readonly string[]): number {
  const gold = histogram(rows, keys, "gold");
  return (
    histogram(rows, keys, "prediction").reduce((sum, share, i) => sum + Math.abs(share - gold[i]!), 0) / 2
  );
}
