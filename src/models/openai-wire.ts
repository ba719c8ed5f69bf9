// Reads an OpenAI-compatible endpoint's responses: failures by status and body, and texts from answers. Every value is
// untrusted and checked here. openai-score.ts reads log-probabilities.

import type { IncomingHttpHeaders } from "node:http";
import { adviseParse } from "../core/capabilities.js";
import { AttemptFailed } from "./retry.js";

/** Follows a path in untrusted JSON; undefined if the path does not exist. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (here === null || typeof here !== "object" || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

/** The failure for a malformed response; the next attempt may succeed. */
export function malformed(why: string): AttemptFailed {
  return new AttemptFailed("malformed", `the response is malformed: ${why}`, { retry: true });
}

/** Removes every occurrence of a secret, then characters that could disturb a terminal or a log, then excess length. */
export function clean(text: string, scrub: (text: string) => string): string {
  const plain = scrub(text)
    .slice(0, 4_000)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return plain.length > 300 ? `${plain.slice(0, 300)}…` : plain;
}

/** Parses a body of status 200; an `error` in it counts as the failure it describes. */
export function parseBody(body: string, scrub: (text: string) => string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw malformed(body === "" ? "it is empty" : `it is not JSON: ${clean(body, scrub).slice(0, 80)}`);
  }
  const error = at(value, "error");
  if (error !== undefined && error !== null && at(value, "choices") === undefined)
    throw statedFailure(error, scrub);
  return value;
}

/** An error object where an answer was expected: in a body of status 200 or in a stream. */
function statedFailure(error: unknown, scrub: (text: string) => string): AttemptFailed {
  const code = Number(at(error, "code") ?? at(error, "status"));
  const kind = `${String(at(error, "code"))} ${String(at(error, "type"))} ${String(at(error, "message"))}`;
  // Many servers name the cause without a number.
  const named = /rate_limit/.test(kind)
    ? 429
    : /invalid_request|exceed_context/.test(kind) || tooLong.test(kind)
      ? 400
      : 500;
  const status = Number.isInteger(code) && code >= 400 && code < 600 ? code : named;
  return failureOf(status, {}, JSON.stringify({ error }), scrub);
}

const tooLong =
  /context[_ ](length|window|size)|maximum context|too many tokens|prompt is too long|input is too long|reduce the length/i;
const noLogprobs = /logprob|"?echo"?\b/i;

/** What a status other than 200 means, and whether to ask again. */
export function failureOf(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  scrub: (text: string) => string,
  now = Date.now(),
): AttemptFailed {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  const stated =
    at(parsed, "error", "message") ?? at(parsed, "message") ?? at(parsed, "error") ?? at(parsed, "detail");
  const said = clean(typeof stated === "string" ? stated : (JSON.stringify(stated) ?? body), scrub);
  const message = `the endpoint answered ${status}${said ? `: ${said}` : ""}`;
  const codes = `${String(at(parsed, "error", "code"))} ${String(at(parsed, "error", "type"))}`;
  const retryAfterMs = readRetryAfter(headers, now);

  // An exhausted quota is reported as 429 but does not recover by waiting.
  if (codes.includes("insufficient_quota") || status === 402)
    return new AttemptFailed("refused", message, { retry: false });
  if (status === 429)
    return new AttemptFailed("rate-limited", message, { retry: true, overload: true, retryAfterMs });
  if (status === 408) return new AttemptFailed("timeout", message, { retry: true, overload: true });
  if (status === 409) return new AttemptFailed("server-error", message, { retry: true });
  if (status >= 500)
    return new AttemptFailed("server-error", message, {
      retry: true,
      overload: status === 503,
      retryAfterMs,
    });
  if (
    status === 413 ||
    codes.includes("context_length") ||
    codes.includes("exceed_context") ||
    tooLong.test(said)
  )
    return new AttemptFailed("too-long", message, { retry: false });
  if ((status === 400 || status === 422) && noLogprobs.test(said))
    return new AttemptFailed("no-logprobs", `${message}; ${adviseParse}`, { retry: false });
  if (status >= 300 && status < 400)
    return new AttemptFailed("refused", `${message}; redirects are not followed: give the final base URL`, {
      retry: false,
    });
  if (status < 300) return malformed(`status ${status} instead of 200`);
  return new AttemptFailed("refused", message, { retry: false });
}

