// Activation dynamics of Thelen 2003, stepped as in MotorNet by explicit Euler, which overshoots when a relaxed muscle is
// excited (dt is longer than the time constant there). This is published behaviour, so it is kept.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";

export interface Activation {
  /** Time constants of rise and fall in s. */
  readonly rise: number;
  readonly fall: number;
  /** The least activation, and the least excitation. */
  readonly least: number;
}

/** MotorNet's constants. */
export const thelen = (least: number): Activation => ({ rise: 0.015, fall: 0.05, least });

/** Activations [m, N] after `dt` seconds of these excitations. Consumes both. */
export function activate(
  { rise, fall, least }: Activation,
  dt: number,
  activation: JaxArray,
  excitation: JaxArray,
): JaxArray {
  const drive = np.clip(excitation, least, 1);
  const pace = activation.ref.mul(1.5).add(0.5);
  const rising = drive.ref.greater(activation.ref);
  const share = np.where(rising, np.reciprocal(pace.ref).mul(dt / rise), pace.mul(dt / fall));
  const moved = activation.ref.add(drive.sub(activation).mul(share));
  // A falling activation cannot undershoot its excitation unless steps are this long.
  return np.clip(moved, (2 * dt) / fall > 1 ? least : undefined, 1);
}
