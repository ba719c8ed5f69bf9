// Caches what successive trainings on one model share: its weights as float32 and the programs compiled last. The cache
// lives as long as the model. Compiling takes seconds, and a study may train dozens of specialists of one kind.

import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { fingerprint } from "../../../core/json.js";
import type { LanguageModel } from "../../../core/model.js";
import { type AnswerBatch, answerLogprobs, answerLoss, optionLogits } from "../../../nets/answer.js";
import type { NetConfig } from "../../../nets/config.js";
import type { BlockShape } from "../../../nets/packing.js";
import { loadWeights } from "../../../nets/weights.js";
import { type Compiled, compile, type Tensors } from "../../../tensor/compile.js";
import type { GgufFile } from "../../../tensor/gguf.js";
import type { AdamWOptions, Arrays, Parameters } from "../../../tensor/optimizer.js";
import { makeTrainer, type Trainer } from "../../../tensor/train.js";
import type { Method } from "./fit.js";

export interface Programs {
  trainer: Trainer;
  /** log p of each example's answer, [E]. */
  logprobs: Compiled<[Tensors, Parameters, Tensors], Tensor>;
  /** The same, and the logits of each answer token's `rivals`, [N, K]; `given` decides what the probabilities are among. */
  compared: Compiled<
    [Tensors, Parameters, given: Tensors, rivals: Tensor],
    { logprobs: Tensor; options: Tensor }
  >;
}

interface Bench {
  /** By first trained layer and tokens: the output of the layers below for an example, [tokens, width]. */
  states: Map<string, Float32Array>;
  weights?: Promise<Record<string, Tensor>>;
  programs?: { key: string; made: Programs };
}

const benches = new WeakMap<LanguageModel, Bench>();

function benchOf(model: LanguageModel): Bench {
  const known = benches.get(model) ?? { states: new Map() };
  benches.set(model, known);
  return known;
}

/** Outputs of the layers below for the examples so far. */
export function sharedStates(model: LanguageModel): Map<string, Float32Array> {
  return benchOf(model).states;
}

/** Whether the model's weights are in memory already. */
export function hasWeights(model: LanguageModel): boolean {
  return benchOf(model).weights !== undefined;
}

/** The model's weights, read once. */
export function sharedWeights(
  model: LanguageModel,
  gguf: GgufFile,
  config: NetConfig,
): Promise<Record<string, Tensor>> {
  const bench = benchOf(model);
  bench.weights ??= loadWeights(gguf, config);
  bench.weights.catch(() => delete bench.weights);
  return bench.weights;
}

/** The programs of a method at a shape: the previous training's if nothing differs, else new ones. */
export async function sharedPrograms(
  model: LanguageModel,
  config: NetConfig,
  method: Method,
  optimizer: AdamWOptions,
  shapes: readonly BlockShape[],
): Promise<Programs> {
  const bench = benchOf(model);
  const key = fingerprint([
    method.name,
    method.options,
    { ...optimizer },
    shapes.map((shape) => ({ ...shape })),
  ]);
  if (bench.programs?.key === key) return bench.programs.made;
  const before = bench.programs?.made;
  delete bench.programs;
  if (before) {
    await before.trainer.release();
    await before.logprobs.release();
    await before.compared.release();
  }
  const first = method.first(config);
  type Borrowed = Readonly<Record<string, np.Array>>;
  const under = (trained: Borrowed, drawn?: AnswerBatch["dropout"]) => [
    method.change(config, trained, drawn),
  ];
  const made: Programs = {
    trainer: makeTrainer({
      loss: (fixed, params: Arrays, inputs: AnswerBatch) =>
        answerLoss(config, fixed, inputs, under(params, inputs.dropout), first),
      optimizer,
    }),
    logprobs: compile(
      (fixed: Borrowed, trained: Borrowed, inputs: AnswerBatch) =>
        answerLogprobs(config, fixed, inputs, under(trained), first),
      { name: "the answers' probabilities" },
    ),
    compared: compile(
      (fixed: Borrowed, trained: Borrowed, inputs: AnswerBatch, rivals: np.Array) =>
        optionLogits(config, fixed, inputs, rivals, under(trained), first),
      { name: "the options' probabilities" },
    ),
  };
  bench.programs = { key, made };
  return made;
}
