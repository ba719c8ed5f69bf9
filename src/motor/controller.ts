// Controllers of a plant: small networks from observations to excitations, with one hemisphere or two (Rinaldo et al. 2024,
// "Left/Right Brain, human motor control"). Many controllers of one shape, S seeds, run side by side. callosum.ts computes
// what passes between hemispheres; training.ts trains.

import { type Array as JaxArray, lax, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import { randomFor } from "../core/random.js";
import type { Arrays, Parameters } from "../tensor/optimizer.js";
import { exchange } from "./callosum.js";

export interface ControllerShape {
  readonly hemispheres: 1 | 2;
  /** Hidden layers of each hemisphere, and units of each such layer. */
  readonly layers: number;
  readonly units: number;
  /**
   * What hemispheres exchange before every hidden layer but the first: nothing, their pooled states without weights
   * (as published), or a learned map of their states.
   */
  readonly callosum: "none" | "pooled" | "learned";
  /** Dense layers (as published), or gated recurrent units (Cho et al. 2014, reset after the product). */
  readonly cell: "dense" | "gru";
  /** Rows of an observation; `muscles` is the number of muscles. */
  readonly inputs: number;
  readonly muscles: number;
}

/** Factors on signals within each controller; a lesion is a factor of 0. Defaults to 1. */
export interface Gains {
  [key: string]: JaxArray | undefined;
  /** On the input and on the last hidden state of each hemisphere: [S, hemispheres], left first. */
  input?: JaxArray | undefined;
  output?: JaxArray | undefined;
  /** On the callosum's message: [S]. */
  callosum?: JaxArray | undefined;
}

/** Whether both hemispheres share a parameter. Other parameters have an axis of hemispheres, one half for each side. */
export function isShared(name: string): boolean {
  return name === "mix" || name.startsWith("output.");
}

/** Number of leading axes that index variables rather than a variable's elements: the seed, and the hemisphere if present. */
export function variableAxes(name: string): 1 | 2 {
  return name.startsWith("output.") ? 1 : 2;
}

/** Shapes of a controller's parameters without the axis of seeds, by name. */
export function controllerShapes(shape: ControllerShape): Map<string, readonly number[]> {
  const { hemispheres, layers, units, callosum, cell, inputs, muscles } = shape;
  checkShape(shape);
  const gates = cell === "gru" ? 3 : 1;
  const made = new Map<string, readonly number[]>();
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

function checkShape({ hemispheres, callosum, layers, units }: ControllerShape): void {
  const wrong =
    hemispheres === 1 && callosum !== "none"
      ? `a callosum (${callosum}) needs two hemispheres`
      : layers < 1 || units < 1
        ? `${layers} layers of ${units} units are not a network`
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
 * New controllers, one per seed, side by side: `NAME` [S, ...]. Keras's defaults: kernels uniform within
 * ±√(6 / (fan in + fan out)), biases 0, both hemispheres weighted 0.5; a learned callosum starts at zero. A seed's values
 * do not depend on the other seeds.
 */
export function initController(shape: ControllerShape, seeds: readonly number[]): Parameters {
  const made: Parameters = {};
  for (const [name, dims] of controllerShapes(shape)) {
    const size = dims.reduce((all, dim) => all * dim, 1);
    const data = new Float32Array(seeds.length * size);
    if (name === "mix") data.fill(0.5);
    const drawn = name.endsWith(".recurrent") || (name.endsWith(".kernel") && !name.startsWith("callosum"));
    if (drawn) {
      const gates = name.startsWith("hidden") && shape.cell === "gru" ? 3 : 1;
      const [rows, columns] = dims.slice(-2) as [number, number];
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

export interface Controlled {
  /** Excitations in (0, 1): [muscles, S·B]. */
  excitation: JaxArray;
  /** States of the hidden layers, each [S, hemispheres, units, B]; for recurrent cells also the memory for the next step. */
  hidden: JaxArray[];
}

/**
 * Prepares the controllers' parameters for many steps: the returned function maps observations [inputs, S·B], seed by seed,
 * and the previous hidden states (none at first) to excitations. Borrows parameters and gains.
 */
export function bindController(shape: ControllerShape, params: Arrays, gains: Gains = {}) {
  const { hemispheres: sides, layers, units, cell, inputs, muscles } = shape;
  const of = (name: string) => (params[name] as JaxArray).ref;
  const seeds = (params["output.bias"] as JaxArray).shape[0] as number;
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

  return (observation: JaxArray, memory?: readonly JaxArray[]): Controlled => {
    const trials = (observation.shape[1] as number) / seeds;
    let x = observation.reshape([inputs, seeds, trials]).transpose([1, 0, 2]);
    const hidden: JaxArray[] = [];
    for (let k = 0; k < layers; k++) {
      if (k > 0) x = exchange(shape.callosum, x, crossing[k], callosumGain);
      const product = np.matmul((kernels[k] as JaxArray).ref, x).reshape([seeds, sides, rows, trials]);
      const z = product.add((biases[k] as JaxArray).ref);
      x = cell === "dense" ? tanh(z) : gru(z, (recurrent[k] as JaxArray).ref, memory?.[k]);
      hidden.push(x.ref);
    }
    const drive = np.matmul(output.ref, x.reshape([seeds, sides * units, trials])).add(outputBias.ref);
    return { excitation: sigmoid(drive).transpose([1, 0, 2]).reshape([muscles, -1]), hidden };
  };
}

/** Gated recurrent units from W x + b [S, H, 3u, B] (update, reset, candidate), U [S, H, 3u, u] and the previous state. */
function gru(z: JaxArray, kernel: JaxArray, before: JaxArray | undefined): JaxArray {
  const [update, reset, candidate] = np.split(z, 3, 2) as [JaxArray, JaxArray, JaxArray];
  if (!before) {
    // For a zero state the products are zero.
    reset.dispose();
    kernel.dispose();
    return tanh(candidate).mul(sigmoid(update.neg()));
  }
  const [toUpdate, toReset, toCandidate] = np.split(np.matmul(kernel, before.ref), 3, 2) as [
    JaxArray,
    JaxArray,
    JaxArray,
  ];
  const keep = sigmoid(update.add(toUpdate));
  const fresh = tanh(candidate.add(sigmoid(reset.add(toReset)).mul(toCandidate)));
  return fresh.ref.add(keep.mul(before.add(fresh.neg())));
}

/**
 * σ(x) with a hand-written gradient as in decoder.ts: y = x·slope + rest with both held fixed. The derived gradient yields ∞·0
 * where the exponential overflows.
 */
function sigmoid(x: JaxArray): JaxArray {
  const held = lax.stopGradient(x.ref);
  const y = np.reciprocal(np.exp(held.ref.neg()).add(1));
  const slope = y.ref.mul(y.ref.neg().add(1));
  const rest = y.add(held.mul(slope.ref).neg());
  return x.mul(slope).add(rest);
}

/** tanh(x) in the same way. */
function tanh(x: JaxArray): JaxArray {
  const held = lax.stopGradient(x.ref);
  const y = np
    .reciprocal(np.exp(held.ref.mul(-2)).add(1))
    .mul(2)
    .add(-1);
  const slope = np.square(y.ref).neg().add(1);
  const rest = y.add(held.mul(slope.ref).neg());
  return x.mul(slope).add(rest);
}
