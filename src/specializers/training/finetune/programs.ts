// The programs of a training. Those compiled last are kept as long as the model: compiling takes seconds, and a study may train
// dozens of specialists of one kind.

import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { fingerprint } from "../../../core/json.js";
import type { LanguageModel } from "../../../core/model.js";
import { type AnswerBatch, answerLogprobs, answerLoss, optionLogits } from "../../../nets/answer.js";
import type { NetConfig } from "../../../nets/config.js";
import type { BlockShape } from "../../../nets/packing.js";
import { type Compiled, compile, type Tensors } from "../../../tensor/compile.js";
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

const latest = new WeakMap<LanguageModel, { key: string; made: Programs }>();

/** The programs of a method at a shape: the previous training's if nothing differs, else new ones. */
export async function sharedPrograms(
  model: LanguageModel,
  config: NetConfig,
  method: Method,
  optimizer: AdamWOptions,
  shapes: readonly BlockShape[],
): Promise<Programs> {
  const key = fingerprint([
    method.name,
    method.options,
    { ...optimizer },
    shapes.map((shape) => ({ ...shape })),
  ]);
  const known = latest.get(model);
  if (known?.key === key) return known.made;
  latest.delete(model);
  if (known) {
    await known.made.trainer.release();
    await known.made.logprobs.release();
    await known.made.compared.release();
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
  latest.set(model, { key, made });
  return made;
}
