// ensemble: queries the same subject several times and votes (the choice-shuffle ensemble of Nori et al. 2023, §4.3). Each
// member sees the options in another order; without options, members are sampled texts (Wang et al. 2022,
// self-consistency). The orders come from permutations.ts.
//
// The prompting underneath is applied to a query once for all members; only then are its options shuffled. Examples keep
// their order, so that everything before the sample stays the same and a model reads it once.

import { z } from "zod";
import type { CallContext } from "../../core/call.js";
import { fingerprint } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Answer, Option, Query, Step } from "../../core/language.js";
import { type Random, randomFor } from "../../core/random.js";
import type { LanguageSpecializer, Tools } from "../../core/specializer.js";
import { hasQueries } from "../../core/task.js";
import { requireEncoder } from "../../learn/vectors.js";
import { defineSpecializer, prepared } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import { drawOrders } from "../parts/permutations.js";
import type { SpecializerEntry } from "../table.js";

export const ensembleOptions = z.strictObject({
  members: z.int().min(1).max(100).default(5).describe("how many times each query is asked, 1 to 100"),
  orders: z
    .enum(["balanced", "random"])
    .default("balanced")
    .describe(
      '"balanced" so that every option stands in every position equally often, "random" as in Medprompt',
    ),
  vote: z
    .enum(["plurality", "probability"])
    .default("plurality")
    .describe('"plurality" of the members\' choices, or the highest mean "probability"'),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .optional()
    .describe(
      "sampling temperature of the members, 0 to 2; by default 0.7 for open answers and 0 for a choice",
    ),
});
/** Options of `ensemble`. */
export type EnsembleOptions = z.input<typeof ensembleOptions>;

type Settings = z.output<typeof ensembleOptions>;

type State = {
  /** Kept here because answering has no seed of its own. */
  seed: number;
  /** Identity of the encoder that compares open answers; null where the task only asks to choose. */
  encoder: string | null;
};

/** What one member said, with the order in which it saw the options. */
interface Member {
  order: readonly string[];
  answer: Answer;
}

/**
 * Asks `members` times and votes. With n options there are at most n! members, each with an order of its own.
 *
 * `balanced` orders (ours) are the rows of Latin squares: where `members` is a multiple of n each option stands in each
 * position equally often, so that position bias affects all options alike. `random` is as published.
 *
 * Votes: `plurality`, ties going to the higher mean probability where there are scores, then to the option that the first
 * member saw first (a drawn order: the query's own would bring position bias back); or `probability`, the highest mean of
 * the members' softmax, ties in the same way. Members without a choice (for `probability`: without scores) do not vote;
 * if none votes the answer is unscored with the most common cause. The answer's scores are the log of the mean
 * probability where every voter gave scores, else ln((votes + 0.5) / (voters + 0.5 n)).
 *
 * Open answers: the one whose mean cosine to the others is highest in the study's sentence encoder, ties to the first.
 *
 * @example
 * import { chain, ensemble, knn } from "@honelab/hone";
 * chain([knn({ k: 5 }), ensemble({ members: 5 })]).label; // "knn(k=5) + ensemble(m=5)"
 */
export function ensemble(options: EnsembleOptions = {}): LanguageSpecializer {
  const settings = readOptions(ensembleOptions, "ensemble", options);
  const { members, orders, vote, temperature } = settings;
  const said = [
    `m=${members}`,
    ...(orders === "random" ? ["random"] : []),
    ...(vote === "probability" ? ["probability"] : []),
    ...(temperature === undefined ? [] : [`t=${temperature}`]),
  ];
  return defineSpecializer<State>({
    name: "ensemble",
    label: `ensemble(${said.join(", ")})`,
    options: { members, orders, vote, ...(temperature === undefined ? {} : { temperature }) },
    needs: vote === "probability" ? ["logprobs"] : [],
    seeded: true,
    encodes: isOpen,
    fit: async (_subject, given) => ({
      seed: given.seed,
      encoder: isOpen(given) ? (await given.encoder()).id : null,
    }),
    behave: (state, inner, tools) => ({
      respond: async (query, context) => {
        const { input, question = null } = query;
        const shown = query.options?.map(({ key, text }) => [key, text]) ?? null;
        const random = randomFor(state.seed, "ensemble", fingerprint([input, question, shown]));
        const at = await prepared(inner, query, context);
        return at.query.options
          ? choose(at.subject, at.query, at.query.options, settings, random, context)
          : write(at.subject, at.query, settings, random, state, tools, context);
      },
    }),
  });
}

/** Whether the task asks for open answers, which are compared by their vectors. */
function isOpen({ task, train, dev }: Parameters<NonNullable<LanguageSpecializer["encodes"]>>[0]): boolean {
  const first = train[0] ?? dev[0];
  return first !== undefined && hasQueries(task) && !task.query(first).options;
}

async function choose(
  subject: LanguageSubject,
  query: Query,
  options: readonly Option[],
  { members, orders, vote, temperature = 0 }: Settings,
  random: Random,
  context: CallContext,
): Promise<Answer> {
  // Otherwise the shared options would be listed above the examples, which would then be read with shuffled options.
  const demonstrations = query.demonstrations.map((shot) => (shot.options ? shot : { ...shot, options }));
  const asked: Member[] = [];
  for (const order of drawOrders(options.length, members, orders, random)) {
    const seen = order.map((i) => options[i] as Option);
    const member = { ...query, demonstrations, options: seen, ownOptions: true };
    const answer = await subject.respond(sampled(member, temperature, random), context);
    asked.push({ order: seen.map(({ key }) => key), answer });
  }
  const result = count(asked, options, vote);
  const votes = asked.map(
    ({ order, answer }): Step => ({ kind: "vote", order, choice: answer.choice ?? null }),
  );
  return {
    ...result,
    trail: trailOf(
      asked.map(({ answer }) => answer),
      votes,
    ),
  };
}

