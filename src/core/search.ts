// Notes of a search over compositions, for the report: the search's state has them under `search`, and the record carries
// them with the subject. Plain data; scores are in the task's own unit.

import type { Cost } from "./call.js";
import type { Json } from "./json.js";

/** Cost as the models reported it, and wall-clock seconds. */
export type Spent = Record<keyof Cost | "seconds", number>;

/** A mean over the samples that a branch had answered when a stage ended, with its 95 % interval. */
export type StageScore = { stage: string; n: number; mean: number; low: number; high: number };

/** One composition that was evaluated. */
export type SearchBranch = {
  label: string;
  /** Its level of each factor, in the factors' order; null for one outside the factorial. */
  levels: string[] | null;
  /** By stage, in order. */
  scores: StageScore[];
  spent: Spent;
  /** Why and where it was dropped; null if it reached the end. */
  dropped: { stage: string; why: string } | null;
};

/** A level of a factor: its difference from the factor's first level, averaged over the other factors. */
export type LevelEffect = { level: string; delta: number; low: number; high: number; kept: boolean };

/** A paired difference from the simplest branch. */
export type SearchGain = { n: number; delta: number; low: number; high: number; error: number };

/** One search with one seed. */
export type SearchNotes = {
  /** Its limits, and what it spent in all. */
  limits: Partial<Record<"calls" | "tokens" | "seconds" | "usd", number>>;
  spent: Spent;
  /** The first branch is the simplest: the first level of every factor. */
  branches: SearchBranch[];
  factors: { name: string; effects: LevelEffect[] }[];
  /** The test for interaction of the factors: how many compositions and samples, and its p; null if none was possible. */
  interaction: { cells: number; n: number; p: number | null; shown: boolean } | null;
  /** One-sided p that any branch is better than the simplest, on the samples of the factorial; null where these are too few. */
  headroom: { n: number; p: number; shown: boolean } | null;
  /** How the branches that reached the end were pooled; empty if fewer than two return probabilities. */
  pool: { label: string; loss: number; gain: number; error: number; taken: boolean }[];
  /**
   * What was compared with the simplest on dev, and its paired gain there with the
   * one-sided p; null if the search did not get that far.
   */
  proposed: {
    members: { branch: number; weight: number }[];
    searched: SearchGain;
    confirmed: (SearchGain & { p: number }) | null;
  } | null;
  verdict: "no headroom" | "none better" | "not confirmed" | "confirmed" | "budget ended";
  /** Branches of the returned composition, by position. */
  returned: number[];
};

/** The notes in a state, if a search made it. */
export function searchNotesOf(state: Json): SearchNotes | undefined {
  if (state === null || typeof state !== "object" || Array.isArray(state)) return undefined;
  const { search } = state as { search?: unknown };
  const known = typeof search === "object" && search !== null && "branches" in search;
  return known ? (search as SearchNotes) : undefined;
}
