// Reads the part of a model reference after its scheme: `NAME?a=b&c=d`. Every parameter is declared with its type, so an
// unknown or malformed one is a single error that lists what is accepted.

import { HoneError } from "../core/errors.js";
import type { Json } from "../core/json.js";

/** How one parameter is read. `read` returns `undefined` for text that it does not accept. */
export interface Field<T> {
  expects: string;
  fallback: T;
  /** The given text may be a misplaced secret: an error never repeats it. */
  secret?: boolean;
  read(text: string): T | undefined;
}

type Fields = Record<string, Field<unknown>>;
type Values<F extends Fields> = { [K in keyof F]: F[K]["fallback"] };

export interface Ref<F extends Fields> {
  /** The part before `?`; may be empty if the scheme allows it. */
  name: string;
  params: Values<F>;
  /** Which parameters were written, whatever their value. */
  given: ReadonlySet<string>;
  /** `extra.NAME=value` parameters, if the scheme takes them: values are JSON, or else text. */
  extra: Record<string, Json>;
}

/** Any text, or nothing. */
export function text(expects = "text"): Field<string | undefined> {
  return { expects, fallback: undefined, read: (given) => given || undefined };
}

/** A number within bounds. */
export function number<T extends number | undefined>(
  fallback: T,
  bounds: { min?: number; max?: number; integer?: boolean } = {},
): Field<number | T> {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false } = bounds;
  const range = [
    Number.isFinite(min) ? ` from ${min}` : "",
    Number.isFinite(max) ? ` up to ${max}` : "",
  ].join("");
  return {
    expects: `${integer ? "a whole number" : "a number"}${range}`,
    fallback,
    read(given) {
      if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given)) return undefined;
      const value = Number(given);
      return value >= min && value <= max && (!integer || Number.isInteger(value)) ? value : undefined;
    },
  };
}

/** A whole number within bounds. */
export function integer<T extends number | undefined>(
  fallback: T,
  bounds: { min?: number; max?: number } = {},
): Field<number | T> {
  return number(fallback, { ...bounds, integer: true });
}

/** `1`, `true`, `yes`, `on` or nothing after the name; `0`, `false`, `no`, `off`. */
export function flag(fallback: boolean): Field<boolean> {
  return {
    expects: "1 or 0",
    fallback,
    read: (given) =>
      /^(1|true|yes|on|)$/i.test(given) ? true : /^(0|false|no|off)$/i.test(given) ? false : undefined,
  };
}

/** One of a few words. */
export function oneOf<const T extends string, D extends T | undefined>(
  words: readonly T[],
  fallback: D,
): Field<T | D> {
  return {
    expects: words.join(" or "),
    fallback,
    read: (given) => words.find((word) => word === given),
  };
}

/** Some of a few words, separated by commas. */
export function someOf<const T extends string>(
  words: readonly T[],
  fallback: readonly T[],
): Field<readonly T[]> {
  return {
    expects: `some of ${words.join(",")}`,
    fallback,
    read(given) {
      const parts = given.split(",").filter(Boolean);
      return parts.every((part) => (words as readonly string[]).includes(part)) ? (parts as T[]) : undefined;
    },
  };
}

/**
 * Splits and validates a reference.
 *
 * @param scheme for messages: `openai`, `mock`, `llama`, …
 * @param ref the part after `scheme:`
 * @param options `extra`: whether `extra.NAME=value` is accepted
 * @throws HoneError (usage) naming the parameter, and listing the known ones if it is unknown
 * @example
 * const { name, params } = parseRef("llama", "smollm2?threads=2", { threads: integer(2, { min: 1 }) });
 */
export function parseRef<F extends Fields>(
  scheme: string,
  ref: string,
  fields: F,
  options: { extra?: boolean } = {},
): Ref<F> {
  const mark = ref.indexOf("?");
  const name = mark < 0 ? ref : ref.slice(0, mark);
  const values: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) values[key] = field.fallback;
  const given = new Set<string>();
  const extra: Record<string, Json> = {};
  const where = (key: string) => `${scheme}:${name}, parameter \`${key}\``;
  for (const pair of mark < 0 ? [] : ref.slice(mark + 1).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const key = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? "" : pair.slice(equals + 1));
    if (key === undefined || value === undefined) {
      throw usage(`${scheme}:${name}`, "a parameter has a broken % escape", "Write a lone % as %25.");
    }
    if (given.has(key)) throw usage(where(key), "it is given twice", "Keep one of the two.");
    given.add(key);
    if (options.extra && /^extra\.[\w.-]+$/.test(key) && key !== "extra.__proto__") {
      extra[key.slice("extra.".length)] = jsonOrText(value);
      continue;
    }
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (!field) {
      const known = [...Object.keys(fields), ...(options.extra ? ["extra.NAME"] : [])].sort().join(", ");
      throw usage(where(key), `${scheme}: has no such parameter`, `Use one of: ${known || "(none)"}.`);
    }
    const read = field.read(value);
    if (read === undefined) {
      const shown = field.secret ? "the value" : JSON.stringify(value.slice(0, 80));
      throw usage(where(key), `${shown} is not ${field.expects}`, `Write ${key}= and then ${field.expects}.`);
    }
    values[key] = read;
  }
  return { name, params: values as Values<F>, given, extra };
}

function usage(where: string, why: string, next: string): HoneError {
  return new HoneError({ what: "Cannot read the model reference", where, why, next, kind: "usage" });
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function jsonOrText(value: string): Json {
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}
