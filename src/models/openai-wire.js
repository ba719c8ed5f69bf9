// What an OpenAI-compatible endpoint sends back: failures by status and body, and texts from answers. Every value is
// untrusted and checked here. Log-probabilities are read in openai-score.ts.
import { AttemptFailed } from "./retry.js";
/** Walks into untrusted JSON; undefined where the path ends. */
export function at(value, ...path) {
  let here = value;
  for (const step of path) {
    if (here === null || typeof here !== "object" || !Object.hasOwn(here, step)) return undefined;
    here = here[step];
  }
  return here;
}
/** A response that is not what was asked for. The next attempt may be. */
export function malformed(why) {
  return new AttemptFailed("malformed", `the response is malformed: ${why}`, { retry: true });
}
/** Removes a secret wherever it occurs, then what could disturb a terminal or a log, then what is too long. */
export function clean(text, scrub) {
  const plain = scrub(text)
    .slice(0, 4_000)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return plain.length > 300 ? `${plain.slice(0, 300)}…` : plain;
}
/** Parses a body of status 200; an `error` in it counts as the failure it describes. */
export function parseBody(body, scrub) {
  let value;
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
export function statedFailure(error, scrub) {
  const code = Number(at(error, "code") ?? at(error, "status"));
  const status = Number.isInteger(code) && code >= 400 && code < 600 ? code : 500;
  return failureOf(status, {}, JSON.stringify({ error }), scrub);
}
const tooLong =
  /context[_ ](length|window|size)|maximum context|too many tokens|prompt is too long|input is too long|reduce the length/i;
const noLogprobs = /logprob|"?echo"?\b/i;
/** What a status other than 200 means, and whether to ask again. */
export function failureOf(status, headers, body, scrub, now = Date.now()) {
  let parsed;
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
  // A spent quota comes as 429 and does not refill while one waits.
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
export const adviseParse = "use `scoring: parse`, which needs no log-probabilities";
/** Milliseconds of a Retry-After header, given in seconds or as an HTTP date; undefined where there is none. */
export function readRetryAfter(headers, now) {
  const precise = Number(headers["retry-after-ms"] ?? Number.NaN);
  if (Number.isFinite(precise) && precise >= 0) return precise;
  const text = headers["retry-after"]?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
export const nothingWritten = () => ({
  text: undefined,
  finish: undefined,
  usage: undefined,
  done: false,
});
/** Adds a body's or an event's first choice. `part` is where texts stand: `message` or `delta`; in completions `text`. */
export function addChoice(written, value, part) {
  const usage = at(value, "usage");
  if (usage !== undefined && usage !== null) written.usage = usage;
  const choices = at(value, "choices");
  if (!Array.isArray(choices)) throw malformed("it has no choices");
  const choice = choices[0];
  // The last event of a stream carries usage and no choices.
  if (choice === undefined && part === "delta") return;
  const text = at(choice, "text") ?? at(choice, part, "content");
  if (typeof text === "string") written.text = (written.text ?? "") + text;
  else if (text !== undefined && text !== null) throw malformed("the content is not text");
  const finish = at(choice, "finish_reason");
  if (typeof finish === "string") written.finish = finish;
  const refusal = at(choice, part, "refusal");
  if (typeof refusal === "string" && refusal !== "") written.finish = "content_filter";
}
/** One event of a stream. */
export function addEvent(written, data, scrub) {
  if (written.done || data === "") return;
  if (data.trim() === "[DONE]") {
    written.done = true;
    return;
  }
  let value;
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
export function finishedText(written, streamed) {
  if (written.finish === "content_filter")
    throw new AttemptFailed("refused", "the endpoint's content filter withheld the answer", { retry: false });
  if (streamed && written.finish === undefined && !written.done)
    throw new AttemptFailed("cut-stream", "the stream ended before the answer did", { retry: true });
  // A model that spent all its tokens on hidden reasoning has answered: with nothing.
  if (written.text === undefined && written.finish !== "length") throw malformed("it has no content");
  return { text: written.text ?? "", finish: written.finish === "length" ? "length" : "stop" };
}
/** One unit vector a text, in the texts' order. */
export function readVectors(body, count, dimensions) {
  const rows = at(body, "data");
  if (!Array.isArray(rows) || rows.length !== count) throw malformed(`it does not have ${count} vectors`);
  const vectors = [];
  for (const [i, row] of rows.entries()) {
    const index = at(row, "index") ?? i;
    const vector = at(row, "embedding");
    if (!Array.isArray(vector) || vector.length === 0 || !vector.every((one) => Number.isFinite(one)))
      throw malformed("an embedding is not a list of numbers");
    if (!Number.isInteger(index) || index < 0 || index >= count || vectors[index])
      throw malformed("the embeddings have no proper index");
    let squares = 0;
    for (const one of vector) squares += one * one;
    const norm = Math.sqrt(squares);
    if (!(norm > 0) || !Number.isFinite(norm)) throw malformed("an embedding has no direction");
    vectors[index] = vector.map((one) => one / norm);
  }
  const size = dimensions ?? vectors[0]?.length;
  if (vectors.some((vector) => vector.length !== size)) throw malformed("the embeddings differ in length");
  return vectors;
}
