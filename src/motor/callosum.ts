// The corpus callosum: the message that each hemisphere adds to its hidden state from the other's. The published form has no
// weights: the other's units are max-pooled pairwise into the last places. controller.ts joins the outputs.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import type { ControllerShape } from "./controller.js";

/**
 * Hidden states [S, 2, units, B] with the other hemisphere's message added, both computed from the states before.
 * `pooled`: the maximum of each pair of neighbouring units (an odd last one is left out), zeros in front: five units give
 * [0, 0, 0, max(x0, x1), max(x2, x3)]. `learned`: the receiving side's kernel [S, 2, units, units] times the other's state.
 * `gain` [S, 1, 1, 1] scales the message. Consumes the states.
 */
export function exchange(
  kind: ControllerShape["callosum"],
  states: JaxArray,
  kernel: JaxArray | undefined,
  gain: JaxArray | undefined,
): JaxArray {
  if (kind === "none") return states;
  const message =
    kind === "pooled" ? pooled(states.ref) : np.matmul((kernel as JaxArray).ref, other(states.ref));
  return states.add(gain ? message.mul(gain.ref) : message);
}

/** Swaps the hemispheres. */
function other(states: JaxArray): JaxArray {
  const [left, right] = np.split(states, 2, 1) as [JaxArray, JaxArray];
  return np.concatenate([right, left], 1);
}

function pooled(states: JaxArray): JaxArray {
  const [seeds, sides, units, trials] = states.shape as [number, number, number, number];
  const half = Math.floor(units / 2);
  const even = states.slice([], [], [0, 2 * half]).reshape([seeds, sides, half, 2, trials]);
  const [first, second] = np.split(even, 2, 3) as [JaxArray, JaxArray];
  const most = np.maximum(first, second).reshape([seeds, sides, half, trials]);
  const front = np.zeros([seeds, sides, units - half, trials]);
  return np.concatenate([front, other(most)], 2);
}
