// Training some weights of a model on a task's answers: one recipe for every way of changing weights. It ends with the
// trained arrays; what is made of them is the way's own business.

import { freemem } from "node:os";
import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { fingerprint, type Json } from "../../core/json.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Given } from "../../core/specializer.js";
import { answerLogprobs, lengthOf } from "../../nets/answer.js";
import { type NetConfig, netConfig } from "../../nets/config.js";
import type { Change } from "../../nets/decoder.js";
import {
  type Block,
  type BlockShape,
  largest,
  type PackedExample,
  packBlock,
  planBlocks,
} from "../../nets/packing.js";
import { checkMemory, loadWeights } from "../../nets/weights.js";
import { compile } from "../../tensor/compile.js";
import { type GgufFile, readGguf } from "../../tensor/gguf.js";
import { type Parameters, schedule } from "../../tensor/optimizer.js";
import { type Batch, train } from "../../tensor/train.js";
import { examplesOf, type TrainableSubject } from "./examples.js";
import type { TrainingOptions } from "./options.js";

/** The base model of a fit: its file, what it looks like, and its weights as float32. */
export interface Base {
  gguf: GgufFile;
  config: NetConfig;
  weights: Readonly<Record<string, Tensor>>;
}

/** A way of changing a model's weights. */
export interface Method {
  name: string;
  /** Everything that decides the result beside the common options. */
  options: Json;
  /** Numbers that are trained: known before any weight is loaded. */
  trainable: (config: NetConfig) => number;
  /** Where training starts; changes nothing yet. */
  init: (base: Base, seed: number, examples: readonly PackedExample[]) => Parameters;
  /** What the trained arrays do to the model; traced. */
  change: (config: NetConfig, trained: Readonly<Record<string, np.Array>>) => Change;
  /** Token ids after the begin token of every prompt, where the way has such. */
  prefix?: (config: NetConfig) => readonly number[];
}

/** What is remembered of a training beside its result. All of it is the same on every run. */
export type TrainingReport = {
  examples: number;
  trainable: number;
  steps: number;
  bestStep: number;
  /** Tokens that were read in training, without padding. */
  tokens: number;
  /** Mean -log p of the right answer on dev, by step. */
  heldOut: { step: number; loss: number }[];
  firstLoss: number;
  lastLoss: number;
};

export interface Fitted {
  base: Base;
  params: Parameters;
  report: TrainingReport;
}

