// Activation dynamics of Thelen 2003, as MotorNet steps them: explicit Euler, which overshoots where a relaxed muscle is
// excited (dt is longer than the time constant there). That is published behaviour and kept.
import { numpy as np } from "@jax-js/jax";
/** MotorNet's constants. */
export const thelen = (least) => ({ rise: 0.015, fall: 0.05, least });
/** Activations [m, N] after `dt` seconds of these excitations. Uses both up. */
export function activate({ rise, fall, least }, dt, activation, excitation) {
  const drive = np.clip(excitation, least, 1);
  const pace = activation.ref.mul(1.5).add(0.5);
  const rising = drive.ref.greater(activation.ref);
  const share = np.where(rising, np.reciprocal(pace.ref).mul(dt / rise), pace.mul(dt / fall));
  const moved = activation.ref.add(drive.sub(activation).mul(share));
  // Falling, an activation does not pass its excitation unless steps are as long as this.
  return np.clip(moved, (2 * dt) / fall > 1 ? least : undefined, 1);
}
