// Builds small GGUF files byte by byte, right or wrong on purpose.

import { randomFor } from "../../src/core/random.js";

export type Value =
  | { type: "u32"; value: number }
  | { type: "f32"; value: number }
  | { type: "bool"; value: boolean }
  | { type: "string"; value: string }
  | { type: "strings"; value: string[] }
  | { type: "i32s"; value: number[] };

export interface Made {
  version: number;
  magic: string;
  metadata: [key: string, value: Value][];
  tensors: { name: string; shape: number[]; type: number; data: Buffer; offset?: number }[];
  /** Overrides of the counts in the header. */
  tensorCount?: bigint;
  entryCount?: bigint;
}

const u32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
};
const u64 = (value: number | bigint): Buffer => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(value));
  return out;
};
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

function encode(given: Value): Buffer {
  switch (given.type) {
    case "u32":
      return Buffer.concat([u32(4), u32(given.value)]);
    case "f32": {
      const out = Buffer.alloc(4);
      out.writeFloatLE(given.value);
      return Buffer.concat([u32(6), out]);
    }
    case "bool":
      return Buffer.concat([u32(7), Buffer.from([given.value ? 1 : 0])]);
    case "string":
      return Buffer.concat([u32(8), text(given.value)]);
    case "strings":
      return Buffer.concat([u32(9), u32(8), u64(given.value.length), ...given.value.map(text)]);
    case "i32s": {
      const out = Buffer.alloc(4 * given.value.length);
      given.value.forEach((one, i) => void out.writeInt32LE(one, 4 * i));
      return Buffer.concat([u32(9), u32(5), u64(given.value.length), out]);
    }
  }
}

const pad = (data: Buffer): Buffer => Buffer.concat([data, Buffer.alloc((32 - (data.length % 32)) % 32)]);

export function ggufBytes(made: Made): Buffer {
  const head = [
    Buffer.from(made.magic, "latin1"),
    u32(made.version),
    u64(made.tensorCount ?? made.tensors.length),
    u64(made.entryCount ?? made.metadata.length),
    ...made.metadata.flatMap(([key, value]) => [text(key), encode(value)]),
  ];
  let offset = 0;
  for (const { name, shape, type, data, offset: own } of made.tensors) {
    head.push(text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(own ?? offset));
    offset += pad(data).length;
  }
  return Buffer.concat([pad(Buffer.concat(head)), ...made.tensors.map(({ data }) => pad(data))]);
}

/** What a tiny file of another family than `llama` has: its architecture, layers, and what stands beside or in place. */
export interface TinyFamily {
  architecture: string;
  layers?: number;
  /** Parts of a block that have a bias, and whether queries and keys are normalized. */
  biases?: readonly string[];
  queryNorms?: boolean;
  /** The head's numbers, where they are not width / heads; and what its rotary angles are divided by. */
  headWidth?: number;
  factors?: readonly number[];
  metadata?: Made["metadata"];
}

/** A llama of one layer, 32 wide, over 260 byte tokens, with random weights: small, but llama.cpp runs it. */
export function tinyLlama(): Made {
  return tinyModel({ architecture: "llama" });
}

