// Position bias: where the options stood that a subject chose, beside where the right ones stood.

import { randomFor } from "../../core/random.js";
import type { Measured } from "../claim.js";
import type { Scores } from "../figures.js";

/** Shares by position of an option in the listing, the first first. They sum to 1. */
export interface PositionHistogram {
  positions: number[];
  n: number;
  /**
   * Total variation distance between the chosen and the right positions, 0 to 1. With few samples it is above 0 for a
   * subject without preference too: compare it with another subject's on the same samples, not with 0.
   */
  distance: number;
}

/** Histograms of what was right and of what each subject chose, on the samples that all have. */
export function positionHistograms(
  subjects: readonly Scores[],
  keys: readonly string[],
): { gold: number[]; subjects: PositionHistogram[] } {
  const shared = sharedIds(subjects);
  const gold = histogram(subjects[0] as Scores, shared, keys, "gold");
  return {
    gold,
    subjects: subjects.map((scores) => {
      const positions = histogram(scores, shared, keys, "prediction");
      return { positions, n: shared.length, distance: distance(positions, gold) };
    }),
  };
}

/**
 * By how much b's choices lie nearer to the right ones' positions than a's: a's distance less b's, with the percentile
 * interval of 2,000 paired resamples. Null where they share no sample.
 */
export function biasReduction(a: Scores, b: Scores, keys: readonly string[]): Measured | null {
  const shared = sharedIds([a, b]);
  if (shared.length === 0) return null;
  const gain = (ids: readonly string[]): number => {
    const gold = histogram(a, ids, keys, "gold");
    const far = (scores: Scores) => distance(histogram(scores, ids, keys, "prediction"), gold);
    return far(a) - far(b);
  };
  const random = randomFor(1, "position bias");
  const draws = Array.from({ length: 2000 }, () =>
    gain(shared.map(() => shared[Math.floor(random() * shared.length)] as string)),
  ).sort((one, other) => one - other);
  return { mean: gain(shared), low: draws[50] as number, high: draws[1949] as number, n: shared.length };
}

function sharedIds(subjects: readonly Scores[]): string[] {
  return [...(subjects[0] ?? new Map()).keys()].filter((id) => subjects.every((scores) => scores.has(id)));
}

function histogram(
  scores: Scores,
  ids: readonly string[],
  keys: readonly string[],
  of: "gold" | "prediction",
): number[] {
  const counts = keys.map(() => 0);
  for (const id of ids) {
    const at = keys.indexOf(scores.get(id)?.[of] ?? "");
    if (at >= 0) counts[at] = (counts[at] as number) + 1 / ids.length;
  }
  return counts;
}

function distance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, share, i) => sum + Math.abs(share - (b[i] as number)), 0) / 2;
}
