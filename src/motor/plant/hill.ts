// Hill-type muscles with a rigid tendon (Kistemaker, Wong and Gribble 2010, in MotorNet's form). Lengths and velocities are
// those of the fibres, normalized.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";

export interface HillOptions {
  /** Fibre length, over the optimal one, above which the passive element pulls: 1.4 in MotorNet, 1 in its TensorFlow edition. */
  readonly slack: number;
}

/** Half width of the force-length curve, the curves' floor, and the constants of the force-velocity relation. */
const width = 0.66;
const floor = 0.01;
const aRel = 0.41;
const bRel = 5.2;
const blend = 0.001;

/** Forces of muscles at one moment, [m, N] each, as shares of the maximum isometric force. */
export interface HillForces {
  /** Passive force. */
  flpe: JaxArray;
  /** Force-length factor of the active element. */
  flce: JaxArray;
  active: JaxArray;
}

/**
 * Forces at fibre lengths over optimal length, velocities over the maximum velocity (negative while shortening) and
 * activations. Consumes all three.
 *
 * The published branches, with f = a·flce, E = a (flce + a_rel) and B = b_rel, are
 * - shortening: (v a a_rel + f B) / (B - v) = f + v E / (B - v)
 * - lengthening: (-p1 p3 + p1 s v + p2 - p3 v + s v²) / (p1 + v), p1 = -f/(2h), p2 = f²/(4h), p3 = -3f/2, h = s - 2E/B,
 *   = f + v (s + ½f Q / (Q v + ½f B)) with Q = 2E - s B
 *
 * and are computed in the second form. Numerator and denominator are selected before dividing, because the branch not taken may
 * have a pole there.
 */
export function hillForces(
  { slack }: HillOptions,
  length: JaxArray,
  velocity: JaxArray,
  activation: JaxArray,
): HillForces {
  const beyond = length.ref.sub(1);
  const stretch = slack === 1 ? beyond.ref : length.sub(slack);
  if (slack === 1) length.dispose();
  const flpe = np.square(np.maximum(stretch, 0)).mul(1 / (1.66 - slack) ** 2);
  const long = beyond.ref.greater(0);
  const flce = np.maximum(
    np
      .square(beyond)
      .mul(-1 / width ** 2)
      .add(1),
    floor,
  );
  const a = np.where(long, flce.ref.mul(aRel), aRel);
  // 5.2 (1 - 0.9 (act - 0.3) / (0.005 - 0.3))² below an activation of 0.3.
  const slope = (0.9 / 0.295) * Math.sqrt(bRel);
  const offset = Math.sqrt(bRel) - 0.3 * slope;
  const b = np.square(np.minimum(activation.ref, 0.3).mul(slope).add(offset));
  const shortening = velocity.ref.less(0);
  const f = flce.ref.mul(activation.ref);
  const e = activation.mul(flce.ref.add(a));
  const half = f.ref.mul(0.5);
  const q = e.ref.mul(2).add(b.ref.mul(-blend));
  const num = np.where(shortening.ref, e, half.ref.mul(q.ref));
  const den = np.where(shortening.ref, b.ref.sub(velocity.ref), q.mul(velocity.ref).add(half.mul(b)));
  const ratio = num.div(den).add(np.where(shortening, 0, blend));
  return { flpe, flce, active: np.maximum(f.add(velocity.mul(ratio)), 0) };
}
