// Notes of a training run, for the report: a specializer puts them into its state under `notes`, and the record carries
// them with the subject. Plain data; every figure is the same on every run.

import type { Json } from "./json.js";

/** One training with one seed. */
export type TrainingNotes = {
  /** What the curves show, such as "bits per byte". */
  unit: string;
  /** Step and value: on training batches, averaged over the steps between two points, and on held-out texts. */
  curve: [step: number, value: number][];
  heldOut: [step: number, value: number][];
  /** Figures worth printing, by name: parameters, tokens, operations. */
  facts: Record<string, number>;
  /** Texts that the trained model generated, with their prompts. */
  texts: { given: string; text: string }[];
  experts?: ExpertNotes;
};

/** Specialization of a mixture's experts, measured on dev. */
export type ExpertNotes = {
  domains: string[];
  layers: ExpertLayer[];
  /** The whole model's figure with its experts changed at test time, by the change, overall and on each text. */
  probes: { what: string; masked?: number; chosen?: number; value: number; texts: number[] }[];
  /** The texts used, the same for all nets of a study: bytes of each, and its own MaxVio, mean over layers. */
  bytes: number[];
  violations: number[];
  /** Mutual information of expert and domain, mean over layers; p: how often shuffled domains give as much, of all shuffles. */
  information: { mean: number; p: number };
};

/** One layer's routed experts, in their order. */
export type ExpertLayer = {
  layer: number;
  /** Shares of an expert's tokens by domain, each row adding up to 1; zeros where it got none. */
  byDomain: number[][];
  /** Shares of all tokens. */
  load: number[];
  /** max (load - mean) / mean. */
  maxViolation: number;
  /** Normalized mutual information of expert and domain, and the same with the documents' domains shuffled: mean and 95th percentile. */
  information: number;
  shuffled: { mean: number; high: number };
  /** Linear CKA of every two experts' outputs on the same tokens. */
  similarity: number[][];
};

/** The notes in a state, if it has any. */
export function notesOf(state: Json): TrainingNotes | undefined {
  if (state === null || typeof state !== "object" || Array.isArray(state)) return undefined;
  const { notes } = state as { notes?: unknown };
  const known = typeof notes === "object" && notes !== null && "curve" in notes;
  return known ? (notes as TrainingNotes) : undefined;
}
