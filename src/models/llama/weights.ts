// The weights of a GGUF model in llama.cpp: checked, loaded, and opened as contexts, one engine (`./engine.ts`) per lane.
//
// Keys and values are F16, and F32 in contexts over weights that are F32 (`isFloat32`).

import type { Llama, LlamaModel, LlamaModelOptions, Token } from "node-llama-cpp";
import { HoneError, messageOf } from "../../core/errors.js";
import type { Work } from "../../core/model.js";
import { type GgufFile, readGguf } from "../../tensor/gguf.js";
import { checkModel } from "./check.js";
import { cutterOf } from "./cuts.js";
import { type Engine, engineOver } from "./engine.js";
import { specialTokens, type Vocabulary } from "./tokens.js";
import { writerOver } from "./writer.js";

type Gpu = "off" | "auto";

export interface EngineOptions {
  /** Most tokens of prompt and answer together. */
  contextTokens: number;
  /** Contexts over the same weights, each evaluating one request at a time. */
  lanes: number;
  /** Threads per lane. */
  threads: number;
  /** Path of a GGUF adapter that is applied to the weights in these contexts only. */
  lora?: string;
  /** Every lane adds its work to it. */
  work?: Work;
}

/** Loaded weights, without a context yet. */
export interface Weights {
  readonly vocabulary: Vocabulary;
  /** Tokens of a text that continues a prompt: no space is put before it. */
  continuation(text: string): number[];
  /** The text of tokens, without control tokens. */
  text(tokens: readonly number[]): string;
  /** Opens contexts over the weights, one engine per lane. @throws HoneError when memory runs short or the adapter is unusable */
  open(options: EngineOptions): Promise<Engine[]>;
  /** Frees the weights and every context over them. */
  close(): Promise<void>;
}

/** Tokens evaluated at once. 128 was the fastest of 32 to 256 with SmolLM2. */
const chunkTokens = { off: 128, auto: 512 } as const;

/** Node's thread pool has four threads; one stays free for file access. */
export const maxLanes = 3;
/** Memory for all lanes' contexts together. */
export const laneBytes = 2 ** 30;

/** Options for every context, including embedding contexts, of a model whose weights are F32. */
const float32Contexts = {
  defaultContextFlashAttention: false,
  experimentalDefaultContextKvCacheKeyType: "F32",
  experimentalDefaultContextKvCacheValueType: "F32",
} as const;

/** Messages that llama.cpp logged since a load began: its errors only say that loading failed. */
let complaints: string[] = [];
const runtimes = new Map<Gpu, Promise<Llama>>();

/** llama.cpp itself, started once per process. Never built and never downloaded here. */
function runtime(gpu: Gpu): Promise<Llama> {
  const known = runtimes.get(gpu);
  if (known) return known;
  const started = import("node-llama-cpp").then(({ getLlama, LlamaLogLevel }) =>
    getLlama({
      gpu: gpu === "auto" ? "auto" : false,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      logger: (_level, message) => {
        if (complaints.length < 8) complaints.push(message.trim());
      },
      // 0: an evaluation gets the threads it requests, so that results do not depend on other work.
      maxThreads: 0,
    }),
  );
  runtimes.set(gpu, started);
  started.catch(() => runtimes.delete(gpu));
  return started;
}

/**
 * How to use the cores: one lane of one thread per core, as far as memory for the contexts allows. llama.cpp's threads wait for
 * one another by spinning after every layer; lanes do not wait. Measured with SmolLM2 on two cores: see docs/log.md.
 */
export function planLanes(
  gguf: GgufFile,
  contextTokens: number,
  cores: number,
): { lanes: number; threads: number } {
  const bytes = tokenBytes(gguf) * contextTokens;
  const lanes = Math.max(1, Math.min(cores, maxLanes, Math.floor(laneBytes / bytes)));
  return { lanes, threads: Math.max(1, Math.floor(cores / lanes)) };
}

/**
 * Whether a file's matrices are all F32. Its keys and values are then stored as F32 too: with F16, llama.cpp's default,
 * log-probabilities of texts differed from transformers' on the same weights by up to 0.045 nats, with F32 by 0.002
 * (bench/recorded/lm-eval.json). Flash attention is then off, because it reads keys and values as F16 whatever their type.
 */
export function isFloat32({ tensors }: GgufFile): boolean {
  const float32 = 0;
  return tensors.every(({ shape, type }) => shape.length < 2 || type === float32);
}

/** Bytes of one token's keys and values over all layers and key-value heads. */
function tokenBytes(gguf: GgufFile): number {
  const number = (key: string): number => {
    const value = gguf.metadata.get(`${gguf.architecture}.${key}`);
    return Math.max(1, ...(Array.isArray(value) ? value : [value ?? 1]).map(Number).filter(Number.isFinite));
  };
  const heads = number("attention.head_count");
  const width = number("embedding_length");
  const head = gguf.metadata.has(`${gguf.architecture}.attention.key_length`)
    ? number("attention.key_length")
    : width / heads;
  const each = isFloat32(gguf) ? 4 : 2;
  return 2 * each * number("block_count") * number("attention.head_count_kv") * head;
}

