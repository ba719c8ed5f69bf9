// The controllers: the weightless callosum and the losses by hand, lesions, who learns from which loss, and seeds side by
// side against each seed alone.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { exchange } from "../../src/motor/callosum.js";
import { bindController, type ControllerShape, initController } from "../../src/motor/controller.js";
import { readyJax } from "../../src/tensor/jax.js";
import type { Arrays } from "../../src/tensor/optimizer.js";
import { toJax } from "../tensor/against.js";

beforeAll(() => readyJax());

const shape: ControllerShape = {
  hemispheres: 2,
  layers: 2,
  units: 5,
  callosum: "pooled",
  cell: "dense",
  inputs: 16,
  muscles: 6,
};
const tensor = (data: readonly number[], dims: readonly number[]) =>
  new Tensor("float32", Float32Array.from(data), dims);
const random = (count: number, seed: number) => {
  const draw = randomFor(seed, "test");
  return Array.from({ length: count }, () => 2 * draw() - 1);
};
const numbers = (x: JaxArray) => Array.from(x.dataSync() as Float32Array);
const arrays = (params: Record<string, Tensor>): Arrays =>
  Object.fromEntries(Object.entries(params).map(([key, value]) => [key, toJax(value)]));

/** Excitations of controllers for some observations, in jax-js. */
function excite(
  of: ControllerShape,
  seeds: readonly number[],
  observations: number[],
  gains: Record<string, Tensor> = {},
  params = initController(of, seeds),
): number[] {
  const control = bindController(of, arrays(params), arrays(gains));
  const trials = observations.length / of.inputs;
  return numbers(control(toJax(tensor(observations, [of.inputs, trials]))).excitation);
}

describe("the callosum", () => {
  it("adds the other side's pairs, the greater of each, behind zeros", () => {
    const left = [1, 5, -2, -3, 9];
    const right = [0.5, 0.25, 4, 8, -7];
    const states = toJax(tensor([...left, ...right], [1, 2, 5, 1]));
    const got = numbers(exchange("pooled", states, undefined, undefined));
    expect(got).toEqual([1, 5, -2, -3 + 0.5, 9 + 8, 0.5, 0.25, 4, 8 + 5, -7 + -2]);
  });

  it("carries what a learned map makes of the other side", () => {
    const states = toJax(tensor([1, 2, 10, 20], [1, 2, 2, 1]));
    const kernel = toJax(tensor([1, 0, 0, 1, 0, 3, 1, 1], [1, 2, 2, 2]));
    // Into the left goes the right as it is; into the right [3 · 2, 1 + 2].
    expect(numbers(exchange("learned", states, kernel, undefined))).toEqual([11, 22, 16, 23]);
  });

  it("is scaled seed by seed", () => {
    const states = toJax(tensor([1, 2, 3, 4, 1, 2, 3, 4], [2, 2, 2, 1]));
    const gain = toJax(tensor([0, 1], [2, 1, 1, 1]));
    expect(numbers(exchange("pooled", states, undefined, gain))).toEqual([1, 2, 3, 4, 1, 2 + 4, 3, 4 + 2]);
  });
});

/** The published equations in plain loops: one controller, one observation. */
function byHand(params: Record<string, Tensor>, seed: number, input: readonly number[]): number[] {
  const { units, inputs, muscles } = shape;
  const get = (name: string) => params[name]?.data as Float32Array;
  const layer = (k: number, side: number, x: readonly number[]) => {
    const columns = x.length;
    const kernel = get(`hidden${k}.kernel`);
    const bias = get(`hidden${k}.bias`);
    return Array.from({ length: units }, (_, u) => {
      const row = (seed * 2 + side) * units + u;
      const sum = x.reduce((all, value, i) => all + value * (kernel[row * columns + i] as number), 0);
      return Math.tanh(sum + (bias[row] as number));
    });
  };
  expect(input).toHaveLength(inputs);
  const [left, right] = [0, 1].map((side) => layer(0, side, input)) as [number[], number[]];
  const told = (own: number[], from: number[]) =>
    own.map((value, i) => {
      if (i < 3) return value;
      const [a, b] = i === 3 ? [from[0], from[1]] : [from[2], from[3]];
      return value + Math.max(a as number, b as number);
    });
  const top = [layer(1, 0, told(left, right)), layer(1, 1, told(right, left))] as [number[], number[]];
  const [w1, w2] = [get("mix")[seed * 2] as number, get("mix")[seed * 2 + 1] as number];
  return Array.from({ length: muscles }, (_, m) => {
    let sum = get("output.bias")[seed * muscles + m] as number;
    for (let u = 0; u < units; u++) {
      const x = w1 * (top[0][u] as number) + w2 * (top[1][u] as number);
      sum += x * (get("output.kernel")[(seed * muscles + m) * units + u] as number);
    }
    return 1 / (1 + Math.exp(-sum));
  });
}

