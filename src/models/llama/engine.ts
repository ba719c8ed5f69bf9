// One loaded GGUF model behind llama.cpp: evaluates tokens and reads log-probabilities. It knows no messages and no
// requests; `../llama.ts` does.
//
// The same request gives the same figures whatever was asked before. Floating-point results depend on how tokens were
// batched, so prompts are always evaluated in chunks that begin at multiples of `chunk`, and only whole chunks are kept
// from one prompt to the next. Keeping the longest common prefix instead would be a little faster and change last digits.

import { availableParallelism } from "node:os";
import type {
  ControlledEvaluateInputItem,
  Llama,
  LlamaContext,
  LlamaContextSequence,
  LlamaEmbeddingContext,
  LlamaModel,
  LlamaModelOptions,
  Token,
} from "node-llama-cpp";
import { CallError } from "../../core/call.js";
import { HoneError, messageOf } from "../../core/errors.js";
import { checkModel } from "./check.js";
import { type GgufFile, readGguf } from "./gguf.js";
import type { LogProbs, ScoringContext } from "./score.js";
import { specialTokens, type Vocabulary } from "./tokens.js";

export interface EngineOptions {
  path: string;
  /** Most tokens of prompt and answer together. */
  contextTokens: number;
  threads?: number;
  gpu: "off" | "auto";
}

export interface Sampling {
  maxTokens: number;
  /** 0 is greedy. */
  temperature: number;
  seed: number;
  /** Told the text so far after each token; returns true to stop. */
  enough: (text: string) => boolean;
}

export interface Written {
  text: string;
  tokens: number;
  finish: "stop" | "length";
}

export interface Engine extends ScoringContext {
  readonly vocabulary: Vocabulary;
  /** Tokens of a text that continues a prompt: no space is put before it. */
  continuation(text: string): number[];
  generate(prompt: readonly number[], sampling: Sampling, signal: AbortSignal): Promise<Written>;
  /** The last layer's states averaged over the tokens; not normalised. */
  embed(tokens: readonly number[]): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Tokens evaluated at once. Measured with SmolLM2 on two cores, 64 is within 5 % of the best; a GPU wants more. */
const chunkTokens = { off: 64, auto: 512 } as const;

/** Samplers that leave the distribution alone: node-llama-cpp's own defaults are top-k 40 and top-p 0.95. */
const neutral = { topK: 0, topP: 1, minP: 0 } as const;

/** What llama.cpp complained of since a load began: its errors say no more than that loading failed. */
let complaints: string[] = [];
const runtimes = new Map<EngineOptions["gpu"], Promise<Llama>>();

/** llama.cpp itself, started once a process. Never built and never downloaded here. */
function runtime(gpu: EngineOptions["gpu"]): Promise<Llama> {
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
 * Checks and loads a model file.
 * @throws HoneError when the file is broken or unknown, llama.cpp cannot start, or memory does not suffice
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const gguf = readGguf(options.path);
  checkModel(gguf);
  const chunk = chunkTokens[options.gpu];
  let model: LlamaModel | undefined;
  try {
    const llama = await runtime(options.gpu);
    complaints = [];
    model = await llama.loadModel({
      modelPath: options.path,
      metadataOverrides: meanPooling(gguf),
      // A pass over the weights that turns NaN and infinity into an error.
      checkTensors: true,
      // Without it a sliding-window model forgets the prefix that scoring goes back to.
      defaultContextSwaFullCache: true,
    });
    const context = await model.createContext({
      // One more than may be used: node-llama-cpp drops the oldest tokens in silence when the last cell is taken.
      contextSize: options.contextTokens + 1,
      batchSize: chunk,
      threads: options.threads ?? Math.max(1, Math.min(availableParallelism(), llama.cpuMathCores)),
      flashAttention: true,
    });
    return engineOver(model, context, gguf, options.contextTokens, chunk);
  } catch (error) {
    await model?.dispose().catch(() => {});
    throw new HoneError({
      what: "llama.cpp cannot load this model",
      where: options.path,
      why: [messageOf(error), ...complaints].join("; "),
      next: "Try a smaller context (`?context=2048`), another GGUF file, or run `hone doctor`.",
      cause: error,
    });
  }
}

/** Mean pooling for `embed` where the file chooses none; evaluation is not touched by it. */
function meanPooling(gguf: GgufFile): NonNullable<LlamaModelOptions["metadataOverrides"]> {
  if (gguf.metadata.has(`${gguf.architecture}.pooling_type`)) return {};
  return { [gguf.architecture]: { pooling_type: 1 } };
}

function engineOver(
  model: LlamaModel,
  context: LlamaContext,
  gguf: GgufFile,
  contextTokens: number,
  chunk: number,
): Engine {
  const sequence: LlamaContextSequence = context.getSequence();
  /** How many of the sequence's tokens were evaluated as whole chunks, and may be kept for another prompt. */
  let whole = 0;

  const rewind = async (keep: number): Promise<void> => {
    if (keep < sequence.nextTokenIndex) {
      await sequence.eraseContextTokenRanges([{ start: keep, end: sequence.nextTokenIndex }]);
    }
    whole = Math.min(whole, Math.floor(keep / chunk) * chunk);
  };

  /** Brings the sequence to the last chunk boundary below the prompt's end; gives the tokens that are left, 1 to `chunk`. */
  const evaluateChunks = async (tokens: readonly number[], signal: AbortSignal): Promise<number[]> => {
    const boundary = Math.floor((tokens.length - 1) / chunk) * chunk;
    const held = sequence.contextTokens;
    let shared = 0;
    while (shared < Math.min(whole, boundary) && held[shared] === tokens[shared]) shared++;
    await rewind(Math.floor(shared / chunk) * chunk);
    for (let at = sequence.nextTokenIndex; at < boundary; at += chunk) {
      signal.throwIfAborted();
      await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(at, at + chunk) as Token[]);
      whole = at + chunk;
    }
    signal.throwIfAborted();
    return tokens.slice(boundary);
  };

