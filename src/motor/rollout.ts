// Runs controllers through trials for evaluation: one compiled step, called once per time step, so that length, noise, delays
// and lesions can be chosen freely.

import type { Array as JaxArray } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../core/random.js";
import { compile, type Tensors } from "../tensor/compile.js";
import type { Arrays, Parameters } from "../tensor/optimizer.js";
import { bindController, type ControllerShape, type Gains } from "./controller.js";
import { type Delays, observe } from "./episode.js";
import { gainsOf, type Lesion } from "./lesion.js";
import type { Load, Plant, PlantState } from "./plant/plant.js";
import { type Trial, trialTensors } from "./trials.js";

/** Standard deviations of independent Gaussian noise at each step, in the units of the signal it is added to. */
export interface MotorNoise {
  readonly excitation?: number;
  readonly proprioception?: number;
  readonly vision?: number;
}

export interface RolloutOptions {
  /** Steps of a trial. */
  readonly steps: number;
  readonly noise?: MotorNoise;
  /** Seeds of the noise, one per trial and the same for every controller; the trial's index by default. */
  readonly seeds?: readonly number[];
  /** In steps. */
  readonly delays?: Delays;
  readonly lesions?: readonly Lesion[];
  /** For each controller whether it was trained with its callosum; all by default. */
  readonly callosum?: readonly boolean[];
  readonly signal?: AbortSignal;
}

/**
 * What happened, trial by trial: index ((controller · trials + trial) · rows + step) · width + column. States have
 * steps + 1 rows, the first one the start; excitations have `steps` rows.
 */
export interface History {
  readonly controllers: number;
  readonly trials: number;
  readonly steps: number;
  readonly muscles: number;
  /** The hand in m, width 2. */
  readonly hand: Float32Array;
  /** Joint angles in rad and their velocities, width 2 each. */
  readonly joints: Float32Array;
  readonly velocities: Float32Array;
  /** Width `muscles` each: activation, force in N, and the commanded excitation, before noise. */
  readonly activation: Float32Array;
  readonly force: Float32Array;
  readonly excitation: Float32Array;
}

type TensorRecord = Record<string, Tensor>;

/** Prepares rollouts of controllers of one shape. Programs that depend on their number are compiled on first use. */
export function makeRollout({
  plant,
  shape,
  threads,
}: {
  plant: Plant;
  shape: ControllerShape;
  threads?: number;
}) {
  const runtime = threads === undefined ? {} : { threads };
  const shown = (state: PlantState) => ({ hand: plant.hand(state), force: plant.forces(state), state });
  const begin = compile<[Tensor], { hand: Tensor; force: Tensor; state: TensorRecord }>(
    (joints: JaxArray) => shown(plant.start(joints)),
    { ...runtime, name: "the start of trials" },
  );
  type Given = {
    state: PlantState;
    felt: JaxArray;
    seen: JaxArray;
    target: JaxArray;
    load: Load;
    noise: Record<string, JaxArray>;
    memory: JaxArray[];
  };
  const onward = compile<
    [Parameters, TensorRecord, Tensors],
    { hand: Tensor; force: Tensor; state: TensorRecord; excitation: Tensor; memory: Tensor[] }
  >(
    (params: Arrays, gains: Gains, { state, felt, seen, target, load, noise, memory }: Given) => {
      const add = (x: JaxArray, key: keyof MotorNoise) => (noise[key] ? x.add(noise[key] as JaxArray) : x);
      const sensed = observe(add(felt, "proprioception"), add(seen, "vision"), target);
      const past = memory.length > 0 ? memory : undefined;
      const { excitation, hidden } = bindController(shape, params, gains)(sensed, past);
      const next = plant.step(state, add(excitation.ref, "excitation"), load);
      return { ...shown(next), excitation, memory: shape.cell === "gru" ? hidden : [] };
    },
    { ...runtime, name: "a step of trials" },
  );

  /** Runs every controller of `params` ([S, ...]) through every trial. */
  const run = async (
    params: Parameters,
    trials: readonly Trial[],
    options: RolloutOptions,
  ): Promise<History> => {
    const { steps, delays = { proprioception: 0, vision: 0 }, signal } = options;
    const controllers = (params["output.bias"] as Tensor).dims[0] as number;
    const gains = gainsOf(shape, controllers, options.lesions, options.callosum);
    const given = trialTensors(Array.from({ length: controllers }, () => trials));
    const { joints, target, ...load } = given as Record<"joints" | "target", Tensor> & TensorRecord;
    const history = emptyHistory(controllers, trials.length, steps, plant.muscles.length);
    const noises = noiseOf(options, plant.muscles.length, trials.length, controllers);
    const felt: Tensor[] = [];
    const seen: Tensor[] = [];
    let now = await begin(joints);
    let memory: Tensor[] = [];
    note(history, 0, now);
    for (let t = 0; t < steps; t++) {
      signal?.throwIfAborted();
      felt.push(now.state.fibres as Tensor);
      seen.push(now.hand);
      const next = await onward(params, gains, {
        state: now.state,
        felt: felt[Math.max(0, t - delays.proprioception)],
        seen: seen[Math.max(0, t - delays.vision)],
        target: targetAt(target, t),
        load,
        noise: noises(),
        memory,
      } as Tensors);
      note(history, t + 1, next);
      lay(history.excitation, next.excitation, t, steps);
      memory = next.memory;
      now = next;
    }
    return history;
  };
  const release = async () => {
    await begin.release();
    await onward.release();
  };
  return { run, release };
}

