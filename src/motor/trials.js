// Trials of a plant in plain numbers: where it starts, where the hand should be, what pushes it; and the two kinds of the
// bilateral paper, drawn from a seed.
import { Tensor } from "onnxruntime-node";

/** Joints drawn evenly from within a plant's limits. */
function posture({ limits: { lower, upper } }, random) {
  const draw = (joint) => lower[joint] + random() * (upper[joint] - lower[joint]);
  return [draw(0), draw(1)];
}
/** Random reach: from one random posture to where the hand is in another, shown from the first step on. */
export function reachTrial(plant, random) {
  const joints = posture(plant, random);
  return { joints, target: plant.place(posture(plant, random)) };
}
/** Hold position: stay where the hand is, under a constant force with each component even in ± `load` N (published: 10). */
export function holdTrial(plant, random, load = 10) {
  const joints = posture(plant, random);
  const push = () => (2 * random() - 1) * load;
  return { joints, target: plant.place(joints), force: [push(), push()] };
}
/** The same trial with its target shown after `steps` steps; until then it is the place of the start. */
export function delayed(plant, trial, steps, length) {
  const start = plant.place(trial.joints);
  const goal = (t) => (isPath(trial.target) ? trial.target[t] : trial.target);
  return { ...trial, target: Array.from({ length }, (_, t) => (t < steps ? start : goal(t))) };
}
function isPath(target) {
  return Array.isArray(target[0]);
}
/**
 * Trials of several seeds, as many for each, as arrays with a column for each trial, seed by seed: `joints` [2, N], `target`
 * [2, N] or [T, 2, N]; `force` [2, N] and `curl` [1, N] only where some trial has one.
 */
export function trialTensors(bySeed) {
  const trials = bySeed.flat();
  const count = trials.length;
  if (bySeed.some((list) => list.length !== bySeed[0]?.length)) {
    throw new RangeError("Every seed has to have as many trials.");
  }
  const rows = (of, ...dims) => {
    const size = dims.reduce((all, dim) => all * dim, 1);
    const data = new Float32Array(size * count);
    for (const [n, trial] of trials.entries()) {
      const values = of(trial);
      for (let i = 0; i < size; i++) data[i * count + n] = values[i];
    }
    return new Tensor("float32", data, [...dims, count]);
  };
  const length = Math.max(0, ...trials.map(({ target }) => (isPath(target) ? target.length : 0)));
  const path = ({ target }) => {
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
