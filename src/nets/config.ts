// A decoder's configuration, read from a GGUF file's metadata. Families that `decoder.ts` does not
// compute are refused.

import { HoneError } from "../core/errors.js";
import { readableTypes } from "../tensor/dequantize.js";
import { type GgufFile, ggmlTypes } from "../tensor/gguf.js";
import { readSmallTensor } from "../tensor/gguf-tensors.js";
import { type ExpertConfig, expertShapes, isRouted } from "./experts.js";

/** Sizes and variants of one decoder-only transformer. Lengths count numbers, not bytes. */
export interface NetConfig {
  readonly architecture: Family;
  readonly layers: number;
  /** Numbers in a token's state. */
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values; each serves `heads / kvHeads` neighbouring query heads. */
  readonly kvHeads: number;
  readonly headWidth: number;
  /** Neurons of each feed-forward. */
  readonly hidden: number;
  readonly vocab: number;
  /** Longest sequence that the model was trained on, in tokens. */
  readonly context: number;
  readonly normEps: number;
  readonly rope: {
    /** Which numbers of a head are rotated as a pair: neighbours (2i, 2i+1), or i and i + headWidth/2. */
    readonly pairs: "neighbours" | "halves";
    readonly base: number;
    /** The base in sliding-window layers. */
    readonly windowBase: number;
    /** Divisor of each pair's angle, [headWidth / 2] (Llama 3's scaling: Grattafiori et al. 2024); absent: 1. */
    readonly factors?: readonly number[];
    /** Every `skip`-th layer has no positions (NoPE: Yang et al. 2025, as in SmolLM3). */
    readonly skip?: number;
  };
  /** Layers see only the last `tokens` positions, except every `every`-th layer, which sees all. */
  readonly window?: { readonly tokens: number; readonly every: number };
  /** Multiplies token embeddings. */
  readonly embeddingScale: number;
  readonly activation: "silu" | "gelu";
  /** Whether each head's queries and keys are normalized; `outputNorms`: whether attention and feed-forward outputs are. */
  readonly queryNorms: boolean;
  readonly outputNorms: boolean;
  /** Matrices of a block that have a bias, by the part of their GGUF name: `attn_q`, … */
  readonly biases: readonly string[];
  /** Whether the output matrix is the embedding table. */
  readonly tied: boolean;
  /** Set if feed-forwards have experts; dense if absent. */
  readonly experts?: ExpertConfig;
}

/** Families by their architecture name in GGUF files. Mistral's models are `llama`. */
const families = ["llama", "gemma3", "qwen2", "qwen3", "smollm3", "deepseek"] as const;
export type Family = (typeof families)[number];

interface Habits extends Pick<NetConfig, "activation" | "queryNorms" | "outputNorms"> {
  pairs: NetConfig["rope"]["pairs"];
  /** Matrices that may have biases; a file has all layers' or none. */
  biases?: readonly string[];
  /** Every `every`-th layer sees everything; every `skip`-th has no positions. */
  every?: number;
  skip?: number;
}

const plain = { activation: "silu", queryNorms: false, outputNorms: false } as const;
const blockParts = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];

/**
 * How the families differ besides sizes, as llama.cpp computes them (Llama: Touvron et al. 2023; Gemma 3, Qwen2,
 * Qwen3: their technical reports; SmolLM3: Bakouch et al. 2025; DeepSeekMoE: Dai et al. 2024).
 */
const habits: Record<Family, Habits> = {
  llama: { ...plain, pairs: "neighbours", biases: blockParts },
  gemma3: { activation: "gelu", queryNorms: true, outputNorms: true, pairs: "halves", every: 6 },
  qwen2: { ...plain, pairs: "halves", biases: ["attn_q", "attn_k", "attn_v"] },
  qwen3: { ...plain, queryNorms: true, pairs: "halves" },
  smollm3: { ...plain, pairs: "neighbours", skip: 4 },
  deepseek: { ...plain, pairs: "neighbours" },
};

/** Base of the rotary angles in Gemma 3's window layers; GGUF files do not state it. */
const gemmaWindowBase = 10_000;

/**
 * The decoder in a GGUF file.
 *
 * @throws HoneError when the architecture, a rotary scaling, experts or any tensor is not one that Hone computes
 */
