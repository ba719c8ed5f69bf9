// Saves a trained net as a folder: weights, sizes and merges; and, if llama.cpp supports such a net, a GGUF file for it.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { type Bpe, bpe } from "../../learn/bpe.js";
import type { DenseTensor } from "../../tensor/gguf-tensors.js";
import { type GgufEntry, writeGguf } from "../../tensor/gguf-write.js";
import type { Parameters } from "../../tensor/optimizer.js";
import { readSafetensor, readSafetensors, writeSafetensors } from "../../tensor/safetensors.js";
import { type NetConfig, tensorShapes } from "../config.js";

/** A net with everything needed to score a text. */
export interface TrainedNet {
  readonly config: NetConfig;
  readonly weights: Parameters;
  readonly tokenizer: Bpe;
}

const names = { weights: "model.safetensors", net: "net.json", gguf: "model.gguf" } as const;

/** Writes a net into an existing folder. @returns whether it wrote `model.gguf` for llama.cpp */
export async function saveNet(folder: string, { config, weights, tokenizer }: TrainedNet): Promise<boolean> {
  const tensors: Record<string, DenseTensor> = {};
  for (const [name, { data, dims }] of Object.entries(weights))
    tensors[name] = { shape: dims, data: data as Float32Array };
  await writeSafetensors(join(folder, names.weights), tensors, {});
  await writeFile(join(folder, names.net), JSON.stringify({ config, merges: tokenizer.merges }));
  const served = canServe(config);
  if (served) await writeNetGguf(join(folder, names.gguf), { config, weights, tokenizer });
  return served;
}

/** Reads a net back. @throws HoneError if its files are damaged */
export async function loadNet(folder: string): Promise<TrainedNet> {
  const { config, merges } = JSON.parse(await readFile(join(folder, names.net), "utf8")) as {
    config: NetConfig;
    merges: [string, string][];
  };
  const file = await readSafetensors(join(folder, names.weights));
  const weights: Parameters = {};
  for (const [name, shape] of tensorShapes(config)) {
    const { data } = await readSafetensor(file, name);
    weights[name] = new Tensor("float32", data as Float32Array, [...shape]);
  }
  return { config, weights, tokenizer: bpe({ merges }) };
}

/** Whether llama.cpp supports such a net: dense ones, and DeepSeekMoE with shared experts and plain softmax gates. */
export function canServe({ experts }: NetConfig): boolean {
  if (!experts) return true;
  const { routing, shared, affinity, bias, normalize } = experts;
  return routing === "top" && shared > 0 && affinity === "softmax" && !bias && !normalize;
}

/** Writes the GGUF file for llama.cpp: architecture `llama`, or `deepseek` for experts; weights as float32. */
export async function writeNetGguf(
  path: string,
  { config, weights, tokenizer }: TrainedNet,
  name = "net",
): Promise<void> {
  const { architecture: a, experts } = config;
  const whole = (value: number): GgufEntry => ({ type: "uint32", value });
  const real = (value: number): GgufEntry => ({ type: "float32", value });
  const metadata: Record<string, GgufEntry> = {
    "general.architecture": { type: "string", value: a },
    "general.name": { type: "string", value: name },
    [`${a}.context_length`]: whole(config.context),
    [`${a}.embedding_length`]: whole(config.width),
    [`${a}.block_count`]: whole(config.layers),
    [`${a}.feed_forward_length`]: whole(config.hidden),
    [`${a}.attention.head_count`]: whole(config.heads),
    [`${a}.attention.head_count_kv`]: whole(config.kvHeads),
    [`${a}.attention.layer_norm_rms_epsilon`]: real(config.normEps),
    [`${a}.rope.dimension_count`]: whole(config.headWidth),
    [`${a}.rope.freq_base`]: real(config.rope.base),
    [`${a}.vocab_size`]: whole(config.vocab),
    ...(experts
      ? {
          [`${a}.expert_count`]: whole(experts.routed),
          [`${a}.expert_used_count`]: whole(experts.chosen),
          [`${a}.expert_shared_count`]: whole(experts.shared),
          [`${a}.expert_feed_forward_length`]: whole(experts.neurons),
          [`${a}.leading_dense_block_count`]: whole(experts.dense),
          [`${a}.expert_weights_scale`]: real(experts.scale),
        }
      : {}),
    "tokenizer.ggml.model": { type: "string", value: "gpt2" },
    "tokenizer.ggml.pre": { type: "string", value: "gpt-2" },
    "tokenizer.ggml.tokens": { type: "strings", value: tokenizer.tokens },
    "tokenizer.ggml.token_type": {
      type: "int32s",
      value: tokenizer.tokens.map((_, id) => (id === tokenizer.begin ? 3 : 1)),
    },
    "tokenizer.ggml.merges": {
      type: "strings",
      value: tokenizer.merges.map(([left, right]) => `${left} ${right}`),
    },
    "tokenizer.ggml.bos_token_id": whole(tokenizer.begin),
    "tokenizer.ggml.eos_token_id": whole(tokenizer.begin),
    "tokenizer.ggml.add_bos_token": { type: "bool", value: true },
  };
  const tensors = Object.fromEntries(
    [...tensorShapes(config)].map(([key, shape]) => [
      key,
      { shape, type: "F32" as const, data: (weights[key] as Tensor).data as Float32Array },
    ]),
  );
  await writeGguf(path, { metadata, tensors });
}
