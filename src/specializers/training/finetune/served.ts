// Writes changed weights as the file that llama.cpp serves: a copy of the base with some tensors replaced or grown.

import type { Tensor } from "onnxruntime-node";
import { HoneError } from "../../../core/errors.js";
import { type GgufFile, ggmlTypes } from "../../../tensor/gguf.js";
import { copyGguf, type GgufEntry, type GgufWeights } from "../../../tensor/gguf-write.js";
import type { WritableType } from "../../../tensor/quantize.js";
import type { Base } from "./fit.js";

/**
 * Trained tensors in the storage type that the base has for them; F16 where Hone cannot write that type. Gains stay F32,
 * as ggml requires.
 */
export function replacementsOf(
  gguf: GgufFile,
  tensors: Readonly<Record<string, Tensor>>,
  matrices?: WritableType,
): Record<string, GgufWeights> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, dims }]) => {
      const type = dims.length === 1 ? "F32" : (matrices ?? storageOf(gguf, name));
      return [name, { shape: dims, type, data: data as Float32Array }];
    }),
  );
}

/** Writes the base with rows added to its embedding table, each a token that no text contains. */
export async function withMoreTokens(base: Base, rows: Float32Array, target: string): Promise<void> {
  const { gguf, config, weights } = base;
  const { width, vocab } = config;
  const count = rows.length / width;
  const grown = (own: Float32Array, added: Float32Array): Float32Array => {
    const all = new Float32Array(own.length + added.length);
    all.set(own);
    all.set(added, own.length);
    return all;
  };
  const table = weights["token_embd.weight"]?.data as Float32Array;
  const output = (config.tied ? table : weights["output.weight"]?.data) as Float32Array;
  const shape = [vocab + count, width];
  const type = storageOf(gguf, "token_embd.weight");
  const embedding: GgufWeights = { shape, type, data: grown(table, rows) };
  // Their output rows are zeros: a soft prompt is read and never generated.
  const logits: GgufWeights = { shape, type, data: grown(output, new Float32Array(rows.length)) };
  await copyGguf(gguf, target, {
    metadata: moreTokens(gguf, config.architecture, vocab, count),
    replace: { "token_embd.weight": embedding, ...(config.tied ? {} : { "output.weight": logits }) },
    ...(config.tied ? { add: { "output.weight": logits } } : {}),
  });
}

function moreTokens(
  gguf: GgufFile,
  architecture: string,
  vocab: number,
  count: number,
): Record<string, GgufEntry> {
  const list = <T>(key: string): T[] => [...((gguf.metadata.get(`tokenizer.ggml.${key}`) ?? []) as T[])];
  const tokens = list<string>("tokens");
  if (tokens.length !== vocab) {
    throw new HoneError({
      what: "This model cannot be given more tokens",
      where: gguf.path,
      why: `it names ${tokens.length} tokens and has ${vocab} embeddings`,
      next: "Use lora or adapter instead of softPrompt.",
    });
  }
  const added = Array.from({ length: count }, (_, i) => `<|soft_${i}|>`);
  const scores = list<number>("scores");
  const types = list<number>("token_type");
  const control = 3;
  return {
    "tokenizer.ggml.tokens": { type: "strings", value: [...tokens, ...added] },
    ...(scores.length > 0
      ? { "tokenizer.ggml.scores": { type: "float32s", value: [...scores, ...added.map(() => 0)] } }
      : {}),
    ...(types.length > 0
      ? { "tokenizer.ggml.token_type": { type: "int32s", value: [...types, ...added.map(() => control)] } }
      : {}),
    ...(gguf.metadata.has(`${architecture}.vocab_size`)
      ? { [`${architecture}.vocab_size`]: { type: "uint32", value: vocab + count } }
      : {}),
  };
}

/** The type that the base stores a tensor in, where Hone can write it; F16 otherwise. */
function storageOf(gguf: GgufFile, name: string): WritableType {
  const number = gguf.tensors.find((tensor) => tensor.name === name)?.type ?? 1;
  const known = ggmlTypes[number]?.[0];
  return known === "Q8_0" || known === "F32" ? known : "F16";
}
