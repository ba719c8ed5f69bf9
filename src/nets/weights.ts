// A decoder's weights as tensors for training, and what training with them takes of memory. It reads files and computes
// nothing with what it read.

import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import type { GgufFile } from "../tensor/gguf.js";
import { readTensor } from "../tensor/gguf-tensors.js";
import { type NetConfig, tensorShapes } from "./config.js";

/**
 * All weights of a decoder, float32, by GGUF name; matrices are [out, in]. Quantised ones are those that a runtime
 * computes with, so what is trained on them fits what is served (the setting of QLoRA, Dettmers et al. 2023).
 *
 * @throws HoneError when a tensor cannot be read
 */
export async function loadWeights(gguf: GgufFile, config: NetConfig): Promise<Record<string, Tensor>> {
  const weights: Record<string, Tensor> = {};
  for (const [name, shape] of tensorShapes(config)) {
    const { data } = await readTensor(gguf, name);
    weights[name] = new Tensor("float32", data, [...shape]);
  }
  return weights;
}

/** How many numbers a decoder has. */
export function parameterCount(config: NetConfig): number {
  let count = 0;
  for (const shape of tensorShapes(config).values()) count += shape.reduce((a, b) => a * b, 1);
  return count;
}

export interface TrainingSize {
  /** Sequences of a step, tokens of each, and answer tokens of all. */
  readonly batch: number;
  readonly tokens: number;
  readonly answers: number;
  /** Numbers that are trained. */
  readonly trainable: number;
}

/** What the process takes without a model. */
const processBytes = 2 ** 27;

/** Numbers that a step keeps of each token and layer for the way back; see `memoryEstimate`. */
function keptPerToken(config: NetConfig, tokens: number): number {
  const { width, heads, kvHeads, headWidth, experts } = config;
  const hidden = experts
    ? (experts.chosen + experts.shared) * experts.neurons + experts.routed
    : config.hidden;
  const attention = (3 * heads + 3 * kvHeads) * headWidth + 3 * heads * tokens;
  const norms =
    (config.outputNorms ? 4 * width : 0) + (config.queryNorms ? 2 * (heads + kvHeads) * headWidth : 0);
  return 8 * width + attention + 8 * hidden + norms;
}

/**
 * Bytes that a training step takes, roughly and rather too many: the weights, what is kept for the way back, logits, and
 * of what is trained the gradient, two moments, and the values before and after. Measured with LoRA of rank 16 on 4 × 256
 * tokens: SmolLM2-135M took 3.7 GiB where this says 3.7, Gemma 3 270M took 2.6 where it says 3.5.
 */
export function memoryEstimate(config: NetConfig, size: TrainingSize): number {
  const rows = size.batch * size.tokens;
  const kept = rows * config.layers * keptPerToken(config, size.tokens);
  const logits = 4 * size.answers * config.vocab;
  return processBytes + 4 * (parameterCount(config) + kept + logits + 5 * size.trainable);
}

/**
 * Refuses a model that is too large to train here, before any weight is read.
 *
 * @param available bytes that may be used
 * @throws HoneError with the estimate
 */
export function checkMemory(gguf: GgufFile, config: NetConfig, size: TrainingSize, available: number): void {
  const needed = memoryEstimate(config, size);
  if (needed <= available) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new HoneError({
    what: "This model is too large to train on this machine",
    where: gguf.path,
    why: `a step of ${size.batch} × ${size.tokens} tokens takes about ${gib(needed)}; ${gib(available)} are free`,
    next: "Take a smaller batch, shorter prompts or a smaller model.",
    kind: "usage",
  });
}
