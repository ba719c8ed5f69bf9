// The generalist: a model that is asked as it is. Every specialist of it begins here.

import type { CallContext } from "../core/call.js";
import { fingerprint } from "../core/json.js";
import type { Answer, LanguageModel, LanguageSubject, PromptFormat, Query } from "../core/language.js";
import { parseChoice, renderPrompt } from "./prompt.js";

/** Changes when prompts or readings change in a way that makes old outcomes incomparable. */
const protocol = 2;

/**
 * A subject that puts each query to a model without any help.
 * @param format defaults to the model's own; `plain` leaves its chat template out
 */
export function generalist(model: LanguageModel, format: PromptFormat = model.format): LanguageSubject {
  return {
    kind: "language",
    name: model.name,
    id: fingerprint(["generalist", protocol, model.id, format]),
    model,
    respond: (query, context) =>
      query.options ? choose(model, format, query, context) : write(model, format, query, context),
  };
}

async function choose(
  model: LanguageModel,
  format: PromptFormat,
  query: Query,
  context: CallContext,
): Promise<Answer> {
  const options = query.options ?? [];
  const scoring = query.scoring ?? "sum";
  if (scoring === "parse") {
    const written = await write(model, format, query, context);
    const option = parseChoice(written.text ?? "", options);
    return option ? { ...written, choice: option.key } : { ...written, unscored: "unparsed" };
  }
  const scores = await scoreOptions(model, format, query, scoring === "mean", context);
  if (scoring === "prior") {
    // The same prompt with nothing to judge: what the model would say anyway (Holtzman et al. 2021, eq. 2).
    const { question: _question, ...premise } = query;
    const prior = await scoreOptions(
      model,
      format,
      { ...premise, input: "", demonstrations: [] },
      false,
      context,
    );
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
): Promise<number[]> {
  const { messages, continuations } = renderPrompt(query, format);
  const scored = await model.score({ messages, format, options: continuations }, context);
  return scored.options.map(({ logprob, tokens }) => (perToken ? logprob / Math.max(1, tokens) : logprob));
}

async function write(
  model: LanguageModel,
  format: PromptFormat,
  query: Query,
  context: CallContext,
): Promise<Answer> {
  const { messages } = renderPrompt(query, format);
  const stop = format === "plain" ? ["\n\n", "\nQuestion:"] : [];
  const maxTokens = query.maxTokens ?? (query.options ? 16 : 64);
  const generated = await model.generate(
    { messages, format, maxTokens, temperature: 0, seed: 0, stop },
    context,
  );
  return { text: generated.text.trim() };
}
