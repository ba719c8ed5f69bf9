// The words for movement: what a trial asks of a body and what came of it. Lengths are in m, times in s, forces in N, angles
// in rad.

import type { Model } from "./model.js";

/** A place in the plane in m, or two joint angles in rad. */
export type Point = readonly [x: number, y: number];

/** One movement that is asked for. It is data: a sample's input is a trial as JSON. */
export interface MotorTrial {
  /** Joints at the start, at rest. */
  readonly joints: Point;
  /** Where the hand should be: all the time, or one place for each step. */
  readonly target: Point | readonly Point[];
  readonly steps: number;
  /** A constant force on the hand. */
  readonly force?: Point;
  /** Strength of a curl field in N s/m: the force is strength · (ẏ, -ẋ) of the hand (Shadmehr and Mussa-Ivaldi 1994). */
  readonly curl?: number;
  /** Standard deviations of Gaussian noise, drawn anew at every step. */
  readonly noise?: {
    readonly proprioception?: number;
    readonly vision?: number;
    readonly excitation?: number;
  };
  /** How many steps late what is felt and what is seen arrives. */
  readonly delay?: { readonly proprioception?: number; readonly vision?: number };
  /** Fixes the noise. */
  readonly seed?: number;
}

/** What came of a trial, from its start to its end: one entry more than it has steps. */
export interface Movement {
  /** Seconds of a step. */
  readonly dt: number;
  readonly hand: readonly Point[];
  readonly joints: readonly Point[];
  /** Activation and excitation of each muscle in [0, 1]; nothing is excited at the start. */
  readonly activation: readonly (readonly number[])[];
  readonly excitation: readonly (readonly number[])[];
}

/** A body that a controller moves: what a motor subject stands on, as a language subject stands on its model. */
export interface Body extends Model {
  readonly muscles: readonly string[];
}