/** Trains a method's arrays on `given.train`, choosing the step by the loss on `given.dev`. */
export async function fitMethod(
  method: Method,
  target: TrainableSubject,
  given: Given,
  options: TrainingOptions,
): Promise<Fitted> {
  const { seed, context } = given;
  const gguf = readGguf(target.weights.path);
  const config = netConfig(gguf);
  const end = gguf.metadata.get("tokenizer.ggml.eos_token_id");
  const words = {
    end: typeof end === "number" ? end : undefined,
    prefix: method.prefix?.(config) ?? [],
  };
  const examples = await examplesOf(given.train, target, given, words);
  const held = await examplesOf(given.dev, target, given, words);
  const length = Math.max(
    options.rowTokens,
    ...[...examples, ...held].map((one) => roundUp(lengthOf(one), 32)),
  );
  const size = { rows: options.rows, length };
  const trainable = method.trainable(config);
  const answers = Math.max(1, ...examples.map(({ answer }) => answer.length)) * 8;
  checkMemory(gguf, config, { batch: size.rows, tokens: length, answers, trainable }, freemem() * 0.9);

  // Every epoch's order and packing is known beforehand, so that a step is the same whenever it is made.
  const order = examples.map((_, i) => i);
  const epochs = Array.from({ length: Math.ceil(options.epochs) }, (_, epoch) =>
    planBlocks(examples, shuffled(order, randomFor(seed, "epoch", epoch)), size),
  );
  const heldBlocks = planBlocks(
    held,
    held.map((_, i) => i),
    size,
  );
  const steps = stepsOf(examples, epochs, options);
  const shape = { ...size, ...largest(examples, epochs.flat()) };
  const heldShape = { ...size, ...largest(held, heldBlocks) };

  given.progress(0, steps.length, "loading the weights");
  const base: Base = { gguf, config, weights: await loadWeights(gguf, config) };
  const logprobs = compile<never, Tensor>(
    (fixed, trained, inputs) => answerLogprobs(config, fixed, inputs, [method.change(config, trained)]),
    { name: "the answers' probabilities" },
  ) as unknown as (...inputs: unknown[]) => Promise<Tensor>;
  const heldOut = async (params: Parameters): Promise<number> => {
    let sum = 0;
    for (const block of heldBlocks) {
      context.signal.throwIfAborted();
      const { inputs, ids } = packBlock(held, block, heldShape, 1);
      const found = (await logprobs(base.weights, params, inputs)).data as Float32Array;
      for (let i = 0; i < ids.length; i++) sum -= found[i] as number;
    }
    return sum / held.length;
  };
  const key = fingerprint([method.name, method.options, options, seed, target.model.id, examples, held]);
  const perEpoch = steps.length / options.epochs;
  let tokens = 0;
  let seconds = 0;
  const started = performance.now();
  const trained = await train({
    loss: (fixed, params, inputs) =>
      answerLogprobs(config, fixed, inputs, [method.change(config, params)])
        .mul(inputs.shares.ref)
        .sum()
        .neg(),
    frozen: { ...base.weights },
    params: method.init(base, seed, examples),
    batches: (step) =>
      (steps[step - 1] as Block[]).map((block) =>
        batchOf(examples, block, shape, steps[step - 1] as Block[]),
      ),
    steps: steps.length,
    schedule: schedule({
      shape: options.schedule,
      peak: options.learningRate,
      steps: steps.length,
      warmup: Math.round(options.warmup * steps.length),
      floor: 0.1,
    }),
    optimizer: { weightDecay: options.weightDecay, clipNorm: options.clipNorm },
    ...(held.length > 0
      ? {
          evaluate: {
            every: Math.max(1, Math.round(perEpoch / options.looksPerEpoch)),
            loss: heldOut,
            patience: options.patience,
          },
        }
      : {}),
    checkpoint: { folder: await given.artifacts.scratch("training"), key, seconds: 60 },
    signal: context.signal,
    onStep: (at) => {
      tokens += at.tokens;
      seconds = (performance.now() - started) / 1000;
      const rate = Math.round(tokens / seconds);
      const dev = at.heldOut === undefined ? "" : `, dev loss ${at.heldOut.toFixed(3)}`;
      given.progress(at.step, at.steps, `loss ${at.loss.toFixed(3)}${dev}, ${rate} tokens/s`);
    },
  });
  const made = steps.slice(0, trained.steps).flat();
  return {
    base,
    params: trained.params,
    report: {
      examples: examples.length,
      trainable,
      steps: trained.steps,
      bestStep: trained.bestStep,
      tokens: made.reduce((sum, block) => sum + batchOf(examples, block, shape, [block]).tokens, 0),
      heldOut: trained.heldOut.map((look) => ({ ...look })),
      firstLoss: trained.losses[0] ?? Number.NaN,
      lastLoss: trained.losses.at(-1) ?? Number.NaN,
    },
  };
}

/** Blocks gathered into steps of about `batch` examples; an epoch's last step may be smaller. */
function stepsOf(
  examples: readonly PackedExample[],
  epochs: readonly Block[][],
  { batch, epochs: wanted }: TrainingOptions,
): Block[][] {
  const blocks = epochs[0]?.length ?? 1;
  const each = Math.max(1, Math.round((batch * blocks) / Math.max(1, examples.length)));
  const steps: Block[][] = [];
  for (const [i, epoch] of epochs.entries()) {
    const share = Math.min(1, wanted - i);
    const kept = epoch.slice(0, Math.max(1, Math.round(epoch.length * share)));
    for (let at = 0; at < kept.length; at += each) steps.push(kept.slice(at, at + each));
  }
  return steps;
}

function batchOf(
  examples: readonly PackedExample[],
  block: Block,
  shape: BlockShape,
  step: readonly Block[],
): Batch {
  const all = step.reduce((sum, one) => sum + one.flat().length, 0);
  const { inputs, ids, tokens } = packBlock(examples, block, shape, 1 / all);
  return { inputs: inputs as never, ids, tokens };
}

function roundUp(value: number, grain: number): number {
  return Math.ceil(value / grain) * grain;
}
