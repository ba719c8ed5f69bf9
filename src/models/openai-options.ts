// The options of an `openai:` reference, and what follows from them: base URL, key and identity.

import { HoneError } from "../core/errors.js";
import { canonicalJson, type Json } from "../core/json.js";
import { priceField } from "./price.js";
import { type Field, flag, integer, number, oneOf, someOf, text } from "./ref.js";

export const publicBase = "https://api.openai.com/v1";

/** Upper case only, so that a key written here by mistake is refused rather than looked up, shown or stored. */
const keyName: Field<string | undefined> = {
  expects: "the NAME of an environment variable, in upper case",
  fallback: undefined,
  secret: true,
  read: (given) => (/^[A-Z][A-Z0-9_]*$/.test(given) ? given : undefined),
};

export const fields = {
  base: { ...text("an http(s) URL without credentials"), secret: true },
  key: keyName,
  format: oneOf(["chat", "plain"], "chat"),
  stream: flag(true),
  /** How options are scored; see openai-score.ts. */
  score: oneOf(["auto", "top", "echo"], "auto"),
  topLogprobs: integer(20, { min: 1, max: 100 }),
  grants: someOf(["text", "logprobs", "embeddings"], ["text", "logprobs", "embeddings"]),
  concurrency: integer(16, { min: 1, max: 1024 }),
  context: integer(undefined, { min: 1 }),
  embedBatch: integer(64, { min: 1, max: 2048 }),
  maxTokensField: oneOf(["max_tokens", "max_completion_tokens"], "max_tokens"),
  /** Request fields that the server does not accept. */
  omit: someOf(["seed", "temperature", "stop", "stream_options", "top_p", "min_p", "repetition_penalty"], []),
  price: priceField,
  retries: integer(4, { min: 0, max: 20 }),
  /** Seconds. */
  timeout: number(60, { min: 0.01, max: 3600 }),
  totalTimeout: number(600, { min: 0.01, max: 36_000 }),
  backoff: number(0.5, { min: 0, max: 60 }),
  maxRetryAfter: number(60, { min: 0, max: 3600 }),
  maxBytes: integer(4 * 1024 * 1024, { min: 1024 }),
};

/** Request fields that `extra.NAME` may not replace, because they define the call. */
export const reserved = [
  ...[
    "model",
    "messages",
    "prompt",
    "input",
    "stream",
    "stream_options",
    "stop",
    "seed",
    "temperature",
    "n",
    "best_of",
  ],
  ...["max_tokens", "max_completion_tokens", "logprobs", "top_logprobs", "echo", "encoding_format"],
];

/** Model, endpoint, and the options that change answers, unless they have their default values. */
export function identify(
  name: string,
  base: string,
  params: { score: string; topLogprobs: number; omit: readonly string[] },
  extra: Record<string, Json>,
): string {
  const omit = params.omit.filter((field) => field !== "stream_options").sort();
  const changes = [
    ...Object.entries(extra).map(([field, value]) => `extra.${field}=${canonicalJson(value)}`),
    ...(omit.length ? [`omit=${omit.join(",")}`] : []),
    ...(params.score === "auto" ? [] : [`score=${params.score}`]),
    ...(params.topLogprobs === 20 ? [] : [`topLogprobs=${params.topLogprobs}`]),
  ].sort();
  return `openai:${name}@${base}${changes.length ? `?${changes.join("&")}` : ""}`;
}

export function readBase(given: string): string {
  const refuse = (why: string) =>
    usage(
      "base URL of the endpoint",
      why,
      "Write base=http://HOST:PORT/v1 or set OPENAI_BASE_URL like that.",
    );
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw refuse("it is not a URL");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refuse("it is not an http(s) URL");
  // A base URL appears in ids, journals and reports.
  if (url.username || url.password) throw refuse("it holds credentials; keys come from the environment");
  if (url.search || url.hash) throw refuse("it has a query or a fragment");
  return url.href.replace(/\/+$/, "");
}

export function readKey(
  model: string,
  variable: string | undefined,
  base: string,
  env: NodeJS.ProcessEnv,
): string | undefined {
  const from = variable ?? "OPENAI_API_KEY";
  const key = env[from]?.trim();
  if (key && /^[\x21-\x7e]+$/.test(key)) return key;
  if (key)
    throw usage(
      `environment variable ${from}`,
      "the key holds spaces or control characters",
      "Set it again.",
    );
  if (variable || base === publicBase)
    throw usage(
      `openai:${model}`,
      `the environment variable ${from} is not set`,
      `Type: export ${from}=… and run again.`,
    );
  return undefined;
}

export function usage(where: string, why: string, next: string): HoneError {
  return new HoneError({ what: "Cannot open the model", where, why, next, kind: "usage" });
}