/** Options, besides sizes, of every context over a file's weights. */
export function contextKind(gguf: GgufFile): { flashAttention: boolean } {
  return { flashAttention: !isFloat32(gguf) };
}

/** Loads a model file that has been checked. @throws HoneError with llama.cpp's messages */
export async function loadModel(
  gguf: GgufFile,
  gpu: Gpu,
  metadataOverrides: NonNullable<LlamaModelOptions["metadataOverrides"]>,
): Promise<LlamaModel> {
  try {
    const llama = await runtime(gpu);
    complaints = [];
    return await llama.loadModel({
      modelPath: gguf.path,
      metadataOverrides,
      // A pass over the weights that reports NaN and infinity as an error.
      checkTensors: true,
      // Without it a sliding-window model loses the prefix to which scoring rewinds.
      defaultContextSwaFullCache: true,
      ...(isFloat32(gguf) ? float32Contexts : {}),
    });
  } catch (error) {
    throw cannotLoad(gguf.path, error);
  }
}

/**
 * Checks and loads a model file.
 * @throws HoneError when the file is broken or unknown, llama.cpp cannot start, or memory runs short
 */
export async function openWeights(path: string, gpu: Gpu): Promise<Weights> {
  const gguf = readGguf(path);
  checkModel(gguf);
  const chunk = chunkTokens[gpu];
  const model = await loadModel(gguf, gpu, meanPooling(gguf));
  const { whole: special, control } = specialTokens(gguf);
  const isControl = (token: number) => control.has(token) || model.isEogToken(token as Token);
  const cutter = cutterOf(chunk, endsOf(model, isControl));
  return {
    vocabulary: {
      tokenize: (text) => model.tokenize(text, false),
      special,
      isControl,
      bos: beginToken(model, gguf),
    },
    continuation: (text) => model.tokenize(text, false, "trimLeadingSpace"),
    text: (tokens) => model.detokenize(tokens as Token[]),
    async open({ contextTokens, lanes, threads, lora, work = { evaluated: 0, reused: 0, written: 0 } }) {
      const engines: Engine[] = [];
      complaints = [];
      try {
        for (let lane = 0; lane < lanes; lane++) {
          const contextOf = (sequences: number, contextSize: number) =>
            model.createContext({
              ...{ sequences, contextSize, batchSize: chunk + 1, threads, ...contextKind(gguf) },
              ...(lora === undefined ? {} : { lora }),
            });
          // One more than may be used: node-llama-cpp silently drops the oldest tokens when the last cell is taken.
          const context = await contextOf(1, contextTokens + 1);
          const openWriter = () =>
            writerOver(model, {
              ...{ contextTokens, cutter, work, open: contextOf },
              tokenBytes: tokenBytes(gguf),
              bytes: laneBytes / lanes,
            });
          engines.push(engineOver(model, context, contextTokens, cutter, work, openWriter));
        }
      } catch (error) {
        for (const engine of engines) await engine.close();
        throw cannotLoad(lora ?? path, error);
      }
      return engines;
    },
    close: () => model.dispose(),
  };
}

/** Whether a turn or a paragraph ends before a token: it is a control token, or follows an empty line. */
function endsOf(
  model: LlamaModel,
  isControl: (token: number) => boolean,
): (tokens: readonly number[], at: number) => boolean {
  const texts = new Map<number, string>();
  const textOf = (token: number | undefined): string => {
    if (token === undefined) return "";
    const text = texts.get(token) ?? model.detokenize([token as Token]);
    texts.set(token, text);
    return text;
  };
  return (tokens, at) => {
    if (isControl(tokens[at] as number)) return true;
    const before = textOf(tokens[at - 1]);
    return before.endsWith("\n") && (before.endsWith("\n\n") || textOf(tokens[at - 2]).endsWith("\n"));
  };
}

/** llama.cpp's error together with its messages since the load began. */
export function cannotLoad(path: string, error: unknown): HoneError {
  return new HoneError({
    what: "llama.cpp cannot load this model",
    where: path,
    why: [messageOf(error), ...complaints].join("; "),
    next: "Try a smaller context (`?context=2048`), another GGUF file, or run `hone doctor`.",
    cause: error,
  });
}

/** Mean pooling for `embed` if the file sets none; evaluation is unaffected. */
function meanPooling(gguf: GgufFile): NonNullable<LlamaModelOptions["metadataOverrides"]> {
  if (gguf.metadata.has(`${gguf.architecture}.pooling_type`)) return {};
  return { [gguf.architecture]: { pooling_type: 1 } };
}

/** The token that begins every prompt, as the file says; otherwise llama.cpp's default for this tokenizer. */
function beginToken(model: LlamaModel, gguf: GgufFile): number | undefined {
  const wanted = gguf.metadata.get("tokenizer.ggml.add_bos_token") ?? model.tokens.shouldPrependBosToken;
  const named = gguf.metadata.get("tokenizer.ggml.bos_token_id");
  if (wanted !== true) return undefined;
  return typeof named === "number" ? named : (model.tokens.bos ?? undefined);
}
