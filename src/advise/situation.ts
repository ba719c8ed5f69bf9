// What a user has, and what a route would cost there: the questions of `hone advise` as types, and rough arithmetic of
// calls, tokens, time and money. The figures of time and length are assumptions.

import type { Grant } from "../core/model.js";
import { samplesSeen } from "../specializers/training/finetune/recipe.js";

/** How strong the generalist is: below about 10 billion parameters, of GPT-4's class, or one that reasons by itself. */
export const strengths = ["small", "large", "reasoning"] as const;
export type Strength = (typeof strengths)[number];

/** All that the advice follows from. */
export interface Situation {
  access: ReadonlySet<Grant>;
  /** Labelled samples to learn from; those to choose and to judge on come on top. */
  labels: number;
  /** Documents to search; 0 is none. */
  documents: number;
  /** Their source, as a study writes it. */
  documentsFrom?: string;
  task: "choice" | "answer";
  /** Every question brings its own options, as in an exam. */
  ownOptions: boolean;
  /** How many options there are, where it is known. */
  options?: number;
  /** Answers must be calculated or looked up. */
  calculates: boolean;
  /** null: not known, and then nothing is promised of prompts that only large models follow. */
  strength: Strength | null;
  /** The model's answer must come within so many milliseconds. */
  latencyMs?: number;
  /** Dollars for `answers` answers. */
  budgetUsd?: number;
  answers: number;
  /** Dollars per million input and output tokens. */
  price: { input: number; output: number };
  /** Hours to train. */
  hours?: number;
}

/** What one answer takes. Tokens are those of all calls together. */
export interface Cost {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  training: boolean;
}

/** A sample with its instruction, and a chain of thought, in tokens. */
export const sampleTokens = 200;
export const rationaleTokens = 100;

/** Assumed where nobody said, in dollars per million tokens: an endpoint of middle price, and one's own machine. */
export const endpointPrice = { input: 1, output: 4 };
export const ownPrice = { input: 0, output: 0 };

/**
 * What asking costs.
 * @param shots examples before the sample
 * @param times a query is put
 * @param reasoning a chain of thought is written, and stands in each example: the answer is parsed from it, or scored in a second
 * call that reads all of it again
 */
export function asking(
  times: number,
  {
    shots = 0,
    reasoning,
    extra = 0,
  }: { shots?: number; reasoning?: "parsed" | "scored"; extra?: number } = {},
): Cost {
  const rationale = reasoning ? rationaleTokens : 0;
  const prompt = sampleTokens + shots * (sampleTokens + rationale) + extra;
  const scored = reasoning === "scored";
  return {
    calls: scored ? 2 * times : times,
    inputTokens: times * (scored ? 2 * prompt + rationale : prompt),
    outputTokens: times * (1 + rationale),
    training: false,
  };
}

/**
 * Milliseconds of one answer, calls one after the other: 50 for each call, 20,000 tokens read and 100 written a second.
 * This is a fast server; two cores with a model of 135 million parameters took 280 to 5,600 (docs/results.md).
 */
export const latencyOf = ({ calls, inputTokens, outputTokens }: Cost): number =>
  Math.round(50 * calls + inputTokens / 20 + outputTokens * 10);

/** Dollars for all answers. */
export const dollarsOf = (cost: Cost, { price, answers }: Situation): number =>
  (answers * (cost.inputTokens * price.input + cost.outputTokens * price.output)) / 1e6;

/** What a training reads at 288 tokens a second, as measured for 135 million parameters on two cores: its epochs and a sweep. */
export const trainingHours = ({ labels }: Situation): number =>
  (samplesSeen(labels, {}) * sampleTokens) / 288 / 3600;
