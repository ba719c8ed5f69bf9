// Runs a jax-js function twice, compiled and on jax-js's own wasm backend, for tests that compare the two.

import { type DType, type Array as JaxArray, type JsTree, numpy as np, tree } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { expect } from "vitest";
import { compile, type Tensors } from "../../src/tensor/compile.js";
import { readyJax } from "../../src/tensor/jax.js";

// biome-ignore lint/suspicious/noExplicitAny: tests name their own arguments.
export type AnyFunction = (...args: any[]) => any;

export type Kind = "float32" | "int32" | "uint32" | "bool";

/** A tensor of these numbers (booleans as 0 and 1). */
export function tensor(kind: Kind, data: ArrayLike<number>, dims: readonly number[] = [data.length]): Tensor {
  const numbers = Array.from(data);
  if (kind === "float32") return new Tensor(kind, Float32Array.from(numbers), dims);
  if (kind === "int32") return new Tensor(kind, Int32Array.from(numbers), dims);
  if (kind === "uint32") return new Tensor(kind, Uint32Array.from(numbers), dims);
  return new Tensor("bool", Uint8Array.from(numbers), dims);
}

/** Numbers that look random and are the same each time. */
export function numbers(count: number, seed = 1): number[] {
  let state = (seed * 2654435761) >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const size = (dims: readonly number[]) => dims.reduce((all, dim) => all * dim, 1);

/** Floats in [-2, 2). */
export function floats(dims: readonly number[], seed = 1): Tensor {
  return tensor(
    "float32",
    numbers(size(dims), seed).map((x) => 2 * x),
    dims,
  );
}

/** Integers in [low, high). */
export function integers(dims: readonly number[], low: number, high: number, seed = 1): Tensor {
  const span = high - low;
  const drawn = numbers(size(dims), seed).map((x) => low + Math.floor(((x + 1) / 2) * span));
  return tensor("int32", drawn, dims);
}

/** As jax-js's own array. */
export function toJax(given: Tensor): JaxArray {
  const dtype = given.type as Kind;
  // From no data jax-js makes no array.
  if (given.size === 0) return np.zeros([...given.dims], { dtype: dtype as DType });
  const data = dtype === "bool" ? Int32Array.from(given.data as Uint8Array) : given.data;
  return np.array(data as Float32Array, { dtype: dtype as DType, shape: [...given.dims] });
}

export interface Plain {
  type: string;
  dims: number[];
  data: number[];
}

const plain = (type: string, dims: readonly number[], data: ArrayLike<number | bigint>): Plain => ({
  type,
  dims: [...dims],
  data: Array.from(data, Number),
});

/** What jax-js's wasm backend makes of it, leaf by leaf. */
export async function onWasm(fn: AnyFunction, inputs: readonly Tensors[]): Promise<Plain[]> {
  await readyJax();
  const args = inputs.map((input) => tree.map(toJax as never, input as never));
  const results = tree.flatten(fn(...args) as JsTree<JaxArray>)[0] as JaxArray[];
  const found: Plain[] = [];
  for (const result of results) {
    const { dtype, shape } = result;
    found.push(plain(dtype, shape, await result.data()));
  }
  return found;
}

/** What the compiled function makes of it, leaf by leaf. */
export async function onOnnx(fn: AnyFunction, inputs: readonly Tensors[]): Promise<Plain[]> {
  const compiled = compile(fn);
  try {
    const leaves = tree.flatten((await compiled(...(inputs as Tensors[]))) as never)[0] as Tensor[];
    return leaves.map(({ type, dims, data }) => plain(type, dims, data as Float32Array));
  } finally {
    await compiled.release();
  }
}

/** How far two values may be apart: absolutely, or relative to the larger. */
const within = (a: number, b: number, tolerance: number) =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));

/** Says where two results differ; nothing when they do not. */
export function difference(
  got: readonly Plain[],
  wanted: readonly Plain[],
  tolerance: number,
): string | undefined {
  if (got.length !== wanted.length) return `${got.length} results instead of ${wanted.length}`;
  for (const [i, one] of got.entries()) {
    const other = wanted[i] as Plain;
    const heads = [one, other].map(({ type, dims }) => `${type}[${dims}]`);
    if (heads[0] !== heads[1]) return `result ${i} is ${heads[0]} instead of ${heads[1]}`;
    const at = one.data.findIndex((value, j) => !within(value, other.data[j] as number, tolerance));
    if (at >= 0) return `result ${i} at ${at}: ${one.data[at]} instead of ${other.data[at]}`;
    if (one.data.length !== other.data.length) return `result ${i} has ${one.data.length} elements`;
  }
  return undefined;
}

/** Expects both ways to agree: type, shape and every element. */
export async function expectSame(
  fn: AnyFunction,
  inputs: readonly Tensors[],
  tolerance = 2e-5,
): Promise<void> {
  const wanted = await onWasm(fn, inputs);
  expect(difference(await onOnnx(fn, inputs), wanted, tolerance)).toBeUndefined();
}
