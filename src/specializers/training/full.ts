// full: trains every weight of the model (as Lawma does). It takes the most memory and can learn, and forget, the most.

import { join } from "node:path";
import { z } from "zod";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { parameterCount } from "../../nets/weights.js";
import { copyGguf } from "../../tensor/gguf-write.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { defineTrained } from "./finetune/define.js";
import { trainingShape } from "./finetune/options.js";
import { replacementsOf } from "./finetune/served.js";

const fullOptions = z.strictObject({
  ...trainingShape,
  weightDecay: trainingShape.weightDecay.default(0.1),
});
/** Options of `full`. */
export type FullOptions = z.input<typeof fullOptions>;

/** Trains all weights on train, choosing the step by the loss on dev. The folder holds the whole model, as F16. */
export function full(options: FullOptions = {}): LanguageSpecializer {
  const training = readOptions(fullOptions, "full", options);
  return defineTrained({
    name: "full",
    label: "full",
    options: training,
    training,
    method: {
      name: "full",
      rate: 3e-5,
      options: {},
      trainable: parameterCount,
      first: () => 0,
      init: ({ weights }) => ({ ...weights }),
      change: (_config, trained) => ({ weights: trained }),
    },
    save: async (folder, { base: { gguf }, params }) => {
      await copyGguf(gguf, join(folder, "model.gguf"), { replace: replacementsOf(gguf, params, "F16") });
      return { weights: "model.gguf" };
    },
  });
}

/** Its entry in the table of specializers. */
export const fullEntry = {
  make: full,
  options: fullOptions,
  summary: "Every weight of the model, trained on the task's answers",
  paper: "Dominguez-Olmedo et al. 2024, Lawma (arXiv 2407.16615)",
  leaf: "instruction-based update",
} satisfies SpecializerEntry;
