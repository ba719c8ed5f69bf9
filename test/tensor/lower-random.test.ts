// Random programs, compiled and on jax-js's own backend: movements of axes and elements, mixed with the operators that
// must see through them.

import { grad, type Array as JaxArray, numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import type { Tensor } from "onnxruntime-node";
import { beforeAll, expect, test } from "vitest";
import { readyJax } from "../../src/tensor/jax.js";
import { type AnyFunction, difference, floats, integers, onOnnx, onWasm } from "./against.js";

beforeAll(() => readyJax());

/** Takes a number below `n`; the program's choices come from here, in order. */
type Draw = (n: number) => number;
type Step = (value: JaxArray, draw: Draw, pool: JaxArray[]) => JaxArray;

const largest = 400;
const size = (shape: readonly number[]) => shape.reduce((all, dim) => all * dim, 1);

function permutation(rank: number, draw: Draw): number[] {
  const left = Array.from({ length: rank }, (_, i) => i);
  return Array.from({ length: rank }, () => left.splice(draw(left.length), 1)[0] as number);
}

/** Another way to write the same number of elements. */
function refactored(shape: readonly number[], draw: Draw): number[] {
  const dims = [...shape];
  for (let i = 0; i < 3; i++) {
    const at = draw(dims.length + 1);
    const kind = draw(4);
    const dim = dims[at];
    if (kind === 0) dims.splice(at, 0, 1);
    else if (kind === 1 && dim !== undefined && at + 1 < dims.length) {
      dims.splice(at, 2, dim * (dims[at + 1] as number));
    } else if (kind === 2 && dim !== undefined) {
      const factor = [2, 3].find((one) => dim % one === 0 && dim > one);
      if (factor) dims.splice(at, 1, ...(draw(2) === 0 ? [factor, dim / factor] : [dim / factor, factor]));
    } else if (dim === 1) dims.splice(at, 1);
  }
  return dims.length > 6 ? [...shape] : dims;
}

/** A value of the pool that broadcasts against the shape: itself transposed, or cut down to size 1 where it must. */
function partner(shape: readonly number[], draw: Draw, pool: JaxArray[]): JaxArray {
  let other = (pool[draw(pool.length)] as JaxArray).ref;
  if (draw(2) === 0) other = other.transpose(permutation(other.ndim, draw));
  while (other.ndim > shape.length) other = other.slice(0);
  const offset = shape.length - other.ndim;
  const pairs = other.shape.map((dim, i): [number, number] => {
    const wanted = shape[i + offset] as number;
    return dim === wanted || dim === 1 ? [0, dim] : dim > wanted ? [0, wanted] : [0, Math.min(dim, 1)];
  });
  return pairs.length > 0 ? other.slice(...pairs) : other;
}

const axisOf = (value: JaxArray, draw: Draw) => draw(value.ndim);

const movements: Record<string, Step> = {
  transpose: (x, draw) => x.transpose(permutation(x.ndim, draw)),
  reshape: (x, draw) => x.reshape(refactored(x.shape, draw)),
  broadcast: (x, draw) => {
    const stretched = x.shape.map((dim) => (dim === 1 ? 1 + draw(3) : dim));
    return np.broadcastTo(x, draw(2) === 0 ? [1 + draw(3), ...stretched] : stretched);
  },
  newAxis: (x, draw) => np.expandDims(x, draw(x.ndim + 1)),
  slice: (x, draw) =>
    x.slice(
      ...x.shape.map((dim): [number, number] => {
        const start = draw(dim);
        return [start, start + 1 + draw(dim - start)];
      }),
    ),
  pad: (x, draw) => np.pad(x, x.shape.map((): [number, number] => [draw(2), draw(3)]) as never),
  flip: (x, draw) => np.flip(x, axisOf(x, draw)),
  concatenate: (x, draw) => {
    const axis = axisOf(x, draw);
    const turned = draw(2) === 0 ? np.flip(x.ref, axis) : x.ref;
    return np.concatenate([x, turned], axis);
  },
  split: (x, draw) => {
    const axis = axisOf(x, draw);
    const length = x.shape[axis] as number;
    if (length === 1) return x;
    const pieces = np.split(x, [1 + draw(length - 1)], axis);
    const chosen = pieces.splice(draw(2), 1)[0] as JaxArray;
    for (const piece of pieces) piece.dispose();
    return chosen;
  },
  take: (x, draw) => {
    const axis = axisOf(x, draw);
    const dims = [[], [3], [1], [2, 2]][draw(4)] as number[];
    const drawn = Array.from({ length: size(dims) }, () => draw(x.shape[axis] as number));
    return np.take(x, np.array(drawn, { dtype: np.int32 }).reshape(dims), axis);
  },
  diagonal: (x) => (x.ndim < 2 ? x : x.diagonal()),
  repeat: (x, draw) => np.tile(x, 1 + draw(2)),
};

const sums: Record<string, Step> = {
  max: (x, draw) => np.max(x, axisOf(x, draw)),
  minAll: (x, draw) => np.min(x, axisOf(x, draw), { keepdims: true }),
  maximum: (x, draw, pool) => np.maximum(partner(x.shape, draw, pool), x),
  where: (x, draw, pool) => {
    const other = partner(x.shape, draw, pool);
    const mask = np.arange(x.shape.at(-1) as number).less(1 + draw(3));
    return np.where(mask, x, other);
  },
};

const floating: Record<string, Step> = {
  ...movements,
  ...sums,
  half: (x) => x.mul(0.5),
  sine: (x) => np.sin(x),
  exponential: (x) => np.exp(x.sub(2)),
  add: (x, draw, pool) => partner(x.shape, draw, pool).add(x).mul(0.5),
  multiply: (x, draw, pool) => x.mul(partner(x.shape, draw, pool)).mul(0.5),
  square: (x) => np.square(x).mul(0.5),
  mean: (x, draw) => np.mean(x, axisOf(x, draw)),
  meanKept: (x, draw) => np.mean(x, axisOf(x, draw), { keepdims: true }),
  meanOfTwo: (x, draw) => (x.ndim < 2 ? x : np.mean(x, permutation(x.ndim, draw).slice(0, 2))),
  // (jax-js itself cannot sort a mere piece of an array.)
  sort: (x, draw) => np.sort(x.add(1), axisOf(x, draw)),
  cumsum: (x, draw) => np.cumsum(x, axisOf(x, draw)).mul(0.2),
  gram: (x, draw) => {
    if (x.ndim < 2) return x;
    const turned = np.swapaxes(x.ref, -1, -2);
    return (draw(2) === 0 ? np.matmul(x, turned) : np.matmul(turned, x)).mul(0.1);
  },
  tensordot: (x, draw, pool) => {
    const other = partner(x.shape, draw, pool);
    const common = other.shape.findIndex((dim, i) => dim === x.shape[i + x.ndim - other.ndim] && dim > 1);
    if (common < 0) return x.add(other).mul(0.5);
    const product = np.tensordot(x.ref, other, [[common + x.ndim - other.ndim], [common]] as never);
    if (product.size > largest || product.ndim > 5) {
      product.dispose();
      return x;
    }
    x.dispose();
    return product.mul(0.1);
  },
  vecdot: (x, draw, pool) => np.sum(x.mul(partner(x.shape, draw, pool)), -1).mul(0.1),
};

const whole: Record<string, Step> = {
  ...movements,
  ...sums,
  add: (x, draw, pool) => x.add(partner(x.shape, draw, pool)),
  triple: (x) => x.mul(3).add(1),
  sum: (x, draw) => np.sum(x, axisOf(x, draw)),
  negate: (x) => x.neg(),
  argsort: (x, draw) => np.argsort(x.add(1), axisOf(x, draw)),
  lookUp: (x) => np.take(np.arange(10, 0, -1), np.clip(x, 0, 9)),
};

interface Program {
  shapes: number[][];
  choices: number[];
  steps: number[];
  integer: boolean;
}

/** Runs a program over arrays and gives its last values. */
function run({ steps, choices, integer }: Program, inputs: readonly JaxArray[]): JaxArray[] {
  const table = integer ? whole : floating;
  const names = Object.keys(table);
  const pool = [...inputs];
  let next = 0;
  const draw: Draw = (n) => ((choices[next++ % choices.length] as number) * 7 + next) % Math.max(1, n);
  for (const step of steps) {
    const from = pool[draw(pool.length)] as JaxArray;
    const value = from.ndim === 0 ? np.expandDims(from.ref, 0) : from.ref;
    const made = (table[names[step % names.length] as string] as Step)(value, draw, pool);
    if (made.ndim > 5 || made.size > largest) made.dispose();
    else pool.push(made);
  }
  for (const unused of pool.splice(0, Math.max(0, pool.length - 3))) unused.dispose();
  return pool;
}

const program = (integer: boolean) =>
  fc.record({
    shapes: fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 4 }), {
      minLength: 2,
      maxLength: 2,
    }),
    choices: fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 }),
    steps: fc.array(fc.nat(1000), { minLength: 1, maxLength: 9 }),
    integer: fc.constant(integer),
  });

