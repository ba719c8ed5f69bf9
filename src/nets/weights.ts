// Loads a decoder's weights as tensors for training, and checks that training fits into memory. It reads files but computes
// nothing with the weights.

import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import type { GgufFile } from "../tensor/gguf.js";
import { readTensor } from "../tensor/gguf-tensors.js";
import { type NetConfig, tensorShapes } from "./config.js";
import { memoryEstimate, type TrainingSize } from "./memory.js";

/**
 * All weights of a decoder, float32, by GGUF name; matrices are [out, in]. Quantized weights are dequantized to
 * the values that a runtime computes with, so training matches what is served (as in QLoRA, Dettmers et al. 2023).
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

/** Number of a decoder's parameters. */
export function parameterCount(config: NetConfig): number {
  let count = 0;
  for (const shape of tensorShapes(config).values()) count += shape.reduce((a, b) => a * b, 1);
  return count;
}

/**
 * Refuses a model that is too large to train here, before any weight is read.
 *
 * @param available usable bytes
 * @throws HoneError with the estimate
 */
export function checkMemory(gguf: GgufFile, config: NetConfig, size: TrainingSize, available: number): void {
  const needed = memoryEstimate(config, parameterCount(config), size);
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
