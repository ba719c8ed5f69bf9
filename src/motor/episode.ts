// A controller and a plant in a closed loop: the observation at each step, and many steps unrolled for training. Losses are in
// loss.ts; rollout.ts runs trials for evaluation, step by step with noise and delays.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import type { Arrays } from "../tensor/optimizer.js";
import { bindController, type ControllerShape, type Gains } from "./controller.js";
import type { Load, Plant, PlantState } from "./plant/plant.js";

/** Trials as arrays, N = S·B of them, seed by seed. */
export interface TrialArrays {
  [key: string]: JaxArray | undefined;
  /** Joints at the start: [2, N]. */
  joints: JaxArray;
  /** Where the hand should be, in m: [2, N], or [T, 2, N] if it changes. */
  target: JaxArray;
  /** As in `Load`. */
  force?: JaxArray | undefined;
  curl?: JaxArray | undefined;
}

/** Rows of an observation: lengths and velocities of muscles, the hand, the target, in the order of the published code. */
export function observationRows(plant: Plant): number {
  return 2 * plant.muscles.length + 4;
}

/** A controller's observation, [2m + 4, N], from fibres [2m, N], the hand and the target [2, N]. Consumes all three. */
export function observe(fibres: JaxArray, hand: JaxArray, target: JaxArray): JaxArray {
  return np.concatenate([fibres, hand, target], 0);
}

/** Steps by which senses lag, beyond every controller's lag of one step. */
export interface Delays {
  readonly proprioception: number;
  readonly vision: number;
}

/** What happened in T steps, each entry after its step. */
export interface Episode {
  /** [T, 2, N] */
  hands: JaxArray;
  /** [T, muscles, N] */
  excitations: JaxArray;
  /** Of each layer [T, S, hemispheres, units, B]. */
  hidden: JaxArray[];
  /** The target at each step: [2, N] or [T, 2, N]. */
  target: JaxArray;
  /** The plant's states, only if requested: joints and velocities [T, 4, N], and MotorNet's muscle state. */
  body?: { joints: JaxArray; muscles: JaxArray; fibres: JaxArray };
}

export interface EpisodeOptions {
  steps: number;
  delays?: Delays;
  /** Whether the plant's states are kept. */
  body?: boolean;
}

/** Unrolls a controller with a plant; to be traced. Borrows parameters, trials and gains. */
export function unroll(
  plant: Plant,
  shape: ControllerShape,
  params: Arrays,
  trials: TrialArrays,
  gains: Gains,
  { steps, delays = { proprioception: 0, vision: 0 }, body = false }: EpisodeOptions,
): Episode {
  const control = bindController(shape, params, gains);
  const changing = trials.target.shape.length === 3;
  const load: Load = { force: trials.force, curl: trials.curl };
  const felt: JaxArray[] = [];
  const seen: JaxArray[] = [];
  const hands: JaxArray[] = [];
  const excitations: JaxArray[] = [];
  const hidden: JaxArray[][] = Array.from({ length: shape.layers }, () => []);
  const states = { joints: [] as JaxArray[], muscles: [] as JaxArray[], fibres: [] as JaxArray[] };
  let memory: JaxArray[] | undefined;
  let state: PlantState = plant.start(trials.joints.ref);
  for (let t = 0; t < steps; t++) {
    felt.push(state.fibres.ref);
    seen.push(plant.hand(state));
    const target = changing ? trials.target.ref.slice(t) : trials.target.ref;
    const lagged = (senses: readonly JaxArray[], lag: number) =>
      (senses[Math.max(0, t - lag)] as JaxArray).ref;
    const observation = observe(lagged(felt, delays.proprioception), lagged(seen, delays.vision), target);
    const { excitation, hidden: layers } = control(observation, memory);
    if (shape.cell === "gru") memory = layers.map((layer) => layer.ref);
    for (const [k, layer] of layers.entries()) hidden[k]?.push(layer);
    excitations.push(excitation.ref);
    const acting: Load = { force: load.force?.ref, curl: load.curl?.ref };
    state = plant.step(state, excitation, acting);
    hands.push(plant.hand(state));
    if (body) {
      states.joints.push(np.concatenate([state.joints.ref, state.velocities.ref], 0));
      states.muscles.push(plant.muscleState(state));
      states.fibres.push(state.fibres.ref);
    }
  }
  const stacked = (list: JaxArray[]) => np.stack(list, 0);
  return {
    hands: stacked(hands),
    excitations: stacked(excitations),
    hidden: hidden.map(stacked),
    target: trials.target.ref,
    ...(body
      ? {
          body: {
            joints: stacked(states.joints),
            muscles: stacked(states.muscles),
            fibres: stacked(states.fibres),
          },
        }
      : {}),
  };
}
