// The training loop: gradients summed over small batches, one update, periodic evaluation on held-out data and
// checkpoints.

import { type Array as JaxArray, valueAndGrad } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from "./checkpoint.js";
import { type Compiled, compile, type Provider, type Tensors } from "./compile.js";
import { adamWStep, trainingArrays } from "./fused-adamw.js";
import { type MuonOptions, muonUpdate } from "./muon.js";
import {
  type AdamWOptions,
  type Arrays,
  copyOf,
  type Parameters,
  type Schedule,
  scalarTensor,
  type Update,
  zerosLike,
} from "./optimizer.js";

/** The samples that run through the model at once. Every batch of a run has the same shapes. */
export interface Batch {
  inputs: Tensors;
  /** Its samples, for error messages. */
  ids: readonly string[];
  /** Tokens, or other units of work, without padding. */
  tokens: number;
}

export interface TrainerOptions {
  /** The loss of one batch, scaled so that the losses of a step's batches add up to the step's; to be traced. */
  // biome-ignore lint/suspicious/noExplicitAny: trees of arrays that mirror `frozen` and a batch's inputs.
  loss: (frozen: any, params: Arrays, inputs: any) => JaxArray;
  optimizer?: AdamWOptions;
  /** Muon for matrices, and `optimizer` for everything else. */
  muon?: MuonOptions;
  provider?: Provider;
  threads?: number;
}

/** The parts of a training step; one may serve several trainings, one after the other. */
export interface Trainer {
  /** The loss and gradient of a batch. */
  gradients: Compiled<[frozen: Tensors, params: Parameters, inputs: Tensors], [Tensor, Parameters]>;
  update: Update;
  /** Multiplications and additions of an update's matrix products, as lowered; absent if it has none. */
  updateFlops?: (params: Parameters) => Promise<number>;
  release: () => Promise<void>;
}

/** Prepares a loss and its optimizer for training. Programs that depend on shapes are compiled on first use. */
export function makeTrainer({ loss, optimizer = {}, muon, ...runtime }: TrainerOptions): Trainer {
  const gradients = compile<[Tensors, Parameters, Tensors], [Tensor, Parameters]>(
    (fixed, params: Arrays, inputs) => {
      const of = (trained: Arrays) => loss(fixed, trained, inputs);
      return valueAndGrad(of)(params);
    },
    { ...runtime, name: "the loss and its gradient" },
  );
  if (muon) {
    const { update, flops, release } = muonUpdate(muon, optimizer, runtime);
    const both = async () => {
      await gradients.release();
      await release();
    };
    return { gradients, update, updateFlops: flops, release: both };
  }
  return {
    gradients,
    update: async (params, moments, found, step, learningRate) => ({
      params,
      moments,
      norm: adamWStep(optimizer, params, moments, found, step, learningRate),
    }),
    release: () => gradients.release(),
  };
}

export interface TrainOptions {
  trainer: Trainer;
  /** Weights that are not trained. */
  frozen: Tensors;
  params: Parameters;
  /** The batches of a step, counted from 1; the same for the same step. */
  batches: (step: number) => readonly Batch[];
  steps: number;
  schedule: Schedule;
  /**
   * Evaluates on held-out data every `every` steps and after the last. Training stops after `patience` evaluations without
   * improvement, but not before a held-out loss has been below `learnt`.
   */
  evaluate?: {
    every: number;
    look: (params: Parameters) => Promise<Look>;
    patience: number;
    learnt?: number;
  };
  /** Where the checkpoint is kept, and how many seconds apart it is saved. */
  checkpoint?: { folder: string; key: string; seconds: number };
  signal?: AbortSignal;
  onStep?: (step: StepReport) => void;
}

/** Result on held-out data. The better of two has the higher score, if there are scores (NaN is the lowest), then the lower loss. */
export interface Look {
  loss: number;
  score?: number;
}

export interface StepReport {
  step: number;
  steps: number;
  loss: number;
  gradientNorm: number;
  learningRate: number;
  tokens: number;
  seconds: number;
  /** Result on held-out data, if evaluated after this step. */
  heldOut?: Look;
}

export interface Trained {
  /** The parameters of the best evaluation on held-out data, or of the last step if there is none. */
  params: Parameters;
  bestStep: number;
  /** Steps done; fewer than requested if training stopped early. */
  steps: number;
  losses: readonly number[];
  heldOut: readonly ({ step: number } & Look)[];
}

/** A loss, gradient or held-out loss is no longer finite; the steps before it are good, and kept. */
export class Diverged extends HoneError {}

/**
 * Trains. If killed and called again with the same options, it resumes from its last checkpoint and ends with the same
 * parameters to the last bit (on one machine, with the same number of threads).
 *
 * @throws Diverged when a loss, a gradient or the held-out loss is not finite, with the samples of the batch
 */