const inputsOf = ({ shapes, integer }: Program): Tensor[] =>
  shapes.map((shape, i) => (integer ? integers(shape, -5, 9, i + 1) : floats(shape, i + 1)));

async function agrees(one: Program): Promise<void> {
  const fn = (...args: JaxArray[]) => run(one, args);
  const inputs = inputsOf(one);
  expect(difference(await onOnnx(fn, inputs), await onWasm(fn, inputs), 1e-4)).toBeUndefined();
}

async function gradientAgrees(one: Program): Promise<void> {
  const weighed = (...args: JaxArray[]) => {
    const weights = (x: JaxArray) => np.cos(np.arange(x.size).astype(np.float32)).reshape([...x.shape]);
    return run(one, args)
      .map((x) => np.sum(weights(x).mul(x)))
      .reduce((sum, x) => sum.add(x));
  };
  const fn = (...args: JaxArray[]) => grad(weighed as AnyFunction, { argnums: [0, 1] })(...args);
  const inputs = inputsOf(one);
  expect(difference(await onOnnx(fn, inputs), await onWasm(fn, inputs), 1e-4)).toBeUndefined();
}

const seed = Number(process.env.HONE_SEED ?? 20261123);
const numRuns = Number(process.env.HONE_RUNS ?? 250);

test("random programs of floats", () =>
  fc.assert(fc.asyncProperty(program(false), agrees), { numRuns, seed }));
test("random programs of integers", () =>
  fc.assert(fc.asyncProperty(program(true), agrees), { numRuns, seed }));
test("gradients of random programs", () =>
  fc.assert(fc.asyncProperty(program(false), gradientAgrees), { numRuns: Math.ceil(numRuns / 2), seed }));
