// Controllers of a plant: small networks from what is sensed to excitations, of one hemisphere or of two (Rinaldo et al.
// 2024, "Left/Right Brain, human motor control"). Many controllers of one shape, S seeds, run side by side. What passes between
// hemispheres is callosum.ts's; training is training.ts's.
import { lax, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import { randomFor } from "../core/random.js";
import { exchange } from "./callosum.js";
/** Which hemisphere's loss a parameter answers to. Of those with an axis of hemispheres each side has its own half. */
export function isShared(name) {
  return name === "mix" || name.startsWith("output.");
}
/** Leading axes that count variables rather than numbers of a variable: the seed, and the hemisphere where there is one. */
export function variableAxes(name) {
  return name.startsWith("output.") ? 1 : 2;
}
/** Shapes of a controller's parameters without the axis of seeds, by name. */
export function controllerShapes(shape) {
  const { hemispheres, layers, units, callosum, cell, inputs, muscles } = shape;
  checkShape(shape);
  const gates = cell === "gru" ? 3 : 1;
  const made = new Map();
  for (let k = 0; k < layers; k++) {
    made.set(`hidden${k}.kernel`, [hemispheres, gates * units, k === 0 ? inputs : units]);
    if (cell === "gru") made.set(`hidden${k}.recurrent`, [hemispheres, gates * units, units]);
    made.set(`hidden${k}.bias`, [hemispheres, gates * units]);
    if (k > 0 && callosum === "learned") made.set(`callosum${k}.kernel`, [hemispheres, units, units]);
  }
  if (hemispheres === 2) made.set("mix", [hemispheres]);
  made.set("output.kernel", [muscles, units]);
  made.set("output.bias", [muscles]);
  return made;
}
function checkShape({ hemispheres, callosum, layers, units }) {
  const wrong =
    hemispheres === 1 && callosum !== "none"
      ? `a callosum (${callosum}) needs two hemispheres`
      : layers < 1 || units < 1
        ? `${layers} layers of ${units} units are no network`
        : undefined;
  if (wrong === undefined) return;
  throw new HoneError({
    what: "A controller of this shape cannot be made",
    why: wrong,
    next: "Change hemispheres, callosum, layers or units.",
    kind: "usage",
  });
}
/**
 * New controllers, one for each seed, side by side: `NAME` [S, ...]. Keras's defaults: kernels uniform within
 * ±√(6 / (fan in + fan out)), biases 0, both hemispheres weighed 0.5; a learned callosum begins silent. A seed's numbers
 * do not depend on the other seeds.
 */
export function initController(shape, seeds) {
  const made = {};
  for (const [name, dims] of controllerShapes(shape)) {
    const size = dims.reduce((all, dim) => all * dim, 1);
    const data = new Float32Array(seeds.length * size);
    if (name === "mix") data.fill(0.5);
    const drawn = name.endsWith(".recurrent") || (name.endsWith(".kernel") && !name.startsWith("callosum"));
    if (drawn) {
      const gates = name.startsWith("hidden") && shape.cell === "gru" ? 3 : 1;
      const [rows, columns] = dims.slice(-2);
      const bound = Math.sqrt(6 / (rows / gates + columns));
      for (const [s, seed] of seeds.entries()) {
        const random = randomFor(seed, "controller", name);
        for (let i = 0; i < size; i++) data[s * size + i] = (2 * random() - 1) * bound;
      }
    }
    made[name] = new Tensor("float32", data, [seeds.length, ...dims]);
  }
  return made;
}
/**
 * The controllers with their parameters laid ready, for many steps of `trials` trials each: from observations
 * [inputs, S·B], seed by seed, and the hidden states before (none at first) to excitations. Leaves parameters and gains
 * usable.
 */
export function bindController(shape, params, gains = {}) {
  const { hemispheres: sides, layers, units, cell, inputs, muscles } = shape;
  const of = (name) => params[name].ref;
  const seeds = params["output.bias"].shape[0];
  const rows = (cell === "gru" ? 3 : 1) * units;
  const inputGain = gains.input?.ref.reshape([seeds, sides, 1, 1]);
  const outputGain = gains.output?.ref;
  const callosumGain = gains.callosum?.ref.reshape([seeds, 1, 1, 1]);
  // Both hemispheres read the same input in one product; later layers are a batch of seeds times hemispheres.
  const kernels = Array.from({ length: layers }, (_, k) => {
    if (k > 0) return of(`hidden${k}.kernel`);
    const first = inputGain ? of("hidden0.kernel").mul(inputGain) : of("hidden0.kernel");
    return first.reshape([seeds, sides * rows, inputs]);
  });
  const biases = Array.from({ length: layers }, (_, k) =>
    of(`hidden${k}.bias`).reshape([seeds, sides, rows, 1]),
  );
  const recurrent = Array.from({ length: layers }, (_, k) =>
    cell === "gru" ? of(`hidden${k}.recurrent`) : undefined,
  );
  const crossing = Array.from({ length: layers }, (_, k) =>
    k > 0 && shape.callosum === "learned" ? of(`callosum${k}.kernel`) : undefined,
  );
  const weighed = of("output.kernel").reshape([seeds, muscles, 1, units]);
  let mix = sides === 2 ? of("mix") : undefined;
  if (outputGain) mix = mix ? mix.mul(outputGain) : outputGain;
  const output = (mix ? weighed.mul(mix.reshape([seeds, 1, sides, 1])) : weighed).reshape([
    seeds,
    muscles,
    sides * units,
  ]);
  const outputBias = of("output.bias").reshape([seeds, muscles, 1]);
  return (observation, memory) => {
    const trials = observation.shape[1] / seeds;
    let x = observation.reshape([inputs, seeds, trials]).transpose([1, 0, 2]);
    const hidden = [];
    for (let k = 0; k < layers; k++) {
      if (k > 0) x = exchange(shape.callosum, x, crossing[k], callosumGain);
      const product = np.matmul(kernels[k].ref, x).reshape([seeds, sides, rows, trials]);
      const z = product.add(biases[k].ref);
      x = cell === "dense" ? tanh(z) : gru(z, recurrent[k].ref, memory?.[k]);
      hidden.push(x.ref);
    }
    const drive = np.matmul(output.ref, x.reshape([seeds, sides * units, trials])).add(outputBias.ref);
    return { excitation: sigmoid(drive).transpose([1, 0, 2]).reshape([muscles, -1]), hidden };
  };
}
/** Gated recurrent units from W x + b [S, H, 3u, B] (update, reset, candidate), U [S, H, 3u, u] and the state before. */
function gru(z, kernel, before) {
  const [update, reset, candidate] = np.split(z, 3, 2);
  if (!before) {
    // From a state of zeros the products are zero.
    reset.dispose();
    kernel.dispose();
    return tanh(candidate).mul(sigmoid(update.neg()));
  }
  const [toUpdate, toReset, toCandidate] = np.split(np.matmul(kernel, before.ref), 3, 2);
  const keep = sigmoid(update.add(toUpdate));
  const fresh = tanh(candidate.add(sigmoid(reset.add(toReset)).mul(toCandidate)));
  return fresh.ref.add(keep.mul(before.add(fresh.neg())));
}
/**
 * σ(x), its way back given by hand as in decoder.ts: y = x·slope + rest with both held fixed. The derived way meets ∞·0 where
 * the exponential overflows.
 */
function sigmoid(x) {
  const held = lax.stopGradient(x.ref);
  const y = np.reciprocal(np.exp(held.ref.neg()).add(1));
  const slope = y.ref.mul(y.ref.neg().add(1));
  const rest = y.add(held.mul(slope.ref).neg());
  return x.mul(slope).add(rest);
}
/** tanh(x) in the same way. */
function tanh(x) {
  const held = lax.stopGradient(x.ref);
  const y = np
    .reciprocal(np.exp(held.ref.mul(-2)).add(1))
    .mul(2)
    .add(-1);
  const slope = np.square(y.ref).neg().add(1);
  const rest = y.add(held.mul(slope.ref).neg());
  return x.mul(slope).add(rest);
}
