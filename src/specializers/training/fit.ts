// Training some weights of a model on a task's answers: one recipe for every way of changing weights. It ends with the
// trained arrays; what is made of them is the way's own business.

import { freemem } from "node:os";
import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { fingerprint, type Json } from "../../core/json.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Given } from "../../core/specializer.js";
import { lengthOf } from "../../nets/answer.js";
import { type NetConfig, netConfig } from "../../nets/config.js";
import type { Change } from "../../nets/decoder.js";
import { type Block, largest, type PackedExample, packBlock, planBlocks } from "../../nets/packing.js";
import { checkMemory } from "../../nets/weights.js";
import { type GgufFile, readGguf } from "../../tensor/gguf.js";
import { type Parameters, schedule } from "../../tensor/optimizer.js";
import { type Batch, train } from "../../tensor/train.js";
import { statesBelow } from "./below.js";
import { sharedPrograms, sharedWeights } from "./bench.js";
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
  /** The first layer that the change touches; what lies below is computed once for each sample. 0 where it is all. */
  first: (config: NetConfig) => number;
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
  const length = roundUp(most([...examples, ...held], lengthOf, options.rowTokens), 32);
  const size = { rows: options.rows, length };
  const trainable = method.trainable(config);
  const answers = 8 * most(examples, ({ answer }) => answer.length, 1);
  checkMemory(gguf, config, { batch: size.rows, tokens: length, answers, trainable }, freemem() * 0.9);

  // Blocks are packed once and shuffled for every epoch: a step is the same whenever it is made.
  const mixed = shuffled(
    examples.map((_, i) => i),
    randomFor(seed, "blocks"),
  );
  const blocks = planBlocks(examples, mixed, size);
  const heldBlocks = planBlocks(
    held,
    held.map((_, i) => i),
    size,
  );
  const shape = { ...size, ...largest(examples, blocks) };
  const heldShape = { ...size, ...largest(held, heldBlocks) };
  const steps = stepsOf(examples.length, blocks, seed, options);

  given.progress(0, steps.length, "loading the weights");
  const base: Base = { gguf, config, weights: await sharedWeights(target.model, gguf, config) };
  const frozen = { ...base.weights };
  const optimizer = { weightDecay: options.weightDecay, clipNorm: options.clipNorm };
  const programs = await sharedPrograms(target.model, config, method, optimizer, [shape, heldShape]);
  const below = await statesBelow(
    target.model,
    programs,
    frozen,
    [
      { examples, blocks, shape },
      { examples: held, blocks: heldBlocks, shape: heldShape },
    ],
    { layer: method.first(config), width: config.width, context: given },
  );
  const batchOf = (block: Block, share: number): Batch => {
    const { inputs, ids, tokens, spans } = packBlock(examples, block, shape, share);
    return { inputs: below(inputs, examples, spans) as never, ids, tokens };
  };
  const heldOut = async (params: Parameters): Promise<number> => {
    let sum = 0;
    for (const block of heldBlocks) {
      context.signal.throwIfAborted();
      const { inputs, ids, spans } = packBlock(held, block, heldShape, 1);
      const ready = below(inputs, held, spans) as never;
      const found = (await programs.logprobs(frozen, params, ready)).data as Float32Array;
      for (let i = 0; i < ids.length; i++) sum -= found[i] as number;
    }
    return sum / held.length;
  };
  const key = fingerprint([method.name, method.options, options, seed, target.model.id, examples, held]);
  const perEpoch = steps.length / options.epochs;
  let tokens = 0;
  let made = 0;
  const started = performance.now();
  const trained = await train({
    trainer: programs.trainer,
    frozen,
    params: method.init(base, seed, examples),
    batches: (step) => {
      const own = steps[step - 1] as Block[];
      const share = 1 / own.reduce((sum, block) => sum + block.flat().length, 0);
      return own.map((block) => batchOf(block, share));
    },
    steps: steps.length,
    schedule: schedule({
      shape: options.schedule,
      peak: options.learningRate,
      steps: steps.length,
      warmup: Math.round(options.warmup * steps.length),
      floor: 0.1,
    }),
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
      made++;
      const seconds = (performance.now() - started) / 1000;
      const dev = at.heldOut === undefined ? "" : `, dev loss ${at.heldOut.toFixed(3)}`;
      const left = Math.ceil((seconds / made) * (at.steps - at.step));
      const eta = left >= 120 ? `${Math.round(left / 60)} min` : `${left} s`;
      const rate = `${Math.round(tokens / seconds)} tokens/s`;
      given.progress(at.step, at.steps, `loss ${at.loss.toFixed(3)}${dev}, ${rate}, at most ${eta} left`);
    },
  });
  const lengthOfBlock = (block: Block) => packBlock(examples, block, shape, 0).tokens;
  const read = steps
    .slice(0, trained.steps)
    .flat()
    .reduce((sum, block) => sum + lengthOfBlock(block), 0);
  return {
    base,
    params: trained.params,
    report: {
      examples: examples.length,
      trainable,
      steps: trained.steps,
      bestStep: trained.bestStep,
      tokens: read,
      heldOut: trained.heldOut.map((look) => ({ ...look })),
      firstLoss: trained.losses[0] ?? Number.NaN,
      lastLoss: trained.losses.at(-1) ?? Number.NaN,
    },
  };
}

/** Blocks gathered into steps of about `batch` examples; an epoch's last step may be smaller. */
function stepsOf(
  examples: number,
  blocks: readonly Block[],
  seed: number,
  { batch, epochs }: TrainingOptions,
): Block[][] {
  const each = Math.max(1, Math.round((batch * blocks.length) / examples));
  const steps: Block[][] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const share = Math.min(1, epochs - epoch);
    const order = shuffled(blocks, randomFor(seed, "epoch", epoch));
    const kept = order.slice(0, Math.max(1, Math.round(order.length * share)));
    for (let at = 0; at < kept.length; at += each) steps.push(kept.slice(at, at + each));
  }
  return steps;
}

function most<Item>(items: readonly Item[], of: (item: Item) => number, least: number): number {
  return items.reduce((found, item) => Math.max(found, of(item)), least);
}

function roundUp(value: number, grain: number): number {
  return Math.ceil(value / grain) * grain;
}
