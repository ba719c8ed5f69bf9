// The interface of a plant: a body moved by muscles, as pure functions of jax-js arrays. Quantities are rows and trials are
// columns, [rows, N], so that more trials need no more operators.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";

/** Everything that the next step depends on. N trials, m muscles; the step that reads an array consumes it. */
export interface PlantState {
  [key: string]: JaxArray;
  /** Joint angles in rad, or the position of a mass in m: [2, N]. */
  joints: JaxArray;
  /** Their velocities: [2, N]. */
  velocities: JaxArray;
  /** Muscle activation: [m, N]. */
  activation: JaxArray;
  /** Fibre lengths over optimal length, then fibre velocities over the maximum velocity: [2m, N]. */
  fibres: JaxArray;
  /** Force of the active element as a share of the muscle's maximum isometric force: [m, N]. */
  active: JaxArray;
  /** The pose in space for these joint angles; its first two rows are the hand in m: [poseRows, N]. */
  pose: JaxArray;
}

/** External forces on the hand. */
export interface Load {
  /** A force in N: [2, N]. */
  force?: JaxArray | undefined;
  /** Strength of a curl field in N s/m, [1, N]: the force is strength · (ẏ, -ẋ) of the hand (Shadmehr and Mussa-Ivaldi 1994). */
  curl?: JaxArray | undefined;
}

export interface Plant {
  readonly name: string;
  /** Seconds per step. */
  readonly dt: number;
  readonly muscles: readonly string[];
  /** Maximum isometric force of each muscle in N. */
  readonly maxForce: readonly number[];
  /** Optimal fibre length in m and maximum fibre velocity in m/s of each muscle: the units of `fibres`. */
  readonly fibreScale: { readonly length: readonly number[]; readonly velocity: readonly number[] };
  /** Lower and upper limit of each joint. */
  readonly limits: { readonly lower: readonly [number, number]; readonly upper: readonly [number, number] };
  /** The state at rest with relaxed muscles at these joints [2, N]. */
  start(joints: JaxArray): PlantState;
  /** The state one step later, under excitations [m, N] in [0, 1]. */
  step(state: PlantState, excitation: JaxArray, load?: Load): PlantState;
  /** The hand of a state, [2, N]; borrows the state. */
  hand(state: PlantState): JaxArray;
  /** Muscle forces in N of a state, [m, N]; borrows the state. */
  forces(state: PlantState): JaxArray;
  /**
   * MotorNet's muscle state, some rows of m each ([7m, N] for Hill muscles: activation, length in m, velocity in m/s, flpe,
   * flce, active force, force in N); borrows the state.
   */
  muscleState(state: PlantState): JaxArray;
  /** The hand's position at these joints, in plain numbers. */
  place(joints: readonly [number, number]): [number, number];
}

/** A constant matrix of rows, or a column if each row is a number. */
export function matrix(rows: readonly (number | readonly number[])[]): JaxArray {
  return np.array(rows.map((row) => (typeof row === "number" ? [row] : [...row])) as number[][]);
}

/** Rows `from` to `to` of an array; borrows it. */
export function rowsOf(x: JaxArray, from: number, to: number): JaxArray {
  return x.ref.slice([from, to]);
}

/**
 * Explicit Euler with MotorNet's limits: velocities are clipped and set to 0 where they lead out of the limits, and the joints
 * are clipped. Positions move by the old velocity. Consumes its arrays.
 */
export function advance(
  { dt, limits, maxVelocity }: Pick<Plant, "dt" | "limits"> & { maxVelocity: number },
  joints: JaxArray,
  velocities: JaxArray,
  acceleration: JaxArray,
): { joints: JaxArray; velocities: JaxArray } {
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
