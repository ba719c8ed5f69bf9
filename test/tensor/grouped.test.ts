// Rows multiplied with matrices that they chose: each matrix once, with its own rows alone, the same numbers as plainly.

import { lax, numpy as np, valueAndGrad } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../src/tensor/compile.js";
import { readyJax } from "../../src/tensor/jax.js";

const [tokens, width, hidden, experts, chosen] = [10, 4, 3, 5, 2];

// biome-ignore lint/suspicious/noExplicitAny: traced arrays.
type Any = any;

/** Sends tokens to the experts of their greatest scores and squares what comes back. */
function dispatched(x: np.Array, w: np.Array, scores: np.Array): np.Array {
  const ids = np.argsort(scores.neg(), -1).slice([], [0, chosen]).reshape([-1]);
  const sorted = np.sort(ids.ref);
  const order = np.argsort(ids);
  const repeated = np.broadcastTo(x.reshape([tokens, 1, width]), [tokens, chosen, width]);
  const rows = np.take(repeated.reshape([tokens * chosen, width]), order.ref, 0);
  const y = lax.dot(rows, np.take(w, sorted, 0), {
    lhsBatchDims: [0],
    rhsBatchDims: [0],
    lhsContractingDims: [1],
    rhsContractingDims: [2],
  });
  const back = np.take(y, np.argsort(order), 0).reshape([tokens, chosen, hidden]).sum(1);
  return np.square(back).sum();
}

const values = (size: number, seed: number) =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.7 * i));

/** Scores under which some experts get no token at all. */
function scoresFor(kind: "even" | "one"): Float32Array {
  return Float32Array.from({ length: tokens * experts }, (_, i) =>
    kind === "even" ? Math.sin(3 * i) : ([4, 1, 0, 0, 0][i % experts] as number),
  );
}

/** Value and gradients computed by hand, expert by expert. */
function byHand(x: Float32Array, w: Float32Array, scores: Float32Array) {
  const dx = new Float32Array(x.length);
  const dw = new Float32Array(w.length);
  let value = 0;
  for (let t = 0; t < tokens; t++) {
    const own = [...scores.subarray(t * experts, (t + 1) * experts)];
    const top = own.map((_, e) => e).sort((a, b) => (own[b] as number) - (own[a] as number) || a - b);
    const mine = top.slice(0, chosen);
    for (let h = 0; h < hidden; h++) {
      let y = 0;
      for (const e of mine)
        for (let d = 0; d < width; d++)
          y += (w[(e * hidden + h) * width + d] as number) * (x[t * width + d] as number);
      value += y * y;
      for (const e of mine)
        for (let d = 0; d < width; d++) {
          dw[(e * hidden + h) * width + d]! += 2 * y * (x[t * width + d] as number);
          dx[t * width + d]! += 2 * y * (w[(e * hidden + h) * width + d] as number);
        }
    }
  }
  return { value, dx, dw };
}

describe("products with matrices that rows choose", () => {
  beforeAll(readyJax);
  const step = compile<Any, Any>(
    (x: np.Array, w: np.Array, scores: np.Array) =>
      valueAndGrad((trained: Any) => dispatched(trained.x, trained.w, scores))({ x, w }) as Any,
  );

  test.each(["even", "one"] as const)("value and gradients are those computed by hand (%s)", async (kind) => {
    const x = values(tokens * width, 1);
    const w = values(experts * hidden * width, 2);
    const scores = scoresFor(kind);
    const [value, gradient] = await step(
      new Tensor("float32", x, [tokens, width]),
      new Tensor("float32", w, [experts, hidden, width]),
      new Tensor("float32", scores, [tokens, experts]),
    );
    const wanted = byHand(x, w, scores);
    expect(value.data[0]).toBeCloseTo(wanted.value, 3);
    for (const [i, one] of wanted.dx.entries()) expect(gradient.x.data[i]).toBeCloseTo(one, 3);
    for (const [i, one] of wanted.dw.entries()) expect(gradient.w.data[i]).toBeCloseTo(one, 3);
  });

  test("matrices that are read whole as well are fed both ways", async () => {
    const both = compile<Any, Any>(
      (x: np.Array, w: np.Array, scores: np.Array) =>
        valueAndGrad((own: Any) => dispatched(x, own.w.ref, scores).add(np.square(own.w).sum()))({
          w,
        }) as Any,
    );
    const w = values(experts * hidden * width, 2);
    const [, gradient] = await both(
      new Tensor("float32", values(tokens * width, 1), [tokens, width]),
      new Tensor("float32", w, [experts, hidden, width]),
      new Tensor("float32", scoresFor("even"), [tokens, experts]),
    );
    const { dw } = byHand(values(tokens * width, 1), w, scoresFor("even"));
    for (const [i, one] of dw.entries())
      expect(gradient.w.data[i]).toBeCloseTo(one + 2 * (w[i] as number), 3);
    await both.release();
  });

  test("a matrix without rows has no gradient, whatever stood in the memory that is used again", async () => {
    const again = compile<Any, Any>(
      (w: np.Array, x: np.Array, scores: np.Array) =>
        valueAndGrad((trained: Any) => dispatched(x, trained, scores))(w) as Any,
    );
    const result = [
      new Tensor("float32", new Float32Array(1), []),
      new Tensor("float32", new Float32Array(experts * hidden * width), [experts, hidden, width]),
    ];
    const of = (kind: "even" | "one") =>
      again.into(
        result,
        new Tensor("float32", values(experts * hidden * width, 2), [experts, hidden, width]),
        new Tensor("float32", values(tokens * width, 1), [tokens, width]),
        new Tensor("float32", scoresFor(kind), [tokens, experts]),
      );
    const [, first] = await of("even");
    const before = first.data.slice();
    const [value, second] = await of("one");
    expect(second.data).toBe(first.data);
    expect(second.data).not.toEqual(before);
    const { value: wanted, dw } = byHand(
      values(tokens * width, 1),
      values(experts * hidden * width, 2),
      scoresFor("one"),
    );
    expect(value.data[0]).toBeCloseTo(wanted, 3);
    for (const [i, one] of dw.entries()) expect(second.data[i]).toBeCloseTo(one, 3);
    expect(dw.subarray(2 * hidden * width).every((one) => one === 0)).toBe(true);
    await again.release();
  });

  test("the work is that of the rows, whatever the number of matrices", async () => {
    const at = async (count: number) => {
      const program = await step.prepare(
        new Tensor("float32", new Float32Array(tokens * width), [tokens, width]),
        new Tensor("float32", new Float32Array(count * hidden * width), [count, hidden, width]),
        new Tensor("float32", new Float32Array(tokens * count), [tokens, count]),
      );
      return program.flops;
    };
    // Forward and two products backward over every row and choice.
    expect(await at(experts)).toBe(3 * 2 * tokens * chosen * width * hidden);
    expect(await at(64)).toBe(await at(experts));
  });
});
