// Writes a LoRA as Hugging Face's peft loads it: adapter_config.json and adapter_model.safetensors, with the
// classification head if there is one. Hone trains on the weights of the GGUF file, so names and row order are converted
// back to those of the original checkpoint. Nothing else is written.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HoneError } from "../../../core/errors.js";
import type { NetConfig } from "../../../nets/config.js";
import type { DenseTensor } from "../../../tensor/gguf-tensors.js";
import type { LoraPair } from "../../../tensor/gguf-write.js";
import { writeSafetensors } from "../../../tensor/safetensors.js";

/** Matrices of a block: the part of their GGUF name, and their module in transformers, the same for Llama and Gemma 3. */
const modules: Readonly<Record<string, string>> = {
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

export interface PeftLora {
  /** Value of `base_model_name_or_path`: a name on the Hub, or a placeholder for the reader to replace. */
  base: string;
  net: Pick<NetConfig, "layers" | "heads" | "kvHeads" | "rope">;
  rank: number;
  alpha: number;
  /** Dropout rate in training; it has no effect at inference. */
  dropout?: number;
  /** By GGUF name (`blk.0.attn_q.weight`), in the GGUF file's row order. */
  tensors: Readonly<Record<string, LoraPair>>;
  /** [classes, width]: the `score` of transformers' models for sequence classification. */
  score?: DenseTensor;
}

/**
 * Writes the two files into a folder, which is created if needed.
 *
 * llama.cpp's converter permutes the rows of q and k of Llama models (`permute` in convert_hf_to_gguf.py), because ggml's
 * RoPE rotates neighbouring numbers of a head where transformers rotates its halves. B has those rows, so they are
 * permuted back; A's columns are the input's and stay. Gemma 3 is not permuted. Its converter adds 1 to the norms, which
 * no LoRA touches.
 *
 * @throws HoneError for a tensor that is not a block's matrix, and where shapes do not agree with rank and heads
 */
export async function writePeft(folder: string, lora: PeftLora): Promise<void> {
  const tensors: Record<string, DenseTensor> = {};
  const targets = new Set<string>();
  const layers = new Set<number>();
  for (const [name, { a, b }] of Object.entries(lora.tensors)) {
    const [, layer, part = ""] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
    const module = Object.hasOwn(modules, part) ? (modules[part] as string) : undefined;
    if (layer === undefined || module === undefined) throw unfit(name, "peft has no place for it here");
    if (
      a.shape.length !== 2 ||
      b.shape.length !== 2 ||
      a.shape[0] !== lora.rank ||
      b.shape[1] !== lora.rank
    ) {
      throw unfit(name, `its pair is ${a.shape} and ${b.shape}, and the rank is ${lora.rank}`);
    }
    const heads = part === "attn_q" ? lora.net.heads : part === "attn_k" ? lora.net.kvHeads : undefined;
    const at = `base_model.model.model.layers.${layer}.${module}`;
    tensors[`${at}.lora_A.weight`] = a;
    tensors[`${at}.lora_B.weight`] =
      heads !== undefined && lora.net.rope.pairs === "neighbours" ? rowsAsInTransformers(name, b, heads) : b;
    targets.add(module.slice(module.indexOf(".") + 1));
    layers.add(Number(layer));
  }
  if (targets.size === 0) throw unfit(folder, "there are no matrices to write");
  if (lora.score) tensors["base_model.model.score.weight"] = lora.score;
  const config = {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: lora.base,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: layers.size < lora.net.layers ? "layers" : null,
    layers_to_transform: layers.size < lora.net.layers ? [...layers].sort((a, b) => a - b) : null,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout ?? 0,
    modules_to_save: lora.score ? ["score"] : null,
    peft_type: "LORA",
    r: lora.rank,
    rank_pattern: {},
    revision: null,
    target_modules: [...targets].sort(),
    task_type: lora.score ? "SEQ_CLS" : "CAUSAL_LM",
    use_dora: false,
    use_rslora: false,
  };
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, "adapter_model.safetensors"), tensors, { metadata: { format: "pt" } });
  await writeFile(join(folder, "adapter_config.json"), `${JSON.stringify(config, null, 2)}\n`);
}

/** Row 2i + j of each head goes to row j · half + i: neighbours become halves. */
function rowsAsInTransformers(name: string, { shape, data }: DenseTensor, heads: number): DenseTensor {
  const [rows, width] = shape as [number, number];
  const half = rows / heads / 2;
  if (!Number.isInteger(half)) throw unfit(name, `its ${rows} rows are not ${heads} heads of pairs`);
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const inHead = row % (2 * half);
    const target = row - inHead + (inHead % 2) * half + Math.floor(inHead / 2);
    turned.set(data.subarray(row * width, (row + 1) * width), target * width);
  }
  return { shape, data: turned };
}

function unfit(where: string, why: string): HoneError {
  return new HoneError({
    what: "Cannot write this LoRA for peft",
    where,
    why,
    next: "Use the GGUF adapter, which llama.cpp loads.",
  });
}
