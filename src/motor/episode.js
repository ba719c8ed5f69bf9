// A controller and a plant in their loop: what is sensed at each step, and many steps unrolled for training. Losses are
// loss.ts; trials for evaluation, step by step with noise and delays, are rollout.ts.
import { numpy as np } from "@jax-js/jax";
import { bindController } from "./controller.js";
/** Rows of an observation: lengths and velocities of muscles, the hand, the target, in the order of the published code. */
export function observationRows(plant) {
  return 2 * plant.muscles.length + 4;
}
/** What a controller senses, [2m + 4, N], of fibres [2m, N], the hand and the target [2, N]. Uses all up. */
export function observe(fibres, hand, target) {
  return np.concatenate([fibres, hand, target], 0);
}
/** Unrolls a controller with a plant; to be traced. Leaves parameters, trials and gains usable. */
export function unroll(
  plant,
  shape,
  params,
  trials,
  gains,
  { steps, delays = { proprioception: 0, vision: 0 }, body = false },
) {
  const control = bindController(shape, params, gains);
  const changing = trials.target.shape.length === 3;
  const load = { force: trials.force, curl: trials.curl };
  const felt = [];
  const seen = [];
  const hands = [];
  const excitations = [];
  const hidden = Array.from({ length: shape.layers }, () => []);
  const states = { joints: [], muscles: [], fibres: [] };
  let memory;
  let state = plant.start(trials.joints.ref);
  for (let t = 0; t < steps; t++) {
    felt.push(state.fibres.ref);
    seen.push(plant.hand(state));
    const target = changing ? trials.target.ref.slice(t) : trials.target.ref;
    const lagged = (senses, lag) => senses[Math.max(0, t - lag)].ref;
    const observation = observe(lagged(felt, delays.proprioception), lagged(seen, delays.vision), target);
    const { excitation, hidden: layers } = control(observation, memory);
    if (shape.cell === "gru") memory = layers.map((layer) => layer.ref);
    for (const [k, layer] of layers.entries()) hidden[k]?.push(layer);
    excitations.push(excitation.ref);
    const acting = { force: load.force?.ref, curl: load.curl?.ref };
    state = plant.step(state, excitation, acting);
    hands.push(plant.hand(state));
    if (body) {
      states.joints.push(np.concatenate([state.joints.ref, state.velocities.ref], 0));
      states.muscles.push(plant.muscleState(state));
      states.fibres.push(state.fibres.ref);
    }
  }
  const stacked = (list) => np.stack(list, 0);
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
