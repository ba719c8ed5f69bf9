// The mock: a model provider like any other, for tests, demonstrations of the method and measurements of the harness.
// mock-mind.ts makes its answers; this file adds latency, failures and prices. Failures go through the same limiter and
// retries as a real endpoint's.

import { type CallContext, CallError, type CallFailure, type Cost } from "../core/call.js";
import { canonicalJson, fingerprint } from "../core/json.js";
import type { Embeds, Message, PromptModel, Reads, Scores, Writes } from "../core/model.js";
import { randomFor } from "../core/random.js";
import { createLimiter, type Limiter } from "./limiter.js";
import { answerInForm } from "./mock-json.js";
import { createMind, type Mind, type Oracle, positionOf, tokenize } from "./mock-mind.js";
import { findPrice, priceField, usdOf } from "./price.js";
import { type Field, integer, number, oneOf, parseRef, someOf } from "./ref.js";
import { AttemptFailed, withRetries } from "./retry.js";
import { sleep } from "./wait.js";

export interface MockOptions {
  signal?: AbortSignal;
  env?: NodeJS.ProcessEnv;
  /** Returns the right answers. Without it, the right option is the one that shares most words with the prompt. */
  oracle?: Oracle;
  /** The oracle's identity in the model's id. By default its source text, excluding closures. */
  oracleId?: string;
}

/** Has the methods that its grants name. */
export interface MockModel extends PromptModel {
  readonly limiter: Limiter;
}

/** Ways to fail: the failure, its message, whether to retry, whether it means overload. `hang` waits first. */
const failures: Record<string, [failure: CallFailure, message: string, retry: boolean, overload: boolean]> = {
  "429": ["rate-limited", "the mock answered 429", true, true],
  "500": ["server-error", "the mock answered 500", true, false],
  "503": ["server-error", "the mock answered 503", true, true],
  hang: ["timeout", "the mock did not answer in time", true, true],
  cut: ["cut-stream", "the mock's answer was cut", true, false],
  malformed: ["malformed", "the mock's answer is malformed", true, false],
  reset: ["unreachable", "the mock's connection was reset", true, false],
  refused: ["refused", "the mock refused", false, false],
  large: ["too-large", "the mock's answer is too large", false, false],
};

/** `KIND:RATE,KIND:RATE`, or one rate alone for 500s. */
const errorsField: Field<ReadonlyMap<string, number>> = {
  expects: `KIND:RATE,… with rates from 0 to 1, together at most 1; kinds are ${Object.keys(failures).join(", ")}`,
  fallback: new Map(),
  read(given) {
    if (/^[\d.]+$/.test(given)) return Number(given) <= 1 ? new Map([["500", Number(given)]]) : undefined;
    const rates = readPairs(given, (kind) => Object.hasOwn(failures, kind));
    const total = rates ? [...rates.values()].reduce((sum, rate) => sum + rate, 0) : 2;
    return total <= 1 + 1e-9 ? rates : undefined;
  },
};

/** `LABEL:WEIGHT,…`, kept by position. */
const biasField: Field<ReadonlyMap<number, number>> = {
  expects: "LABEL:WEIGHT,… with labels A, B, … or positions 1, 2, … and weights from 0 to 1, such as A:0.2",
  fallback: new Map(),
  read(given) {
    const pairs = readPairs(given, (label) => positionOf(label) !== undefined);
    return pairs && new Map([...pairs].map(([label, weight]) => [positionOf(label) as number, weight]));
  },
};

function readPairs(given: string, known: (key: string) => boolean): Map<string, number> | undefined {
  const pairs = new Map<string, number>();
  for (const pair of given.split(",")) {
    const [key = "", value = "", ...more] = pair.split(":");
    const rate = value.trim() === "" ? Number.NaN : Number(value);
    if (more.length > 0 || !known(key) || !(rate >= 0 && rate <= 1) || pairs.has(key)) return undefined;
    pairs.set(key, rate);
  }
  return pairs;
}

