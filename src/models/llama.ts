// A GGUF model in this process, through llama.cpp: generates, scores options, embeds. It loads on the first call, so that a
// run which finds every call in its journal never loads it. Each lane makes one call at a time.

import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { type CallContext, CallError, type Cost } from "../core/call.js";
import type { Grant, LanguageModel, Message, PromptFormat } from "../core/language.js";
import { type GgufFile, readGguf } from "../tensor/gguf.js";
import { checkModel } from "./llama/check.js";
import { type Engine, openEngines, planLanes } from "./llama/engine.js";
import { sha256Of } from "./llama/hash.js";
import { inLanes } from "./llama/queue.js";
import { scoreContinuations } from "./llama/score.js";
import { inertTokens, promptTokenizer } from "./llama/tokens.js";
import { type ChatTemplate, compileTemplate, plainSegments, type Segment } from "./template.js";

export interface LlamaOptions {
  /** Shown to people; the file's name where absent. */
  name?: string;
  /** `chat` by default where the file carries a chat template. */
  format?: PromptFormat;
  /** Most tokens of prompt and answer together; 4096 by default, or what the model was trained on if that is less. */
  context?: number;
  /** Requests evaluated at once, each in a context of its own; by default a core each, as far as memory goes. */
  lanes?: number;
  /** Threads of each lane; by default the cores are shared out. */
  threads?: number;
  /** `auto` uses a GPU where a prebuilt binary supports it. `off` by default. */
  gpu?: "off" | "auto";
}

interface Loaded {
  engines: readonly Engine[];
  tokenize: (segments: readonly Segment[]) => number[];
}

/** A loaded model, as one call sees it. */
interface Lane extends Pick<Loaded, "tokenize"> {
  engine: Engine;
}

/**
 * Opens a GGUF file. The header is checked at once, the weights are loaded by the first call.
 *
 * - `score` tokenises prompt and options apart: an option never changes how the prompt's end is read. Begin an option with
 *   a space where it is a word of its own.
 * - `embed` gives the mean of the last layer's states, or the pooling that the file names.
 * - A prompt beyond the context is a CallError `too-long`; nothing is ever cut.
 *
 * @throws HoneError when the file is not a usable model
 */
