// lora: low-rank matrices beside the model's own, trained on the task's answers while the model is frozen (Hu et al.
// 2021, arXiv 2106.09685). The model is the quantized file that is served, as in QLoRA (Dettmers et al. 2023).

import { join } from "node:path";
import { z } from "zod";
import type { LanguageSpecializer } from "../../core/specializer.js";
import type { Dropout } from "../../nets/changes/dropout.js";
import { blockMatrices, initLora, lora as loraChange, matricesOf } from "../../nets/changes/lora.js";
import { type NetConfig, tensorShapes } from "../../nets/config.js";
import type { Change, Weights } from "../../nets/decoder.js";
import { type LoraPair, writeLoraGguf } from "../../tensor/gguf-write.js";
import type { Parameters } from "../../tensor/optimizer.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { defineTrained } from "./finetune/define.js";
import type { Base } from "./finetune/fit.js";
import { trainingShape } from "./finetune/options.js";
import { writePeft } from "./finetune/peft.js";

/** Options that say where matrices are added, and how large they are. */
export const loraShape = {
  rank: z.int().min(1).max(1024).default(16).describe("rank of the added matrices"),
  alpha: z.number().positive().max(4096).default(32).describe("their output is scaled by alpha / rank"),
  targets: z
    .array(z.enum(blockMatrices))
    .min(1)
    .default([...blockMatrices])
    .describe("which matrices of every block get one; all by default"),
  layers: z
    .int()
    .min(1)
    .optional()
    .describe("how many of the last layers get one; those below are then computed once for each sample"),
  dropout: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe("dropout on the input of the added matrices in training"),
};

export const loraOptions = z.strictObject({
  ...loraShape,
  loss: z
    .enum(["answer", "options"])
    .default("answer")
    .describe(
      '"answer": -log p of the answer\'s tokens among all; "options": among the options alone, which may differ by one token only (answerBy: label)',
    ),
  ...trainingShape,
});
/** Options of `lora`. */
export type LoraOptions = z.input<typeof loraOptions>;

/**
 * Trains a LoRA on train, choosing the step by the loss on dev. The specialist's folder holds `adapter.gguf` for llama.cpp
 * and `peft/` for transformers with peft.
 */
export function lora(options: LoraOptions = {}): LanguageSpecializer {
  const { rank, alpha, targets, layers, dropout, loss, ...training } = readOptions(
    loraOptions,
    "lora",
    options,
  );
  const { method, own, details } = loraParts({ rank, alpha, targets, layers, dropout });
  const objective = loss === "answer" ? {} : { loss };
  if (loss === "options") details.push("loss over options");
  return defineTrained({
    name: "lora",
    label: `lora(${details.join(", ")})`,
    options: { rank, alpha, ...own, ...objective, ...training },
    training,
    method: {
      ...method,
      name: "lora",
      options: { ...method.options, ...objective },
      among: loss === "options",
    },
    save: async (folder, { base: { config: net }, params }, _given, subject) => {
      const tensors = pairsOf(params);
      const { architecture } = net;
      await writeLoraGguf(join(folder, "adapter.gguf"), { architecture, alpha, tensors });
      const base = subject.model?.name ?? "";
      await writePeft(join(folder, "peft"), { base, net, rank, alpha, dropout, tensors });
      return { lora: "adapter.gguf" };
    },
  });
}

/**
 * What methods with a LoRA have in common: the method's parts, the options that are not the defaults, and the label's
 * details.
 */
export function loraParts({
  rank,
  alpha,
  targets,
  layers,
  dropout,
}: Pick<z.output<typeof loraOptions>, keyof typeof loraShape>) {
  const first = (config: NetConfig) => Math.max(0, config.layers - (layers ?? config.layers));
  const names = (config: NetConfig) => matricesOf(config, targets, first(config));
  const masking = dropout === 0 ? {} : { dropout };
  return {
    own: {
      ...(targets.length === blockMatrices.length ? {} : { targets }),
      ...(layers === undefined ? {} : { layers }),
      ...masking,
    },
    details: [
      `r=${rank}`,
      ...(layers === undefined ? [] : [`last ${layers}`]),
      ...(dropout === 0 ? [] : [`dropout ${dropout}`]),
    ],
    method: {
      rate: 0.001,
      options: { rank, alpha, targets, layers: layers ?? null, ...masking },
      first,
      trainable: (config: NetConfig) => {
        const shapes = tensorShapes(config);
        const pair = (name: string) =>
          (shapes.get(name) as number[]).reduce((sum, size) => sum + size * rank, 0);
        return names(config).reduce((sum, name) => sum + pair(name), 0);
      },
      init: ({ config }: Base, seed: number): Parameters =>
        initLora(config, { rank, alpha, targets, from: first(config) }, seed),
      change: (config: NetConfig, trained: Weights, drawn?: Dropout): Change =>
        loraChange({ rank, alpha }, trained, drawn && { drawn, names: names(config) }),
      ...(dropout === 0 ? {} : { dropout: { share: dropout, names } }),
    },
  };
}

/** A LoRA's pairs by the names of their matrices; other trained arrays are left out. */
export function pairsOf(params: Parameters): Record<string, LoraPair> {
  const dense = (key: string) => {
    const { data, dims } = params[key] as Parameters[string];
    return { data: data as Float32Array, shape: dims };
  };
  const names = Object.keys(params).flatMap((key) => (key.endsWith(".lora_a") ? [key.slice(0, -7)] : []));
  return Object.fromEntries(
    names.map((name) => [name, { a: dense(`${name}.lora_a`), b: dense(`${name}.lora_b`) }]),
  );
}

/** Its entry in the table of specializers. */
export const loraEntry = {
  make: lora,
  options: loraOptions,
  summary: "Low-rank matrices beside the model's own, trained on the task's answers",
  paper: "Hu et al. 2021, LoRA (arXiv 2106.09685); Dettmers et al. 2023, QLoRA (arXiv 2305.14314)",
  leaf: "low-rank adapter",
} satisfies SpecializerEntry;
