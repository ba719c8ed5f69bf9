// Reads checkpoints in the layout of DeepSeekMoE-16B (config.json and safetensors, as on the Hub) into this net's names.
// Settings that the layout allows but this net does not compute are refused.

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { z } from "zod";
import { HoneError, messageOf } from "../core/errors.js";
import type { Parameters } from "../tensor/optimizer.js";
import { readSafetensor, readSafetensors, type SafetensorsFile } from "../tensor/safetensors.js";
import { type NetConfig, tensorShapes } from "./config.js";

const count = z.int().positive();

/** The fields of config.json that determine the net; others are ignored. */
const schema = z.looseObject({
  model_type: z.literal("deepseek"),
  hidden_act: z.literal("silu"),
  hidden_size: count,
  intermediate_size: count,
  moe_intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count,
  n_routed_experts: count,
  n_shared_experts: z.int().min(0),
  num_experts_per_tok: count,
  first_k_dense_replace: z.int().min(0),
  moe_layer_freq: z.literal(1),
  norm_topk_prob: z.boolean(),
  scoring_func: z.literal("softmax"),
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive(),
  rope_scaling: z.null().optional(),
  vocab_size: count,
  max_position_embeddings: count,
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.literal(false).default(false),
});

/**
 * The net that a config.json describes.
 * @throws HoneError if a field is missing, or has a value that this net does not compute
 */
export function deepseekConfig(value: unknown, where: string): NetConfig {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(where, `its ${issue?.path.join(".") || "contents"}: ${issue?.message}`);
  }
  const read = parsed.data;
  const { hidden_size: width, num_attention_heads: heads, num_key_value_heads: kvHeads } = read;
  if (width % heads !== 0 || (width / heads) % 2 !== 0 || heads % kvHeads !== 0)
    throw unreadable(where, `${heads} heads and ${kvHeads} of keys do not fit a width of ${width}`);
  if (read.num_experts_per_tok > read.n_routed_experts)
    throw unreadable(
      where,
      `${read.num_experts_per_tok} of ${read.n_routed_experts} experts cannot be chosen`,
    );
  return {
    architecture: "deepseek",
    layers: read.num_hidden_layers,
    width,
    heads,
    kvHeads,
    headWidth: width / heads,
    hidden: read.intermediate_size,
    vocab: read.vocab_size,
    context: read.max_position_embeddings,
    normEps: read.rms_norm_eps,
    rope: { pairs: "neighbours", base: read.rope_theta, windowBase: read.rope_theta },
    embeddingScale: 1,
    activation: "silu",
    queryNorms: false,
    outputNorms: false,
    biases: [],
    tied: read.tie_word_embeddings,
    experts: {
      routing: "top",
      routed: read.n_routed_experts,
      chosen: read.num_experts_per_tok,
      shared: read.n_shared_experts,
      neurons: read.moe_intermediate_size,
      dense: read.first_k_dense_replace,
      affinity: "softmax",
      normalize: read.norm_topk_prob,
      scale: 1,
      bias: false,
      vocab: read.vocab_size,
    },
  };
}

/** Published names by the parts of our names. */
const names: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
  ffn_gate_inp: "mlp.gate",
  ffn_gate_shexp: "mlp.shared_experts.gate_proj",
  ffn_up_shexp: "mlp.shared_experts.up_proj",
  ffn_down_shexp: "mlp.shared_experts.down_proj",
};

/** The published tensors that make up one of ours, in order: one, or one per expert. */
function published(name: string, { experts }: NetConfig): string[] {
  if (name === "token_embd.weight") return ["model.embed_tokens.weight"];
  if (name === "output_norm.weight") return ["model.norm.weight"];
  if (name === "output.weight") return ["lm_head.weight"];
  const [, layer, part = ""] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  const [, matrix] = /^ffn_(gate|up|down)_exps$/.exec(part) ?? [];
  const base = `model.layers.${layer}`;
  if (matrix === undefined) return [`${base}.${names[part]}.weight`];
  return Array.from(
    { length: experts?.routed ?? 0 },
    (_, e) => `${base}.mlp.experts.${e}.${matrix}_proj.weight`,
  );
}

/**
 * The net in a checkpoint's folder, from its config.json.
 * @throws HoneError for a missing field, or a value not computed here
 */
export async function readDeepseekConfig(folder: string): Promise<NetConfig> {
  const path = join(folder, "config.json");
  if (!existsSync(path)) throw unreadable(folder, "it has no config.json");
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw unreadable(path, messageOf(error));
  }
  return deepseekConfig(value, path);
}

/** The safetensors files of a checkpoint's folder, one or several. */
export async function deepseekFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((one) => one.endsWith(".safetensors")).sort();
  return names.map((name) => join(folder, name));
}

/**
 * Loads a checkpoint's weights.
 * @throws HoneError for a tensor that is missing or has another shape
 */
export async function loadDeepseek(folder: string, config: NetConfig): Promise<Parameters> {
  const files = new Map<string, SafetensorsFile>();
  for (const path of await deepseekFiles(folder)) {
    const read = await readSafetensors(path);
    for (const name of read.tensors.keys()) files.set(name, read);
  }
  const weights: Parameters = {};
  for (const [name, shape] of tensorShapes(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const parts = published(name, config);
    const size = data.length / parts.length;
    for (const [i, part] of parts.entries()) {
      const file = files.get(part);
      if (!file) throw unreadable(folder, `no safetensors file has ${part}`);
      const found = await readSafetensor(file, part);
      const wanted = parts.length > 1 ? shape.slice(1) : shape;
      if (found.shape.join() !== wanted.join() || !(found.data instanceof Float32Array))
        throw unreadable(file.path, `${part} is [${found.shape}] where [${wanted}] was expected`);
      data.set(found.data, i * size);
    }
    const turned = /attn_[qk]\.weight$/.test(name) ? neighbours(data, config) : data;
    weights[name] = new Tensor("float32", turned, [...shape]);
  }
  return weights;
}

/** Reorders the rows of each head from rotary pairs in halves to neighbouring pairs, as in GGUF files. */
function neighbours(data: Float32Array, { headWidth, width }: NetConfig): Float32Array {
  const out = new Float32Array(data.length);
  const rows = data.length / width;
  for (let row = 0; row < rows; row++) {
    const place = row % headWidth;
    const to = row - place + (place < headWidth / 2 ? 2 * place : 2 * (place - headWidth / 2) + 1);
    out.set(data.subarray(row * width, (row + 1) * width), to * width);
  }
  return out;
}

function unreadable(where: string, why: string): HoneError {
  return new HoneError({
    what: "Cannot read this as a DeepSeekMoE checkpoint",
    where,
    why,
    next: "Give the folder with config.json and the safetensors files in the layout of deepseek-moe-16b.",
    kind: "usage",
  });
}
