// The user's situation, and what a route would cost in it: the questions of `hone advise` as types, and rough estimates of calls,
// tokens, time and money. The figures for time and length are assumptions.

import type { Grant } from "../core/model.js";
import { samplesSeen } from "../specializers/training/finetune/recipe.js";

/** How strong the generalist is: below about 10 billion parameters, GPT-4 class, or a reasoning model. */
export const strengths = ["small", "large", "reasoning"] as const;
export type Strength = (typeof strengths)[number];

/** All inputs of the advice. */
export interface Situation {
  access: ReadonlySet<Grant>;
  /** Labelled samples to learn from, not counting those for dev and test. */
  labels: number;
  /** Number of documents to search; 0 means none. */
  documents: number;
  /** Their source, as a study writes it. */
  documentsFrom?: string;
  task: "choice" | "answer";
  /** Every question brings its own options, as in an exam. */
  ownOptions: boolean;
  /** Number of options, if known. */
  options?: number;
  /** Answers must be calculated or looked up. */
  calculates: boolean;
  /** null if unknown; then nothing is promised of prompts that only large models follow. */
  strength: Strength | null;
  /** Milliseconds within which the model must answer. */
  latencyMs?: number;
  /** Dollars for `answers` answers. */
  budgetUsd?: number;
  answers: number;
  /** Dollars per million input and output tokens. */
  price: { input: number; output: number };
  /** Hours to train. */
  hours?: number;
  /** The model's parameters, where it is known; trainings are timed as for 135 million otherwise. */
  parameters?: number;
  /** Gigabytes that training the model takes and that this machine has, where it has too few. */
  memory?: { needed: number; usable: number };
}

/** What one answer takes. Tokens are those of all calls together. */
export interface Cost {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  training: boolean;
}

/** A sample with its instruction and up to 20 options, an option beyond those, and a chain of thought, in tokens. */
const sampleTokens = 200;
const fewOptions = 20;
const optionTokens = 8;
const rationaleTokens = 100;

/** Defaults, in dollars per million tokens: a mid-priced endpoint, and one's own machine. */
export const endpointPrice = { input: 1, output: 4 };
export const ownPrice = { input: 0, output: 0 };

/**
 * The cost of a prompt.
 * @param shots examples before the sample
 * @param times how often a query is sent
 * @param reasoning a chain of thought is written, and is part of each example: the answer is parsed from it, or scored in a
 * second call that reads all of it again
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

/** Whether there are so many labels that a few examples cannot show them. */
export const manyOptions = ({ task, options = 0, ownOptions }: Situation): boolean =>
  task === "choice" && !ownOptions && options > fewOptions;

/** The cost where each call lists more options than a sample's tokens include. */
export const withOptions = (cost: Cost, has: Situation): Cost =>
  manyOptions(has)
    ? {
        ...cost,
        inputTokens: cost.inputTokens + cost.calls * optionTokens * ((has.options ?? 0) - fewOptions),
      }
    : cost;

/**
 * Milliseconds of one answer, with sequential calls: 50 for each call, 20,000 tokens read and 100 written a second. This is a
 * fast server; two cores with a model of 135 million parameters took 280 to 5,600 (docs/results.md).
 */
export const latencyOf = ({ calls, inputTokens, outputTokens }: Cost): number =>
  Math.round(50 * calls + inputTokens / 20 + outputTokens * 10);

/** Dollars for all answers. */
export const dollarsOf = (cost: Cost, { price, answers }: Situation): number =>
  (answers * (cost.inputTokens * price.input + cost.outputTokens * price.output)) / 1e6;

/**
 * Hours of a training, its epochs and a sweep, at 288 tokens a second as measured for 135 million parameters on two cores; larger
 * models are taken to be slower in proportion.
 */
export const trainingHours = ({ labels, parameters = 135e6 }: Situation): number =>
  ((samplesSeen(labels, {}) * sampleTokens) / 288 / 3600) * Math.max(1, parameters / 135e6);
