// softPrompt: a few vectors before every prompt, trained while the model is frozen (Lester et al. 2021, arXiv
// 2104.08691). They are served as extra tokens in the vocabulary.

import { join } from "node:path";
import { z } from "zod";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { initSoftPrompt, softPrompt as softChange, softTokens } from "../../nets/changes/soft-prompt.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { defineTrained } from "./finetune/define.js";
import { trainingShape } from "./finetune/options.js";
import { withMoreTokens } from "./finetune/served.js";

const softPromptOptions = z.strictObject({
  tokens: z.int().min(1).max(512).default(20).describe("how many vectors"),
  ...trainingShape,
});
/** Options of `softPrompt`. */
export type SoftPromptOptions = z.input<typeof softPromptOptions>;

/** Trains a soft prompt on train, choosing the step by the loss on dev. The folder holds the whole model. */
export function softPrompt(options: SoftPromptOptions = {}): LanguageSpecializer {
  const { tokens, ...training } = readOptions(softPromptOptions, "softPrompt", options);
  return defineTrained({
    name: "softPrompt",
    label: `softPrompt(${tokens})`,
    options: { tokens, ...training },
    training,
    method: {
      name: "softPrompt",
      rate: 0.01,
      options: { tokens },
      trainable: ({ width }) => tokens * width,
      first: () => 0,
      init: ({ config, weights }, seed, examples) => {
        const table = weights["token_embd.weight"]?.data as Float32Array;
        const words = examples.flatMap(({ prompt }) => prompt);
        return initSoftPrompt(config, tokens, table, words, seed);
      },
      change: softChange,
      prefix: (config) => softTokens(config, tokens),
    },
    save: async (folder, { base, params }) => {
      const rows = Object.values(params)[0]?.data as Float32Array;
      await withMoreTokens(base, rows, join(folder, "model.gguf"));
      return { weights: "model.gguf", prefix: softTokens(base.config, tokens) };
    },
  });
}

/** Its entry in the table of specializers. */
export const softPromptEntry = {
  make: softPrompt,
  options: softPromptOptions,
  summary: "A few vectors before every prompt, trained on the task's answers",
  paper: "Lester et al. 2021, The Power of Scale for Parameter-Efficient Prompt Tuning (arXiv 2104.08691)",
  leaf: "task-dependent soft prompt",
} satisfies SpecializerEntry;
