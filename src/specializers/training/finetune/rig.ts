// A method set up on a model and a task's examples: weights loaded, programs compiled, rows laid out. It can then be trained
// any number of times, on any part of the examples; what differs between two trainings is their course.

import type { Tensor } from "onnxruntime-node";
import { HoneError } from "../../../core/errors.js";
import { fingerprint } from "../../../core/json.js";
import { freeMemory } from "../../../core/memory.js";
import { directionOf } from "../../../core/metric.js";
import { randomFor, shuffled } from "../../../core/random.js";
import type { Given } from "../../../core/specializer.js";
import type { AnswerBatch } from "../../../nets/answer.js";
import { drawDropout, keptByDropout } from "../../../nets/changes/dropout.js";
import { netConfig } from "../../../nets/config.js";
import {
  type Block,
  type BlockShape,
  largest,
  largestOf,
  type PackedExample,
  packBlock,
  planBlocks,
  rowLengthFor,
} from "../../../nets/packing.js";
import { checkMemory } from "../../../nets/weights.js";
import { readGguf } from "../../../tensor/gguf.js";
import { type Parameters, schedule } from "../../../tensor/optimizer.js";
import { type Batch, type Look, type StepReport, type Trained, train } from "../../../tensor/train.js";
import { sharedWeights } from "../weights.js";
import { statesBelow } from "./below.js";
import { examplesOf, type TrainableSubject } from "./examples.js";
import type { Base, Method } from "./fit.js";
import type { TrainingOptions } from "./options.js";
import { sharedPrograms } from "./programs.js";
import { choosesByMetric, devMetric, optionLogprobs } from "./score.js";

/** One training: everything except the method and the options that all trainings of a fit share. */
export interface Course {
  /** Names the checkpoint's folder; unique within a fit. */
  name: string;
  /** Indices of the examples to train on, and of the held-out ones to evaluate. */
  train: readonly number[];
  held: readonly number[];
  learningRate: number;
  epochs: number;
  /** Number of evaluations on the held-out examples, unless the options set it. */
  evals: number;
  /** Whether the metric chooses the step; the held-out examples are then all of dev. */
  byMetric?: boolean;
  /** Held-out loss below which something has been learnt; patience counts from there. */
  learnt?: number;
}

export interface Rig {
  base: Base;
  /** Train's examples, then dev's. */
  examples: readonly PackedExample[];
  /** Optimizer steps of a course, and the tokens that its first `made` steps read, without padding. */
  stepsIn: (course: Pick<Course, "train" | "epochs">) => number;
  tokensIn: (course: Course, made: number) => number;
  train: (course: Course, onStep: (at: StepReport) => void) => Promise<Trained>;
}

