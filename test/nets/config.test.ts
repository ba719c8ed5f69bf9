// What a GGUF file says of its decoder: read, and refused where Hone would compute something else.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Family, isWindowed, type NetConfig, netConfig, tensorShapes } from "../../src/nets/config.js";
import { memoryEstimate } from "../../src/nets/memory.js";
import { checkMemory, loadWeights, parameterCount } from "../../src/nets/weights.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { type GgufEntry, type GgufWeights, writeGguf } from "../../src/tensor/gguf-write.js";
import { hostWeights, tinyConfig } from "./tiny.js";

const folder = mkdtempSync(join(tmpdir(), "hone-nets-"));
let files = 0;

interface Changes {
  metadata?: Record<string, GgufEntry | undefined>;
  tensors?: Record<string, GgufWeights | undefined>;
  family?: Family;
}

/** Writes a tiny model with changes (undefined leaves out), and reads its header. */
async function file(config: NetConfig, { metadata = {}, tensors = {} }: Changes = {}) {
  const arch = config.architecture;
  const uint = (value: number): GgufEntry => ({ type: "uint32", value });
  const real = (value: number): GgufEntry => ({ type: "float32", value });
  const entries = {
    "general.architecture": { type: "string", value: arch } as GgufEntry,
    [`${arch}.block_count`]: uint(config.layers),
    [`${arch}.context_length`]: uint(config.context),
    [`${arch}.embedding_length`]: uint(config.width),
    [`${arch}.feed_forward_length`]: uint(config.hidden),
    [`${arch}.attention.head_count`]: uint(config.heads),
    [`${arch}.attention.head_count_kv`]: uint(config.kvHeads),
    [`${arch}.attention.key_length`]: uint(config.headWidth),
    [`${arch}.attention.layer_norm_rms_epsilon`]: real(config.normEps),
    [`${arch}.rope.freq_base`]: real(config.rope.base),
    ...(config.window ? { [`${arch}.attention.sliding_window`]: uint(config.window.tokens) } : {}),
    ...metadata,
  };
  const weights = {
    ...Object.fromEntries(
      Object.entries(hostWeights(config)).map(([name, { data, dims }]) => {
        return [name, { shape: dims, type: "F32", data: data as Float32Array } as GgufWeights];
      }),
    ),
    ...tensors,
  };
  const path = join(folder, `${files++}.gguf`);
  const given = <T>(record: Record<string, T | undefined>) =>
    Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Record<
      string,
      T
    >;
  await writeGguf(path, { metadata: given<GgufEntry>(entries), tensors: given<GgufWeights>(weights) });
  return readGguf(path);
}

it("reads both families and their weights as they are stored", async () => {
  const llama = tinyConfig("llama");
  const gguf = await file(llama);
  const { normEps, ...read } = netConfig(gguf);
  const { normEps: wanted, ...rest } = { ...llama, rope: { ...llama.rope, windowBase: llama.rope.base } };
  expect(read).toEqual(rest);
  expect(normEps).toBeCloseTo(wanted, 10);
  const weights = await loadWeights(gguf, netConfig(gguf));
  const host = hostWeights(llama);
  expect(Object.keys(weights)).toEqual([...tensorShapes(llama).keys()]);
  for (const [name, tensor] of Object.entries(weights)) {
    expect(tensor.dims).toEqual(host[name]?.dims);
    expect(tensor.data).toEqual(host[name]?.data);
  }
  const gemma = netConfig(await file(tinyConfig("gemma3")));
  expect(gemma).toMatchObject({
    rope: { pairs: "halves", base: 1000, windowBase: 10_000 },
    window: { tokens: 3, every: 6 },
    activation: "gelu",
    tied: true,
  });
  expect(gemma.embeddingScale).toBeCloseTo(Math.sqrt(12), 6);
  const layers = Array.from({ length: 12 }, (_, i) => i).filter((i) => !isWindowed(gemma, i));
  expect(layers).toEqual([5, 11]);
});

