// What a training tells of itself, for the report: a specializer puts it into its state under `notes`, and the record
// carries it with the subject. Plain data; every figure is the same on every run.

import type { Json } from "./json.js";

/** One training with one seed. */
export type TrainingNotes = {
  /** What the curves show, such as "bits per byte". */
  unit: string;
  /** Step and value: of training batches, averaged over as many steps as lie between two points, and of held-out texts. */
  curve: [step: number, value: number][];
  heldOut: [step: number, value: number][];
  /** Figures worth printing, by name: parameters, tokens, operations. */
  facts: Record<string, number>;
  /** Texts that the trained model wrote, by what it was given to go on. */
  texts: { given: string; text: string }[];
  experts?: ExpertNotes;
};

/** What a mixture's experts know, measured on dev. */
export type ExpertNotes = {
  domains: string[];
  layers: ExpertLayer[];
  /** The figure of the whole model with its experts changed at test time, by what was changed, and of each text. */
  probes: { what: string; masked?: number; chosen?: number; value: number; texts: number[] }[];
  /** The texts that were looked at, the same for all nets of a study: bytes of each, and its own MaxVio, mean over layers. */
  bytes: number[];
  violations: number[];
  /** Mean over layers of the information of expert and domain; how often shuffled domains give as much, of all shuffles. */
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
  /** Normalised mutual information of expert and domain, and with the documents' domains shuffled: mean and 95th percentile. */
  information: number;
  shuffled: { mean: number; high: number };
  /** Linear CKA of every two experts' outputs on the same tokens. */
  similarity: number[][];
};

/** The notes that a state has, where it has any. */
export function notesOf(state: Json): TrainingNotes | undefined {
  if (state === null || typeof state !== "object" || Array.isArray(state)) return undefined;
  const { notes } = state as { notes?: unknown };
  const known = typeof notes === "object" && notes !== null && "curve" in notes;
  return known ? (notes as TrainingNotes) : undefined;
}
