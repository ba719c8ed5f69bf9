// Reads log-probabilities from an OpenAI-compatible endpoint's response. Two methods: `top` finds single labels among the top
// first tokens; `echo` sums an option's own tokens in an echoed prompt. A figure that is not certainly the option's is
// refused, because a wrong score looks just like a right one.

import { adviseParse } from "../core/capabilities.js";
import { at, malformed } from "./openai-wire.js";
import { AttemptFailed } from "./retry.js";

export interface OptionScore {
  logprob: number;
  tokens: number;
}

/** How far below the least likely listed token an unlisted option is scored, in nats. */
const belowListed = 1e-3;
/** Least probability that all options together must have for their order to mean something. */
const minMass = 0.01;

export function noLogprobs(why: string): AttemptFailed {
  return new AttemptFailed("no-logprobs", `${why}; ${adviseParse}`, { retry: false });
}

/**
 * Scores labels by the likeliest first tokens of an answer (`top_logprobs`). Tokens are matched after trimming, and the
 * probabilities of equal ones (`A` and ` A`) are added. An unlisted label is less likely than the least likely listed token;
 * it gets a value just below that, so its score is an upper bound.
 */
export function readTop(value: unknown, options: readonly string[]): OptionScore[] {
  const choice = at(value, "choices", 0);
  if (choice === undefined) throw malformed("it has no choices");
  const listed = listTop(at(choice, "logprobs"));
  if (listed.length === 0) throw noLogprobs("the endpoint returned no top_logprobs");
  const mass = new Map<string, number>();
  for (const { token, logprob } of listed) {
    const label = token.trim();
    mass.set(label, (mass.get(label) ?? 0) + Math.exp(logprob));
  }
  const labels = options.map((option) => option.trim());
  let total = 0;
  for (const label of new Set(labels)) total += mass.get(label) ?? 0;
  if (total < minMass)
    throw noLogprobs(
      `none of the labels is a likely first token (together ${(total * 100).toFixed(2)} % of the probability)`,
    );
  const floor = Math.min(...listed.map(({ logprob }) => logprob)) - belowListed;
  return labels.map((label) => {
    const own = mass.get(label) ?? 0;
    return { logprob: own > 0 ? Math.min(0, Math.log(own)) : floor, tokens: 1 };
  });
}

/** Chat lists objects under `content`; completions map tokens to figures. */
function listTop(logprobs: unknown): { token: string; logprob: number }[] {
  const chat = at(logprobs, "content", 0, "top_logprobs");
  const plain = at(logprobs, "top_logprobs", 0);
  const rows: [unknown, unknown][] = Array.isArray(chat)
    ? (chat as unknown[]).map((row) => [at(row, "token"), at(row, "logprob")])
    : plain !== null && typeof plain === "object"
      ? Object.entries(plain)
      : [];
  return rows.map(([token, logprob]) => {
    if (typeof token !== "string" || !isLogprob(logprob)) throw malformed("a log-probability is invalid");
    return { token, logprob };
  });
}

function isLogprob(value: unknown): value is number {
  // Rounding can push a certain token's probability slightly above 1.
  return typeof value === "number" && Number.isFinite(value) && value <= 1e-3;
}

interface Echo {
  tokens: string[];
  logprobs: unknown[];
  /** Where each token begins, in code points of prompt + option. Negative for tokens before the text. */
  offsets: number[];
  from: number;
  to: number;
}

/**
 * Scores options by their own tokens in echoed prompts, one choice for each option.
 * Offsets count code points. Some servers count a begin-of-text token or the pieces of one character differently, so the
 * offsets are tried with the resulting shifts, and a reading counts only if its tokens spell the option.
 */
export function readEcho(value: unknown, prompt: string, options: readonly string[]): OptionScore[] {
  const choices = at(value, "choices");
  if (!Array.isArray(choices)) throw malformed("it has no choices");
  if (choices.length !== options.length)
    throw malformed(`it has ${choices.length} choices for ${options.length} prompts`);
  const byIndex = new Map<unknown, unknown>(
    (choices as unknown[]).map((choice, i) => [at(choice, "index") ?? i, choice]),
  );
  const echoes = options.map((option, i) => {
    if (!byIndex.has(i)) throw malformed("the choices have no valid index");
    return readChoice(byIndex.get(i), prompt, option);
  });
  // If a token straddles the end of the prompt, every option is scored from there, so that scores stay comparable.
  const promptLength = codePoints(prompt);
  const start = Math.min(promptLength, ...echoes.map((echo) => echo.offsets[echo.from] as number));
  return echoes.map((echo) => {
    let from = echo.from;
    while (from > 0 && (echo.offsets[from] as number) > start) from--;
    let logprob = 0;
    for (let i = from; i < echo.to; i++) {
      const one = echo.logprobs[i];
      if (one === null) throw noLogprobs("the endpoint gives the option's first token no log-probability");
      if (!isLogprob(one)) throw malformed("a log-probability is invalid");
      logprob += Math.min(0, one);
    }
    return { logprob, tokens: echo.to - from };
  });
}

function readChoice(choice: unknown, prompt: string, option: string): Echo {
  const logprobs = at(choice, "logprobs");
  const tokens = at(logprobs, "tokens");
  const figures = at(logprobs, "token_logprobs");
  if (!Array.isArray(tokens) || !Array.isArray(figures))
    throw noLogprobs("the endpoint returned no log-probabilities for an echoed prompt");
  if (
    tokens.length === 0 ||
    tokens.length !== figures.length ||
    !tokens.every((token) => typeof token === "string")
  )
    throw malformed("its token lists do not match");
  const text = at(choice, "text");
  if (typeof text !== "string" || !text.trimStart().startsWith((prompt + option).trimStart()))
    throw noLogprobs("the endpoint does not echo the prompt");
  const words = tokens as string[];
  const offsets = readOffsets(at(logprobs, "text_offset"), words);
  const promptLength = codePoints(prompt);
  const length = codePoints(prompt + option);
  const last = offsets.length - 1;
  const end = (offsets[last] as number) + codePoints(words[last] as string);
  const shifts = [0, codePoints(words[0] as string), (offsets[last] as number) - length];
  // If nothing was generated after the option, its last token is the list's last.
  if (text.trimStart() === (prompt + option).trimStart()) shifts.push(end - length);
  for (const shift of shifts) {
    const from = offsets.findLastIndex((offset) => offset - shift <= promptLength);
    const next = offsets.findIndex((offset, i) => i > from && offset - shift >= length);
    const to = next < 0 ? words.length : next;
    const reaches = (next < 0 ? end : (offsets[next] as number)) - shift === length;
    const spelt = words.slice(Math.max(0, from), to).join("");
    const undecodable = spelt.includes("\ufffd") || spelt.includes("bytes:");
    if (from >= 0 && reaches && (spelt.endsWith(option) || (undecodable && shift === 0)))
      return { tokens: words, logprobs: figures, offsets: offsets.map((offset) => offset - shift), from, to };
  }
  throw noLogprobs("the tokens of the endpoint's echo do not line up with the option");
}

/** The given offsets, or else the running length of the tokens. */
function readOffsets(given: unknown, tokens: readonly string[]): number[] {
  if (
    Array.isArray(given) &&
    given.length === tokens.length &&
    given.every((offset) => Number.isInteger(offset))
  )
    return given as number[];
  let position = 0;
  return tokens.map((token) => {
    const offset = position;
    position += codePoints(token);
    return offset;
  });
}

function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // The second half of a surrogate pair is not a code point of its own.
    if (code < 0xdc00 || code > 0xdfff) count++;
  }
  return count;
}
