// Muon against the iteration and the step written out in plain loops, in training, and where numbers go wrong.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { normal, randomFor } from "../../src/core/random.js";
import { compile } from "../../src/tensor/compile.js";
import { orthogonal } from "../../src/tensor/muon.js";
import { zeroMoments } from "../../src/tensor/optimizer.js";
import { makeTrainer, train } from "../../src/tensor/train.js";

type Matrix = number[][];
const random = randomFor(1, "muon");
const drawn = (rows: number, columns: number): Matrix =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => normal(random)));
const times = (x: Matrix, y: Matrix): Matrix =>
  x.map((row) =>
    (y[0] as number[]).map((_, j) => row.reduce((sum, one, k) => sum + one * (y[k]?.[j] ?? 0), 0)),
  );
const turned = (x: Matrix): Matrix => (x[0] as number[]).map((_, j) => x.map((row) => row[j] as number));
const each = (x: Matrix, y: Matrix, of: (a: number, b: number) => number): Matrix =>
  x.map((row, i) => row.map((one, j) => of(one, y[i]?.[j] ?? 0)));
const tensor = (x: Matrix[]) =>
  new Tensor("float32", Float32Array.from(x.flat(2)), [x.length, x[0]?.length ?? 0, x[0]?.[0]?.length ?? 0]);

/** The published iteration: X ← aX + (bA + cA²)X with A = X Xᵀ, five times, on the side that is shorter. */
function byHand(x: Matrix): Matrix {
  const tall = x.length > (x[0]?.length ?? 0);
  const size = Math.sqrt(x.flat().reduce((sum, one) => sum + one * one, 0));
  let y = (tall ? turned(x) : x).map((row) => row.map((one) => one / size));
  for (let i = 0; i < 5; i++) {
    const square = times(y, turned(y));
    const bent = each(square, times(square, square), (one, two) => -4.775 * one + 2.0315 * two);
    y = each(y, times(bent, y), (one, two) => 3.4445 * one + two);
  }
  return tall ? turned(y) : y;
}

it.each([
  ["wide", 5, 9],
  ["tall", 9, 5],
  ["square", 6, 6],
])("makes a stack of matrices orthogonal, each by itself: %s", async (_, rows, columns) => {
  const stack = [drawn(rows, columns), drawn(rows, columns).map((row) => row.map((one) => 1000 * one))];
  const found = (await compile((x: JaxArray) => orthogonal(x.ref))(tensor(stack))) as Tensor;
  expect(found.dims).toEqual([2, rows, columns]);
  const wanted = stack.flatMap((one) => byHand(one).flat());
  for (const [i, value] of (found.data as Float32Array).entries())
    expect(value).toBeCloseTo(wanted[i] as number, 3);
  // The shorter side's products are near the identity: what the iteration promises of singular values is 0.7 to 1.2.
  const one = byHand(stack[0] as Matrix);
  const gram = rows <= columns ? times(one, turned(one)) : times(turned(one), one);
  const trace = gram.reduce((sum, row, i) => sum + (row[i] as number), 0) / gram.length;
  expect(trace).toBeGreaterThan(0.5);
  expect(trace).toBeLessThan(1.4);
});

it("brings singular values that are known near 1, and turns no singular vector", async () => {
  const reflection = (v: number[]): Matrix => {
    const size = v.reduce((sum, one) => sum + one * one, 0);
    return v.map((a, i) => v.map((b, j) => Number(i === j) - (2 * a * b) / size));
  };
  const [left, right] = [reflection([1, 2, 3, 4]), reflection([2, -1, 1, 3, 5])];
  const values = [3, 2, 1, 0.5];
  const scaled = left.map((row) => row.map((one, j) => one * (values[j] as number)));
  const x = times(scaled, right.slice(0, 4));
  const found = (await compile((given: JaxArray) => orthogonal(given.ref))(tensor([x]))) as Tensor;
  const data = [...(found.data as Float32Array)];
  const y = left.map((_, i) => data.slice(5 * i, 5 * i + 5));
  const seen = times(times(turned(left), y), turned(right));
  const size = Math.hypot(...values);
  for (const [i, row] of seen.entries()) {
    let wanted = (values[i] as number) / size;
    for (let k = 0; k < 5; k++) wanted = 3.4445 * wanted - 4.775 * wanted ** 3 + 2.0315 * wanted ** 5;
    expect(wanted).toBeGreaterThan(0.65);
    expect(wanted).toBeLessThan(1.25);
    for (const [j, one] of row.entries()) expect(one).toBeCloseTo(i === j ? wanted : 0, 3);
  }
});

const target = drawn(3, 4);
const start = drawn(3, 4);
const loss = (_frozen: unknown, params: Record<string, JaxArray>, { to }: { to: JaxArray }) =>
  np
    .sum(np.square((params.w as JaxArray).sub(to.ref)))
    .add(np.sum(np.square((params.gain as JaxArray).sub(1))));
const flat = (x: Matrix) => new Tensor("float32", Float32Array.from(x.flat()), [x.length, x[0]?.length ?? 0]);
const batch = { inputs: { to: flat(target) } as never, ids: ["a"], tokens: 1 };
const trainer = () =>
  makeTrainer({
    loss,
    muon: { matrices: (name) => name === "w" },
    optimizer: { weightDecay: 0.1, clipNorm: 0 },
  });
const numbers = (list: Record<string, Tensor>, key: string) => [
  ...((list[key] as Tensor).data as Float32Array),
];
const params = () => ({ w: flat(start), gain: new Tensor("float32", Float32Array.of(0, 0), [2]) });

it("steps along Nesterov's momentum made orthogonal, scaled to AdamW's size; the rest is AdamW's", async () => {
  const steps = 3;
  const { params: found } = await train({
    trainer: trainer(),
    frozen: {},
    params: params(),
    batches: () => [batch],
    steps,
    schedule: () => 0.05,
  });
  let w = start;
  let m: Matrix = start.map((row) => row.map(() => 0));
  for (let t = 0; t < steps; t++) {
    const g = each(w, target, (one, to) => 2 * (one - to));
    m = each(m, g, (one, two) => 0.95 * one + two);
    const step = byHand(each(g, m, (one, two) => one + 0.95 * two));
    w = each(w, step, (one, two) => one - 0.05 * (0.1 * one + 0.2 * Math.sqrt(4) * two));
  }
  for (const [i, value] of numbers(found, "w").entries()) expect(value).toBeCloseTo(w.flat()[i] as number, 3);
  // Three steps of AdamW's length towards 1, less a little decay.
  for (const value of numbers(found, "gain")) expect(value).toBeGreaterThan(0.13);
});

it("counts its products: of five rounds, two with the matrix and one of squares; AdamW has none", async () => {
  const { updateFlops, release } = trainer();
  expect(await updateFlops?.(params())).toBe(5 * 2 * (2 * 3 * 3 * 4 + 3 * 3 * 3));
  expect(makeTrainer({ loss }).updateFlops).toBeUndefined();
  await release();
});

it("leaves all parameters as they are where a matrix's gradient is no number", async () => {
  const { update, release } = trainer();
  const before = params();
  const moments = zeroMoments(before);
  const broken = {
    w: flat(start.map((row) => row.map(() => Number.NaN))),
    gain: new Tensor("float32", Float32Array.of(1, 1), [2]),
  };
  const after = await update(before, moments, broken, 1, 0.1);
  expect(Number.isFinite(after.norm)).toBe(false);
  expect(numbers(after.params, "gain")).toEqual([0, 0]);
  expect(numbers(after.params, "w")).toEqual([...(flat(start).data as Float32Array)]);
  await release();
});