/** Milliseconds of a Retry-After header, given in seconds or as an HTTP date; undefined if there is none. */
export function readRetryAfter(headers: IncomingHttpHeaders, now: number): number | undefined {
  const precise = Number(headers["retry-after-ms"] ?? Number.NaN);
  if (Number.isFinite(precise) && precise >= 0) return precise;
  const text = headers["retry-after"]?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** An answer under construction: from one body or from the events of a stream. */
export interface Written {
  text: string | undefined;
  /** The `tool_calls` received so far, in pieces; read when the answer is complete. */
  calls: unknown[];
  finish: string | undefined;
  usage: unknown;
  /** Whether the stream signalled its end. */
  done: boolean;
}

export const nothingWritten = (): Written => ({
  text: undefined,
  calls: [],
  finish: undefined,
  usage: undefined,
  done: false,
});

/** Adds a body's or an event's first choice. `part` names the field with the text, `message` or `delta`; completions use `text`. */
export function addChoice(written: Written, value: unknown, part: "message" | "delta"): void {
  const usage = at(value, "usage");
  if (usage !== undefined && usage !== null) written.usage = usage;
  const choices = at(value, "choices");
  if (!Array.isArray(choices)) throw malformed("it has no choices");
  const choice = (choices as unknown[])[0];
  // The last event of a stream contains usage and no choices.
  if (choice === undefined && part === "delta") return;
  const text = at(choice, "text") ?? at(choice, part, "content");
  if (typeof text === "string") written.text = (written.text ?? "") + text;
  else if (text !== undefined && text !== null) throw malformed("the content is not text");
  const calls = at(choice, part, "tool_calls");
  // Some servers list no calls as an empty list.
  if (calls !== undefined && calls !== null && !(Array.isArray(calls) && calls.length === 0))
    written.calls.push(calls);
  const finish = at(choice, "finish_reason");
  if (typeof finish === "string") written.finish = finish;
  const refusal = at(choice, part, "refusal");
  if (typeof refusal === "string" && refusal !== "") written.finish = "content_filter";
}

/** One event of a stream. */
export function addEvent(written: Written, data: string, scrub: (text: string) => string): void {
  if (written.done || data === "") return;
  if (data.trim() === "[DONE]") {
    written.done = true;
    return;
  }
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw malformed("an event of the stream is not JSON");
  }
  const error = at(value, "error");
  if (error !== undefined && error !== null) throw statedFailure(error, scrub);
  addChoice(written, value, "delta");
}

/** The text of a complete answer. An incomplete one is a failure, never a short answer. */
export function finishedText(
  written: Written,
  streamed: boolean,
): { text: string; finish: "stop" | "length" } {
  if (written.finish === "content_filter")
    throw new AttemptFailed("refused", "the endpoint's content filter withheld the answer", { retry: false });
  if (streamed && written.finish === undefined && !written.done)
    throw new AttemptFailed("cut-stream", "the stream ended before the answer did", { retry: true });
  // A model that spent all its tokens on hidden reasoning has given an empty answer.
  if (written.text === undefined && written.finish !== "length" && written.calls.length === 0)
    throw malformed("it has no content");
  return { text: written.text ?? "", finish: written.finish === "length" ? "length" : "stop" };
}

/** One unit vector per text, in the texts' order. */
export function readVectors(body: unknown, count: number, dimensions: number | undefined): number[][] {
  const rows = at(body, "data");
  if (!Array.isArray(rows) || rows.length !== count) throw malformed(`it does not have ${count} vectors`);
  const vectors: number[][] = [];
  for (const [i, row] of (rows as unknown[]).entries()) {
    const index = at(row, "index") ?? i;
    const vector = at(row, "embedding");
    if (!Array.isArray(vector) || vector.length === 0 || !vector.every((one) => Number.isFinite(one)))
      throw malformed("an embedding is not a list of numbers");
    if (
      !Number.isInteger(index) ||
      (index as number) < 0 ||
      (index as number) >= count ||
      vectors[index as number]
    )
      throw malformed("the embeddings have no valid index");
    let squares = 0;
    for (const one of vector as number[]) squares += one * one;
    const norm = Math.sqrt(squares);
    if (!(norm > 0) || !Number.isFinite(norm)) throw malformed("an embedding has no direction");
    vectors[index as number] = (vector as number[]).map((one) => one / norm);
  }
  const size = dimensions ?? vectors[0]?.length;
  if (vectors.some((vector) => vector.length !== size)) throw malformed("the embeddings differ in length");
  return vectors;
}