function emptyHistory(controllers: number, trials: number, steps: number, muscles: number): History {
  const rows = (count: number, width: number) => new Float32Array(controllers * trials * count * width);
  return {
    controllers,
    trials,
    steps,
    muscles,
    hand: rows(steps + 1, 2),
    joints: rows(steps + 1, 2),
    velocities: rows(steps + 1, 2),
    activation: rows(steps + 1, muscles),
    force: rows(steps + 1, muscles),
    excitation: rows(steps, muscles),
  };
}

/** Writes a step's columns [width, N] as row `at` of each trial's `rows`. */
function lay(into: Float32Array, { data, dims }: Tensor, at: number, rows: number): void {
  const [width, count] = dims as [number, number];
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < width; i++)
      into[(n * rows + at) * width + i] = (data as Float32Array)[i * count + n] as number;
  }
}

function note(
  history: History,
  at: number,
  shown: { hand: Tensor; force: Tensor; state: TensorRecord },
): void {
  const rows = history.steps + 1;
  lay(history.hand, shown.hand, at, rows);
  lay(history.force, shown.force, at, rows);
  for (const key of ["joints", "velocities", "activation"] as const) {
    lay(history[key], shown.state[key] as Tensor, at, rows);
  }
}

/** The target of a step: [2, N] itself, or that entry of [T, 2, N]; the last one persists. */
function targetAt(target: Tensor, t: number): Tensor {
  if (target.dims.length === 2) return target;
  const [length, two, count] = target.dims as [number, number, number];
  const from = Math.min(t, length - 1) * two * count;
  return new Tensor("float32", (target.data as Float32Array).slice(from, from + two * count), [two, count]);
}

/** Returns a generator of noise, step by step: [rows, N] for each signal that has some. */
function noiseOf(
  { noise = {}, seeds = [] }: RolloutOptions,
  muscles: number,
  trials: number,
  controllers: number,
) {
  const rows = { excitation: muscles, proprioception: 2 * muscles, vision: 2 };
  const noisy = (Object.keys(rows) as (keyof typeof rows)[]).filter((key) => (noise[key] ?? 0) > 0);
  const streams = noisy.map((key) =>
    Array.from({ length: trials }, (_, b) => randomFor(seeds[b] ?? b, "noise", key)),
  );
  return (): TensorRecord =>
    Object.fromEntries(
      noisy.map((key, k) => {
        const height = rows[key];
        const data = new Float32Array(height * controllers * trials);
        for (let b = 0; b < trials; b++) {
          for (let i = 0; i < height; i++) {
            const drawn = normal(streams[k]?.[b] as () => number) * (noise[key] as number);
            for (let s = 0; s < controllers; s++) data[(i * controllers + s) * trials + b] = drawn;
          }
        }
        return [key, new Tensor("float32", data, [height, controllers * trials])];
      }),
    );
}
