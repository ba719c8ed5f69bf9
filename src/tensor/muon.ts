// Muon (Jordan et al. 2024; scaled as in Liu et al. 2025, arXiv 2502.16982, algorithm 1): a matrix steps along its
// orthogonalized momentum, in which all directions have equal weight; everything else takes AdamW's step. One learning rate
// serves both, because an orthogonal step is scaled to AdamW's usual size.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { type Compiled, compile, type Provider, type Tensors } from "./compile.js";
import { adamWStep } from "./fused-adamw.js";
import { type AdamWOptions, type Parameters, scalarTensor, type Update } from "./optimizer.js";

export interface MuonOptions {
  /** Which parameters are matrices of hidden layers: [out, in], or [experts, out, in], each expert's separately. */
  readonly matrices: (name: string) => boolean;
  /** Coefficient of the Nesterov momentum; 0.95 by default. */
  readonly momentum?: number;
}

/** The published polynomial: it brings singular values near 1, but not to it, in few steps. */
const [a, b, c] = [3.4445, -4.775, 2.0315];
const iterations = 5;
/** Usual root mean square of AdamW's steps, in learning rates (Liu et al. 2025, equation 4). */
const usualSize = 0.2;

/**
 * Newton–Schulz iteration: approximately U Vᵀ of each matrix U S Vᵀ; [n, out, in] to the same. Singular values end between 0.7
 * and 1.2 unless they were nearly zero. Consumes `x`.
 */
export function orthogonal(x: JaxArray): JaxArray {
  const [, rows, columns] = x.shape as [number, number, number];
  const tall = rows > columns;
  const turn = (y: JaxArray) => (tall ? y.transpose([0, 2, 1]) : y);
  const size = np.sqrt(np.sum(np.square(x.ref), [1, 2], { keepdims: true }));
  let y = turn(x.div(size.add(1e-7)));
  for (let i = 0; i < iterations; i++) {
    const square = np.matmul(y.ref, y.ref.transpose([0, 2, 1]));
    const bent = square.ref.mul(b).add(np.matmul(square.ref, square).mul(c));
    y = y.ref.mul(a).add(np.matmul(bent, y));
  }
  return turn(y);
}

/**
 * A trainer's update by Muon. Momentum is kept in `m`; `v` stays zero for matrices. Matrices are not clipped, because their step
 * does not depend on the gradient's norm. @param adamW for everything else; its weight decay applies to both
 */
export function muonUpdate(
  { matrices, momentum = 0.95 }: MuonOptions,
  adamW: AdamWOptions,
  runtime: { provider?: Provider; threads?: number } = {},
): { update: Update; flops: (params: Parameters) => Promise<number>; release: () => Promise<void> } {
  const { weightDecay = 0 } = adamW;
  type Borrowed = Readonly<Record<"p" | "m" | "g" | "rate", JaxArray>>;
  const program: Compiled<[Tensors], { p: Tensor; m: Tensor; squares: Tensor }> = compile(
    ({ p, m, g, rate }: Borrowed) => {
      const shape = p.shape;
      const [out, inner] = shape.slice(-2) as [number, number];
      const squares = np.sum(np.square(g.ref));
      const next = m.ref.mul(momentum).add(g.ref);
      const ahead = g.ref.add(next.ref.mul(momentum));
      const step = orthogonal(ahead.reshape([-1, out, inner])).reshape(shape);
      const size = usualSize * Math.sqrt(Math.max(out, inner));
      const kept = weightDecay > 0 ? p.ref.sub(p.ref.mul(rate.ref.mul(weightDecay))) : p.ref;
      return { p: kept.sub(step.mul(rate.ref.mul(size))), m: next, squares };
    },
    { ...runtime, name: "Muon's step" },
  );
  return {
    release: () => program.release(),
    flops: async (params) => {
      let sum = 0;
      const rate = scalarTensor(0);
      for (const [name, p] of Object.entries(params))
        if (matrices(name)) sum += (await program.prepare({ p, m: p, g: p, rate })).flops;
      return sum;
    },
    update: async (params, moments, gradients, step, learningRate) => {
      const next = { params: { ...params }, moments: { m: { ...moments.m }, v: moments.v }, norm: 0 };
      const rate = scalarTensor(learningRate);
      const others: Parameters = {};
      let squares = 0;
      for (const [name, g] of Object.entries(gradients)) {
        if (!matrices(name)) {
          others[name] = g;
          continue;
        }
        const [p, m] = [params[name] as Tensor, moments.m[name] as Tensor];
        const found = await program({ p, m, g, rate });
        next.params[name] = found.p;
        next.moments.m[name] = found.m;
        squares += (found.squares.data as Float32Array)[0] as number;
      }
      // The other parameters are not written before all matrices' gradients are known to be finite.
      if (!Number.isFinite(squares)) return { params, moments, norm: Math.sqrt(squares) };
      const norm = adamWStep(adamW, next.params, next.moments, others, step, learningRate);
      if (!Number.isFinite(norm)) return { params, moments, norm };
      return { ...next, norm: Math.sqrt(squares + norm * norm) };
    },
  };
}
