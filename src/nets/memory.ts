// Estimates the memory that training a decoder takes from its sizes alone, so that it works before a model is downloaded.

import type { NetConfig } from "./config.js";

/** The sizes of a decoder that determine it. */
export type NetSizes = Pick<
  NetConfig,
  | "layers"
  | "width"
  | "heads"
  | "kvHeads"
  | "headWidth"
  | "hidden"
  | "vocab"
  | "queryNorms"
  | "outputNorms"
  | "experts"
>;

export interface TrainingSize {
  /** Sequences per step; `tokens` per sequence; `answers` tokens in all of them. */
  readonly batch: number;
  readonly tokens: number;
  readonly answers: number;
  /** Trained parameters. */
  readonly trainable: number;
  /** Numbers per token that a step keeps in addition to the net's own, for dropout. */
  readonly perToken?: number;
}

/** Memory of the process without a model. */
const processBytes = 2 ** 27;

/** Numbers that a step keeps per token and layer for the backward pass; see `memoryEstimate`. */
function keptPerToken(net: NetSizes, tokens: number): number {
  const { width, heads, kvHeads, headWidth, experts } = net;
  const hidden = experts ? (experts.chosen + experts.shared) * experts.neurons + experts.routed : net.hidden;
  const attention = (3 * heads + 3 * kvHeads) * headWidth + 3 * heads * tokens;
  const norms = (net.outputNorms ? 4 * width : 0) + (net.queryNorms ? 2 * (heads + kvHeads) * headWidth : 0);
  return 8 * width + attention + 8 * hidden + norms;
}

/**
 * Bytes that a training step takes, a rough estimate that is rather too high: the weights, what is kept for the backward pass,
 * logits, and for trained parameters the gradient, two moments, and the values before and after. Measured with LoRA of rank 16
 * on 4 × 256 tokens: SmolLM2-135M took 3.7 GiB (estimate 3.7), Gemma 3 270M took 2.6 (estimate 3.5).
 *
 * @param parameters number of the decoder's parameters
 */
export function memoryEstimate(net: NetSizes, parameters: number, size: TrainingSize): number {
  const rows = size.batch * size.tokens;
  const kept = rows * (net.layers * keptPerToken(net, size.tokens) + (size.perToken ?? 0));
  const logits = 4 * size.answers * net.vocab;
  return processBytes + 4 * (parameters + kept + logits + 5 * size.trainable);
}
