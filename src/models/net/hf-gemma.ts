// Converts a Gemma 3 text model to transformers' weight names and config. GGUF files store a norm's gain as 1 + w,
// transformers stores w.

import { HoneError } from "../../core/errors.js";
import type { NetConfig } from "../../nets/config.js";

type Dense = { data: Float32Array; shape: number[] };

const parts: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  post_attention_norm: "post_attention_layernorm",
  ffn_norm: "pre_feedforward_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
  post_ffw_norm: "post_feedforward_layernorm",
};

/**
 * `config.json` and tensors of `Gemma3TextModel`.
 * @param where the base's file, for the error message
 * @throws HoneError for a decoder of another family
 */
export function gemmaFolder(
  config: NetConfig,
  weights: Readonly<Record<string, Dense>>,
  where: string,
): { json: object; tensors: Record<string, Dense> } {
  if (config.architecture !== "gemma3") {
    throw new HoneError({
      what: "Hone cannot write this encoder for transformers",
      where,
      why: `its architecture is ${config.architecture}; of decoders only Gemma 3 is written`,
      next: "Use it within Hone.",
      kind: "usage",
    });
  }
  const tensors: Record<string, Dense> = {};
  for (const [name, { data, shape }] of Object.entries(weights)) {
    const gain = shape.length === 1 ? data.map((value) => value - 1) : data;
    const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
    const own =
      part !== undefined
        ? `layers.${layer}.${parts[part]}.weight`
        : name === "token_embd.weight"
          ? "embed_tokens.weight"
          : "norm.weight";
    tensors[own] = { data: gain, shape };
  }
  const every = config.window?.every ?? 6;
  const json = {
    architectures: ["Gemma3TextModel"],
    model_type: "gemma3_text",
    attention_bias: false,
    attention_dropout: 0,
    attn_logit_softcapping: null,
    bos_token_id: 2,
    eos_token_id: 1,
    pad_token_id: 0,
    final_logit_softcapping: null,
    head_dim: config.headWidth,
    hidden_activation: "gelu_pytorch_tanh",
    hidden_size: config.width,
    intermediate_size: config.hidden,
    layer_types: Array.from({ length: config.layers }, (_, i) =>
      (i + 1) % every === 0 ? "full_attention" : "sliding_attention",
    ),
    max_position_embeddings: config.context,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    num_key_value_heads: config.kvHeads,
    query_pre_attn_scalar: config.headWidth,
    rms_norm_eps: config.normEps,
    rope_local_base_freq: config.rope.windowBase,
    rope_theta: config.rope.base,
    sliding_window: config.window?.tokens ?? config.context,
    torch_dtype: "float32",
    vocab_size: config.vocab,
  };
  return { json, tensors };
}
