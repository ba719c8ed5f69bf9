// What a plant is: a body that muscles move, as pure functions of jax-js arrays. Quantities are rows and trials are columns,
// [rows, N], so that a trial costs no operator of its own.
import { numpy as np } from "@jax-js/jax";
/** A constant matrix of rows, or a column where each row is a number. */
export function matrix(rows) {
  return np.array(rows.map((row) => (typeof row === "number" ? [row] : [...row])));
}
/** Rows `from` to `to` of an array, which is left usable. */
export function rowsOf(x, from, to) {
  return x.ref.slice([from, to]);
}
/**
 * Explicit Euler and the walls of MotorNet: the velocity is clipped, is taken away where it leads out of the limits, and
 * the joints are clipped. Positions move by the old velocity. Uses its arrays up.
 */
export function advance({ dt, limits, maxVelocity }, joints, velocities, acceleration) {
  const lower = matrix(limits.lower);
  const upper = matrix(limits.upper);
  const free = joints.add(velocities.ref.mul(dt));
  const driven = velocities.add(acceleration.mul(dt));
  const bounded = Number.isFinite(maxVelocity) ? np.clip(driven, -maxVelocity, maxVelocity) : driven;
  const atLower = free.ref.lessEqual(lower.ref);
  const atUpper = free.ref.greaterEqual(upper.ref);
  const blocked = np.logicalOr(
    np.logicalAnd(atLower.ref, bounded.ref.less(0)),
    np.logicalAnd(atUpper.ref, bounded.ref.greater(0)),
  );
  return {
    joints: np.where(atLower, lower, np.where(atUpper, upper, free)),
    velocities: np.where(blocked, 0, bounded),
  };
}
