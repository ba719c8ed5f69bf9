// A model behind any OpenAI-compatible server: chat or completions, log-probabilities, embeddings. This file decides what is
// sent; openai-wire.ts and openai-score.ts read responses; http.ts, limiter.ts and retry.ts handle transport.

import type { CallContext, Cost } from "../core/call.js";
import { CallError, noCost } from "../core/call.js";
import type { Json } from "../core/json.js";
import type { GenerateRequest, PromptModel, ScoreRequest, ToolCall } from "../core/model.js";
import { randomFor } from "../core/random.js";
import { connect, type Reply, type Sink } from "./http.js";
import { type Limiter, sharedLimiter } from "./limiter.js";
import { makeMask } from "./mask.js";
import { addCalls, wireForm, wireMessages } from "./openai-forms.js";
import { fields, identify, publicBase, readBase, readKey, reserved, usage } from "./openai-options.js";
import { noLogprobs, readEcho, readTop } from "./openai-score.js";
import {
  addChoice,
  addEvent,
  at,
  failureOf,
  finishedText,
  nothingWritten,
  parseBody,
  readVectors,
} from "./openai-wire.js";
import { findPrice, readUsage, usdOf } from "./price.js";
import { parseRef } from "./ref.js";
import { withRetries } from "./retry.js";
import { createSseParser } from "./sse.js";

export interface OpenOptions {
  signal?: AbortSignal;
  /** Source of keys, base URL and prices; `process.env` by default. */
  env?: NodeJS.ProcessEnv;
}

/** Has the methods that its grants name. */
export interface OpenAIModel extends PromptModel {
  /** The endpoint's limiter, shared with every other model on the same base URL. */
  readonly limiter: Limiter;
}

/**
 * Opens a model on an OpenAI-compatible endpoint. Nothing is sent before the first call.
 *
 * @param ref `MODEL?base=http://localhost:8000/v1&score=echo&…`; `base` defaults to OPENAI_BASE_URL. The key
 *   comes from OPENAI_API_KEY or from the variable that `key=NAME` names. `extra.NAME=value` adds fields to requests.
 * @throws HoneError (usage) if the reference, the base URL or the key cannot be used
 * @example
 * const model = await openOpenAI("llama-3?base=http://localhost:8000/v1&format=plain&score=echo");
 */
