// A model's weights as float32, for everything that trains it or reads its states. Read once, kept as long as the model.

import type { Tensor } from "onnxruntime-node";
import type { LanguageModel } from "../../core/model.js";
import type { NetConfig } from "../../nets/config.js";
import { loadWeights } from "../../nets/weights.js";
import type { GgufFile } from "../../tensor/gguf.js";

const loaded = new WeakMap<LanguageModel, Promise<Record<string, Tensor>>>();

/** Whether the model's weights are in memory already. */
export function hasWeights(model: LanguageModel): boolean {
  return loaded.has(model);
}

/** The model's weights by GGUF name; matrices are [out, in]. */
export function sharedWeights(
  model: LanguageModel,
  gguf: GgufFile,
  config: NetConfig,
): Promise<Record<string, Tensor>> {
  const known = loaded.get(model);
  if (known) return known;
  const weights = loadWeights(gguf, config);
  loaded.set(model, weights);
  weights.catch(() => loaded.delete(model));
  return weights;
}