const stray: GgufWeights = { shape: [4], type: "F32", data: new Float32Array(4) };
const refusals: [why: string, changes: Changes][] = [
  ['architecture is "phi3"', { metadata: { "general.architecture": { type: "string", value: "phi3" } } }],
  ["scaled (linear)", { metadata: { "llama.rope.scaling.type": { type: "string", value: "linear" } } }],
  ["scaled (linear, by 4)", { metadata: { "llama.rope.scaling.factor": { type: "float32", value: 4 } } }],
  ["scaled (linear, by 2)", { metadata: { "llama.rope.scale_linear": { type: "float32", value: 2 } } }],
  ["change sizes", { metadata: { "llama.rope.scaling.attn_factor": { type: "float32", value: 1.25 } } }],
  ["see those after them", { metadata: { "llama.attention.causal": { type: "bool", value: false } } }],
  [
    "not every 6th",
    {
      metadata: { "gemma3.attention.sliding_window_pattern": { type: "uint32", value: 4 } },
      family: "gemma3",
    },
  ],
  ["mixture of experts", { metadata: { "llama.expert_count": { type: "uint32", value: 8 } } }],
  ["caps logits", { metadata: { "llama.final_logit_softcapping": { type: "float32", value: 30 } } }],
  ["block_count is missing", { metadata: { "llama.block_count": undefined } }],
  ["claims 4000000000 layers", { metadata: { "llama.block_count": { type: "uint32", value: 4e9 } } }],
  ["head_count is 0", { metadata: { "llama.attention.head_count": { type: "uint32", value: 0 } } }],
  ["head_count is 1,2", { metadata: { "llama.attention.head_count": { type: "uint32s", value: [1, 2] } } }],
  ["do not share 3", { metadata: { "llama.attention.head_count_kv": { type: "uint32", value: 3 } } }],
  ["cover 2 of 4", { metadata: { "llama.rope.dimension_count": { type: "uint32", value: 2 } } }],
  ["values are not", { metadata: { "llama.attention.value_length": { type: "uint32", value: 8 } } }],
  [
    "blk.0.attn_q.weight is [16, 12] where [8, 12]",
    { metadata: { "llama.attention.head_count": { type: "uint32", value: 2 } } },
  ],
  ['"rope_freqs.weight"', { tensors: { "rope_freqs.weight": stray } }],
  [
    "2 factors above 0",
    { tensors: { "rope_freqs.weight": { ...stray, shape: [2], data: new Float32Array(2) } } },
  ],
  ['has the tensor "blk.0.attn_q.bias"', { tensors: { "blk.0.attn_q.bias": stray }, family: "qwen3" }],
  ['has the tensor "blk.1.attn_k.bias"', { tensors: { "blk.0.attn_k.bias": undefined }, family: "qwen2" }],
  ['lacks the tensor "blk.1.attn_k.bias"', { tensors: { "blk.1.attn_k.bias": undefined }, family: "qwen2" }],
  ['lacks the tensor "blk.1.ffn_up.weight"', { tensors: { "blk.1.ffn_up.weight": undefined } }],
];

it.each(refusals)("refuses a file and says why: %s", async (why, changes) => {
  const gguf = await file(tinyConfig(changes.family ?? "llama"), changes);
  expect(() => netConfig(gguf)).toThrow(why);
});

it("reads a file whose settings change nothing", async () => {
  const real = (value: number): GgufEntry => ({ type: "float32", value });
  const config = tinyConfig("gemma3");
  const settings = {
    "gemma3.rope.scaling.factor": real(1),
    "gemma3.rope.scale_linear": real(8),
    "gemma3.rope.scaling.attn_factor": real(1),
    "gemma3.attention.causal": { type: "bool", value: true },
    "gemma3.attention.sliding_window_pattern": { type: "uint32", value: 6 },
  } as const;
  const plain = netConfig(await file(config));
  expect(netConfig(await file(config, { metadata: settings }))).toEqual(plain);
  const unscaled = {
    "gemma3.rope.scaling.type": { type: "string", value: "none" },
    "gemma3.rope.scaling.factor": real(8),
  } as const;
  expect(netConfig(await file(config, { metadata: unscaled }))).toEqual(plain);
});

it("refuses a model too large for memory, with the estimate", async () => {
  const config = tinyConfig("llama");
  const gguf = await file(config);
  const size = { batch: 4, tokens: 256, answers: 4, trainable: 1000 };
  const sum = Object.values(hostWeights(config)).reduce((n, { size }) => n + size, 0);
  expect(parameterCount(config)).toBe(sum);
  const estimateOf = (changes: Partial<typeof size>) => memoryEstimate(config, sum, { ...size, ...changes });
  const estimate = estimateOf({});
  expect(estimateOf({ trainable: 2000 }) - estimate).toBe(20_000);
  const empty = estimateOf({ batch: 0 });
  expect(empty).toBeGreaterThan(4 * sum);
  expect(estimateOf({ batch: 8 }) - empty).toBe(2 * (estimate - empty));
  expect(() => checkMemory(gguf, config, size, estimate)).not.toThrow();
  expect(() => checkMemory(gguf, config, size, estimate - 1)).toThrow("too large to train");
});
