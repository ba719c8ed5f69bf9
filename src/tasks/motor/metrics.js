// What a movement was like, in numbers: error, path, speed, smoothness, effort, settling. One movement at a time; how they
// are compared is not known here. The published code has no such metrics: these are the field's usual ones.
import { quantity } from "../../core/metric.js";
/** Within this of its target, in m, a hand is there. */
export const tolerance = 0.04;
/** How these are written and which way is better. */
export const movementMetrics = [
  quantity("finalError", "m"),
  quantity("meanError", "m"),
  quantity("pathRatio"),
  quantity("peakSpeed", "m/s"),
  quantity("jerk", "m/s³"),
  quantity("effort"),
  quantity("settling", "s"),
  quantity("spread", "m"),
];
/** Where the hand should be at a step, counted from 1. */
export function targetAt({ target }, step) {
  if (!isPath(target)) return target;
  return target[Math.min(step, target.length) - 1];
}
function isPath(target) {
  return Array.isArray(target[0]);
}
export function metricsOf(trial, movement) {
  const { hand, dt, excitation } = movement;
  const steps = hand.length - 1;
  const errors = hand.slice(1).map((place, t) => distance(place, targetAt(trial, t + 1)));
  const velocity = differences(hand, dt);
  const speeds = velocity.map(([x, y]) => Math.hypot(x, y));
  const third = differences(differences(velocity, dt), dt);
  const straight = distance(hand[0], targetAt(trial, steps));
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
function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
function differences(points, dt) {
  return points.slice(1).map((to, i) => {
    const from = points[i];
    return [(to[0] - from[0]) / dt, (to[1] - from[1]) / dt];
  });
}
function average(values) {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
