// The corpus callosum: what each hemisphere adds to its own hidden state of what the other one has. Published without weights:
// the other's units are pooled pairwise and stand in the last places. Outputs are joined in controller.ts.
import { numpy as np } from "@jax-js/jax";
/**
 * Hidden states [S, 2, units, B] with the other hemisphere's message added, both computed from the states before.
 * `pooled`: the greater of each pair of neighbouring units (an odd last one is left out), zeros in front: of five units
 * come [0, 0, 0, max(x0, x1), max(x2, x3)]. `learned`: the kernel [S, 2, units, units] of the side that receives, times the
 * other's state. `gain` [S, 1, 1, 1] scales the message. Uses the states up.
 */
export function exchange(kind, states, kernel, gain) {
  if (kind === "none") return states;
  const message = kind === "pooled" ? pooled(states.ref) : np.matmul(kernel.ref, other(states.ref));
  return states.add(gain ? message.mul(gain.ref) : message);
}
/** The hemispheres change places. */
function other(states) {
  const [left, right] = np.split(states, 2, 1);
  return np.concatenate([right, left], 1);
}
function pooled(states) {
  const [seeds, sides, units, trials] = states.shape;
  const half = Math.floor(units / 2);
  const even = states.slice([], [], [0, 2 * half]).reshape([seeds, sides, half, 2, trials]);
  const [first, second] = np.split(even, 2, 3);
  const most = np.maximum(first, second).reshape([seeds, sides, half, trials]);
  const front = np.zeros([seeds, sides, units - half, trials]);
  return np.concatenate([front, other(most)], 2);
}