  /** Evaluates tokens and reads what may follow the last one. */
  const evaluate = async (tokens: readonly number[], wanted: readonly number[]): Promise<LogProbs> => {
    // Greedy selection puts the largest logit among the returned ones. `includeMax` would not: in node-llama-cpp 3.22 it
    // returns the largest only where that token was asked for anyway.
    const logits = { filter: { tokens: wanted as Token[], includeSelected: true } };
    const options = { ...neutral, temperature: 0 };
    const items: ControlledEvaluateInputItem[] = tokens.slice(0, -1) as Token[];
    items.push([
      tokens[tokens.length - 1] as Token,
      { generateNext: { token: true, logits, totalLogitWeight: true, options } },
    ]);
    const next = (await sequence.controlledEvaluate(items)).at(-1)?.next;
    if (!next?.logits || next.totalLogitWeight === undefined) throw noLogits();
    // log p = logit - log Σ exp(logit), and the sum comes relative to the largest logit.
    const total = Math.max(...next.logits.values()) + Math.log(next.totalLogitWeight);
    const found = new Map<number, number>();
    for (const token of wanted) {
      const value = (next.logits.get(token as Token) ?? Number.NaN) - total;
      if (!Number.isFinite(value)) throw noLogits();
      found.set(token, value);
    }
    return found;
  };

  const { whole: special, control } = specialTokens(gguf);
  let embedding: LlamaEmbeddingContext | undefined;

  return {
    vocabulary: {
      tokenize: (text) => model.tokenize(text, false),
      special,
      isControl: (token) => control.has(token) || model.isEogToken(token as Token),
      bos: beginToken(model, gguf),
    },
    continuation: (text) => model.tokenize(text, false, "trimLeadingSpace"),
    prompt: async (tokens, wanted, signal) => evaluate(await evaluateChunks(tokens, signal), wanted),
    async extend(keep, token, wanted, signal) {
      signal.throwIfAborted();
      await rewind(keep);
      return evaluate([token], wanted);
    },
    async generate(prompt, sampling, signal) {
      const rest = await evaluateChunks(prompt, signal);
      const most = Math.min(sampling.maxTokens, contextTokens - prompt.length);
      const written: Token[] = [];
      if (most <= 0) return { text: "", tokens: 0, finish: "length" };
      let text = "";
      const tokens = sequence.evaluate(rest as Token[], {
        ...neutral,
        temperature: sampling.temperature,
        seed: sampling.seed,
      });
      for await (const token of tokens) {
        signal.throwIfAborted();
        written.push(token);
        text = model.detokenize(written, false, prompt.slice(-8) as Token[]);
        if (sampling.enough(text)) return { text, tokens: written.length, finish: "stop" };
        if (written.length >= most) return { text, tokens: written.length, finish: "length" };
      }
      return { text, tokens: written.length, finish: "stop" };
    },
    async embed(tokens) {
      // Pooling wants the whole text in one batch.
      const size = contextTokens + 1;
      const threads = context.idealThreads;
      embedding ??= await model.createEmbeddingContext({ contextSize: size, batchSize: size, threads });
      return (await embedding.getEmbeddingFor(tokens as Token[])).vector;
    },
    async close() {
      await model.dispose();
    },
  };
}

/** The token that begins every prompt, as the file says; where it says nothing, as llama.cpp has it for this tokeniser. */
function beginToken(model: LlamaModel, gguf: GgufFile): number | undefined {
  const wanted = gguf.metadata.get("tokenizer.ggml.add_bos_token") ?? model.tokens.shouldPrependBosToken;
  const named = gguf.metadata.get("tokenizer.ggml.bos_token_id");
  if (wanted !== true) return undefined;
  return typeof named === "number" ? named : (model.tokens.bos ?? undefined);
}

function noLogits(): CallError {
  return new CallError("malformed", "llama.cpp gave no usable logits for this prompt.");
}