export function netConfig(gguf: GgufFile): NetConfig {
  const architecture = families.find((family) => family === gguf.architecture);
  if (!architecture) throw unsupported(gguf, `its architecture is ${JSON.stringify(gguf.architecture)}`);
  const read = (key: string): unknown => gguf.metadata.get(`${architecture}.${key}`);
  const real = (key: string, otherwise?: number): number => {
    const value = read(key) ?? otherwise;
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
      throw unsupported(
        gguf,
        `its ${architecture}.${key} is ${value === undefined ? "missing" : String(value)}`,
      );
    }
    return value;
  };
  const whole = (key: string, otherwise?: number): number => {
    const value = real(key, otherwise);
    if (!Number.isSafeInteger(value)) throw unsupported(gguf, `its ${architecture}.${key} is ${value}`);
    return value;
  };

  const scaling = read("rope.scaling.type");
  if (scaling !== undefined && scaling !== "none") {
    throw unsupported(gguf, `its rotary positions are scaled (${String(scaling)})`);
  }
  // Without a type llama.cpp scales linearly, by the factor under its new or its old name; 0 is 1 to it.
  const factor = scaling === undefined ? (read("rope.scaling.factor") ?? read("rope.scale_linear") ?? 1) : 1;
  if (factor !== 1 && factor !== 0) {
    throw unsupported(gguf, `its rotary positions are scaled (linear, by ${String(factor)})`);
  }
  const stretch = read("rope.scaling.attn_factor") ?? 1;
  if (stretch !== 1) {
    throw unsupported(gguf, `its rotary positions change sizes (${architecture}.rope.scaling.attn_factor)`);
  }
  if ((read("attention.causal") ?? true) !== true) {
    throw unsupported(gguf, `its tokens see those after them (${architecture}.attention.causal)`);
  }
  if (architecture !== "deepseek" && Number(read("expert_count") ?? 0) > 0) {
    throw unsupported(gguf, "it is a mixture of experts");
  }
  for (const key of ["attn_logit_softcapping", "final_logit_softcapping"]) {
    if (Number(read(key) ?? 0) !== 0) throw unsupported(gguf, `it caps logits (${architecture}.${key})`);
  }

  const width = whole("embedding_length");
  const heads = whole("attention.head_count");
  const kvHeads = whole("attention.head_count_kv", heads);
  const headWidth = whole("attention.key_length", width / heads);
  const turned = whole("rope.dimension_count", headWidth);
  if (heads % kvHeads !== 0) throw unsupported(gguf, `${heads} heads do not share ${kvHeads} heads of keys`);
  if (turned !== headWidth || headWidth % 2 !== 0) {
    throw unsupported(gguf, `its rotary positions cover ${turned} of ${headWidth} dimensions of a head`);
  }
  if (whole("attention.value_length", headWidth) !== headWidth) {
    throw unsupported(gguf, "its values are not as long as its keys");
  }
  const { every, skip, pairs, biases = [], ...habit } = habits[architecture];
  const pattern = every && read("attention.sliding_window_pattern");
  if (pattern !== undefined && pattern !== every) {
    throw unsupported(
      gguf,
      `not every ${every}th of its layers sees all tokens (attention.sliding_window_pattern)`,
    );
  }
  const has = (name: string) => gguf.tensors.some((tensor) => tensor.name === name);
  const scaled = architecture === "llama" && has(ropeFactors);
  const base = real("rope.freq_base", 10_000);
  const vocab =
    gguf.tensors.find(({ name }) => name === "token_embd.weight")?.shape[1] ?? whole("vocab_size");
  const experts: ExpertConfig | undefined =
    architecture === "deepseek"
      ? {
          routing: "top",
          routed: whole("expert_count"),
          chosen: whole("expert_used_count"),
          shared: whole("expert_shared_count"),
          neurons: whole("expert_feed_forward_length"),
          dense: Number(read("leading_dense_block_count") ?? 0),
          affinity: "softmax",
          normalize: false,
          scale: real("expert_weights_scale", 1),
          bias: false,
          vocab,
        }
      : undefined;
  const config: NetConfig = {
    architecture,
    layers: whole("block_count"),
    width,
    heads,
    kvHeads,
    headWidth,
    hidden: whole("feed_forward_length"),
    vocab,
    context: whole("context_length"),
    normEps: real("attention.layer_norm_rms_epsilon"),
    rope: {
      pairs,
      base,
      windowBase: every ? real("rope.freq_base_swa", gemmaWindowBase) : base,
      ...(scaled ? { factors: factorsOf(gguf, headWidth) } : {}),
      ...(skip ? { skip } : {}),
    },
    ...(every ? { window: { tokens: whole("attention.sliding_window"), every } } : {}),
    embeddingScale: architecture === "gemma3" ? Math.sqrt(width) : 1,
    ...habit,
    biases: biases.filter((part) => has(`blk.0.${part}.bias`)),
    tied: !gguf.tensors.some(({ name }) => name === "output.weight"),
    ...(experts ? { experts } : {}),
  };
  checkTensors(gguf, config);
  return config;
}

