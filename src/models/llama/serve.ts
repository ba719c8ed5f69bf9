// Answers calls with one set of weights, as it is or changed: generates, scores options, embeds. Each lane handles one call at
// a time. The pool loads and unloads.

import { type CallContext, CallError, type Cost } from "../../core/call.js";
import type { Embeds, LanguageModel, Reads, Scores, Work } from "../../core/model.js";
import type { GgufFile } from "../../tensor/gguf.js";
import { withoutThoughts } from "../template.js";
import { heldForm, readCalls, sureText } from "../tool-calls.js";
import type { Engine } from "./engine.js";
import { grammarOf } from "./gbnf.js";
import type { Member, Pool } from "./pool.js";
import { promptsOf, type RequestTokens } from "./prompts.js";
import { inLanes } from "./queue.js";
import { scoreContinuations } from "./score.js";
import { inertTokens } from "./tokens.js";
import type { Weights } from "./weights.js";
import { mostPlaces } from "./writer.js";

/** Weights with a context for each lane. */
export interface Loaded {
  weights: Weights;
  engines: readonly Engine[];
}

export interface Served extends Pick<LanguageModel, "id" | "name" | "grants" | "format" | "formats"> {
  gguf: GgufFile;
  contextTokens: number;
  lanes: number;
  /** Token ids that follow the begin token of every prompt. */
  prefix: readonly number[];
  pool: Pool<Loaded>;
  member: Member<Loaded>;
  /** Total work of its engines. */
  work: Work;
}

/**
 * The model's calls, and its tokenizer of requests. The pool's owner closes it and decides whether it embeds: with an adapter or
 * a prefix it cannot.
 */