export async function train(options: TrainOptions): Promise<Trained> {
  const { frozen, steps, signal, onStep, evaluate, checkpoint } = options;
  const { gradients, update } = options.trainer;
  const kept = checkpoint && (await loadCheckpoint(checkpoint.folder, checkpoint.key, options.params));
  const arrays = trainingArrays(kept?.params ?? options.params);
  for (const moment of ["m", "v"] as const) if (kept) fill(arrays.moments[moment], kept.moments[moment]);
  let at: Checkpoint = {
    ...(kept ?? { step: 0, best: null, losses: [], heldOut: [] }),
    params: arrays.params,
    moments: arrays.moments,
  };
  const value = scalarTensor(0);
  /** Gradients of a step's further batches. */
  let more: Parameters | undefined;
  let saved = performance.now();
  /** Evaluates on held-out data if an evaluation is due at this step. */
  const look = async (): Promise<Look | undefined> => {
    const { step, params } = at;
    if (!evaluate || step === 0 || at.heldOut.at(-1)?.step === step) return undefined;
    if (step % evaluate.every !== 0 && step !== steps) return undefined;
    const found = await evaluate.look(params);
    if (!Number.isFinite(found.loss)) throw notFinite("held-out loss", found.loss, step, []);
    at = {
      ...at,
      heldOut: [...at.heldOut, { step, ...found }],
      best: !at.best || isBetter(found, at.best) ? { step, ...found, params: copyOf(params) } : at.best,
    };
    return found;
  };
  try {
    // A training that was stopped during an evaluation evaluates now.
    await look();
    while (at.step < steps && !stopped(at, evaluate)) {
      signal?.throwIfAborted();
      const began = performance.now();
      const step = at.step + 1;
      let loss = 0;
      let tokens = 0;
      const batches = options.batches(step);
      for (const [i, batch] of batches.entries()) {
        signal?.throwIfAborted();
        if (i > 0) more ??= zerosLike(options.params);
        const into = i > 0 ? (more as Parameters) : arrays.gradients;
        await gradients.into([value, into], frozen, at.params, batch.inputs);
        const part = (value.data as Float32Array)[0] as number;
        if (!Number.isFinite(part)) throw notFinite("loss", part, step, [batch]);
        loss += part;
        tokens += batch.tokens;
        if (i > 0) add(arrays.gradients, into);
      }
      const learningRate = options.schedule(step);
      const { norm: gradientNorm, ...next } = await update(
        at.params,
        at.moments,
        arrays.gradients,
        step,
        learningRate,
      );
      if (!Number.isFinite(gradientNorm)) throw notFinite("gradient", gradientNorm, step, batches);
      at = { ...at, ...next, step, losses: [...at.losses, loss] };
      const seconds = (performance.now() - began) / 1000;
      const heldOut = await look();
      onStep?.({
        step,
        steps,
        loss,
        gradientNorm,
        learningRate,
        tokens,
        seconds,
        ...(heldOut === undefined ? {} : { heldOut }),
      });
      if (checkpoint && performance.now() - saved > checkpoint.seconds * 1000) {
        await saveCheckpoint(checkpoint.folder, checkpoint.key, at);
        saved = performance.now();
      }
    }
  } catch (error) {
    // Whatever the error, the completed steps are good.
    if (checkpoint && at.step > 0) await saveCheckpoint(checkpoint.folder, checkpoint.key, at);
    throw error;
  }
  if (checkpoint) await saveCheckpoint(checkpoint.folder, checkpoint.key, at);
  return {
    // The training's own arrays are freed when it ends, so the result is a copy.
    params: at.best?.params ?? copyOf(at.params),
    bestStep: at.best?.step ?? at.step,
    steps: at.step,
    losses: at.losses,
    heldOut: at.heldOut,
  };
}

/** Adds a further batch's gradients to the sums, in place. */
function add(sums: Parameters, found: Parameters): void {
  for (const [key, { data }] of Object.entries(sums)) {
    const [sum, more] = [data, found[key]?.data] as [Float32Array, Float32Array];
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (more[i] as number);
  }
}

function fill(into: Parameters, from: Parameters): void {
  for (const [key, { data }] of Object.entries(into))
    (data as Float32Array).set(from[key]?.data as Float32Array);
}

function isBetter(one: Look, other: Look): boolean {
  const [score, before] = [rankOf(one), rankOf(other)];
  return score > before || (score === before && one.loss < other.loss);
}

/** A score to compare by; one that is no number (null in a checkpoint) is below all others. */
function rankOf({ score }: Look): number {
  if (score === undefined) return 0;
  return Number.isFinite(score) ? score : Number.NEGATIVE_INFINITY;
}

/** Early stopping: a held-out loss was below `learnt`, and the last `patience` evaluations did not improve on the best. */
function stopped({ heldOut, best }: Checkpoint, evaluate: TrainOptions["evaluate"]): boolean {
  const learnt = evaluate?.learnt ?? Number.POSITIVE_INFINITY;
  if (!evaluate || !best || !heldOut.some(({ loss }) => loss < learnt)) return false;
  return heldOut.filter(({ step }) => step > best.step).length >= evaluate.patience;
}

function notFinite(
  what: "loss" | "gradient" | "held-out loss",
  value: number,
  step: number,
  batches: readonly Batch[],
): Diverged {
  const ids = batches.flatMap((batch) => batch.ids);
  return new Diverged({
    what: `The ${what} is no longer a number`,
    where: `training step ${step}, ${
      ids.length > 0
        ? `samples ${ids.slice(0, 20).join(", ")}${ids.length > 20 ? ", …" : ""}`
        : "all samples held out"
    }`,
    why: `it is ${value}: the step before went too far, or these samples are unlike the others`,
    next: "Use a smaller learning rate or a longer warm-up; look at these samples. What was trained up to here is kept.",
  });
}
