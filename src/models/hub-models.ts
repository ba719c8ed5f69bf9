// Open models on the Hub that have short names, by size class: where the file is, its licence, and its sizes. Layer sizes come
// from the models' own configurations; from them Hone estimates what fits a machine. A fetched file is checked against the
// Hub's checksum. Models that can think before they answer are asked not to (`template.ts`): they are no reasoning models here.

import { usableMemory } from "../core/memory.js";
import { memoryEstimate, type NetSizes } from "../nets/memory.js";
import { laneBytes, maxLanes } from "./llama/weights.js";

export interface HubModel extends Omit<NetSizes, "experts"> {
  /** `owner/name/file.gguf`. */
  file: string;
  summary: string;
  quantization: string;
  licence: string;
  /** File size, in units of 10⁶ bytes. */
  sizeMB: number;
  /** Those in the file, by whose size they are checked: Qwen2.5's have an output matrix besides the embedding. */
  parameters: number;
  /** Whether Hone trains the architecture; not Gemma 3 from 4B on, which scales its rotary positions. */
  trains: boolean;
}

const apache = "Apache-2.0";

/** By family, whether there are norms on queries and keys, and on the outputs of attention and feed-forward. */
const plain = { queryNorms: false, outputNorms: false };
const qwen3 = { queryNorms: true, outputNorms: false };
const gemma3 = { queryNorms: true, outputNorms: true };

/** By short name, smallest first. */
export const hubModels: Readonly<Record<string, HubModel>> = {
  "smollm2-360m-instruct": {
    file: "HuggingFaceTB/SmolLM2-360M-Instruct-GGUF/smollm2-360m-instruct-q8_0.gguf",
    summary: "SmolLM2 360M Instruct, English",
    quantization: "Q8_0",
    licence: apache,
    sizeMB: 386,
    parameters: 362e6,
    ...plain,
    ...{ layers: 32, heads: 15, kvHeads: 5, headWidth: 64, width: 960, hidden: 2560, vocab: 49152 },
    trains: true,
  },
  "qwen2.5-0.5b-instruct": {
    file: "Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q8_0.gguf",
    summary: "Qwen2.5 0.5B Instruct, many languages",
    quantization: "Q8_0",
    licence: apache,
    sizeMB: 676,
    parameters: 630e6,
    ...plain,
    ...{ layers: 24, heads: 14, kvHeads: 2, headWidth: 64, width: 896, hidden: 4864, vocab: 151936 },
    trains: true,
  },
  "qwen3-0.6b": {
    file: "Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf",
    summary: "Qwen3 0.6B, many languages, without its thinking",
    quantization: "Q8_0",
    licence: apache,
    sizeMB: 639,
    parameters: 596e6,
    ...qwen3,
    ...{ layers: 28, heads: 16, kvHeads: 8, headWidth: 128, width: 1024, hidden: 3072, vocab: 151936 },
    trains: true,
  },
  "gemma3-1b-it": {
    file: "ggml-org/gemma-3-1b-it-GGUF/gemma-3-1b-it-Q4_K_M.gguf",
    summary: "Gemma 3 1B instruction-tuned",
    quantization: "Q4_K_M",
    licence: "Gemma terms of use",
    sizeMB: 806,
    parameters: 1000e6,
    ...gemma3,
    ...{ layers: 26, heads: 4, kvHeads: 1, headWidth: 256, width: 1152, hidden: 6912, vocab: 262144 },
    trains: true,
  },
  "llama3.2-1b-instruct": {
    file: "bartowski/Llama-3.2-1B-Instruct-GGUF/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
    summary: "Llama 3.2 1B Instruct, eight languages",
    quantization: "Q4_K_M",
    licence: "Llama 3.2 Community License",
    sizeMB: 808,
    parameters: 1236e6,
    ...plain,
    ...{ layers: 16, heads: 32, kvHeads: 8, headWidth: 64, width: 2048, hidden: 8192, vocab: 128256 },
    trains: true,
  },
  "qwen2.5-1.5b-instruct": {
    file: "Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf",
    summary: "Qwen2.5 1.5B Instruct, many languages",
    quantization: "Q4_K_M",
    licence: apache,
    sizeMB: 1117,
    parameters: 1777e6,
    ...plain,
    ...{ layers: 28, heads: 12, kvHeads: 2, headWidth: 128, width: 1536, hidden: 8960, vocab: 151936 },
    trains: true,
  },
  "smollm2-1.7b-instruct": {
    file: "HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF/smollm2-1.7b-instruct-q4_k_m.gguf",
    summary: "SmolLM2 1.7B Instruct, English",
    quantization: "Q4_K_M",
    licence: apache,
    sizeMB: 1056,
    parameters: 1711e6,
    ...plain,
    ...{ layers: 24, heads: 32, kvHeads: 32, headWidth: 64, width: 2048, hidden: 8192, vocab: 49152 },
    trains: true,
  },
  "qwen3-1.7b": {
    file: "Qwen/Qwen3-1.7B-GGUF/Qwen3-1.7B-Q8_0.gguf",
    summary: "Qwen3 1.7B, many languages, without its thinking",
    quantization: "Q8_0",
    licence: apache,
    sizeMB: 1834,
    parameters: 1721e6,
    ...qwen3,
    ...{ layers: 28, heads: 16, kvHeads: 8, headWidth: 128, width: 2048, hidden: 6144, vocab: 151936 },
    trains: true,
  },
  "smollm3-3b": {
    file: "ggml-org/SmolLM3-3B-GGUF/SmolLM3-Q4_K_M.gguf",
    summary: "SmolLM3 3B, six languages, without its thinking",
    quantization: "Q4_K_M",
    licence: apache,
    sizeMB: 1915,
    parameters: 3075e6,
    ...plain,
    ...{ layers: 36, heads: 16, kvHeads: 4, headWidth: 128, width: 2048, hidden: 11008, vocab: 128256 },
    trains: true,
  },
  "llama3.2-3b-instruct": {
    file: "bartowski/Llama-3.2-3B-Instruct-GGUF/Llama-3.2-3B-Instruct-Q4_K_M.gguf",
    summary: "Llama 3.2 3B Instruct, eight languages",
    quantization: "Q4_K_M",
    licence: "Llama 3.2 Community License",
    sizeMB: 2019,
    parameters: 3213e6,
    ...plain,
    ...{ layers: 28, heads: 24, kvHeads: 8, headWidth: 128, width: 3072, hidden: 8192, vocab: 128256 },
    trains: true,
  },
  "gemma3-4b-it": {
    file: "ggml-org/gemma-3-4b-it-GGUF/gemma-3-4b-it-Q4_K_M.gguf",
    summary: "Gemma 3 4B instruction-tuned, many languages",
    quantization: "Q4_K_M",
    licence: "Gemma terms of use",
    sizeMB: 2490,
    parameters: 3880e6,
    ...gemma3,
    ...{ layers: 34, heads: 8, kvHeads: 4, headWidth: 256, width: 2560, hidden: 10240, vocab: 262208 },
    trains: false,
  },
  "qwen3-4b": {
    file: "Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf",
    summary: "Qwen3 4B, many languages, without its thinking",
    quantization: "Q4_K_M",
    licence: apache,
    sizeMB: 2497,
    parameters: 4022e6,
    ...qwen3,
    ...{ layers: 36, heads: 32, kvHeads: 8, headWidth: 128, width: 2560, hidden: 9728, vocab: 151936 },
    trains: true,
  },
  "mistral-7b-instruct": {
    file: "bartowski/Mistral-7B-Instruct-v0.3-GGUF/Mistral-7B-Instruct-v0.3-Q4_K_M.gguf",
    summary: "Mistral 7B Instruct v0.3",
    quantization: "Q4_K_M",
    licence: apache,
    sizeMB: 4373,
    parameters: 7248e6,
    ...plain,
    ...{ layers: 32, heads: 32, kvHeads: 8, headWidth: 128, width: 4096, hidden: 14336, vocab: 32768 },
    trains: true,
  },
  "qwen3-8b": {
    file: "Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf",
    summary: "Qwen3 8B, many languages, without its thinking",
    quantization: "Q4_K_M",
    licence: apache,
    sizeMB: 5028,
    parameters: 8191e6,
    ...qwen3,
    ...{ layers: 36, heads: 32, kvHeads: 8, headWidth: 128, width: 4096, hidden: 12288, vocab: 151936 },
    trains: true,
  },
};