export async function openOpenAI(ref: string, options: OpenOptions = {}): Promise<OpenAIModel> {
  const env = options.env ?? process.env;
  const { name, params, extra } = parseRef("openai", ref, fields, { extra: true });
  if (!name)
    throw usage("openai:", "the model has no name", "Write openai:MODEL, for instance openai:gpt-4o-mini.");
  for (const field of Object.keys(extra)) {
    if (reserved.includes(field))
      throw usage(`openai:${name}, extra.${field}`, "Hone sets this field", "Leave it out.");
  }
  const base = readBase(params.base ?? env.OPENAI_BASE_URL ?? publicBase);
  const key = readKey(name, params.key, base, env);
  const { message: scrub, answer: scrubAnswer } = makeMask(key);
  const price = findPrice(name, params.price, env);
  const limits = {
    timeoutMs: params.timeout * 1000,
    totalMs: params.totalTimeout * 1000,
    maxBytes: params.maxBytes,
  };
  const connection = connect(base, key ? { authorization: `Bearer ${key}` } : {}, limits);
  const shared = sharedLimiter(base, params.concurrency);
  const policy = {
    limiter: shared.limiter,
    retries: params.retries,
    backoffMs: params.backoff * 1000,
    maxRetryAfterMs: params.maxRetryAfter * 1000,
    random: randomFor(0, "retry", base),
  };
  const keep = (...names: string[]) =>
    names.filter((each) => !(params.omit as readonly string[]).includes(each));

  /** One request with its retries; `begin` creates a new reader for every attempt. */
  function send<T>(
    path: string,
    body: object,
    context: CallContext,
    begin: () => Reader<T>,
  ): Promise<T & { ms: number }> {
    const text = JSON.stringify({ ...extra, ...body });
    return withRetries(policy, context, async () => {
      const reader = begin();
      const reply = await connection.post(path, text, context.signal, reader.sink);
      if (reply.status !== 200) throw failureOf(reply.status, reply.headers, reply.body, scrub);
      return { ...reader.read(reply), ms: reply.ms };
    });
  }

  /** A reader of a whole JSON body. */
  const json =
    <T>(read: (value: unknown) => T) =>
    (): Reader<{ value: T; usage: unknown }> => ({
      read(reply) {
        const body = parseBody(reply.body, scrub);
        return { value: read(body), usage: at(body, "usage") };
      },
    });

  function costOf(usage: unknown, input: string, output: string, ms: number): Cost {
    const read = readUsage(usage, { input, output });
    const { inputTokens, outputTokens } = read;
    return { calls: 1, inputTokens, outputTokens, ms, usd: usdOf(price, read) };
  }

  async function generate(request: GenerateRequest, context: CallContext) {
    const chat = request.format === "chat";
    const input = promptOf(request);
    const streamed = params.stream;
    const sent: Record<string, Json> = {
      model: name,
      ...(chat ? { messages: wireMessages(request.messages) } : { prompt: input }),
      ...wireForm(request),
      [chat ? params.maxTokensField : "max_tokens"]: request.maxTokens,
    };
    for (const field of keep("temperature", "seed")) sent[field] = request[field as "temperature" | "seed"];
    // The last two are vLLM's names; OpenAI itself rejects them as unknown, which tells the user that they are unsupported.
    const { topP, minP, repetitionPenalty } = request;
    const drawn = { top_p: topP, min_p: minP, repetition_penalty: repetitionPenalty };
    for (const field of keep("top_p", "min_p", "repetition_penalty")) {
      const value = drawn[field as keyof typeof drawn];
      if (value !== undefined) sent[field] = value;
    }
    if (request.stop?.length && keep("stop").length) sent.stop = request.stop;
    if (streamed) sent.stream = true;
    if (streamed && keep("stream_options").length) sent.stream_options = { include_usage: true };
    if (!chat && (request.json ?? request.tools))
      throw new CallError(
        "unsupported",
        `openai:${name} takes JSON schemas and tools in its chat format alone.`,
      );
    const { text, calls, finish, usage, ms } = await send(
      chat ? "/chat/completions" : "/completions",
      sent,
      context,
      () => answerReader(scrub),
    );
    const written = calls.map((call) => ({ ...call, arguments: scrubAnswer(call.arguments) }));
    return {
      text: scrubAnswer(text),
      ...(calls.length > 0 ? { calls: written } : {}),
      ...{ finish, cost: costOf(usage, input, text + calls.map((one) => one.arguments).join(""), ms) },
    };
  }

  async function score(request: ScoreRequest, context: CallContext) {
    const { options } = request;
    if (options.length === 0) return { options: [], cost: noCost };
    const short = options.every((option) => option.trim().length > 0 && option.trim().length <= 3);
    const way = params.score === "auto" ? (short ? "top" : "echo") : params.score;
    const chat = request.format === "chat";
    const input = promptOf(request);
    const temperature = keep("temperature").length ? { temperature: 0 } : {};
    if (way === "top") {
      const asked = chat
        ? {
            messages: request.messages,
            logprobs: true,
            top_logprobs: params.topLogprobs,
            [params.maxTokensField]: 1,
          }
        : { prompt: input, logprobs: params.topLogprobs, max_tokens: 1 };
      const { value, usage, ms } = await send(
        chat ? "/chat/completions" : "/completions",
        { model: name, ...asked, ...temperature },
        context,
        json((body) => readTop(body, options)),
      );
      return { options: value, cost: costOf(usage, input, "", ms) };
    }
    if (chat) {
      // The server applies the template, so the text before an option is unknown and cannot be echoed.
      const { message } = noLogprobs(
        "a chat endpoint gives no log-probabilities for options longer than a label",
      );
      throw new CallError(
        "no-logprobs",
        `${message}; or add format=plain to the model, if it has /completions`,
      );
    }
    // One token is requested because not every server accepts zero; it does not count towards the option.
    const asked = { prompt: options.map((option) => input + option), echo: true, logprobs: 1, max_tokens: 1 };
    const { value, usage, ms } = await send(
      "/completions",
      { model: name, ...asked, ...temperature },
      context,
      json((body) => readEcho(body, input, options)),
    );
    return { options: value, cost: costOf(usage, asked.prompt.join(""), "", ms) };
  }

  async function embed(texts: readonly string[], context: CallContext) {
    const vectors: number[][] = [];
    let cost = noCost;
    for (let first = 0; first < texts.length; first += params.embedBatch) {
      const batch = texts.slice(first, first + params.embedBatch);
      const { value, usage, ms } = await send(
        "/embeddings",
        { model: name, input: batch, encoding_format: "float" },
        context,
        json((body) => readVectors(body, batch.length, vectors[0]?.length)),
      );
      vectors.push(...value);
      const more = costOf(usage, batch.join(""), "", ms);
      cost = {
        calls: 1,
        inputTokens: cost.inputTokens + more.inputTokens,
        outputTokens: 0,
        ms: cost.ms + more.ms,
        usd: cost.usd + more.usd,
      };
    }
    return { vectors, cost };
  }

  const granted = new Set(params.grants);
  return {
    id: identify(name, base, params, extra),
    name,
    grants: granted,
    format: params.format,
    concurrency: params.concurrency,
    ...(params.format === "chat" ? { forms: new Set(["json", "tools"] as const) } : {}),
    ...(params.context === undefined ? {} : { contextTokens: params.context }),
    ...(price ? { price } : {}),
    limiter: shared.limiter,
    ...(granted.has("text") ? { generate } : {}),
    ...(granted.has("logprobs") ? { score } : {}),
    ...(granted.has("embeddings") ? { embed } : {}),
    async close() {
      shared.close();
      connection.close();
    },
  };
}

function promptOf(request: { messages: readonly { content: string }[] }): string {
  return request.messages.map(({ content }) => content).join("");
}

interface Reader<T> {
  sink?: (headers: Reply["headers"]) => Sink | undefined;
  read(reply: Reply): T;
}

/** Reads an answer, streamed or whole: a server may ignore `stream`; its content type shows which. */
function answerReader(scrub: (text: string) => string) {
  const written = nothingWritten();
  let streamed = false;
  return {
    sink(headers: Reply["headers"]): Sink | undefined {
      streamed = headers["content-type"]?.includes("text/event-stream") ?? false;
      if (!streamed) return undefined;
      const parser = createSseParser((data) => addEvent(written, data, scrub));
      return (chunk) => {
        parser.push(chunk);
        return written.done;
      };
    },
    read(reply: Reply) {
      if (!streamed) addChoice(written, parseBody(reply.body, scrub), "message");
      const calls: ToolCall[] = [];
      for (const piece of written.calls) addCalls(calls, piece);
      return { ...finishedText(written, streamed), calls, usage: written.usage };
    },
  };
}