/** Why Hone cannot train the decoder in a file, read from its header; undefined if it can. */
export function untrainable(gguf: GgufFile): string | undefined {
  try {
    netConfig(gguf);
    return undefined;
  } catch (error) {
    if (error instanceof HoneError) return error.failure.why ?? error.message;
    throw error;
  }
}

/** The tensor with Llama 3's divisors of rotary angles. */
const ropeFactors = "rope_freqs.weight";

function factorsOf(gguf: GgufFile, headWidth: number): number[] {
  const { data } = readSmallTensor(gguf, ropeFactors, headWidth / 2);
  const factors = [...data];
  if (factors.length === headWidth / 2 && factors.every((one) => Number.isFinite(one) && one > 0))
    return factors;
  throw unsupported(gguf, `its ${ropeFactors} is not ${headWidth / 2} factors above 0`);
}

/** Whether a layer's queries and keys are rotated by their positions. */
export function isTurned(config: NetConfig, layer: number): boolean {
  return config.rope.skip === undefined || (layer + 1) % config.rope.skip !== 0;
}

/** Whether a layer sees only a window. */
export function isWindowed(config: NetConfig, layer: number): boolean {
  return config.window !== undefined && (layer + 1) % config.window.every !== 0;
}

/**
 * Every tensor of such a decoder by its GGUF name, with its shape, outermost first: a matrix is [out, in]. A layer's
 * names begin with `blk.N.`.
 */
export function tensorShapes(config: NetConfig): Map<string, readonly number[]> {
  const { width, hidden, vocab, headWidth } = config;
  const queries = config.heads * headWidth;
  const keys = config.kvHeads * headWidth;
  const shapes = new Map<string, readonly number[]>([["token_embd.weight", [vocab, width]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const put = (name: string, ...shape: number[]) => shapes.set(`blk.${layer}.${name}.weight`, shape);
    put("attn_norm", width);
    put("attn_q", queries, width);
    put("attn_k", keys, width);
    put("attn_v", keys, width);
    put("attn_output", width, queries);
    put("ffn_norm", width);
    if (isRouted(config.experts, layer)) {
      for (const [name, shape] of expertShapes(config.experts, width))
        shapes.set(`blk.${layer}.${name}`, shape);
    } else {
      put("ffn_gate", hidden, width);
      put("ffn_up", hidden, width);
      put("ffn_down", width, hidden);
    }
    for (const part of config.biases) {
      const [out] = shapes.get(`blk.${layer}.${part}.weight`) as readonly number[];
      shapes.set(`blk.${layer}.${part}.bias`, [out as number]);
    }
    if (config.queryNorms) {
      put("attn_q_norm", headWidth);
      put("attn_k_norm", headWidth);
    }
    if (config.outputNorms) {
      put("post_attention_norm", width);
      put("post_ffw_norm", width);
    }
  }
  shapes.set("output_norm.weight", [width]);
  if (!config.tied) shapes.set("output.weight", [vocab, width]);
  return shapes;
}

function checkTensors(gguf: GgufFile, config: NetConfig): void {
  // A header can claim any number of layers; this bounds the loop over them by the file's tensors.
  if (config.layers > gguf.tensors.length) throw unsupported(gguf, `it claims ${config.layers} layers`);
  const wanted = new Map(tensorShapes(config));
  if (config.rope.factors) wanted.set(ropeFactors, [config.rope.factors.length]);
  for (const { name, shape, type } of gguf.tensors) {
    const expected = wanted.get(name);
    if (!expected) throw unsupported(gguf, `it has the tensor ${JSON.stringify(name)}`);
    const stored = ggmlTypes[type]?.[0] ?? "";
    if (!readableTypes.includes(stored))
      throw unsupported(gguf, `its ${name} is stored as ${stored}, none of ${readableTypes.join(", ")}`);
    wanted.delete(name);
    const found = [...shape].reverse();
    if (found.join() !== expected.join()) {
      throw unsupported(gguf, `${name} is [${found.join(", ")}] where [${expected.join(", ")}] was expected`);
    }
  }
  const [missing] = wanted.keys();
  if (missing !== undefined) throw unsupported(gguf, `it lacks the tensor ${JSON.stringify(missing)}`);
}

function unsupported(gguf: GgufFile, why: string): HoneError {
  return new HoneError({
    what: "Cannot train this model",
    where: gguf.path,
    why,
    next: "Hone trains models of the Llama (Mistral, SmolLM2), Qwen2, Qwen3 and SmolLM3 families and Gemma 3 270M and 1B; it can still prompt this one.",
    kind: "usage",
  });
}
