// A tiny random decoder of any family for tests, on jax-js's wasm backend, and conversions.

import { defaultDevice, init, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../../src/core/random.js";
import type { AnswerBatch, TokenExample } from "../../src/nets/answer.js";
import { type Family, type NetConfig, tensorShapes } from "../../src/nets/config.js";
import { largest, packBlock, planBlocks, shareHeads } from "../../src/nets/packing.js";

export async function startWasm(): Promise<void> {
  if (!("navigator" in globalThis)) {
    Object.defineProperty(globalThis, "navigator", { value: { userAgent: "node", hardwareConcurrency: 1 } });
  }
  await init("wasm");
  defaultDevice("wasm");
}

export function tinyConfig(architecture: Family): NetConfig {
  const gemma = architecture === "gemma3";
  const qwen = architecture === "qwen2" || architecture === "qwen3";
  return {
    architecture,
    layers: gemma ? 3 : 2,
    width: 12,
    heads: 4,
    kvHeads: 2,
    headWidth: gemma ? 6 : 4,
    hidden: 10,
    vocab: 23,
    context: 64,
    normEps: 1e-5,
    rope: {
      pairs: gemma || qwen ? "halves" : "neighbours",
      base: 1000,
      windowBase: 100,
      ...(architecture === "smollm3" ? { skip: 2 } : {}),
    },
    ...(gemma ? { window: { tokens: 3, every: 3 } } : {}),
    embeddingScale: gemma ? Math.sqrt(12) : 1,
    activation: gemma ? "gelu" : "silu",
    queryNorms: gemma || architecture === "qwen3",
    outputNorms: gemma,
    biases: architecture === "qwen2" ? ["attn_q", "attn_k", "attn_v"] : [],
    tied: gemma,
  };
}

/** Random weights; gains near 1, biases near 0. */
export function hostWeights(config: NetConfig, seed = 1): Record<string, Tensor> {
  const made: Record<string, Tensor> = {};
  for (const [name, shape] of tensorShapes(config)) {
    const random = randomFor(seed, name);
    const size = shape.reduce((a, b) => a * b, 1);
    const gain = shape.length === 1;
    const scale = gain ? 0.1 : 1 / Math.sqrt(shape[1] as number);
    const data = Float32Array.from(
      { length: size },
      () => (gain && !name.endsWith(".bias") ? 1 : 0) + scale * normal(random),
    );
    made[name] = new Tensor("float32", data, [...shape]);
  }
  return made;
}

export function tinyWeights(config: NetConfig, seed = 1): Record<string, np.Array> {
  return toArrays(hostWeights(config, seed));
}

export function toArray(tensor: Tensor): np.Array {
  const data = tensor.data as Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  return np.array(data, { shape: [...tensor.dims], dtype: tensor.type === "int32" ? np.int32 : np.float32 });
}

export function toArrays(record: Readonly<Record<string, Tensor>>): Record<string, np.Array> {
  return Object.fromEntries(Object.entries(record).map(([name, tensor]) => [name, toArray(tensor)]));
}

/** A packed block's inputs as jax-js arrays. */
export function toBatch({ packing, ...rest }: AnswerBatch<Tensor>): AnswerBatch {
  const arrays = toArrays(rest as unknown as Record<string, Tensor>);
  return { ...arrays, ...(packing ? { packing: toArrays({ ...packing }) } : {}) } as unknown as AnswerBatch;
}

/** Examples packed into one block of two rows, a beginning that all share standing once in a row. */
export function packed(examples: readonly TokenExample[], length: number, share = 1) {
  const shared = shareHeads(examples.map((example, i) => ({ ...example, id: `${i}`, group: "g" })));
  const blocks = planBlocks(shared, [...shared.keys()], { rows: 2, length });
  if (blocks.length !== 1) throw new Error(`${blocks.length} blocks`);
  const shape = { rows: 2, length, ...largest(shared, blocks) };
  const { inputs, ids } = packBlock(shared, blocks[0] as (typeof blocks)[number], shape, share);
  return { batch: toBatch(inputs), ids, heads: shared.map(({ head }) => head) };
}

export function int(values: readonly number[], ...shape: number[]): np.Array {
  return np.array(Int32Array.from(values), {
    shape: shape.length ? shape : [values.length],
    dtype: np.int32,
  });
}