/** Tokens of context assumed for prompting. */
export const contextTokens = 4096;
/** What is assumed for training: a row of `rowTokens`' default length with some answer tokens in it, and LoRA's usual rank. */
export const trainingRow = { batch: 1, tokens: 512, answers: 32 };
const rank = 16;
const processBytes = 0.4e9;

/**
 * Bytes that prompting takes at most: the file, keys and values in half precision of all lanes, as many again for writing, and the
 * process. Qwen3's layers at 0.6B, 4,096 tokens: 3.5 GB measured after answers were written on two cores, 3.2 by this.
 */
export function promptingBytes({ sizeMB, layers, kvHeads, headWidth }: HubModel): number {
  const lane = 4 * layers * kvHeads * headWidth * contextTokens;
  const lanes = Math.max(lane, Math.min(maxLanes * lane, laneBytes));
  return sizeMB * 1e6 + 2 * lanes + processBytes;
}

/** Bytes that training a LoRA takes, by the estimate that training itself checks, plus those of the served file. */
export function trainingBytes(model: HubModel): number {
  const { parameters, layers, width, heads, kvHeads, headWidth, hidden } = model;
  // Inputs plus outputs of a block's seven matrices.
  const sides = 7 * width + 2 * (heads + kvHeads) * headWidth + 3 * hidden;
  const size = { ...trainingRow, trainable: rank * layers * sides };
  return promptingBytes(model) + memoryEstimate(model, parameters, size);
}

/** What a machine with this much memory can do with a model; a tenth is left for other processes. */
export function fitOf(model: HubModel, memory = usableMemory()): "train" | "prompt" | "none" {
  const room = 0.9 * memory;
  if (model.trains && trainingBytes(model) <= room) return "train";
  return promptingBytes(model) <= room ? "prompt" : "none";
}