export async function openLlama(path: string, options: LlamaOptions = {}): Promise<LanguageModel> {
  const gguf = readGguf(path);
  checkModel(gguf);
  const trained = Number(gguf.metadata.get(`${gguf.architecture}.context_length`));
  const contextTokens = Math.min(options.context ?? 4096, trained);
  const gpu = options.gpu ?? "off";
  const name = options.name ?? basename(path).replace(/\.gguf$/i, "");
  const source = gguf.metadata.get("tokenizer.chat_template");
  const hasTemplate = typeof source === "string" && source !== "";

  const cores = availableParallelism();
  const planned = gpu === "off" ? planLanes(gguf, contextTokens, cores) : { lanes: 1, threads: cores };
  const lanes = options.lanes ?? planned.lanes;
  const threads = options.threads ?? Math.max(1, Math.floor(cores / lanes));
  const queue = inLanes(lanes);
  let loading: Promise<Loaded> | undefined;
  let template: Promise<ChatTemplate> | undefined;
  let closed = false;
  const load = (): Promise<Loaded> => {
    if (closed) throw new Error(`The model ${name} is closed.`);
    loading ??= openEngines({ path, contextTokens, gpu, lanes, threads }).then((engines) => ({
      engines,
      tokenize: promptTokenizer((engines[0] as Engine).vocabulary),
    }));
    return loading;
  };
  const segments = async (messages: readonly Message[], format: PromptFormat): Promise<Segment[]> => {
    if (format === "plain") return plainSegments(messages);
    if (!hasTemplate) {
      throw new CallError("unsupported", `${name} has no chat template; use the format \`plain\`.`);
    }
    template ??= compileTemplate(source, specialTexts(gguf));
    return (await template)(messages);
  };
  /** Runs one call in a lane, timed from when it gets its turn. */
  const call = <T>(
    context: CallContext,
    work: (lane: Lane, cost: (inputTokens: number, outputTokens: number) => Cost) => Promise<T>,
  ): Promise<T> =>
    queue(context.signal, async (lane) => {
      const { engines, tokenize } = await load();
      const start = performance.now();
      return work({ engine: engines[lane] as Engine, tokenize }, (inputTokens, outputTokens) => ({
        calls: 1,
        inputTokens,
        outputTokens,
        ms: performance.now() - start,
        usd: 0,
      }));
    });
  const checkRoom = (tokens: number, what: string): void => {
    if (tokens <= contextTokens) return;
    const why = `${what} takes ${tokens} tokens, but the context of ${name} holds ${contextTokens}`;
    const more = trained > contextTokens ? `; up to ?context=${trained} is possible` : "";
    throw new CallError("too-long", why + more);
  };
  const promptTokens = async ({ tokenize }: Lane, messages: readonly Message[], format: PromptFormat) => {
    const tokens = tokenize(await segments(messages, format));
    if (tokens.length === 0) throw new CallError("unsupported", "The prompt is empty.");
    return tokens;
  };

  return {
    id: `llama:${name}@${(await sha256Of(path)).slice(0, 16)}${gpu === "off" ? "" : ";gpu"}`,
    name,
    grants: new Set<Grant>(["text", "logprobs", "embeddings"]),
    format: options.format ?? (hasTemplate ? "chat" : "plain"),
    concurrency: lanes,
    contextTokens,
    generate: (request, context) =>
      call(context, async (loaded, cost) => {
        const tokens = await promptTokens(loaded, request.messages, request.format);
        checkRoom(tokens.length + Math.min(1, request.maxTokens), "the prompt with one more token");
        const stops = (request.stop ?? []).filter((stop) => stop !== "");
        const written = await loaded.engine.generate(
          tokens,
          {
            maxTokens: request.maxTokens,
            temperature: request.temperature,
            seed: request.seed,
            enough: (text) => firstStop(text, stops) >= 0,
          },
          context.signal,
        );
        const end = firstStop(written.text, stops);
        const text = end < 0 ? written.text : written.text.slice(0, end);
        return { text, finish: written.finish, cost: cost(tokens.length, written.tokens) };
      }),
    score: (request, context) =>
      call(context, async (loaded, cost) => {
        const tokens = await promptTokens(loaded, request.messages, request.format);
        const { engine } = loaded;
        const options = request.options.map((option, i) => {
          const found = inertTokens(option, { ...engine.vocabulary, tokenize: engine.continuation });
          if (found.length === 0) throw new CallError("unsupported", `Option ${i + 1} is empty.`);
          return found;
        });
        // The last token of an option is read from the logits before it and takes no place in the context.
        const longest = options.reduce((most, option) => Math.max(most, option.length), 1);
        checkRoom(tokens.length + longest - 1, "the prompt with its longest option");
        const logprobs = await scoreContinuations(engine, tokens, options, context.signal);
        const scored = options.map((option, i) => ({
          logprob: logprobs[i] as number,
          tokens: option.length,
        }));
        const read = options.reduce((sum, option) => sum + option.length, tokens.length);
        return { options: scored, cost: cost(read, 0) };
      }),
    embed: (texts, context) =>
      call(context, async ({ engine, tokenize }, cost) => {
        const vectors: number[][] = [];
        let read = 0;
        for (const [i, text] of texts.entries()) {
          context.signal.throwIfAborted();
          const tokens = tokenize([{ text, template: false }]);
          if (tokens.length === 0) throw new CallError("unsupported", `Text ${i + 1} is empty.`);
          checkRoom(tokens.length + 1, `text ${i + 1}`);
          read += tokens.length;
          const vector = await engine.embed(tokens);
          const length = Math.hypot(...vector);
          if (!(length > 0)) throw new CallError("malformed", `llama.cpp gave no vector for text ${i + 1}.`);
          vectors.push(vector.map((value) => value / length));
        }
        return { vectors, cost: cost(read, 0) };
      }),
    async close() {
      closed = true;
      // Whatever runs is let finish, in every lane: freeing the model under an evaluation would crash the process.
      let idle = 0;
      let allIdle = () => {};
      const everyLane = new Promise<void>((resolve) => {
        allIdle = resolve;
      });
      const claim = () =>
        queue(new AbortController().signal, () => {
          idle++;
          if (idle === lanes) allIdle();
          return everyLane;
        });
      await Promise.all(Array.from({ length: lanes }, claim));
      const loaded = await loading?.catch(() => undefined);
      loading = undefined;
      await loaded?.engines[0]?.close();
    },
  };
}

function firstStop(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length > 0 ? Math.min(...found) : -1;
}

function specialTexts(gguf: GgufFile): { bosToken: string; eosToken: string } {
  const texts = gguf.metadata.get("tokenizer.ggml.tokens");
  const text = (key: string): string => {
    const id = gguf.metadata.get(`tokenizer.ggml.${key}`);
    const found: unknown = Array.isArray(texts) && typeof id === "number" ? texts[id] : undefined;
    return typeof found === "string" ? found : "";
  };
  return { bosToken: text("bos_token_id"), eosToken: text("eos_token_id") };
}
