// Prices of tokens in dollars. There is no built-in price list: prices go stale, and a stale price is a wrong result.

import { HoneError } from "../core/errors.js";
import type { Field } from "./ref.js";

/** Dollars per million tokens. */
export interface Price {
  input: number;
  output: number;
}

/** Tokens of one call. `counted` is false if the endpoint reported no usable figures and they were estimated. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  counted: boolean;
}

/** `price=0.15,0.6`: dollars per million input and output tokens; a single figure is enough for embeddings. */
export const priceField: Field<Price | undefined> = {
  expects: "dollars per million tokens, input and output, such as 0.15,0.6",
  fallback: undefined,
  read(given) {
    const parts = given.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    const [input = Number.NaN, output = 0] = parts;
    return parts.length <= 2 && valid(input) && valid(output) ? { input, output } : undefined;
  },
};

/** Whether an amount is a valid price: finite and not negative. */
function valid(amount: unknown): amount is number {
  return typeof amount === "number" && Number.isFinite(amount) && amount >= 0;
}

/**
 * The price of a model: what the reference says, else the user's own table.
 *
 * @param env `HONE_PRICES` is JSON: `{"MODEL": [input, output]}`, dollars per million tokens
 * @returns undefined if neither has one: then calls cost 0 and the model is marked as not priced
 */
export function findPrice(
  model: string,
  given: Price | undefined,
  env: NodeJS.ProcessEnv,
): Price | undefined {
  if (given || !env.HONE_PRICES) return given;
  const refuse = (why: string) =>
    new HoneError({
      what: "Cannot read the price table",
      where: "environment variable HONE_PRICES",
      why,
      next: `Write it as JSON, dollars per million tokens: HONE_PRICES='{"${model}": [0.15, 0.6]}'.`,
      kind: "usage",
    });
  let table: unknown;
  try {
    table = JSON.parse(env.HONE_PRICES);
  } catch {
    throw refuse("it is not JSON");
  }
  if (table === null || typeof table !== "object" || Array.isArray(table))
    throw refuse("it is not a JSON object");
  if (!Object.hasOwn(table, model)) return undefined;
  const row = (table as Record<string, unknown>)[model];
  const [input, output = 0] = Array.isArray(row) ? (row as unknown[]) : [];
  if (!valid(input) || !valid(output))
    throw refuse(`the entry of ${JSON.stringify(model)} is not [input, output]`);
  return { input, output };
}

/** Dollars for one call: 0 where the price is unknown or the tokens are only estimated. */
export function usdOf(price: Price | undefined, usage: Usage): number {
  if (!price || !usage.counted) return 0;
  return (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1e6;
}

/**
 * Reads an OpenAI-style `usage` object. A figure that is missing, negative or not an integer is estimated from the texts
 * (four characters per token), and then the call is not priced.
 */
export function readUsage(given: unknown, estimate: { input: string; output: string }): Usage {
  const usage = (given ?? {}) as Record<string, unknown>;
  const input = usage.prompt_tokens;
  const output = usage.completion_tokens ?? 0;
  if (isCount(input) && isCount(output)) return { inputTokens: input, outputTokens: output, counted: true };
  return {
    inputTokens: isCount(input) ? input : Math.ceil(estimate.input.length / 4),
    outputTokens: isCount(usage.completion_tokens)
      ? usage.completion_tokens
      : Math.ceil(estimate.output.length / 4),
    counted: false,
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
