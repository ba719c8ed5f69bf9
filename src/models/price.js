// What tokens cost in dollars. There is no built-in price list: prices go stale, and a stale price is a wrong result.
import { HoneError } from "../core/errors.js";
/** `price=0.15,0.6`: dollars per million input and output tokens; one figure alone serves for embeddings. */
export const priceField = {
  expects: "dollars per million tokens, input and output, such as 0.15,0.6",
  fallback: undefined,
  read(given) {
    const parts = given.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    const [input = Number.NaN, output = 0] = parts;
    return parts.length <= 2 && valid(input) && valid(output) ? { input, output } : undefined;
  },
};
/** Anything that endpoints call a price: finite, not negative. */
function valid(amount) {
  return typeof amount === "number" && Number.isFinite(amount) && amount >= 0;
}
/**
 * The price of a model: what the reference says, else the user's own table.
 *
 * @param env `HONE_PRICES` is JSON: `{"MODEL": [input, output]}`, dollars per million tokens
 * @returns undefined where nobody said: then calls cost 0 and the model is marked as not priced
 */
export function findPrice(model, given, env) {
  if (given || !env.HONE_PRICES) return given;
  const refuse = (why) =>
    new HoneError({
      what: "Cannot read the price table",
      where: "environment variable HONE_PRICES",
      why,
      next: `Write it as JSON, dollars per million tokens: HONE_PRICES='{"${model}": [0.15, 0.6]}'.`,
      kind: "usage",
    });
  let table;
  try {
    table = JSON.parse(env.HONE_PRICES);
  } catch {
    throw refuse("it is not JSON");
  }
  if (table === null || typeof table !== "object" || Array.isArray(table))
    throw refuse("it is not a JSON object");
  if (!Object.hasOwn(table, model)) return undefined;
  const row = table[model];
  const [input, output = 0] = Array.isArray(row) ? row : [];
  if (!valid(input) || !valid(output))
    throw refuse(`the entry of ${JSON.stringify(model)} is not [input, output]`);
  return { input, output };
}
/** Dollars for one call: 0 where the price is unknown or the tokens are only estimated. */
export function usdOf(price, usage) {
  if (!price || !usage.counted) return 0;
  return (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1e6;
}
/**
 * Reads an OpenAI-style `usage` object. What is missing, negative or not a whole number is estimated from the texts
 * (four characters a token), and then the call is not priced.
 */
export function readUsage(given, estimate) {
  const usage = given ?? {};
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
function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