/** Sets a method up. */
export async function setUp(
  method: Method,
  target: TrainableSubject,
  given: Given,
  options: TrainingOptions,
): Promise<Rig> {
  const { seed, context } = given;
  const gguf = readGguf(target.weights.path);
  const config = netConfig(gguf);
  if (config.experts && method.name === "adapter") {
    throw new HoneError({
      what: "adapter cannot be trained on this model",
      where: gguf.path,
      why: "its feed-forwards are mixtures of experts, and the served file has no place for neurons beside them",
      next: "Use lora, which trains its attention, or full.",
      kind: "usage",
    });
  }
  const metric = choosesByMetric(options, given) ? await devMetric(target, given) : undefined;
  const end = gguf.metadata.get("tokenizer.ggml.eos_token_id");
  const examples = await examplesOf([...given.train, ...given.dev], target, given, {
    end: typeof end === "number" ? end : undefined,
    prefix: method.prefix?.(config) ?? [],
    among: method.among ?? false,
    ...(metric ? { compared: true } : {}),
    ...(method.classes ? { classes: method.classes } : {}),
  });

  // The samples of a step share rows. Steps are redrawn every epoch, so shapes must fit any samples.
  const { rows, batch } = options;
  const everything = [...examples.keys()];
  const typical = chunks(shuffled(everything.slice(0, given.train.length), randomFor(0, "rows")), batch);
  const size = { rows, length: rowLengthFor(examples, typical, options.rowTokens) };
  const shape: BlockShape = { ...size, ...largestOf(examples, batch) };
  // Outside training steps, rows are packed as full as possible.
  const denseSize = { rows, length: rowLengthFor(examples, [everything], options.rowTokens) };
  const cover = planBlocks(examples, everything, denseSize);
  const dense: BlockShape = { ...denseSize, ...largest(examples, cover) };
  const { dropout } = method;
  const masked = dropout?.names(config) ?? [];
  checkMemory(
    gguf,
    config,
    {
      batch: rows,
      tokens: Math.max(size.length, dense.length),
      answers: Math.max(shape.answers, dense.answers),
      trainable: method.trainable(config),
      ...(dropout ? { perToken: keptByDropout(config, masked) } : {}),
    },
    freeMemory() * 0.9,
  );

  given.progress(0, 1, "loading the weights");
  const base: Base = { gguf, config, weights: await sharedWeights(target.model, gguf, config) };
  const frozen = { ...base.weights };
  const optimizer = { weightDecay: options.weightDecay, clipNorm: options.clipNorm };
  const programs = await sharedPrograms(target.model, config, method, optimizer, [shape, dense]);
  const below = await statesBelow(target, examples, { layer: method.first(config), context: given });

  const stepsOf = (course: Pick<Course, "train" | "epochs">) => drawSteps(course, batch, seed);
  const blocksOf = (step: readonly number[]) => planBlocks(examples, step, shape);
  /** Keeps rivals in the loss only if the method's loss is over the options. */
  const lossInputs = ({ rivals, ...inputs }: AnswerBatch<Tensor>): AnswerBatch<Tensor> =>
    method.among && rivals ? { ...inputs, rivals } : inputs;
  /** A step's i-th batch, with the same dropout masks each time it is built. */
  const batchOf = (block: Block, share: number, step: number, i: number): Batch => {
    const { inputs, ids, tokens, spans } = packBlock(examples, block, shape, share);
    const ready = below(lossInputs(inputs), examples, spans);
    if (!dropout) return { inputs: ready, ids, tokens };
    const places = Math.max(shape.rows * shape.length, shape.answers);
    const random = randomFor(seed, "dropout", step, i);
    return {
      inputs: { ...ready, dropout: drawDropout(config, masked, dropout.share, places, random) },
      ids,
      tokens,
    };
  };
  const heldOut = async (params: Parameters, blocks: readonly Block[], scored: boolean): Promise<Look> => {
    let sum = 0;
    let count = 0;
    const options: number[][] = [];
    for (const block of blocks) {
      context.signal.throwIfAborted();
      const { inputs, spans } = packBlock(examples, block, dense, 1);
      const ready = below(lossInputs(inputs), examples, spans);
      if (scored && inputs.rivals) {
        const found = await programs.compared(frozen, params, ready, inputs.rivals);
        const own = optionLogprobs(inputs, found.logprobs, found.options);
        for (const [i, { index }] of spans.entries()) {
          sum -= found.logprobs.data[i] as number;
          options[index - given.train.length] = own[i] as number[];
        }
      } else {
        const found = (await programs.logprobs(frozen, params, ready)).data as Float32Array;
        for (let i = 0; i < spans.length; i++) sum -= found[i] as number;
      }
      count += spans.length;
    }
    const loss = sum / count;
    return metric && scored
      ? { loss, score: directionOf(given.task.metric) * (await metric(options)) }
      : { loss };
  };
  const start = method.init(base, seed, examples.slice(0, given.train.length));
  const same = fingerprint([method.name, method.options, options, seed, target.model.id, examples]);

  return {
    base,
    examples,
    stepsIn: (course) => stepsOf(course).length,
    tokensIn: (course, made) =>
      stepsOf(course)
        .slice(0, made)
        .flatMap(blocksOf)
        .reduce((sum, block) => sum + packBlock(examples, block, shape, 0).tokens, 0),
    train: async (course, onStep) => {
      const steps = stepsOf(course);
      const held = planBlocks(examples, course.held, dense);
      const { evalsPerEpoch } = options;
      const evals = evalsPerEpoch === undefined ? course.evals : evalsPerEpoch * course.epochs;
      const evaluate = {
        every: Math.max(1, Math.round(steps.length / evals)),
        look: (params: Parameters) => heldOut(params, held, course.byMetric ?? false),
        patience: options.patience,
        ...(course.learnt === undefined ? {} : { learnt: course.learnt }),
      };
      return train({
        trainer: programs.trainer,
        frozen,
        params: start,
        batches: (step) => {
          const own = steps[step - 1] as number[];
          return blocksOf(own).map((block, i) => batchOf(block, 1 / own.length, step, i));
        },
        steps: steps.length,
        schedule: schedule({
          shape: options.schedule,
          peak: course.learningRate,
          steps: steps.length,
          warmup: Math.round(options.warmup * steps.length),
          floor: 0.1,
        }),
        ...(held.length > 0 ? { evaluate } : {}),
        checkpoint: {
          folder: await given.artifacts.scratch(course.name),
          key: fingerprint([same, { ...course }]),
          seconds: 60,
        },
        signal: context.signal,
        onStep,
      });
    },
  };
}

/** Which examples each optimizer step learns from: `batch` of them (fewer in an epoch's last step), redrawn every epoch. */
export function drawSteps(
  { train, epochs }: Pick<Course, "train" | "epochs">,
  batch: number,
  seed: number,
): number[][] {
  return Array.from({ length: Math.ceil(epochs) }, (_, epoch) => {
    const order = shuffled(train, randomFor(seed, "epoch", epoch));
    const share = Math.min(1, epochs - epoch);
    return chunks(order.slice(0, Math.max(1, Math.round(order.length * share))), batch);
  }).flat();
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
