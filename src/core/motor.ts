// Types for movement: what a trial asks of a body and the movement that results. Lengths are in m, times in s, forces in N,
// angles in rad.

import type { Model } from "./model.js";

/** A place in the plane in m, or two joint angles in rad. */
export type Point = readonly [x: number, y: number];

/** One requested movement. It is data: a sample's input is a trial as JSON. */
export interface MotorTrial {
  /** Joint angles at the start, at rest. */
  readonly joints: Point;
  /** Where the hand should be: one place throughout, or one for each step. */
  readonly target: Point | readonly Point[];
  readonly steps: number;
  /** A constant force on the hand. */
  readonly force?: Point;
  /** Strength of a curl field in N s/m: the force is strength · (ẏ, -ẋ) of the hand (Shadmehr and Mussa-Ivaldi 1994). */
  readonly curl?: number;
  /** Standard deviations of Gaussian noise, drawn at every step. */
  readonly noise?: {
    readonly proprioception?: number;
    readonly vision?: number;
    readonly excitation?: number;
  };
  /** Delay of each sense, in steps. */
  readonly delay?: { readonly proprioception?: number; readonly vision?: number };
  /** Seed of the noise. */
  readonly seed?: number;
}

/** The movement in a trial, from start to end: each list has one entry more than the trial has steps. */
export interface Movement {
  /** Length of a step in s. */
  readonly dt: number;
  readonly hand: readonly Point[];
  readonly joints: readonly Point[];
  /** Activation and excitation of each muscle in [0, 1]; nothing is excited at the start. */
  readonly activation: readonly (readonly number[])[];
  readonly excitation: readonly (readonly number[])[];
}

/** A body that a controller moves: the model of a motor subject. */
export interface Body extends Model {
  readonly muscles: readonly string[];
}
