// LoRA (Hu et al. 2021): adds (alpha / rank) · B A x to a product W x, with A and B trained and W frozen. Names and shapes
// are those of llama.cpp's adapter files. This file writes none.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../../core/random.js";
import { type NetConfig, tensorShapes } from "../config.js";
import { type Change, product } from "../decoder.js";
import { type Dropout, dropped } from "./dropout.js";

export interface LoraShape {
  /** Rank r of the added matrices. */
  readonly rank: number;
  /** The added product is scaled by alpha / rank. */
  readonly alpha: number;
  /** Which matrices, by the part of their GGUF name: `attn_q`, `ffn_down`, ... All of a block's by default. */
  readonly targets?: readonly string[];
  /** The first layer with LoRA; 0 by default. */
  readonly from?: number;
}

/** The matrices of a block, by GGUF part name. */
export const blockMatrices = [
  "attn_q",
  "attn_k",
  "attn_v",
  "attn_output",
  "ffn_gate",
  "ffn_up",
  "ffn_down",
] as const;

/** GGUF names of a config's matrices with these parts, from a layer on, in file order. */
export function matricesOf(config: NetConfig, parts: readonly string[] = blockMatrices, from = 0): string[] {
  const known = new Set<string>(blockMatrices);
  const strange = parts.find((part) => !known.has(part));
  if (strange !== undefined) {
    throw new RangeError(
      `${JSON.stringify(strange)} is not one of the matrices ${blockMatrices.join(", ")}.`,
    );
  }
  return [...tensorShapes(config).keys()].filter((name) => {
    const [, layer, part, kind] = name.split(".");
    return kind === "weight" && parts.includes(part as string) && Number(layer) >= from;
  });
}

/**
 * A new LoRA that does not change the model yet: for each matrix `NAME.lora_a` [rank, in], normal with variance 1 / in, and
 * `NAME.lora_b` [out, rank], zero. The seed fixes every number, matrix by matrix.
 */
export function initLora(config: NetConfig, shape: LoraShape, seed: number): Record<string, Tensor> {
  const shapes = tensorShapes(config);
  const made: Record<string, Tensor> = {};
  for (const name of matricesOf(config, shape.targets, shape.from)) {
    const [out, inner] = shapes.get(name) as [number, number];
    const random = randomFor(seed, "lora", name);
    const a = Float32Array.from({ length: shape.rank * inner }, () => normal(random) / Math.sqrt(inner));
    made[`${name}.lora_a`] = new Tensor("float32", a, [shape.rank, inner]);
    made[`${name}.lora_b`] = new Tensor("float32", new Float32Array(out * shape.rank), [out, shape.rank]);
  }
  return made;
}

/**
 * The change by such weights. `trained` has the arrays of `initLora`, by the same names.
 *
 * @param dropout in training only: the draws, and the matrices they are for, by name and in order
 */
export function lora(
  shape: LoraShape,
  trained: Readonly<Record<string, np.Array>>,
  dropout?: { readonly drawn: Dropout; readonly names: readonly string[] },
): Change {
  const matrix = new Map(dropout?.names.map((name, i) => [name, i]));
  return {
    linear(name, x, y) {
      const a = trained[`${name}.lora_a`];
      const b = trained[`${name}.lora_b`];
      if (!a || !b) return y;
      const read = dropout ? dropped(dropout.drawn, matrix.get(name) as number, x) : x.ref;
      // Scaled here, where the array is narrow.
      const inner = product(read, a.ref).mul(shape.alpha / shape.rank);
      return y.add(product(inner, b.ref));
    },
  };
}