function count(
  asked: readonly Member[],
  options: readonly Option[],
  vote: Settings["vote"],
): Pick<Answer, "choice" | "scores" | "unscored"> {
  const keys = options.map(({ key }) => key);
  const heard = asked
    .map(({ answer }) => ({ choice: answer.choice, chances: logSoftmax(answer.scores, keys) }))
    .filter(({ choice, chances }) => choice !== undefined && (vote === "plurality" || chances));
  if (heard.length === 0) {
    return { unscored: commonest(asked.map(({ answer }) => answer.unscored ?? "no-scores")) };
  }
  const votes = keys.map((key) => heard.filter(({ choice }) => choice === key).length);
  const scored = heard.flatMap(({ chances }) => (chances ? [chances] : []));
  const means = keys.map((_, i) => logMeanExp(scored.map((chances) => chances[i] as number)));
  const most = Math.max(...votes);
  const drawn = (asked[0] as Member).order.map((key) => keys.indexOf(key));
  const tied = drawn.filter((i) => vote === "probability" || votes[i] === most);
  const best = scored.length > 0 ? highest(tied, (i) => means[i] as number) : (tied[0] as number);
  const scores =
    scored.length === heard.length
      ? means
      : votes.map((n) => Math.log((n + 0.5) / (heard.length + 0.5 * keys.length)));
  return {
    choice: keys[best] as string,
    scores: Object.fromEntries(keys.map((key, i) => [key, scores[i] as number])),
  };
}

async function write(
  subject: LanguageSubject,
  query: Query,
  { members, temperature = 0.7 }: Settings,
  random: Random,
  state: State,
  tools: Tools,
  context: CallContext,
): Promise<Answer> {
  const answers: Answer[] = [];
  for (let i = 0; i < members; i++) {
    answers.push(await subject.respond(sampled(query, temperature, random), context));
  }
  const votes = answers.map((answer): Step => ({ kind: "vote", choice: writtenIn(answer) ?? null }));
  const trail = trailOf(answers, votes);
  const texts = answers.map(writtenIn).filter((text) => text !== undefined);
  if (texts.length === 0) {
    return { unscored: commonest(answers.map(({ unscored = "no-answer" }) => unscored)), trail };
  }
  const same = texts.every((text) => text === texts[0]);
  const text = same ? texts[0] : texts[await nearestToAll(texts, state, tools, context)];
  return { text: text as string, trail };
}

async function nearestToAll(
  texts: readonly string[],
  { encoder: expected }: State,
  tools: Tools,
  context: CallContext,
): Promise<number> {
  const loaded = await tools.encoder();
  const encoder = expected === null ? loaded : requireEncoder(loaded, expected);
  const { vectors } = await encoder.embed(texts, context);
  // Sorted before adding, so that equal texts get exactly the same sums and ties stay ties.
  const likeness = vectors.map((a, i) =>
    vectors
      .flatMap((b, j) => (i === j ? [] : [a.reduce((dot, x, d) => dot + x * (b[d] as number), 0)]))
      .toSorted((x, y) => x - y)
      .reduce((sum, cosine) => sum + cosine, 0),
  );
  return highest(
    likeness.map((_, i) => i),
    (i) => likeness[i] as number,
  );
}

/** The query as one member gets it; greedy if the temperature is 0. */
function sampled(query: Query, temperature: number, random: Random): Query {
  return temperature === 0
    ? query
    : { ...query, sampling: { temperature, seed: Math.floor(random() * 2 ** 31) } };
}

/** Each member's steps and its vote after them. Passages that several members were shown are listed once. */
function trailOf(answers: readonly Answer[], votes: readonly Step[]): Step[] {
  const told = new Set<string>();
  const steps = votes.flatMap((vote, i) => [...(answers[i]?.trail ?? []), vote]);
  return steps.filter((step) => {
    if (step.kind !== "passage") return true;
    const known = told.has(step.id);
    told.add(step.id);
    return !known;
  });
}

function writtenIn({ text, unscored }: Answer): string | undefined {
  return unscored || !text?.trim() ? undefined : text;
}

/** Log-probabilities in the order of `keys`; undefined where an option has no finite score. */
function logSoftmax(scores: Answer["scores"], keys: readonly string[]): number[] | undefined {
  const values = keys.map((key) => scores?.[key] ?? Number.NaN);
  if (!values.every(Number.isFinite)) return undefined;
  const total = logMeanExp(values) + Math.log(values.length);
  return values.map((value) => value - total);
}

/** ln of the mean of exp(x), without overflow. */
function logMeanExp(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0) / values.length);
}

/** The first of the candidates with the highest value; differences of rounding are ties. */
function highest(candidates: readonly number[], value: (index: number) => number): number {
  const most = Math.max(...candidates.map(value));
  return candidates.find((i) => value(i) > most - 1e-12) as number;
}

function commonest(causes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const cause of causes) counts.set(cause, (counts.get(cause) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? "no-answer";
}

/** Its entry in the table of specializers. */
export const ensembleEntry = {
  make: ensemble,
  options: ensembleOptions,
  summary: "The steps before it, asked several times with the options in other orders, and a vote",
  paper: "Nori et al. 2023, Medprompt (arXiv 2311.16452), section 4.3; Wang et al. 2022 (2203.11171)",
  leaf: "zero-shot prompt",
} satisfies SpecializerEntry;
