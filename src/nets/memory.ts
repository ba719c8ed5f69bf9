// What training a decoder takes of memory, reckoned from its sizes alone, so that models can be judged whose files are not here.

import type { NetConfig } from "./config.js";

/** What of a decoder decides it. */
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
  /** Sequences of a step, tokens of each, and answer tokens of all. */
  readonly batch: number;
  readonly tokens: number;
  readonly answers: number;
  /** Numbers that are trained. */
  readonly trainable: number;
  /** Numbers of each token that a step keeps beside the net's own: of dropout. */
  readonly perToken?: number;
}

/** What the process takes without a model. */
const processBytes = 2 ** 27;

/** Numbers that a step keeps of each token and layer for the way back; see `memoryEstimate`. */
function keptPerToken(net: NetSizes, tokens: number): number {
  const { width, heads, kvHeads, headWidth, experts } = net;
  const hidden = experts ? (experts.chosen + experts.shared) * experts.neurons + experts.routed : net.hidden;
  const attention = (3 * heads + 3 * kvHeads) * headWidth + 3 * heads * tokens;
  const norms = (net.outputNorms ? 4 * width : 0) + (net.queryNorms ? 2 * (heads + kvHeads) * headWidth : 0);
  return 8 * width + attention + 8 * hidden + norms;
}

/**
 * Bytes that a training step takes, roughly and rather too many: the weights, what is kept for the way back, logits, and
 * of what is trained the gradient, two moments, and the values before and after. Measured with LoRA of rank 16 on 4 × 256
 * tokens: SmolLM2-135M took 3.7 GiB where this says 3.7, Gemma 3 270M took 2.6 where it says 3.5.
 *
 * @param parameters numbers that the decoder has
 */
export function memoryEstimate(net: NetSizes, parameters: number, size: TrainingSize): number {
  const rows = size.batch * size.tokens;
  const kept = rows * (net.layers * keptPerToken(net, size.tokens) + (size.perToken ?? 0));
  const logits = 4 * size.answers * net.vocab;
  return processBytes + 4 * (parameters + kept + logits + 5 * size.trainable);
}
