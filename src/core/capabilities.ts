// The capabilities that a model can grant: a check for one, and the error where it is missing. A model has the methods that
// it grants and no others.

import { HoneError } from "./errors.js";
import type { Callable, Embeds, LanguageModel, Model, Scores, Writes } from "./model.js";

/** By grant, the methods that it gives a model. */
export interface Capabilities {
  text: Writes;
  logprobs: Scores;
  embeddings: Embeds;
}

/** What to do where no log-probabilities are available. */
export const adviseParse = "use `scoring: parse`, which needs no log-probabilities";

const table: Record<
  keyof Capabilities,
  { method: "generate" | "score" | "embed"; lacks: string; next: string }
> = {
  text: {
    method: "generate",
    lacks: "does not write",
    next: "name one that writes, such as llama:smollm2-135m-instruct",
  },
  logprobs: { method: "score", lacks: "gives no log-probabilities", next: adviseParse },
  embeddings: { method: "embed", lacks: "gives no vectors", next: "name an encoder, such as encoder:minilm" },
};

/**
 * Whether a model has a capability.
 *
 * @example
 * import { hasCapability, openModel } from "@honelab/hone";
 * const model = await openModel("mock:?grants=text");
 * hasCapability(model, "logprobs"); // false
 */
export function hasCapability<M extends Model, C extends keyof Capabilities>(
  model: M,
  capability: C,
): model is M & Capabilities[C] {
  const callable: Callable = model;
  return typeof callable[table[capability].method] === "function";
}

/**
 * The model, typed as one that has the capability.
 *
 * @param where the place to name in the error, in place of the model's id
 * @throws HoneError (usage) where the model lacks it
 * @example
 * import { openModel, requireCapability } from "@honelab/hone";
 * const model = requireCapability(await openModel("mock:?skill=0.9"), "text");
 * typeof model.generate; // "function"
 */
export function requireCapability<M extends Model, C extends keyof Capabilities>(
  model: M,
  capability: C,
  where = model.id,
): M & Capabilities[C] {
  if (hasCapability(model, capability)) return model;
  const { lacks, next } = table[capability];
  throw new HoneError({
    what: `${model.name} ${lacks}`,
    where,
    why: `it grants ${[...model.grants].join(", ") || "nothing"}, not ${capability}`,
    next: `Add ${capability} to the \`grants=\` of an endpoint that can, else ${next}.`,
    kind: "usage",
  });
}

/** Whether it is a language model: a model that writes takes prompts. */
export const isLanguageModel = (model: Model): model is LanguageModel => hasCapability(model, "text");
