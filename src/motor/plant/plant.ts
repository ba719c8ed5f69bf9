// What a plant is: a body that muscles move, as pure functions of jax-js arrays. Quantities are rows and trials are columns,
// [rows, N], so that a trial costs no operator of its own.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";

/** Everything that the next step depends on. N trials, m muscles; each array is used up by the step that reads it. */
export interface PlantState {
  [key: string]: JaxArray;
  /** Joint angles in rad, or the position of a mass in m: [2, N]. */
  joints: JaxArray;
  /** Their velocities: [2, N]. */
  velocities: JaxArray;
  /** Muscle activation: [m, N]. */
  activation: JaxArray;
  /** Fibre lengths over optimal length, then fibre velocities over the greatest velocity: [2m, N]. */
  fibres: JaxArray;
  /** Force of the active element as a share of the muscle's greatest isometric force: [m, N]. */
  active: JaxArray;
  /** What the joints' angles mean in space; its first two rows are the hand in m: [poseRows, N]. */
  pose: JaxArray;
}

/** What acts on the hand from outside. */
export interface Load {
  /** A force in N: [2, N]. */
  force?: JaxArray | undefined;
  /** Strength of a curl field in N s/m, [1, N]: the force is strength · (ẏ, -ẋ) of the hand (Shadmehr and Mussa-Ivaldi 1994). */
  curl?: JaxArray | undefined;
}

export interface Plant {
  readonly name: string;
  /** Seconds of a step. */
  readonly dt: number;
  readonly muscles: readonly string[];
  /** Greatest isometric force of each muscle in N. */
  readonly maxForce: readonly number[];
  /** Optimal fibre length in m and greatest fibre velocity in m/s of each muscle: what `fibres` are over. */
  readonly fibreScale: { readonly length: readonly number[]; readonly velocity: readonly number[] };
  /** Least and greatest value of each joint. */
  readonly limits: { readonly lower: readonly [number, number]; readonly upper: readonly [number, number] };
  /** At rest with relaxed muscles in these joints [2, N]. */
  start(joints: JaxArray): PlantState;
  /** The state one step later, under excitations [m, N] in [0, 1]. */
  step(state: PlantState, excitation: JaxArray, load?: Load): PlantState;
  /** The hand of a state, [2, N]; leaves the state usable. */
  hand(state: PlantState): JaxArray;
  /** Muscle forces in N of a state, [m, N]; leaves the state usable. */
  forces(state: PlantState): JaxArray;
  /**
   * MotorNet's muscle state, some rows of m each ([7m, N] for Hill muscles: activation, length in m, velocity in m/s, flpe,
   * flce, active force, force in N); leaves the state usable.
   */
  muscleState(state: PlantState): JaxArray;
  /** Where the hand is in these joints, in plain numbers. */
  place(joints: readonly [number, number]): [number, number];
}

/** A constant matrix of rows, or a column where each row is a number. */
export function matrix(rows: readonly (number | readonly number[])[]): JaxArray {
  return np.array(rows.map((row) => (typeof row === "number" ? [row] : [...row])) as number[][]);
}

/** Rows `from` to `to` of an array, which is left usable. */
export function rowsOf(x: JaxArray, from: number, to: number): JaxArray {
  return x.ref.slice([from, to]);
}

/**
 * Explicit Euler and the walls of MotorNet: the velocity is clipped, is taken away where it leads out of the limits, and
 * the joints are clipped. Positions move by the old velocity. Uses its arrays up.
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
