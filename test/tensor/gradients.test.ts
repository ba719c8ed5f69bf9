// Gradients of what networks are made of: compiled, by jax-js's own backend, and by finite differences.

import { grad, type Array as JaxArray, nn, numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { beforeAll, expect, test } from "vitest";
import { compile, type Tensors } from "../../src/tensor/compile.js";
import { readyJax } from "../../src/tensor/jax.js";
import { type AnyFunction, difference, floats, integers, onOnnx, onWasm, tensor } from "./against.js";

beforeAll(() => readyJax());

/** Weighs every element differently, so that no symmetry hides a fault. */
const weigh = (x: JaxArray): JaxArray => {
  const weights = np.sin(np.arange(x.size).astype(np.float32).add(1)).reshape([...x.shape]);
  return np.sum(x.mul(weights));
};

interface Case {
  fn: (...args: JaxArray[]) => JaxArray;
  inputs: Tensor[];
  /** Of how many of the inputs, from the first on, the gradient is taken. */
  of: number;
  /** False where a small step crosses a kink. */
  smooth?: boolean;
}

const rms = (x: JaxArray, gain: JaxArray) => {
  const square = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.mul(np.reciprocal(np.sqrt(square.add(1e-5)))).mul(gain);
};

/** Queries of 4 heads over 2 heads of keys and values, causal. */
const attention = (q: JaxArray, k: JaxArray, v: JaxArray) => {
  const [batch, heads, length, width] = q.shape as [number, number, number, number];
  const shared = k.shape[1] as number;
  const grouped = q.reshape([batch, shared, heads / shared, length, width]);
  const keys = np.expandDims(k, 2).transpose([0, 1, 2, 4, 3]);
  const scores = np.matmul(grouped, keys).mul(1 / Math.sqrt(width));
  const places = np.arange(length);
  const seen = places.ref.reshape([length, 1]).greaterEqual(places.reshape([1, length]));
  const weights = nn.softmax(np.where(seen, scores, -1e9), -1);
  const mixed = np.matmul(weights, np.expandDims(v, 2));
  return mixed.transpose([0, 3, 1, 2, 4]).reshape([batch, length, heads * width]);
};

const cases: Record<string, Case> = {
  "a chain of products": {
    fn: (x, a, b, c) => weigh(np.matmul(np.tanh(np.matmul(np.matmul(x, a), b)), c.transpose())),
    inputs: [floats([2, 3, 4], 1), floats([4, 5], 2), floats([5, 2], 3), floats([3, 2], 4)],
    of: 4,
  },
  "a product with a transposed left side": {
    fn: (x, y) => weigh(np.matmul(x.transpose([0, 2, 1]), y)),
    inputs: [floats([2, 3, 4], 1), floats([2, 3, 5], 2)],
    of: 2,
  },
  softmax: { fn: (x) => weigh(nn.softmax(x, -1)), inputs: [floats([3, 5])], of: 1 },
  "softmax along the first axis": { fn: (x) => weigh(nn.softmax(x, 0)), inputs: [floats([3, 5])], of: 1 },
  "log-softmax": { fn: (x) => weigh(nn.logSoftmax(x, -1)), inputs: [floats([2, 2, 4])], of: 1 },
  "cross entropy": {
    fn: (x, target) => {
      const picked = np
        .arange(5)
        .reshape([1, 5])
        .equal(target.reshape([3, 1]));
      return np.sum(np.where(picked, nn.logSoftmax(x, -1), 0)).mul(-1 / 3);
    },
    inputs: [floats([3, 5]), integers([3], 0, 5)],
    of: 1,
  },
  "RMS norm": { fn: (x, g) => weigh(rms(x, g)), inputs: [floats([2, 3, 4], 5), floats([4], 6)], of: 2 },
  SiLU: { fn: (x) => weigh(nn.silu(x)), inputs: [floats([9])], of: 1 },
  "GELU by tanh": { fn: (x) => weigh(nn.gelu(x)), inputs: [floats([9])], of: 1 },
  "GELU by erfc": { fn: (x) => weigh(nn.gelu(x, { approximate: false })), inputs: [floats([9])], of: 1 },
  "an embedding with repeated tokens": {
    fn: (table, tokens) => weigh(np.take(table, tokens, 0)),
    inputs: [floats([5, 3]), tensor("int32", [1, 4, 1, 1, 0, 4], [2, 3])],
    of: 1,
  },
  "looking up along the last axis": {
    fn: (x, places) => weigh(np.takeAlongAxis(x, places, -1)),
    inputs: [floats([3, 4]), tensor("int32", [0, 0, 3, 1, 2, 2], [3, 2])],
    of: 1,
  },
  "indices of two axes": {
    fn: (x, i, j) => weigh(x.slice(i, [], j)),
    inputs: [floats([3, 2, 4]), tensor("int32", [0, 2, 0, 0]), tensor("int32", [3, 1, 3, 0])],
    of: 1,
  },
  where: {
    fn: (x, y) => weigh(np.where(x.ref.less(0.3), np.square(x.ref), x.mul(y))),
    inputs: [floats([3, 4], 8), floats([4], 9)],
    of: 2,
    smooth: false,
  },
  "the largest with ties": {
    fn: (x) => weigh(np.max(x, 1)),
    inputs: [tensor("float32", [1, 3, 3, 0, 2, 2, 2, 2, 5, 1, 0, 5], [3, 4])],
    of: 1,
    smooth: false,
  },
  sort: { fn: (x) => weigh(np.sort(x.mul(2), -1)), inputs: [floats([2, 6], 3)], of: 1 },
  cumsum: { fn: (x) => weigh(np.cumsum(x, 0)), inputs: [floats([5, 2])], of: 1 },
  "grouped attention": {
    fn: (q, k, v) => weigh(attention(q, k, v)),
    inputs: [floats([2, 4, 3, 2], 1), floats([2, 2, 3, 2], 2), floats([2, 2, 3, 2], 3)],
    of: 3,
  },
  "pieces padded, turned and joined": {
    fn: (x) => {
      const [left, right] = np.split(x, [1], 1) as [JaxArray, JaxArray];
      return weigh(
        np.concatenate(
          [
            np.pad(left, [
              [0, 0],
              [1, 2],
            ]),
            np.flip(right.ref, 0).mul(right),
          ],
          1,
        ),
      );
    },
    inputs: [floats([3, 4])],
    of: 1,
  },
};

/** The slope of a compiled function along one element of one input. */
async function slope(
  value: (...inputs: Tensors[]) => Promise<Tensors>,
  inputs: Tensor[],
  which: number,
  at: number,
) {
  const step = 2e-2;
  const ends: number[] = [];
  for (const sign of [1, -1]) {
    const moved = Float32Array.from(inputs[which]?.data as Float32Array);
    moved[at] = (moved[at] as number) + sign * step;
    const given = inputs.map((one, i) => (i === which ? tensor("float32", moved, one.dims) : one));
    ends.push(((await value(...given)) as Tensor).data[0] as number);
  }
  return ((ends[0] as number) - (ends[1] as number)) / (2 * step);
}

test.each(Object.entries(cases))("%s", async (_name, { fn, inputs, of, smooth = true }) => {
  const gradient: AnyFunction = (...args: JaxArray[]) =>
    grad(fn as AnyFunction, { argnums: Array.from({ length: of }, (_, i) => i) })(...args);
  const got = await onOnnx(gradient, inputs);
  expect(got.map(({ dims }) => dims)).toEqual(inputs.slice(0, of).map(({ dims }) => [...dims]));
  expect(difference(got, await onWasm(gradient, inputs), 2e-5)).toBeUndefined();
  if (!smooth) return;
  const value = compile<Tensors[], Tensors>(fn);
  for (const [which, { data }] of got.entries()) {
    for (const [at, one] of data.entries()) {
      expect(Math.abs((await slope(value, inputs, which, at)) - one)).toBeLessThan(
        4e-3 * Math.max(1, Math.abs(one)),
      );
    }
  }
  await value.release();
});