const fields = {
  skill: number(0.7, { min: 0, max: 1 }),
  bias: biasField,
  seed: integer(0),
  /** Milliseconds per call, plus or minus the fraction `jitter`. */
  latency: number(0, { min: 0, max: 600_000 }),
  jitter: number(0, { min: 0, max: 1 }),
  errors: errorsField,
  /** Calls per second above which it answers 429. */
  rateLimit: number(undefined, { min: 0.1 }),
  grants: someOf(["text", "logprobs", "embeddings"], ["text", "logprobs", "embeddings"]),
  format: oneOf(["chat", "plain"], "chat"),
  context: integer(undefined, { min: 1 }),
  price: priceField,
  concurrency: integer(16, { min: 1, max: 1024 }),
  retries: integer(4, { min: 0, max: 20 }),
  /** Seconds. */
  timeout: number(60, { min: 0.001, max: 3600 }),
  backoff: number(0.5, { min: 0, max: 60 }),
};

/**
 * Opens a mock.
 *
 * @param ref `NAME?skill=0.7&bias=A:0.2&latency=20&errors=429:0.1,hang:0.01&rateLimit=100&seed=1&…`; the name may be empty
 * @throws HoneError (usage) for an unknown parameter or a value that cannot be read
 * @example
 * const model = await openMock("?skill=0.9&seed=1", { oracle: () => "B" });
 */
export async function openMock(ref: string, options: MockOptions = {}): Promise<MockModel> {
  const { name, params } = parseRef("mock", ref, fields);
  const { seed, errors } = params;
  const mind = mindOf(params, options.oracle);
  const price = findPrice(`mock:${name}`, params.price, options.env ?? process.env);
  const limiter = createLimiter(() => params.concurrency);
  const policy = {
    limiter,
    retries: params.retries,
    backoffMs: params.backoff * 1000,
    maxRetryAfterMs: 60_000,
    random: randomFor(seed, "retry"),
  };
  const mayPass = params.rateLimit === undefined ? () => true : createBucket(params.rateLimit);

  /** One call as an endpoint would treat it. Failures depend on the request and the attempt, not on the order of calls. */
  function call<T>(
    operation: string,
    request: unknown,
    context: CallContext,
    answer: () => T,
  ): Promise<[T, number]> {
    const text = canonicalJson([operation, request]);
    return withRetries(policy, context, async (attempt) => {
      const started = performance.now();
      if (!mayPass()) throw failed("429");
      const random = randomFor(seed, "attempt", text, attempt);
      const latency = params.latency * (1 + params.jitter * (2 * random() - 1));
      let left = random();
      const kind = [...errors].find(([, rate]) => {
        left -= rate;
        return left < 0;
      })?.[0];
      const wait = kind === "hang" ? params.timeout * 1000 : latency;
      if (wait > 0) await sleep(wait, context.signal);
      if (kind) throw failed(kind);
      return [answer(), performance.now() - started];
    });
  }

  function costOf(inputTokens: number, outputTokens: number, ms: number): Cost {
    const usd = usdOf(price, { inputTokens, outputTokens, counted: true });
    return { calls: 1, inputTokens, outputTokens, ms, usd };
  }

  function fits(prompt: string, room: number): number {
    const tokens = tokenize(prompt).length;
    if (params.context !== undefined && tokens + room > params.context)
      throw new CallError(
        "too-long",
        `${tokens} + ${room} tokens do not fit the context of ${params.context}`,
      );
    return tokens;
  }

  const granted = new Set(params.grants);
  const writes: Writes = {
    async generate(request, context) {
      const prompt = promptText(request.messages);
      const input = fits(prompt, request.maxTokens);
      const [written, ms] = await call("generate", request, context, () => {
        const formed = answerInForm(request, randomFor(seed, "form", prompt, request.seed));
        return formed ? { ...formed, finish: "stop" as const } : mind.write(prompt, request);
      });
      // Piece by piece, like a model that writes one token after another.
      let grown = "";
      for (const token of context.grows ? tokenize(written.text) : []) {
        grown += token;
        context.grows?.(grown);
      }
      return { ...written, cost: costOf(input, tokenize(written.text).length, ms) };
    },
  };
  const scores: Scores & Reads = {
    async score(request, context) {
      const prompt = promptText(request.messages);
      const lengths = request.options.map((option) => Math.max(1, tokenize(option).length));
      const input = fits(prompt, Math.max(0, ...lengths));
      const [scores, ms] = await call("score", request, context, () => mind.weigh(prompt, request.options));
      const scored = scores.map((logprob, i) => ({ logprob, tokens: lengths[i] as number }));
      return { options: scored, cost: costOf(input, 0, ms) };
    },
    async read({ messages, tokens: given, continuation = "", top }, context) {
      if (given) throw new CallError("unsupported", "this mock has no numbers for its tokens");
      const prompt = promptText(messages);
      fits(prompt, 0);
      const own = tokenize(prompt);
      const pieces = [...own, ...tokenize(continuation)];
      const [read, ms] = await call("read", { prompt, continuation, top }, context, () => {
        // A token's probability depends on all tokens before it and is, like the mock's other figures, a seeded draw.
        let before = "";
        const place = (token: string | undefined) => {
          const random = randomFor(seed, "read", before);
          const likely = Array.from({ length: Math.max(1, top) }, (_, i) => ({
            text: ` w${Math.floor(1000 * random())}`,
            logprob: -0.5 - i - random() / 2,
          }));
          const logprob =
            before === "" || token === undefined ? null : -0.1 - 4 * randomFor(seed, before, token)();
          before += token ?? "";
          return { logprob, top: likely };
        };
        const found = pieces.map((text, id) => ({ id, text, ...place(text) }));
        return { tokens: found, prompt: own.length, next: place(undefined).top };
      });
      return { ...read, cost: costOf(pieces.length, 0, ms) };
    },
  };
  const embeds: Embeds = {
    async embed(texts, context) {
      const input = texts.reduce((sum, text) => sum + tokenize(text).length, 0);
      const [vectors, ms] = await call("embed", texts, context, () => texts.map((text) => mind.embed(text)));
      return { vectors, cost: costOf(input, 0, ms) };
    },
  };
  return {
    id: identify(name, params, options),
    name: name || "mock",
    grants: granted,
    format: params.format,
    concurrency: params.concurrency,
    ...(params.format === "chat" ? { forms: new Set(["json", "tools"] as const) } : {}),
    ...(params.context === undefined ? {} : { contextTokens: params.context }),
    ...(price ? { price } : {}),
    limiter,
    ...(granted.has("text") ? writes : {}),
    ...(granted.has("logprobs") ? scores : {}),
    ...(granted.has("embeddings") ? embeds : {}),
    async close() {},
  };
}

