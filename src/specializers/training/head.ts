// head: a LoRA with a classification head in place of the vocabulary, the way sequence classifiers are fine-tuned (Howard and
// Ruder 2018, ULMFiT, arXiv 1801.06146; Devlin et al. 2019, BERT, 1810.04805; on decoders as `AutoModelForSequenceClassification`
// has it: the last token's state, no bias). The prompt is the one that the model would be asked with.
//
// Both are read by the decoder that trained them (ONNX Runtime), in measuring and in serving alike.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { z } from "zod";
import { noCost } from "../../core/call.js";
import { fingerprint } from "../../core/json.js";
import { freeMemory } from "../../core/memory.js";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { netConfig } from "../../nets/config.js";
import { type Change, hidden, logitsOf, type Weights } from "../../nets/decoder.js";
import { parameterCount } from "../../nets/weights.js";
import { dense, readArrays, writeArrays } from "../../tensor/arrays-file.js";
import { compile, type Tensors } from "../../tensor/compile.js";
import { readGguf } from "../../tensor/gguf.js";
import type { DenseTensor } from "../../tensor/gguf-tensors.js";
import { chooseClass, classesOf, knownChoices } from "../parts/classes.js";
import { defineSpecializer } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { hasWeights, sharedWeights } from "./finetune/bench.js";
import { askedPrompt, requireWeights, type TrainableSubject } from "./finetune/examples.js";
import { fitMethod, type Method, type TrainingReport } from "./finetune/fit.js";
import { labelWith, trainingShape } from "./finetune/options.js";
import { writePeft } from "./finetune/peft.js";
import { checkReading, oneAtATime, roomy } from "./frozen/extract.js";
import { loraParts, loraShape, pairsOf } from "./lora.js";

const headOptions = z.strictObject({ ...loraShape, ...trainingShape });
/** Options of `head`. */
export type HeadOptions = z.input<typeof headOptions>;

type State = { artifact: string; classes: string[]; report: TrainingReport };

/** The head's name among the trained arrays, [classes, width]: where a model that is not tied has its own output matrix. */
const output = "output.weight";
const file = "trained.safetensors";

/**
 * Trains a LoRA and a linear layer from the last token's state to the task's labels, by the classes' cross-entropy, choosing the
 * step by the loss on dev. For tasks whose samples share their labels. The specialist's folder holds `trained.safetensors`
 * for Hone and `peft/` for transformers' sequence classification.
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
      // From zero, where all classes are as likely: its gradient is not zero, and draws nothing from the seed.
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
    options: { rank, alpha, ...own, ...training },
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
      await writeArrays(join(folder, file), params);
      const tensors = pairsOf(params);
      const score = dense(params)[output] as DenseTensor;
      const net = base.config;
      await writePeft(join(folder, "peft"), {
        ...{ base: target.model.name, net, rank, alpha, dropout, tensors, score },
      });
      return { artifact: await given.artifacts.keep(folder), classes, report };
    },
    behave: ({ artifact, classes }, subject, { artifacts }) => {
      const target = requireWeights(subject, "head");
      const change = methodFor(classes).change;
      let opened: ReturnType<typeof openHead> | undefined;
      return {
        respond: async (query, context) => {
          const choices = knownChoices(query, { classes, labels: classes });
          if (choices.length === 0) return { unscored: "other-labels" };
          const prompt = await askedPrompt(target, query, context);
          opened ??= openHead(target, join(artifacts.path(artifact), file), change);
          opened.catch(() => (opened = undefined));
          const read = await opened;
          context.signal.throwIfAborted();
          const started = performance.now();
          const logprobs = await read(prompt);
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

/** The trained model: log p of each class given a prompt. */
async function openHead(
  { model, weights }: TrainableSubject,
  path: string,
  change: Method["change"],
): Promise<(prompt: readonly number[]) => Promise<Float64Array>> {
  const gguf = readGguf(weights.path);
  const config = netConfig(gguf);
  if (!hasWeights(model)) checkReading(gguf.path, 4 * parameterCount(config), freeMemory());
  const [frozen, trained] = await Promise.all([sharedWeights(model, gguf, config), readArrays(path)]);
  const program = compile<[Tensors, Tensors, Tensors], Tensor>(
    (fixed: Weights, learnt: Weights, { tokens, at }: Readonly<Record<"tokens" | "at", np.Array>>) => {
      const changes: Change[] = [change(config, learnt)];
      const states = hidden(config, fixed, tokens, { changes, at });
      const logits = logitsOf(config, fixed, states, changes);
      states.dispose();
      return logits;
    },
    { name: "a classification head" },
  );
  const alone = oneAtATime();
  return async (prompt) => {
    const length = roomy(prompt.length);
    const tokens = new Int32Array(length);
    tokens.set(prompt);
    const batch = {
      tokens: new Tensor("int32", tokens, [1, length]),
      at: new Tensor("int32", Int32Array.of(prompt.length - 1), [1]),
    };
    const logits = Float64Array.from(
      (await alone(() => program(frozen, trained, batch))).data as Float32Array,
    );
    const most = Math.max(...logits);
    const total = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
    return logits.map((logit) => logit - total);
  };
}

/** Its line in the table. */
export const headEntry = {
  make: head,
  options: headOptions,
  summary: "LoRA with a classification head on the prompt's last state, in place of the vocabulary",
  paper:
    "Howard and Ruder 2018, ULMFiT (arXiv 1801.06146); Devlin et al. 2019, BERT (arXiv 1810.04805): the classifier on top",
  leaf: "low-rank adapter",
} satisfies SpecializerEntry;
