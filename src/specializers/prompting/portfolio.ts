// portfolio: adds up, for each option, the votes of a reasoning specialist and the probabilities of a direct one
// (Medprompt+, Microsoft's promptbase, 2023). It only weighs the two; how they answer is up to them.

import { z } from "zod";
import type { CallContext } from "../../core/call.js";
import type { Json } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Answer, Query } from "../../core/language.js";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { partOf } from "../combine/stack/folds.js";
import { derive } from "../parts/define.js";
import { inherited } from "../parts/inherited.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

/** The direct half as published: ten calls with the five nearest examples, read by their probabilities. */
export const directly = [{ knn: { k: 5 } }, { ensemble: { members: 10, vote: "probability" } }];

const weight = z.number().min(0).max(100);

const portfolioOptions = z.strictObject({
  use: z.unknown().default("medprompt").describe("the specializer that reasons, written as in a study"),
  direct: z
    .unknown()
    .default(directly)
    .describe("the specializer that answers directly, written as in a study"),
  weight: z
    .strictObject({
      scratchpad: weight.default(0.5).describe("where the subject says that a scratch-pad is needed"),
      plain: weight.default(2).describe("where it says that none is"),
      unscreened: weight.default(1).describe("where it was not asked or gave no answer"),
    })
    .prefault({})
    .describe(
      "weight of the direct probabilities relative to the reasoned votes: {scratchpad, plain, unscreened}",
    ),
  screen: z
    .boolean()
    .default(true)
    .describe("true to ask, once per query, whether it needs a scratch-pad; false for one weight"),
});
/** Options of `portfolio`. */
export type PortfolioOptions = z.input<typeof portfolioOptions>;

type Weights = z.output<typeof portfolioOptions>["weight"];

/** Replaces a probability of 0 in logarithms. */
const least = 1e-12;

/**
 * For each option L: the share of `reasoning`'s votes for L + w · p(L) of `direct`, the highest wins; ties go to the
 * higher p(L), then to the option that stands first. w is 0.5 where the subject says that the query needs a scratch-pad,
 * else 2 (`weight`).
 *
 * Votes without a choice count in the total but for no option. p(L) is the softmax of the scores, which for an ensemble
 * by probability is the mean over its members; where there are no scores it is the share of the votes. Queries without
 * options go to `reasoning` alone. The answer's scores are ln of the sum over (1 + w).
 *
 * @example
 * import { chain, ensemble, knn, medprompt, portfolio } from "@honelab/hone";
 * portfolio({}, medprompt(), chain([knn(), ensemble({ members: 10, vote: "probability" })]));
 */
export function portfolio(
  options: Omit<PortfolioOptions, "use" | "direct">,
  reasoning: LanguageSpecializer,
  direct: LanguageSpecializer,
): LanguageSpecializer {
  const schema = portfolioOptions.omit({ use: true, direct: true }).strip();
  const { weight, screen } = readOptions(schema, "portfolio", options);
  const label = `portfolio(${reasoning.label} & ${direct.label})`;
  const chosen = {
    weight,
    screen,
    use: { name: reasoning.name, options: reasoning.options },
    direct: { name: direct.name, options: direct.options },
  };
  return {
    name: "portfolio",
    label,
    options: chosen,
    ...inherited([reasoning, direct]),
    fit: async (subject, given) => {
      const states: Json[] = [];
      for (const [i, one] of [reasoning, direct].entries())
        states.push(await one.fit(subject, partOf(given, `portfolio ${i}`, given.train, one.label)));
      return states;
    },
    apply: (subject, states, tools) => {
      const [first, second] = states as [Json, Json];
      const reasoner = reasoning.apply(subject, first, tools);
      const quick = direct.apply(subject, second, tools);
      return derive(subject, { name: "portfolio", label, options: chosen }, states, {
        respond: async (query, context) => {
          if (!query.options) return reasoner.respond(query, context);
          const [reasoned, read, w] = await Promise.all([
            reasoner.respond(query, context),
            quick.respond(query, context),
            screen ? weigh(subject, query, weight, context) : weight.unscreened,
          ]);
          return combine(
            query.options.map(({ key }) => key),
            reasoned,
            read,
            w,
          );
        },
      });
    },
  };
}

/** Asks the subject the published question about the query and returns the weight of the direct probabilities. */
async function weigh(
  subject: LanguageSubject,
  query: Query,
  weights: Weights,
  context: CallContext,
): Promise<number> {
  const { scoring, maxTokens } = query;
  const { choice } = await subject.respond(
    {
      input: [query.input, query.question].filter(Boolean).join("\n"),
      question: "Does answering the question above require a scratch-pad?",
      options: [
        { key: "yes", text: "Yes" },
        { key: "no", text: "No" },
      ],
      answerBy: "label",
      demonstrations: [],
      ...(scoring === undefined ? {} : { scoring }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
    },
    context,
  );
  return choice === "yes" ? weights.scratchpad : choice === "no" ? weights.plain : weights.unscreened;
}

function combine(keys: readonly string[], reasoned: Answer, read: Answer, w: number): Answer {
  const trail = [...(reasoned.trail ?? []), ...(read.trail ?? [])];
  const kept = trail.length > 0 ? { trail } : {};
  const votes = shares(keys, reasoned);
  const chances = chancesOf(keys, read) ?? shares(keys, read);
  const sums = keys.map((_, i) => (votes[i] as number) + w * (chances[i] as number));
  const order = keys
    .map((_, i) => i)
    .sort(
      (a, b) =>
        differ(sums[b] as number, sums[a] as number) ||
        differ(chances[b] as number, chances[a] as number) ||
        a - b,
    );
  const best = order[0];
  if (best === undefined || sums[best] === 0) {
    return { unscored: reasoned.unscored ?? read.unscored ?? "no-answer", ...kept };
  }
  const scores = keys.map((key, i) => [key, Math.log(Math.max((sums[i] as number) / (1 + w), least))]);
  return { choice: keys[best] as string, scores: Object.fromEntries(scores), ...kept };
}

/** Differences within rounding are ties: a share of 2/5 must tie with 0.4 however it was added up. */
function differ(a: number, b: number): number {
  return Math.abs(a - b) < least ? 0 : a - b;
}

/** The share of each option among all votes; the choice is the only vote if there are none. */
function shares(keys: readonly string[], { choice, trail = [] }: Answer): number[] {
  const cast = trail.flatMap((step) => (step.kind === "vote" ? [step.choice] : []));
  const votes = cast.length > 0 ? cast : [choice];
  return keys.map((key) => votes.filter((vote) => vote === key).length / votes.length);
}

/** The softmax of the options' scores, or undefined where one has none. */
function chancesOf(keys: readonly string[], { scores }: Answer): number[] | undefined {
  const values = keys.map((key) => scores?.[key] ?? Number.NaN);
  if (!values.every(Number.isFinite)) return undefined;
  const top = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Its entry in the table of specializers. */
export const portfolioEntry = {
  make: (options: PortfolioOptions, inner) =>
    portfolio(
      options,
      inner(options.use ?? "medprompt", "use", "language"),
      inner(options.direct ?? directly, "direct", "language"),
    ),
  options: portfolioOptions,
  summary: "Reasoned votes and direct probabilities together, weighted by whether a query needs reasoning",
  paper: "Microsoft promptbase 2023, Medprompt+, which extends Nori et al. 2023 (2311.16452)",
  leaf: "few-shot prompt",
} satisfies SpecializerEntry;
