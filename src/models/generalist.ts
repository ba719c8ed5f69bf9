// The generalist: zero-shot queries to a model. Every specialist starts from it.

import type { CallContext } from "../core/call.js";
import { requireCapability } from "../core/capabilities.js";
import { fingerprint } from "../core/json.js";
import type { LanguageSubject } from "../core/kinds.js";
import type { Answer, Query } from "../core/language.js";
import type { LanguageModel, PromptFormat } from "../core/model.js";
import { answerIsWritten, parseChoice, renderPrompt, splitReasoned } from "./prompt.js";

/** Changes when prompts, or how answers are read, change so that old outcomes are no longer comparable. */
const protocol = 3;

/**
 * A subject that sends each query to the model unchanged. A query that reasons takes two calls if the answer is read from
 * probabilities (the chain of thought, then the options after it), and one if the answer is written.
 *
 * @param format defaults to the model's own; `plain` skips its chat template
 */
export function generalist(model: LanguageModel, format: PromptFormat = model.format): LanguageSubject {
  return {
    kind: "language",
    name: model.name,
    id: fingerprint(["generalist", protocol, model.id, format]),
    model,
    respond: async (query, context) => {
      if (!query.reason || answerIsWritten(query)) return answer(model, format, query, context);
      const rationale = await think(model, format, query, context);
      const answered = await answer(model, format, query, context, rationale);
      return { ...answered, trail: [{ kind: "rationale", text: rationale }] };
    },
  };
}

function answer(
  model: LanguageModel,
  format: PromptFormat,
  query: Query,
  context: CallContext,
  rationale?: string,
): Promise<Answer> {
  return query.options
    ? choose(model, format, query, context, rationale)
    : write(model, format, query, context);
}

async function choose(
  model: LanguageModel,
  format: PromptFormat,
  query: Query,
  context: CallContext,
  rationale?: string,
): Promise<Answer> {
  const options = query.options ?? [];
  const scoring = query.scoring ?? "sum";
  if (scoring === "parse") {
    const written = await write(model, format, query, context);
    const option = parseChoice(written.text ?? "", options);
    return option ? { ...written, choice: option.key } : { ...written, unscored: "unparsed" };
  }
  const scores = await scoreOptions(model, format, query, scoring === "mean", context, rationale);
  if (scoring === "prior") {
    // The same prompt without an input gives the model's prior over the options (Holtzman et al. 2021, eq. 2).
    const { question: _question, passages: _passages, reason: _reason, ...premise } = query;
    const bare: Query = { ...premise, input: "", demonstrations: [] };
    const prior = await scoreOptions(model, format, bare, false, context);
    for (const [i, score] of prior.entries()) scores[i] = (scores[i] as number) - score;
  }
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
  return {
    choice: (options[best] as { key: string }).key,
    scores: Object.fromEntries(options.map((option, i) => [option.key, scores[i] as number])),
  };
}

async function scoreOptions(
  model: LanguageModel,
  format: PromptFormat,
  query: Query,
  perToken: boolean,
  context: CallContext,
  rationale?: string,
): Promise<number[]> {
  const { messages, continuations } = renderPrompt(query, format, rationale);
  const scorer = requireCapability(model, "logprobs");
  const scored = await scorer.score({ messages, format, options: continuations }, context);
  return scored.options.map(({ logprob, tokens }) => (perToken ? logprob / Math.max(1, tokens) : logprob));
}

/** Texts that begin the next example in a `plain` prompt; the answer ends before them. */
const nextExample = ["\n\n", "\nQuestion:"];

async function write(
  model: LanguageModel,
  format: PromptFormat,
  query: Query,
  context: CallContext,
): Promise<Answer> {
  const room = query.maxTokens ?? (query.options ? 16 : 64);
  const text = await generate(model, format, query, room + (query.reason?.maxTokens ?? 0), [], context);
  if (!query.reason) return { text };
  const { rationale, answer } = splitReasoned(text);
  return { text: answer, trail: [{ kind: "rationale", text: rationale }] };
}

/** Generates the chain of thought alone; it ends where the answer would begin. */
async function think(
  model: LanguageModel,
  format: PromptFormat,
  query: Query,
  context: CallContext,
): Promise<string> {
  const most = query.reason?.maxTokens ?? 0;
  const text = await generate(model, format, query, most, ["\nAnswer:"], context);
  return splitReasoned(text).rationale;
}

async function generate(
  model: LanguageModel,
  format: PromptFormat,
  query: Query,
  maxTokens: number,
  stop: readonly string[],
  context: CallContext,
): Promise<string> {
  const { messages } = renderPrompt(query, format);
  const sampling = query.sampling ?? { temperature: 0, seed: 0 };
  const stops = [...stop, ...(format === "plain" ? nextExample : [])];
  const request = { messages, format, maxTokens, ...sampling, stop: stops };
  return (await model.generate(request, context)).text.trim();
}
