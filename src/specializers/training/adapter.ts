// adapter: a small gated feed-forward beside each of the model's own, trained while the model is frozen (parallel
// adapters: He et al. 2022, arXiv 2110.04366; adapters: Houlsby et al. 2019). It is served as a model with more neurons.

import { join } from "node:path";
import { z } from "zod";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { adapter as adapterChange, initAdapter, widened } from "../../nets/changes/adapter.js";
import { copyGguf } from "../../tensor/gguf-write.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { defineTrained } from "./finetune/define.js";
import { trainingShape } from "./finetune/options.js";
import { replacementsOf } from "./finetune/served.js";

const adapterOptions = z.strictObject({
  size: z
    .int()
    .min(32)
    .max(8192)
    .multipleOf(32)
    .default(32)
    .describe("neurons added to each layer, a multiple of 32"),
  ...trainingShape,
});
/** Options of `adapter`. */
export type AdapterOptions = z.input<typeof adapterOptions>;

/** Trains bottleneck adapters on train, choosing the step by the loss on dev. The folder holds the whole model. */
export function adapter(options: AdapterOptions = {}): LanguageSpecializer {
  const { size, ...training } = readOptions(adapterOptions, "adapter", options);
  return defineTrained({
    name: "adapter",
    label: `adapter(${size})`,
    options: { size, ...training },
    training,
    method: {
      name: "adapter",
      rate: 0.001,
      options: { size },
      trainable: ({ layers, width }) => 3 * layers * width * size,
      first: () => 0,
      init: ({ config }, seed) => initAdapter(config, size, seed),
      change: (_config, trained) => adapterChange(trained),
    },
    save: async (folder, { base: { gguf, config, weights }, params }) => {
      const joined = widened(config, params, (name) => weights[name]?.data as Float32Array);
      await copyGguf(gguf, join(folder, "model.gguf"), {
        metadata: {
          [`${config.architecture}.feed_forward_length`]: { type: "uint32", value: config.hidden + size },
        },
        replace: replacementsOf(gguf, joined),
      });
      return { weights: "model.gguf" };
    },
  });
}

/** Its entry in the table of specializers. */
export const adapterEntry = {
  make: adapter,
  options: adapterOptions,
  summary: "A few more neurons in every layer, trained on the task's answers",
  paper: "He et al. 2022, Towards a Unified View of Parameter-Efficient Transfer Learning (arXiv 2110.04366)",
  leaf: "neural adapter",
} satisfies SpecializerEntry;
