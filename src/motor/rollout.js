// Controllers put through trials for evaluation: one compiled step, called as often as a trial is long, so that length, noise,
// delays and lesions are free to choose.
import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../core/random.js";
import { compile } from "../tensor/compile.js";
import { bindController } from "./controller.js";
import { observe } from "./episode.js";
import { gainsOf } from "./lesion.js";
import { trialTensors } from "./trials.js";
/** Readies rollouts of controllers of one shape. What depends on their number is compiled at its first use. */
export function makeRollout({ plant, shape, threads }) {
  const runtime = threads === undefined ? {} : { threads };
  const shown = (state) => ({ hand: plant.hand(state), force: plant.forces(state), state });
  const begin = compile((joints) => shown(plant.start(joints)), { ...runtime, name: "the start of trials" });
  const onward = compile(
    (params, gains, { state, felt, seen, target, load, noise, memory }) => {
      const add = (x, key) => (noise[key] ? x.add(noise[key]) : x);
      const sensed = observe(add(felt, "proprioception"), add(seen, "vision"), target);
      const past = memory.length > 0 ? memory : undefined;
      const { excitation, hidden } = bindController(shape, params, gains)(sensed, past);
      const next = plant.step(state, add(excitation.ref, "excitation"), load);
      return { ...shown(next), excitation, memory: shape.cell === "gru" ? hidden : [] };
    },
    { ...runtime, name: "a step of trials" },
  );
  /** Every controller of `params` ([S, ...]) goes through every trial. */
  const run = async (params, trials, options) => {
    const { steps, delays = { proprioception: 0, vision: 0 }, signal } = options;
    const controllers = params["output.bias"].dims[0];
    const gains = gainsOf(shape, controllers, options.lesions, options.callosum);
    const given = trialTensors(Array.from({ length: controllers }, () => trials));
    const { joints, target, ...load } = given;
    const history = emptyHistory(controllers, trials.length, steps, plant.muscles.length);
    const noises = noiseOf(options, plant.muscles.length, trials.length, controllers);
    const felt = [];
    const seen = [];
    let now = await begin(joints);
    let memory = [];
    note(history, 0, now);
    for (let t = 0; t < steps; t++) {
      signal?.throwIfAborted();
      felt.push(now.state.fibres);
      seen.push(now.hand);
      const next = await onward(params, gains, {
        state: now.state,
        felt: felt[Math.max(0, t - delays.proprioception)],
        seen: seen[Math.max(0, t - delays.vision)],
        target: targetAt(target, t),
        load,
        noise: noises(),
        memory,
      });
      note(history, t + 1, next);
      lay(history.excitation, next.excitation, t, steps);
      memory = next.memory;
      now = next;
    }
    return history;
  };
  const release = async () => {
    await begin.release();
    await onward.release();
  };
  return { run, release };
}
function emptyHistory(controllers, trials, steps, muscles) {
  const rows = (count, width) => new Float32Array(controllers * trials * count * width);
  return {
    controllers,
    trials,
    steps,
    muscles,
    hand: rows(steps + 1, 2),
    joints: rows(steps + 1, 2),
    velocities: rows(steps + 1, 2),
    activation: rows(steps + 1, muscles),
    force: rows(steps + 1, muscles),
    excitation: rows(steps, muscles),
  };
}
/** Writes a step's columns [width, N] as row `at` of each trial's `rows`. */
function lay(into, { data, dims }, at, rows) {
  const [width, count] = dims;
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < width; i++) into[(n * rows + at) * width + i] = data[i * count + n];
  }
}
function note(history, at, shown) {
  const rows = history.steps + 1;
  lay(history.hand, shown.hand, at, rows);
  lay(history.force, shown.force, at, rows);
  for (const key of ["joints", "velocities", "activation"]) {
    lay(history[key], shown.state[key], at, rows);
  }
}
/** The target of a step: [2, N] itself, or that entry of [T, 2, N]; the last one holds on. */
function targetAt(target, t) {
  if (target.dims.length === 2) return target;
  const [length, two, count] = target.dims;
  const from = Math.min(t, length - 1) * two * count;
  return new Tensor("float32", target.data.slice(from, from + two * count), [two, count]);
}
/** Noise of step after step, [rows, N] for each sense that has some. */
function noiseOf({ noise = {}, seeds = [] }, muscles, trials, controllers) {
  const rows = { excitation: muscles, proprioception: 2 * muscles, vision: 2 };
  const noisy = Object.keys(rows).filter((key) => (noise[key] ?? 0) > 0);
  const streams = noisy.map((key) =>
    Array.from({ length: trials }, (_, b) => randomFor(seeds[b] ?? b, "noise", key)),
  );
  return () =>
    Object.fromEntries(
      noisy.map((key, k) => {
        const height = rows[key];
        const data = new Float32Array(height * controllers * trials);
        for (let b = 0; b < trials; b++) {
          for (let i = 0; i < height; i++) {
            const drawn = normal(streams[k]?.[b]) * noise[key];
            for (let s = 0; s < controllers; s++) data[(i * controllers + s) * trials + b] = drawn;
          }
        }
        return [key, new Tensor("float32", data, [height, controllers * trials])];
      }),
    );
}
