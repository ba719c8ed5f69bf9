// Trains some weights of a model on a task's answers, with one recipe for all methods. It returns the trained arrays;
// what happens to them next is up to the method.

import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import type { Json } from "../../../core/json.js";
import { directionOf } from "../../../core/metric.js";
import type { Given } from "../../../core/specializer.js";
import { groupsOf } from "../../../learn/folds.js";
import type { Dropout } from "../../../nets/changes/dropout.js";
import type { NetConfig } from "../../../nets/config.js";
import type { Change } from "../../../nets/decoder.js";
import type { PackedExample } from "../../../nets/packing.js";
import type { GgufFile } from "../../../tensor/gguf.js";
import type { Parameters } from "../../../tensor/optimizer.js";
import type { StepReport } from "../../../tensor/train.js";
import type { TrainableSubject } from "./examples.js";
import { guessingLoss, learntBelow } from "./guessing.js";
import type { TrainingOptions } from "./options.js";
import { chooseRecipe, type Trial } from "./recipe.js";
import { type Course, setUp } from "./rig.js";
import { choosesByMetric } from "./score.js";

/** The base model of a fit: its file, its config, and its weights as float32. */
export interface Base {
  gguf: GgufFile;
  config: NetConfig;
  weights: Readonly<Record<string, Tensor>>;
}

/** A way of changing a model's weights. */
export interface Method {
  name: string;
  /** Everything beside the common options that determines the result. */
  options: Json;
  /** The learning rate that usually suits it: the middle of those tried if the user gives none. */
  rate: number;
  /** Number of trained parameters, known before any weight is loaded. */
  trainable: (config: NetConfig) => number;
  /** Initial arrays; they change nothing yet. */
  init: (base: Base, seed: number, examples: readonly PackedExample[]) => Parameters;
  /** How the trained arrays change the model, in training with the drawn dropout masks; traced. */
  change: (config: NetConfig, trained: Readonly<Record<string, np.Array>>, drawn?: Dropout) => Change;
  /** Share of these matrices' inputs that is dropped in training; absent without dropout. */
  dropout?: { share: number; names: (config: NetConfig) => readonly string[] };
  /** First layer that the change affects; the layers below are computed once for each sample. 0 if all are affected. */
  first: (config: NetConfig) => number;
  /** Whether the loss is over the options alone and not over the vocabulary. */
  among?: boolean;
  /** Labels with one output each, if answers are classes and not text. */
  classes?: readonly string[];
  /** Token ids to put after the begin token of every prompt, if the method has any. */
  prefix?: (config: NetConfig) => readonly number[];
}

/** What is recorded of a training beside its result; the same on every run. */
export type TrainingReport = {
  examples: number;
  trainable: number;
  learningRate: number;
  epochs: number;
  /** The short trainings that chose rate and epochs; none if the user did. */
  sweep: Trial[];
  steps: number;
  bestStep: number;
  /** Tokens that were read in training and the sweep, without padding. */
  tokens: number;
  /** Mean -log p of the right answer on dev, by step, and the task's metric where it chose the step. */
  heldOut: { step: number; loss: number; metric?: number }[];
  /** The name of the metric that chose the step; absent where the loss did. */
  chosenBy?: string;
  /** The same loss for a model that knows only how often each answer occurs; null where answers are written. */
  guessing: number | null;
  firstLoss: number;
  lastLoss: number;
};

export interface Fitted {
  base: Base;
  params: Parameters;
  report: TrainingReport;
}

/** Trains a method's arrays on `given.train`, choosing the step by the loss on `given.dev`, or by the metric on it. */
export async function fitMethod(
  method: Method,
  target: TrainableSubject,
  given: Given,
  options: TrainingOptions,
): Promise<Fitted> {
  const rig = await setUp(method, target, given, options);
  const byMetric = choosesByMetric(options, given);
  const direction = directionOf(given.task.metric);
  const guessing = guessingLoss(given);
  const learnt = guessing === undefined ? {} : { learnt: learntBelow(guessing) };
  const everything = [...rig.examples.keys()];
  const told = teller(given.progress);
  const run = (course: Course, what: string) => rig.train(course, told(what));

  const count = given.train.length;
  const { recipe, sweep, tokens } = await chooseRecipe(
    rig,
    count,
    {
      ...{ usualRate: method.rate, seed: given.seed, options, ...learnt },
      groups: groupsOf(given.task, given.train),
    },
    (course, what) => run(course, `${what}: `),
  );
  const course: Course = {
    name: "training",
    train: everything.slice(0, count),
    held: everything.slice(count),
    evals: 10,
    ...recipe,
    ...learnt,
    ...(byMetric ? { byMetric } : {}),
  };
  const trained = await run(course, "");
  return {
    base: rig.base,
    params: trained.params,
    report: {
      examples: count,
      trainable: method.trainable(rig.base.config),
      ...recipe,
      sweep,
      steps: trained.steps,
      bestStep: trained.bestStep,
      tokens: tokens + rig.tokensIn(course, trained.steps),
      heldOut: trained.heldOut.map(({ score, ...look }) => ({
        ...look,
        ...(score === undefined ? {} : { metric: direction * score }),
      })),
      ...(byMetric ? { chosenBy: given.task.metric.name } : {}),
      guessing: guessing ?? null,
      firstLoss: trained.losses[0] ?? Number.NaN,
      lastLoss: trained.losses.at(-1) ?? Number.NaN,
    },
  };
}

/** Describes a training's progress in words: loss, speed and the longest remaining time. */
function teller(progress: Given["progress"]): (what: string) => (at: StepReport) => void {
  return (what) => {
    const started = performance.now();
    let tokens = 0;
    let made = 0;
    return (at) => {
      tokens += at.tokens;
      made++;
      const seconds = (performance.now() - started) / 1000;
      const dev = at.heldOut === undefined ? "" : `, dev loss ${at.heldOut.loss.toFixed(3)}`;
      const left = Math.ceil((seconds / made) * (at.steps - at.step));
      const eta = left >= 120 ? `${Math.round(left / 60)} min` : `${left} s`;
      const rate = `${Math.round(tokens / seconds)} tokens/s`;
      const told = `${what}loss ${at.loss.toFixed(3)}${dev}, ${rate}, at most ${eta} left`;
      progress(at.step, at.steps, told);
    };
  };
}
