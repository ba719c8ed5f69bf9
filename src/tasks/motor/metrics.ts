// Metrics of a single movement: error, path, speed, smoothness, effort, settling. They are compared elsewhere. The
// published code has no such metrics: these are the field's usual ones.

import { type Metric, quantity } from "../../core/metric.js";
import type { MotorTrial, Movement, Point } from "../../core/motor.js";

/** A hand within this distance of its target, in m, has reached it. */
export const tolerance = 0.04;

export interface MovementMetrics extends Record<string, number> {
  /** Distance between hand and target at the end, in m. */
  finalError: number;
  /** The same, averaged over the steps, in m. */
  meanError: number;
  /** Length of the hand's path divided by the straight line from its start to its last target; 0 if that line has no length. */
  pathRatio: number;
  /** Peak speed of the hand, in m/s. */
  peakSpeed: number;
  /** Root mean square of the third derivative of the hand's position, in m/s³. */
  jerk: number;
  /** Mean square of the excitations. */
  effort: number;
  /** Seconds after which the hand stays within 4 cm of the target; the whole trial if it does not. */
  settling: number;
  /** Standard deviation of the distance to the target over the trial, in m. */
  spread: number;
}

/** How these metrics are displayed and which direction is better. */
export const movementMetrics: readonly Metric[] = [
  quantity("finalError", "m"),
  quantity("meanError", "m"),
  quantity("pathRatio"),
  quantity("peakSpeed", "m/s"),
  quantity("jerk", "m/s³"),
  quantity("effort"),
  quantity("settling", "s"),
  quantity("spread", "m"),
];

/** The target position at a step, counted from 1. */
export function targetAt({ target }: Pick<MotorTrial, "target">, step: number): Point {
  if (!isPath(target)) return target;
  return target[Math.min(step, target.length) - 1] as Point;
}

function isPath(target: MotorTrial["target"]): target is readonly Point[] {
  return Array.isArray(target[0]);
}

export function metricsOf(trial: Pick<MotorTrial, "target">, movement: Movement): MovementMetrics {
  const { hand, dt, excitation } = movement;
  const steps = hand.length - 1;
  const errors = hand.slice(1).map((place, t) => distance(place, targetAt(trial, t + 1)));
  const velocity = differences(hand, dt);
  const speeds = velocity.map(([x, y]) => Math.hypot(x, y));
  const third = differences(differences(velocity, dt), dt);
  const straight = distance(hand[0] as Point, targetAt(trial, steps));
  const path = speeds.reduce((sum, speed) => sum + speed * dt, 0);
  const mean = average(errors);
  const late = errors.findLastIndex((error) => error > tolerance);
  const muscles = excitation.slice(1);
  return {
    finalError: errors.at(-1) ?? 0,
    meanError: mean,
    pathRatio: straight > 1e-6 ? path / straight : 0,
    peakSpeed: Math.max(0, ...speeds),
    jerk: Math.sqrt(average(third.map(([x, y]) => x * x + y * y))),
    effort: average(muscles.map((one) => average(one.map((u) => u * u)))),
    settling: late === errors.length - 1 ? steps * dt : (late + 1) * dt,
    spread: Math.sqrt(average(errors.map((error) => (error - mean) ** 2))),
  };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function differences(points: readonly Point[], dt: number): Point[] {
  return points.slice(1).map((to, i) => {
    const from = points[i] as Point;
    return [(to[0] - from[0]) / dt, (to[1] - from[1]) / dt];
  });
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
