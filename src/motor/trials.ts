// Trials of a plant in plain numbers (its start, the hand's target, external forces), and the two kinds of trial of the
// bilateral paper, drawn from a seed.

import { Tensor } from "onnxruntime-node";
import type { MotorTrial } from "../core/motor.js";
import type { Random } from "../core/random.js";
import type { Plant } from "./plant/plant.js";

/** The parts of a trial that a plant needs. */
export type Trial = Pick<MotorTrial, "joints" | "target" | "force" | "curl">;

/** Joints drawn uniformly within a plant's limits. */
function posture({ limits: { lower, upper } }: Plant, random: Random): [number, number] {
  const draw = (joint: 0 | 1) => lower[joint] + random() * (upper[joint] - lower[joint]);
  return [draw(0), draw(1)];
}

/** Random reach: from one random posture to the hand's position in another, shown from the first step on. */
export function reachTrial(plant: Plant, random: Random): Trial {
  const joints = posture(plant, random);
  return { joints, target: plant.place(posture(plant, random)) };
}

/** Hold position: keep the hand in place under a constant force with each component uniform in ± `load` N (published: 10). */
export function holdTrial(plant: Plant, random: Random, load = 10): Trial {
  const joints = posture(plant, random);
  const push = () => (2 * random() - 1) * load;
  return { joints, target: plant.place(joints), force: [push(), push()] };
}

/** The same trial with its target shown after `steps` steps; until then the target is the start. */
export function delayed(plant: Plant, trial: Trial, steps: number, length: number): Trial {
  const start = plant.place(trial.joints);
  const goal = (t: number) => (isPath(trial.target) ? trial.target[t] : trial.target) as [number, number];
  return { ...trial, target: Array.from({ length }, (_, t) => (t < steps ? start : goal(t))) };
}

function isPath(target: Trial["target"]): target is readonly (readonly [number, number])[] {
  return Array.isArray(target[0]);
}

/**
 * Trials of several seeds, the same number for each, as arrays with a column per trial, seed by seed: `joints` [2, N], `target`
 * [2, N] or [T, 2, N]; `force` [2, N] and `curl` [1, N] only if some trial has one.
 */
export function trialTensors(bySeed: readonly (readonly Trial[])[]): Record<string, Tensor> {
  const trials = bySeed.flat();
  const count = trials.length;
  if (bySeed.some((list) => list.length !== bySeed[0]?.length)) {
    throw new RangeError("All seeds need the same number of trials.");
  }
  const rows = (of: (trial: Trial) => readonly number[], ...dims: number[]) => {
    const size = dims.reduce((all, dim) => all * dim, 1);
    const data = new Float32Array(size * count);
    for (const [n, trial] of trials.entries()) {
      const values = of(trial);
      for (let i = 0; i < size; i++) data[i * count + n] = values[i] as number;
    }
    return new Tensor("float32", data, [...dims, count]);
  };
  const length = Math.max(0, ...trials.map(({ target }) => (isPath(target) ? target.length : 0)));
  const path = ({ target }: Trial): number[] => {
    const places = isPath(target) ? target : Array.from({ length: Math.max(1, length) }, () => target);
    return places.flat();
  };
  return {
    joints: rows(({ joints }) => joints, 2),
    target: length > 0 ? rows(path, length, 2) : rows(path, 2),
    ...(trials.some(({ force }) => force) ? { force: rows(({ force = [0, 0] }) => force, 2) } : {}),
    ...(trials.some(({ curl }) => curl) ? { curl: rows(({ curl = 0 }) => [curl], 1) } : {}),
  };
}
