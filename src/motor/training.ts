// Training of motor controllers: arms and seeds of one shape are trained side by side in one compiled program, each as if it
// were alone. What distinguishes arms (losses, their routing, the callosum) is an input, not compiled in. The loop is in
// tensor/train.ts.

import { type Array as JaxArray, numpy as np, vjp } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import { compile, type Tensors } from "../tensor/compile.js";
import { type Arrays, adamW, type Parameters } from "../tensor/optimizer.js";
import { type Batch, type Trained, type Trainer, train } from "../tensor/train.js";
import { type ControllerShape, type Gains, initController, variableAxes } from "./controller.js";
import { type Delays, type TrialArrays, unroll } from "./episode.js";
import { gainsOf } from "./lesion.js";
import {
  type Activity,
  commonLoss,
  dominantLoss,
  type LossWeights,
  lossTerms,
  motorLoss,
  nonDominantLoss,
  type Routing,
  routed,
} from "./loss.js";
import type { Plant } from "./plant/plant.js";
import { type Trial, trialTensors } from "./trials.js";

/** How a controller is trained. Controllers of one shape that differ in this can still be trained together. */
export interface Teaching {
  /**
   * `common`: all parameters are trained on the mean of the two losses. `dominant`, `nonDominant`: all on that loss.
   * `specialized`: each hemisphere on its own loss, shared parameters on half of each (two hemispheres only).
   */
  readonly losses: "common" | "dominant" | "nonDominant" | "specialized";
  /** With `specialized`, the hemisphere that gets the dominant loss; left by default. */
  readonly dominantSide?: "left" | "right";
  /** False disables the callosum of a shape that has one; true by default. */
  readonly callosum?: boolean;
}

export interface MotorTrainerOptions {
  readonly plant: Plant;
  readonly shape: ControllerShape;
  /** Steps of a trial. */
  readonly steps: number;
  /** `asIntended` by default. */
  readonly activity?: Activity;
  readonly delays?: Delays;
  /** Largest gradient norm, for each variable of each seed separately; 1 by default, 0 disables clipping. */
  readonly clipNorm?: number;
  /** 1 by default: there are so many small operators that several threads spend more time on synchronization than on work. */
  readonly threads?: number;
}

/** The losses of one teaching, and the shares of each that each hemisphere and the shared parameters get. */
function plan({ losses, dominantSide = "left" }: Teaching, hemispheres: number) {
  const whole = Array.from({ length: hemispheres }, () => 1);
  const none = whole.map(() => 0);
  const single = { common: commonLoss, dominant: dominantLoss, nonDominant: nonDominantLoss };
  const off: LossWeights = { excitation: 0, position: 0, square: 0, activity: 0 };
  if (losses !== "specialized") {
    return [
      { weights: single[losses], sides: whole, shared: 1 },
      { weights: off, sides: none, shared: 0 },
    ];
  }
  const sides = dominantSide === "left" ? [1, 0] : [0, 1];
  return [
    { weights: dominantLoss, sides, shared: 0.5 },
    { weights: nonDominantLoss, sides: sides.map((side) => 1 - side), shared: 0.5 },
  ];
}

/** The routing and the callosum's gains of controllers side by side, one teaching each. */
export function teach(teachings: readonly Teaching[], shape: ControllerShape): Record<string, Tensors> {
  if (shape.hemispheres === 1 && teachings.some(({ losses }) => losses === "specialized")) {
    throw new HoneError({
      what: "A controller of one hemisphere cannot be specialized",
      why: "there is no second hemisphere for the second loss",
      next: 'Train it on "dominant", "nonDominant" or "common", or take hemispheres: 2.',
      kind: "usage",
    });
  }
  const seeds = teachings.length;
  // If no teaching is specialized, one loss is enough, at half the cost.
  const count = teachings.some(({ losses }) => losses === "specialized") ? 2 : 1;
  const plans = teachings.map((teaching) => plan(teaching, shape.hemispheres).slice(0, count));
  const table = (of: (entry: ReturnType<typeof plan>[number]) => readonly number[], ...dims: number[]) => {
    const rows = Array.from({ length: count }, (_, k) =>
      plans.map((list) => of(list[k] as (typeof list)[number])),
    );
    return new Tensor("float32", Float32Array.from(rows.flat(2)), [count, seeds, ...dims]);
  };
  const weights = Object.fromEntries(
    lossTerms.map((term) => [term, table((entry) => [entry.weights[term]])]),
  );
  return {
    routing: {
      weights,
      hemispheres: table((entry) => entry.sides, shape.hemispheres),
      shared: table((entry) => [entry.shared]),
    } as Tensors,
    // An open callosum needs no gain, and without one the program is smaller.
    gains: gainsOf(
      shape,
      seeds,
      [],
      teachings.map(({ callosum = true }) => callosum),
    ),
  };
}

/**
 * Scales each variable of each seed down to a norm of at most `limit`, as Keras's `clipnorm` does; a variable is one array of
 * one hemisphere. Consumes the gradients.
 */
function clipped(gradients: Arrays, limit: number): Arrays {
  return Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => {
      const axes = gradient.shape.map((_, axis) => axis).slice(variableAxes(name));
      const norm = np.sqrt(np.sum(np.square(gradient.ref), axes, { keepdims: true }).add(1e-20));
      return [name, gradient.mul(np.minimum(np.reciprocal(norm).mul(limit), 1))];
    }),
  );
}

