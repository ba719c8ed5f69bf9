// The weights of a GGUF model in llama.cpp: checked, loaded, and opened as contexts, one engine (`./engine.ts`) a lane.
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
  /** Threads of each lane. */
  threads: number;
  /** Path of a GGUF adapter that is put on the weights, in these contexts alone. */
  lora?: string;
  /** What every lane does is added to it. */
  work?: Work;
}

/** Loaded weights, without a context yet. */
export interface Weights {
  readonly vocabulary: Vocabulary;
  /** Tokens of a text that continues a prompt: no space is put before it. */
  continuation(text: string): number[];
  /** What tokens spell, control tokens left out. */
  text(tokens: readonly number[]): string;
  /** Makes contexts over the weights, one engine a lane. @throws HoneError when memory or the adapter does not serve */
  open(options: EngineOptions): Promise<Engine[]>;
  /** Frees the weights and every context over them. */
  close(): Promise<void>;
}

/** Tokens evaluated at once. 128 was the fastest of 32 to 256 with SmolLM2. */
const chunkTokens = { off: 128, auto: 512 } as const;

/** Node runs four pieces of native work at once; one of them stays free for files. */
const maxLanes = 3;
/** Memory for all lanes' contexts together. */
const laneBytes = 2 ** 30;

/** Of a model whose weights are F32: every context, the embedding's too. */
const float32Contexts = {
  defaultContextFlashAttention: false,
  experimentalDefaultContextKvCacheKeyType: "F32",
  experimentalDefaultContextKvCacheValueType: "F32",
} as const;

/** What llama.cpp complained of since a load began: its errors say no more than that loading failed. */
let complaints: string[] = [];
const runtimes = new Map<Gpu, Promise<Llama>>();

/** llama.cpp itself, started once a process. Never built and never downloaded here. */
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
      // 0: an evaluation gets the threads it asks for, so that nothing depends on what else runs.
      maxThreads: 0,
    }),
  );
  runtimes.set(gpu, started);
  started.catch(() => runtimes.delete(gpu));
  return started;
}

/**
 * How to use the cores: a lane each, with one thread, as far as memory for their contexts goes. llama.cpp's threads wait for
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
 * Whether a file's matrices are all F32. What it computes is then kept as F32 too: with keys and values of F16, llama.cpp's
 * default, log-probabilities of texts were up to 0.045 nats from transformers' on the same weights, so they are 0.002
 * (bench/recorded/lm-eval.json). Flash attention is off there, for it reads keys and values as F16 whatever they are kept as.
 */
export function isFloat32({ tensors }: GgufFile): boolean {
  const float32 = 0;
  return tensors.every(({ shape, type }) => shape.length < 2 || type === float32);
}

/** Bytes of keys and values of one token, for every layer and key-value head. */
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

/** What every context over a file's weights is told beside its sizes. */
export function contextKind(gguf: GgufFile): { flashAttention: boolean } {
  return { flashAttention: !isFloat32(gguf) };
}

/** Loads a model file that has been checked. @throws HoneError with what llama.cpp complained of */
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
      // A pass over the weights that turns NaN and infinity into an error.
      checkTensors: true,
      // Without it a sliding-window model forgets the prefix that scoring goes back to.
      defaultContextSwaFullCache: true,
      ...(isFloat32(gguf) ? float32Contexts : {}),
    });
  } catch (error) {
    throw cannotLoad(gguf.path, error);
  }
}

/**
 * Checks and loads a model file.
 * @throws HoneError when the file is broken or unknown, llama.cpp cannot start, or memory does not suffice
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
          // One more than may be used: node-llama-cpp drops the oldest tokens in silence when the last cell is taken.
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

/** Whether a turn or a paragraph ends before a token: it is a control token, or stands after an empty line. */
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

/** llama.cpp's error with what it complained of since the load began. */
export function cannotLoad(path: string, error: unknown): HoneError {
  return new HoneError({
    what: "llama.cpp cannot load this model",
    where: path,
    why: [messageOf(error), ...complaints].join("; "),
    next: "Try a smaller context (`?context=2048`), another GGUF file, or run `hone doctor`.",
    cause: error,
  });
}

/** Mean pooling for `embed` where the file chooses none; evaluation is not touched by it. */
function meanPooling(gguf: GgufFile): NonNullable<LlamaModelOptions["metadataOverrides"]> {
  if (gguf.metadata.has(`${gguf.architecture}.pooling_type`)) return {};
  return { [gguf.architecture]: { pooling_type: 1 } };
}

/** The token that begins every prompt, as the file says; where it says nothing, as llama.cpp has it for this tokeniser. */
function beginToken(model: LlamaModel, gguf: GgufFile): number | undefined {
  const wanted = gguf.metadata.get("tokenizer.ggml.add_bos_token") ?? model.tokens.shouldPrependBosToken;
  const named = gguf.metadata.get("tokenizer.ggml.bos_token_id");
  if (wanted !== true) return undefined;
  return typeof named === "number" ? named : (model.tokens.bos ?? undefined);
}