/** The same of another family. */
export function tinyModel(family: TinyFamily): Made {
  const { architecture, layers = 1, biases = [], queryNorms = false, factors, metadata = [] } = family;
  const width = 32;
  const inner = 64;
  const head = family.headWidth ?? width / 2;
  // The byte-level alphabet of GPT-2: printable bytes stand for themselves, the others follow from 256.
  const bytes = [...Array(256).keys()];
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  const letters = bytes.map((b) => String.fromCharCode(printable(b) ? b : next++));
  const tokens = ["<<end>>", "<<begin>>", "ab", "cd", ...letters];
  const random = randomFor(1, "tiny llama");
  const tensor = (name: string, shape: number[], value: (i: number) => number) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i));
    return { name, shape, type: 0, data: Buffer.from(values.buffer) };
  };
  const weights = (name: string, ...shape: number[]) =>
    tensor(name, shape, () => (name.includes("norm") ? 1 : random() - 0.5));
  const block = (layer: number) => {
    const at = (part: string) => `blk.${layer}.${part}`;
    const outs: Record<string, number> = { attn_q: 2 * head, attn_k: head, attn_v: head };
    return [
      weights(at("attn_norm.weight"), width),
      weights(at("attn_q.weight"), width, 2 * head),
      weights(at("attn_k.weight"), width, head),
      weights(at("attn_v.weight"), width, head),
      weights(at("attn_output.weight"), 2 * head, width),
      weights(at("ffn_norm.weight"), width),
      weights(at("ffn_gate.weight"), width, inner),
      weights(at("ffn_up.weight"), width, inner),
      weights(at("ffn_down.weight"), inner, width),
      ...biases.map((part) => weights(at(`${part}.bias`), outs[part] ?? width)),
      ...(queryNorms
        ? ["attn_q_norm", "attn_k_norm"].map((part) =>
            tensor(at(`${part}.weight`), [head], () => 0.5 + random()),
          )
        : []),
    ];
  };
  return {
    magic: "GGUF",
    version: 3,
    metadata: [
      ["general.architecture", { type: "string", value: architecture }],
      [`${architecture}.block_count`, { type: "u32", value: layers }],
      [`${architecture}.context_length`, { type: "u32", value: 256 }],
      [`${architecture}.embedding_length`, { type: "u32", value: width }],
      [`${architecture}.feed_forward_length`, { type: "u32", value: inner }],
      [`${architecture}.attention.head_count`, { type: "u32", value: 2 }],
      [`${architecture}.attention.head_count_kv`, { type: "u32", value: 1 }],
      [`${architecture}.attention.layer_norm_rms_epsilon`, { type: "f32", value: 1e-5 }],
      [`${architecture}.rope.dimension_count`, { type: "u32", value: head }],
      ...(family.headWidth === undefined
        ? []
        : ["key_length", "value_length"].map((key): Made["metadata"][number] => [
            `${architecture}.attention.${key}`,
            { type: "u32", value: head },
          ])),
      ...metadata,
      ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
      ["tokenizer.ggml.pre", { type: "string", value: "default" }],
      ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
      ["tokenizer.ggml.token_type", { type: "i32s", value: tokens.map((_, i) => (i < 2 ? 3 : 1)) }],
      ["tokenizer.ggml.merges", { type: "strings", value: ["a b", "c d"] }],
      ["tokenizer.ggml.eos_token_id", { type: "u32", value: 0 }],
      ["tokenizer.ggml.bos_token_id", { type: "u32", value: 1 }],
      ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
    ],
    tensors: [
      weights("token_embd.weight", width, tokens.length),
      weights("output_norm.weight", width),
      ...(factors ? [tensor("rope_freqs.weight", [factors.length], (i) => factors[i] as number)] : []),
      ...Array.from({ length: layers }, (_, layer) => block(layer)).flat(),
    ],
  };
}

/** The same file with one metadata value replaced, or removed where the value is undefined. */
export function withValue(made: Made, key: string, value: Value | undefined): Made {
  const metadata = made.metadata.flatMap((entry): Made["metadata"] =>
    entry[0] !== key ? [entry] : value ? [[key, value]] : [],
  );
  if (value && !made.metadata.some(([known]) => known === key)) metadata.push([key, value]);
  return { ...made, metadata };
}

/** A file of one layer with that layer twice. */
export function twice(made: Made): Made {
  return {
    ...withValue(made, "llama.block_count", { type: "u32", value: 2 }),
    tensors: made.tensors.flatMap((one) =>
      one.name.startsWith("blk.0.") ? [one, { ...one, name: one.name.replace("blk.0.", "blk.1.") }] : [one],
    ),
  };
}