export function serve(served: Served): {
  model: Omit<LanguageModel & Scores & Reads, "close">;
  embeds: Embeds;
  tokens: RequestTokens;
} {
  const { name, gguf, contextTokens, lanes, prefix, pool, member, grants } = served;
  const trained = trainedContext(gguf);
  const vocabularySize = vocabularyOf(gguf);
  const queue = inLanes(lanes);
  const { toolTemplate, mayThink, promptTokens, requestTokens, textTokens } = promptsOf(gguf, name, prefix);

  /** Runs one call in the lane that keeps most of its prompt, timed from the start of its turn. */
  const call = <T, R extends { prompt: readonly number[] }>(
    context: CallContext,
    read: (weights: Weights) => Promise<R>,
    work: (
      engine: Engine,
      request: R,
      cost: (inputTokens: number, outputTokens: number) => Cost,
    ) => Promise<T>,
  ): Promise<T> =>
    pool.use(
      member,
      async ({ weights, engines }) => {
        context.signal.throwIfAborted();
        const request = await read(weights);
        const engineOf = (lane: number): Engine => engines[lane] as Engine;
        return queue(
          context.signal,
          (lane) => {
            const start = performance.now();
            return work(engineOf(lane), request, (inputTokens, outputTokens) =>
              costOf(inputTokens, outputTokens, performance.now() - start),
            );
          },
          (lane) => engineOf(lane).keeps(request.prompt),
        );
      },
      context.signal,
    );
  const checkRoom = (tokens: number, what: string): void => {
    if (tokens <= contextTokens) return;
    const why = `${what} takes ${tokens} tokens, but the context of ${name} holds ${contextTokens}`;
    const more =
      trained > contextTokens
        ? `; up to ?context=${trained} is possible, and --retry-errors asks again what did not fit`
        : "";
    throw new CallError("too-long", why + more);
  };

  const model: Omit<LanguageModel & Scores & Reads, "close"> = {
    id: served.id,
    name,
    grants,
    format: served.format,
    ...(served.formats ? { formats: served.formats } : {}),
    concurrency: lanes,
    batch: mostPlaces * lanes,
    contextTokens,
    work: () => ({ ...served.work }),
    forms: new Set(
      toolTemplate && served.format === "chat" ? (["json", "tools"] as const) : (["json"] as const),
    ),
    generate: (request, context) => {
      const stops = (request.stop ?? []).filter((stop) => stop !== "");
      return pool.use(
        member,
        async ({ weights: { vocabulary }, engines }) => {
          context.signal.throwIfAborted();
          const { messages, format, stop: _stop, json: _json, tools, toolChoice, ...sampling } = request;
          const forced = tools !== undefined && (toolChoice ?? "auto") !== "auto";
          if (tools && !forced && !(toolTemplate && format === "chat"))
            throw new CallError(
              "unsupported",
              `${name} was not made to call tools as it sees fit; a tool_choice that asks for a call works.`,
            );
          const held = heldForm(request);
          const prompt = await promptTokens(vocabulary, messages, format, tools);
          checkRoom(prompt.length + Math.min(1, request.maxTokens), "the prompt with one more token");
          if (request.maxTokens < 1) return { text: "", finish: "length", cost: costOf(prompt.length, 0, 0) };
          const { writer } = engines.reduce((a, b) => (b.writer.busy < a.writer.busy ? b : a));
          const thinks = mayThink && format === "chat";
          const said = (text: string) => (thinks ? withoutThoughts(text) : text);
          const cut = (text: string) => {
            const end = firstStop(text, stops);
            return end < 0 ? text : text.slice(0, end);
          };
          const free = tools !== undefined && !forced;
          const enough = (written: string) => {
            // What may become the beginning of a thought is held back.
            const text = thinks && "<think>".startsWith(written.trim()) ? "" : said(written);
            if (!forced) context.grows?.(free ? sureText(cut(text)) : cut(text));
            return firstStop(text, stops) >= 0;
          };
          const written = await writer.write(
            prompt,
            {
              ...{ ...sampling, enough },
              ...(held ? { grammar: grammarOf(held) } : {}),
              ...(free ? { spelled: true } : {}),
            },
            context.signal,
          );
          const text = cut(said(written.text));
          return {
            ...(tools ? readCalls(text, tools) : { text }),
            ...{ finish: written.finish, cost: costOf(prompt.length, written.tokens, written.ms) },
          };
        },
        context.signal,
      );
    },
    score: (request, context) =>
      call(
        context,
        async (weights) => {
          const tokens = await requestTokens(request, weights);
          // An option's last token is scored from the logits before it and takes no room in the context.
          const longest = tokens.options.reduce((most, option) => Math.max(most, option.length), 1);
          checkRoom(tokens.prompt.length + longest - 1, "the prompt with its longest option");
          return tokens;
        },
        async (engine, { prompt, options }, cost) => {
          const logprobs = await scoreContinuations(engine, prompt, options, context.signal);
          const scored = options.map((option, i) => ({
            logprob: logprobs[i] as number,
            tokens: option.length,
          }));
          const read = options.reduce((sum, option) => sum + option.length, prompt.length);
          return { options: scored, cost: cost(read, 0) };
        },
      ),
    read: (request, context) =>
      call(
        context,
        async ({ vocabulary, continuation }) => {
          const given = request.tokens;
          const own = given ? [...given] : await promptTokens(vocabulary, request.messages, request.format);
          if (own.length === 0) throw new CallError("unsupported", "The prompt is empty.");
          if (given?.some((token) => !Number.isInteger(token) || token < 0 || token >= vocabularySize))
            throw new CallError(
              "unsupported",
              `A token of ${name} is a whole number below ${vocabularySize}.`,
            );
          const after = request.continuation
            ? inertTokens(request.continuation, { ...vocabulary, tokenize: continuation })
            : [];
          const prompt = [...own, ...after];
          checkRoom(prompt.length, "the prompt");
          return { prompt, own: own.length };
        },
        async (engine, { prompt, own }, cost) => {
          const { logprobs, top } = await engine.read(prompt, request.top, context.signal);
          const likely = (place: number) =>
            (top[place] ?? []).map(([token, logprob]) => ({ text: engine.spell(token), logprob }));
          const tokens = prompt.map((id, i) => ({
            id,
            text: engine.spell(id),
            logprob: logprobs[i] ?? null,
            top: likely(i),
          }));
          return { tokens, prompt: own, next: likely(prompt.length), cost: cost(prompt.length, 0) };
        },
      ),
  };
  const embeds: Embeds = {
    embed: (texts, context) =>
      call(
        context,
        async ({ vocabulary }) => {
          const all = texts.map((text, i) => {
            const tokens = textTokens(vocabulary, text);
            if (tokens.length === 0) throw new CallError("unsupported", `Text ${i + 1} is empty.`);
            checkRoom(tokens.length + 1, `text ${i + 1}`);
            return tokens;
          });
          // Embedding has its own contexts: any lane suits it, and no lane loses its kept prompt.
          return { prompt: [], all };
        },
        async (engine, { all }, cost) => {
          const vectors: number[][] = [];
          for (const [i, tokens] of all.entries()) {
            context.signal.throwIfAborted();
            const vector = await engine.embed(tokens);
            const length = Math.hypot(...vector);
            if (!(length > 0))
              throw new CallError("malformed", `llama.cpp gave no vector for text ${i + 1}.`);
            vectors.push(vector.map((value) => value / length));
          }
          const read = all.reduce((sum, tokens) => sum + tokens.length, 0);
          return { vectors, cost: cost(read, 0) };
        },
      ),
  };
  return { model, embeds, tokens: requestTokens };
}

function costOf(inputTokens: number, outputTokens: number, ms: number): Cost {
  return { calls: 1, inputTokens, outputTokens, ms, usd: 0 };
}

/** Tokens of context that the model was trained on. */
export function trainedContext(gguf: GgufFile): number {
  return Number(gguf.metadata.get(`${gguf.architecture}.context_length`));
}

/** Number of tokens that the model knows. */
function vocabularyOf(gguf: GgufFile): number {
  const texts = gguf.metadata.get("tokenizer.ggml.tokens");
  return Array.isArray(texts) ? texts.length : 0;
}

function firstStop(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length > 0 ? Math.min(...found) : -1;
}
