// bitfit: only biases and the norms' gains are trained (Ben Zaken et al. 2022, arXiv 2106.10199): about a tenth of a
// percent of the weights. Llama models have no biases; each matrix of a block gets one, which llama.cpp can add.

import { join } from "node:path";
import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { bitfit as bitfitChange, initBitfit } from "../../nets/changes/bitfit.js";
import { matricesOf } from "../../nets/changes/lora.js";
import { tensorShapes } from "../../nets/config.js";
import { copyGguf } from "../../tensor/gguf-write.js";
import type { Parameters } from "../../tensor/optimizer.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { defineTrained } from "./finetune/define.js";
import { trainingShape } from "./finetune/options.js";
import { replacementsOf } from "./finetune/served.js";

const bitfitOptions = z.strictObject({
  ...trainingShape,
});
/** Options of `bitfit`. */
export type BitfitOptions = z.input<typeof bitfitOptions>;

/** Trains biases and gains on train, choosing the step by the loss on dev. The folder holds the whole model. */
export function bitfit(options: BitfitOptions = {}): LanguageSpecializer {
  const training = readOptions(bitfitOptions, "bitfit", options);
  return defineTrained({
    name: "bitfit",
    label: "bitfit",
    options: training,
    training,
    method: {
      name: "bitfit",
      rate: 0.003,
      options: {},
      trainable: (config) => {
        const shapes = tensorShapes(config);
        const biases = matricesOf(config)
          .filter((name) => !shapes.has(name.replace(/weight$/, "bias")))
          .map((name) => (shapes.get(name) as number[])[0] as number);
        const gains = [...shapes.values()].flatMap((shape) => (shape.length === 1 ? shape : []));
        return [...biases, ...gains].reduce((sum, size) => sum + size, 0);
      },
      first: () => 0,
      init: ({ gguf, config, weights }) => {
        if (config.architecture === "llama") {
          return initBitfit(config, (name) => weights[name]?.data as Float32Array);
        }
        throw new HoneError({
          what: "bitfit cannot train this model",
          where: gguf.path,
          why: `llama.cpp does not serve all biases in models of the family ${config.architecture}`,
          next: "Use lora or adapter instead.",
          kind: "usage",
        });
      },
      change: bitfitChange,
    },
    save: async (folder, { base: { gguf }, params }) => {
      const entries = Object.entries(params);
      const known = new Set(gguf.tensors.map(({ name }) => name));
      const part = (there: boolean): Parameters =>
        Object.fromEntries(entries.filter(([name]) => known.has(name) === there));
      await copyGguf(gguf, join(folder, "model.gguf"), {
        replace: replacementsOf(gguf, part(true)),
        add: replacementsOf(gguf, part(false)),
      });
      return { weights: "model.gguf" };
    },
  });
}

/** Its entry in the table of specializers. */
export const bitfitEntry = {
  make: bitfit,
  options: bitfitOptions,
  summary: "Biases and the norms' gains alone, trained on the task's answers",
  paper: "Ben Zaken et al. 2022, BitFit (arXiv 2106.10199)",
  leaf: "partial update",
} satisfies SpecializerEntry;
