// head: a LoRA with a classification head in place of the vocabulary, the way sequence classifiers are fine-tuned (Howard and Ruder 2018,
// ULMFiT, arXiv 1801.06146; Devlin et al. 2019, BERT, 1810.04805; on decoders as in `AutoModelForSequenceClassification`: the last
// token's state, no bias). The prompt is the one that the model would otherwise answer.
//
// As with `lora`, answers come from llama.cpp: it computes the state, in an embedding context with the adapter. The head's product with
// that state is computed here.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { z } from "zod";
import { noCost } from "../../core/call.js";
import { fingerprint } from "../../core/json.js";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { dense, readArrays, writeArrays } from "../../tensor/arrays-file.js";
import type { DenseTensor } from "../../tensor/gguf-tensors.js";
import { writeLoraGguf } from "../../tensor/gguf-write.js";
import { chooseClass, classesOf, knownChoices } from "../parts/classes.js";
import { defineSpecializer } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { askedPrompt, requireWeights } from "./finetune/examples.js";
import { fitMethod, type Method, type TrainingReport } from "./finetune/fit.js";
import { labelWith, trainingShape } from "./finetune/options.js";
import { writePeft } from "./finetune/peft.js";
import { loraParts, loraShape, pairsOf } from "./lora.js";

const headOptions = z.strictObject({ ...loraShape, ...trainingShape });
/** Options of `head`. */
export type HeadOptions = z.input<typeof headOptions>;

type State = { artifact: string; classes: string[]; report: TrainingReport };

/** The head's name among the trained arrays, [classes, width]: that of the output matrix in a model with untied embeddings. */
const output = "output.weight";
const files = { adapter: "adapter.gguf", head: "head.safetensors" } as const;

/**
 * Trains a LoRA and a linear layer from the last token's state to the task's labels with cross-entropy over the classes, choosing
 * the step by the loss on dev. For tasks whose samples share their labels. The specialist's folder holds `adapter.gguf` for
 * llama.cpp, `head.safetensors` with the linear layer, and `peft/` for transformers' sequence classification.
 */
export function head(options: HeadOptions = {}): LanguageSpecializer {
  const { rank, alpha, targets, layers, dropout, ...training } = readOptions(headOptions, "head", options);
  const { method: lora, own, details } = loraParts({ rank, alpha, targets, layers, dropout });
  const label = labelWith(`head(${details.join(", ")})`, training);
  const methodFor = (classes: readonly string[]): Method => ({
    ...lora,
    name: "head",
    options: { ...lora.options, classes: [...classes] },
    classes,
    trainable: (config) => lora.trainable(config) + classes.length * config.width,
    init: (base, seed) => {
      const { width } = base.config;
      // Zeros make all classes equally likely: the gradient there is not zero, and nothing is drawn from the seed.
      const zeros = new Float32Array(classes.length * width);
      return { ...lora.init(base, seed), [output]: new Tensor("float32", zeros, [classes.length, width]) };
    },
    change: (config, trained, drawn) => ({
      ...lora.change(config, trained, drawn),
      weights: { [output]: trained[output] as np.Array },
    }),
  });
  return defineSpecializer<State>({
    name: "head",
    label,
    // `engine` tells these specialists from earlier ones, which answered through ONNX Runtime.
    options: { rank, alpha, ...own, ...training, engine: "llama.cpp" },
    needs: ["weights", "gradients"],
    seeded: true,
    choosesOnDev: true,
    fit: async (subject, given) => {
      const { labels: classes } = classesOf(given, "head");
      const target = requireWeights(subject, "head");
      const started = performance.now();
      const { base, params, report } = await fitMethod(methodFor(classes), target, given, training);
      given.context.trace?.({
        key: fingerprint([label, training, given.seed]),
        model: target.model.id,
        operation: "train",
        request: null,
        response: null,
        cost: { ...noCost, inputTokens: report.tokens, ms: performance.now() - started },
      });
      const folder = await given.artifacts.scratch("result");
      await mkdir(folder, { recursive: true });
      await writeArrays(join(folder, files.head), { [output]: params[output] as Tensor });
      const tensors = pairsOf(params);
      const { architecture } = base.config;
      await writeLoraGguf(join(folder, files.adapter), { architecture, alpha, tensors });
      const score = dense(params)[output] as DenseTensor;
      const net = base.config;
      await writePeft(join(folder, "peft"), {
        ...{ base: target.model.name, net, rank, alpha, dropout, tensors, score },
      });
      return { artifact: await given.artifacts.keep(folder), classes, report };
    },
    behave: ({ artifact, classes }, subject, { artifacts }) => {
      const target = requireWeights(subject, "head");
      const folder = artifacts.path(artifact);
      const stateOf = target.weights.states(join(folder, files.adapter));
      let opened: Promise<Tensor> | undefined;
      return {
        respond: async (query, context) => {
          const choices = knownChoices(query, { classes, labels: classes });
          if (choices.length === 0) return { unscored: "other-labels" };
          const prompt = await askedPrompt(target, query, context);
          opened ??= readArrays(join(folder, files.head)).then((arrays) => arrays[output] as Tensor);
          opened.catch(() => (opened = undefined));
          const weights = await opened;
          context.signal.throwIfAborted();
          const started = performance.now();
          const logprobs = logSoftmax(logitsOf(weights, await stateOf(prompt, context)));
          context.trace?.({
            key: fingerprint(["head", artifact, prompt]),
            model: target.model.id,
            operation: "embed",
            request: null,
            response: null,
            cost: { ...noCost, calls: 1, inputTokens: prompt.length, ms: performance.now() - started },
          });
          return chooseClass(choices, classes, logprobs);
        },
      };
    },
  });
}

/** log p of each class from logits. */
function logSoftmax(logits: Float64Array): Float64Array {
  const most = Math.max(...logits);
  const total = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
  return logits.map((logit) => logit - total);
}

/** The head's logits for a state [width]: one dot product per class, in float64. */
function logitsOf({ data, dims }: Tensor, state: readonly number[]): Float64Array {
  const [classes, width] = dims as [number, number];
  const weights = data as Float32Array;
  return Float64Array.from({ length: classes }, (_, c) =>
    state.reduce((sum, value, i) => sum + value * (weights[c * width + i] as number), 0),
  );
}

/** Its entry in the table of specializers. */
export const headEntry = {
  make: head,
  options: headOptions,
  summary: "LoRA with a classification head on the prompt's last state, in place of the vocabulary",
  paper:
    "Howard and Ruder 2018, ULMFiT (arXiv 1801.06146); Devlin et al. 2019, BERT (arXiv 1810.04805): the classifier on top",
  leaf: "low-rank adapter",
} satisfies SpecializerEntry;