describe("a controller", () => {
  it("computes the published network, each seed its own", () => {
    const params = initController(shape, [3, 8]);
    for (const name of ["hidden0.bias", "hidden1.bias", "mix", "output.bias"]) {
      const { data } = params[name] as Tensor;
      (data as Float32Array).set(random(data.length, 5));
    }
    const observations = random(16 * 2, 1);
    const got = excite(shape, [3, 8], observations, {}, params);
    for (const seed of [0, 1]) {
      const input = Array.from({ length: 16 }, (_, i) => observations[i * 2 + seed] as number);
      for (const [m, value] of byHand(params, seed, input).entries()) {
        expect(got[m * 2 + seed]).toBeCloseTo(value, 5);
      }
    }
  });

  it("begins the same whatever seeds stand beside it", () => {
    const alone = initController(shape, [7]);
    const beside = initController(shape, [2, 7]);
    for (const [name, { data }] of Object.entries(alone)) {
      expect(Array.from(beside[name]?.data.slice(data.length) as Float32Array), name).toEqual(
        Array.from(data as Float32Array),
      );
    }
    const kernel = alone["hidden0.kernel"]?.data as Float32Array;
    const bound = Math.sqrt(6 / (5 + 16));
    expect(Math.max(...kernel.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
    expect(Math.max(...kernel.map(Math.abs))).toBeGreaterThan(0.9 * bound);
  });

  it("is lesioned as in the published code", () => {
    const params = initController(shape, [1]);
    ((params["hidden0.bias"] as Tensor).data as Float32Array).set(random(10, 6));
    const observations = random(16, 2);
    const base = excite(shape, [1], observations, {}, params);
    const cut = (gains: Record<string, Tensor>) => excite(shape, [1], observations, gains, params);
    const one = (...values: number[]) => tensor(values, [1, values.length]);
    // Without input a hemisphere is what its biases make of zeros.
    const still = {
      ...params,
      "hidden0.kernel": tensor(
        Array.from((params["hidden0.kernel"] as Tensor).data as Float32Array, (x, i) => (i < 80 ? 0 : x)),
        [1, 2, 5, 16],
      ),
    };
    expect(cut({ input: one(0, 1) })).toEqual(excite(shape, [1], observations, {}, still));
    // Without output it has no weight in the sum.
    expect(cut({ output: one(1, 0) })).toEqual(
      excite(shape, [1], observations, {}, { ...params, mix: one(0.5, 0) }),
    );
    // Without a callosum it is the shape that has none.
    expect(cut({ callosum: tensor([0], [1]) })).toEqual(
      excite({ ...shape, callosum: "none" }, [1], observations, {}, params),
    );
    // Each of them matters, and no lesion is none.
    for (const gains of [{ input: one(0, 1) }, { output: one(1, 0) }, { callosum: tensor([0], [1]) }]) {
      expect(cut(gains as Record<string, Tensor>)).not.toEqual(base);
    }
    expect(cut({ input: one(1, 1), output: one(1, 1), callosum: tensor([1], [1]) })).toEqual(base);
  });

  it("remembers with recurrent cells, and only with them", () => {
    const recurrent: ControllerShape = { ...shape, cell: "gru" };
    const seen = toJax(tensor(random(16, 3), [16, 1]));
    for (const of of [recurrent, shape]) {
      const control = bindController(of, arrays(initController(of, [1])));
      const first = control(seen.ref);
      const second = control(seen.ref, first.hidden);
      const [a, b] = [numbers(first.excitation), numbers(second.excitation)];
      if (of === recurrent) expect(b).not.toEqual(a);
      else expect(b).toEqual(a);
    }
  });

  it("computes gated units", () => {
    const one: ControllerShape = {
      ...shape,
      hemispheres: 1,
      callosum: "none",
      layers: 1,
      units: 1,
      cell: "gru",
      inputs: 1,
      muscles: 1,
    };
    const params = {
      "hidden0.kernel": tensor([0.3, -0.4, 0.9], [1, 1, 3, 1]),
      "hidden0.recurrent": tensor([0.5, 0.7, -1.1], [1, 1, 3, 1]),
      "hidden0.bias": tensor([0.1, 0.2, -0.3], [1, 1, 3]),
      "output.kernel": tensor([1], [1, 1, 1]),
      "output.bias": tensor([0], [1, 1]),
    };
    const control = bindController(one, arrays(params));
    const x = 0.8;
    const sigma = (z: number) => 1 / (1 + Math.exp(-z));
    let h = 0;
    let memory: JaxArray[] | undefined;
    for (let t = 0; t < 3; t++) {
      const keep = sigma(0.3 * x + 0.1 + 0.5 * h);
      const reset = sigma(-0.4 * x + 0.2 + 0.7 * h);
      const fresh = Math.tanh(0.9 * x - 0.3 + reset * -1.1 * h);
      h = keep * h + (1 - keep) * fresh;
      const { excitation, hidden } = control(np.array([[x]]), memory);
      memory = hidden;
      expect(numbers(hidden[0]?.ref as JaxArray)[0]).toBeCloseTo(h, 6);
      expect(numbers(excitation)[0]).toBeCloseTo(sigma(h), 6);
    }
  });

  it("refuses a callosum without a second hemisphere", () => {
    expect(() => initController({ ...shape, hemispheres: 1 }, [1])).toThrow(/two hemispheres/);
  });
});