type Frozen = { routing: Routing; gains: Gains };

/** Prepares a trainer of controllers of one shape; programs that depend on their number are compiled on first use. */
export function motorTrainer(options: MotorTrainerOptions): Trainer {
  const { plant, shape, steps, activity = "asIntended", delays, clipNorm = 1, threads = 1 } = options;
  const runtime = { threads };
  const optimizer = adamW({ clipNorm: 0, weightDecay: 0, epsilon: 1e-7 });
  /** The losses of all seeds, [K, S]. */
  const losses = ({ routing, gains }: Frozen, params: Arrays, trials: TrialArrays) => {
    const body = activity === "asPublished";
    const episode = unroll(plant, shape, params, trials, gains, {
      steps,
      body,
      ...(delays ? { delays } : {}),
    });
    return motorLoss(episode, routing.weights, routing.shared.shape[1] as number, plant.dt, activity);
  };
  const gradients = compile<[Tensors, Parameters, Tensors], [Tensor, Parameters]>(
    (frozen: Frozen, params: Arrays, trials: TrialArrays) => {
      const ofAll = (trained: Arrays) => losses(frozen, trained, trials).sum(1);
      const [found, back] = vjp(ofAll, [params]);
      // Each loss has its own backward pass through the trials: the forward pass is shared, and arrays stay small.
      const count = found.shape[0] as number;
      const own = Array.from({ length: count }, (_, k) => {
        const only = Array.from({ length: count }, (_, i) => (i === k ? 1 : 0));
        return back(np.array(only))[0];
      });
      const gradient: Arrays = {};
      for (const key of Object.keys(params)) {
        const stacked = np.stack(
          own.map((each) => each[key] as JaxArray),
          0,
        );
        gradient[key] = routed(key, stacked, frozen.routing);
      }
      return [found.sum(), gradient];
    },
    { ...runtime, name: "the controllers' losses and their gradients" },
  );
  const update = compile<
    Tensors[],
    { params: Parameters; state: { m: Parameters; v: Parameters }; norm: Tensor }
  >(
    (params, state, sums, scalars) => {
      const next = optimizer.update(params, state, clipNorm > 0 ? clipped(sums, clipNorm) : sums, scalars);
      // The hemispheres' weights in the output stay non-negative.
      if (next.params.mix) next.params.mix = np.maximum(next.params.mix, 0);
      return next;
    },
    { ...runtime, name: "the controllers' update" },
  );
  const release = async () => {
    await gradients.release();
    await update.release();
  };
  return {
    gradients,
    update: async (params, moments, sums, step, learningRate) => {
      const scalars = optimizer.scalars(step, learningRate);
      const { state, norm, ...next } = await update(params, moments, sums, scalars);
      return { ...next, moments: state, norm: (norm.data as Float32Array)[0] as number };
    },
    release,
  };
}

export interface MotorTrainOptions {
  readonly trainer: Trainer;
  readonly shape: ControllerShape;
  readonly teachings: readonly Teaching[];
  /** One per teaching: determines its initial parameters. */
  readonly seeds: readonly number[];
  /** Trials of an update, counted from 1, for one of the seeds; the same number for every seed. */
  readonly trials: (update: number, seed: number) => readonly Trial[];
  readonly updates: number;
  /** Of Adam; 3e-3 by default (published: 1e-3). */
  readonly learningRate?: number | ((update: number) => number);
  readonly checkpoint?: { folder: string; key: string; seconds: number };
  readonly signal?: AbortSignal;
  readonly onUpdate?: (report: { update: number; loss: number; seconds: number }) => void;
}

/**
 * Trains controllers of one shape side by side. Each trains as it would alone: with its own trials, losses, clipping and
 * moments. If killed and called again, training resumes from its checkpoint.
 *
 * @throws HoneError when a loss or a gradient is not finite
 * @example
 * const trainer = motorTrainer({ plant, shape, steps: 50 });
 * const teachings = [{ losses: "specialized" }, { losses: "common", callosum: false }] as const;
 * const { params } = await trainControllers({ trainer, shape, teachings, seeds: [1, 1], trials, updates: 800 });
 */
export async function trainControllers(options: MotorTrainOptions): Promise<Trained> {
  const {
    trainer,
    shape,
    teachings,
    seeds,
    trials,
    updates,
    learningRate = 3e-3,
    signal,
    onUpdate,
    checkpoint,
  } = options;
  if (teachings.length !== seeds.length) {
    throw new RangeError(`${seeds.length} seeds need as many teachings, not ${teachings.length}.`);
  }
  const batches = (step: number): Batch[] => {
    const each = seeds.map((seed) => trials(step, seed));
    return [
      {
        inputs: trialTensors(each) as Tensors,
        ids: seeds.map((seed) => `update ${step} of seed ${seed}`),
        tokens: each.reduce((sum, list) => sum + list.length, 0),
      },
    ];
  };
  return train({
    trainer,
    frozen: teach(teachings, shape) as Tensors,
    params: initController(shape, seeds),
    batches,
    steps: updates,
    schedule: typeof learningRate === "number" ? () => learningRate : learningRate,
    ...(checkpoint ? { checkpoint } : {}),
    ...(signal ? { signal } : {}),
    ...(onUpdate ? { onStep: ({ step, loss, seconds }) => onUpdate({ update: step, loss, seconds }) } : {}),
  });
}
