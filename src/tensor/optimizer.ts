// AdamW as pure functions over flat records of arrays, for steps that are one compiled program (fused-adamw.ts has a separate
// update); learning-rate schedules as functions of the step.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";

export type Arrays = Record<string, JaxArray>;
export type Parameters = Record<string, Tensor>;

export interface AdamWOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  /** Decoupled from the gradient, times the learning rate. */
  weightDecay?: number;
  /** Gradients are scaled down to this global norm; 0 disables clipping. */
  clipNorm?: number;
  /** Parameters that take a step of fixed size against the sign of their gradient and are excluded from the norm. */
  signed?: { readonly ending: string; readonly rate: number };
}

export interface AdamWState {
  [key: string]: Parameters;
  m: Parameters;
  v: Parameters;
}

/** Makes a step, counted from 1. It may overwrite its arguments; if the norm is not finite, nothing has changed. */
export type Update = (
  params: Parameters,
  moments: AdamWState,
  gradients: Parameters,
  step: number,
  learningRate: number,
) => Promise<{ params: Parameters; moments: AdamWState; norm: number }>;

/** Scalars that change from step to step: computed outside, fed in. */
export interface StepScalars {
  [key: string]: Tensor;
  learningRate: Tensor;
  /** 1 / (1 - beta^t) of both moments. */
  unbias1: Tensor;
  unbias2: Tensor;
}

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) with clipping by global norm (Pascanu et al. 2013).
 *
 * - `init(params)`: moments of zero.
 * - `scalars(step, learningRate)`: step counts from 1.
 * - `update(params, state, gradients, scalars)`: to be traced; takes and returns records with the same keys, and the gradients'
 *   norm before clipping.
 */
export function adamW(options: Omit<AdamWOptions, "signed"> = {}) {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, clipNorm = 1 } = options;
  return {
    init: zeroMoments,
    scalars: (step: number, learningRate: number): StepScalars => ({
      learningRate: scalarTensor(learningRate),
      unbias1: scalarTensor(1 / (1 - beta1 ** step)),
      unbias2: scalarTensor(1 / (1 - beta2 ** step)),
    }),
    update: (
      params: Arrays,
      state: { m: Arrays; v: Arrays },
      gradients: Arrays,
      scalars: Record<keyof StepScalars, JaxArray>,
    ) => {
      const { learningRate, unbias1, unbias2 } = scalars as Record<string, JaxArray> as {
        learningRate: JaxArray;
        unbias1: JaxArray;
        unbias2: JaxArray;
      };
      const norm = globalNorm(gradients);
      const scale =
        clipNorm > 0 ? np.minimum(np.reciprocal(norm.ref.add(1e-6)).mul(clipNorm), 1) : np.array(1);
      // Scalars are combined first, because over large arrays every operator is a pass over memory.
      const newM = scale.ref.mul(1 - beta1);
      const newV = np.square(scale).mul(1 - beta2);
      const root = np.sqrt(unbias2);
      const floor = np.reciprocal(root.ref).mul(epsilon);
      const rate = learningRate.ref.mul(unbias1).div(root);
      const decay = learningRate.mul(weightDecay);
      const next = { params: {} as Arrays, state: { m: {} as Arrays, v: {} as Arrays }, norm };
      for (const [key, gradient] of Object.entries(gradients)) {
        const m = (state.m[key] as JaxArray).mul(beta1).add(gradient.ref.mul(newM.ref));
        const v = (state.v[key] as JaxArray).mul(beta2).add(np.square(gradient).mul(newV.ref));
        const step = m.ref.div(np.sqrt(v.ref).add(floor.ref)).mul(rate.ref);
        const old = params[key] as JaxArray;
        const kept = weightDecay > 0 ? old.ref.sub(old.mul(decay.ref)) : old;
        next.params[key] = kept.sub(step);
        next.state.m[key] = m;
        next.state.v[key] = v;
      }
      for (const used of [newM, newV, floor, rate, decay]) used.dispose();
      return next;
    },
  };
}

/** sqrt of the sum of squares over all arrays; borrows them. */
function globalNorm(gradients: Arrays): JaxArray {
  const squares = Object.values(gradients).map((one) => np.sum(np.square(one.ref)));
  return np.sqrt(squares.reduce((sum, one) => sum.add(one)));
}

/** Learning rate at a step counted from 1. */
export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  /** After the warm-up: `cosine` and `linear` fall to `floor`, `constant` stays, `steps` falls by `factor` at each of `at`. */
  shape: "cosine" | "linear" | "constant" | { at: readonly number[]; factor: number };
  peak: number;
  /** Total steps. */
  steps: number;
  /** Steps over which the rate rises from 0 to the peak. */
  warmup?: number;
  /** Final rate as a share of the peak. */
  floor?: number;
}

/** A schedule of the usual shapes, preceded by a linear warm-up. */
export function schedule({ shape, peak, steps, warmup = 0, floor = 0 }: ScheduleOptions): Schedule {
  return (step) => {
    if (step <= warmup) return (peak * step) / warmup;
    const done = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
    if (shape === "constant") return peak;
    if (shape === "linear") return peak * (1 - (1 - floor) * done);
    if (shape === "cosine") return peak * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * done)));
    return peak * shape.factor ** shape.at.filter((at) => step > at).length;
  };
}

/** A float32 tensor of rank 0. */
export function scalarTensor(value: number): Tensor {
  return new Tensor("float32", Float32Array.of(value), []);
}

/** Zeros of the same shapes. */
export function zerosLike(params: Parameters): Parameters {
  return Object.fromEntries(
    Object.entries(params).map(([key, { dims, size }]) => [
      key,
      new Tensor("float32", new Float32Array(size), [...dims]),
    ]),
  );
}

/** AdamW's moments before the first step. */
export function zeroMoments(params: Parameters): AdamWState {
  return { m: zerosLike(params), v: zerosLike(params) };
}

/** A deep copy. */
export function copyOf(params: Parameters): Parameters {
  return Object.fromEntries(
    Object.entries(params).map(([key, { data, dims }]) => [
      key,
      new Tensor("float32", (data as Float32Array).slice(), [...dims]),
    ]),
  );
}