/** The mind that a mock reference describes; the mock server uses only this part. */
export function openMind(ref: string, oracle?: Oracle): Mind {
  return mindOf(parseRef("mock", ref, fields).params, oracle);
}

function mindOf(
  params: { skill: number; bias: ReadonlyMap<number, number>; seed: number },
  oracle: Oracle | undefined,
): Mind {
  return createMind({ skill: params.skill, bias: params.bias, seed: params.seed, oracle });
}

/** The text that the mock and its oracle see: the messages, separated by blank lines. */
export function promptText(messages: readonly Pick<Message, "content">[]): string {
  return messages.map(({ content }) => content).join("\n\n");
}

/** A token bucket: returns true for up to `rate` calls per second, with one second's worth of burst. */
export function createBucket(rate: number): () => boolean {
  const most = Math.max(1, rate);
  let level = most;
  let last = performance.now();
  return () => {
    const now = performance.now();
    level = Math.min(most, level + ((now - last) / 1000) * rate);
    last = now;
    if (level < 1) return false;
    level -= 1;
    return true;
  };
}

function failed(kind: string): AttemptFailed {
  const [failure, message, retry, overload] = failures[kind] as (typeof failures)[string];
  return new AttemptFailed(failure, message, { retry, overload });
}

/** The id, from what determines the mock's answers; latency and failures do not. */
function identify(
  name: string,
  params: { skill: number; bias: ReadonlyMap<number, number>; seed: number },
  options: MockOptions,
): string {
  const parts = [`seed=${params.seed}`, `skill=${params.skill}`];
  if (params.bias.size > 0) {
    const pairs = [...params.bias]
      .sort(([a], [b]) => a - b)
      .map(([position, weight]) => `${position + 1}:${weight}`);
    parts.unshift(`bias=${pairs.join(",")}`);
  }
  if (options.oracle)
    parts.unshift(`oracle=${options.oracleId ?? fingerprint(options.oracle.toString(), 12)}`);
  return `mock:${name}?${parts.join("&")}`;
}
