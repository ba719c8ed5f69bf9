// calibrate: removes the model's bias, what it would answer if there were nothing to judge (Zhao et al. 2021, "Calibrate
// Before Use", eq. 1 and 2). It wraps any subject that scores options, whatever prompts that subject makes.
//
// The prior belongs to the prompt around the input, here called the frame: instruction, options, demonstrations. So the
// prompting underneath (few-shot, kNN) is applied first, and only then is the content replaced by "N/A", "[MASK]" and
// "": the prior is measured with exactly the demonstrations that the query gets. Where the frame is the same for every
// query (shared options, fixed demonstrations), its prior is learnt once and an answer costs nothing extra. Any other
// frame (options of the sample's own, kNN) is measured when it occurs: three more calls for each answer, which are
// counted.

import { z } from "zod";
import type { CallContext } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Answer, Query } from "../../core/language.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { questionsVary } from "../../learn/text.js";
import { defineSpecializer, prepared } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const calibrateOptions = z.strictObject({});
/** Options of `calibrate`. */
export type CalibrateOptions = z.input<typeof calibrateOptions>;

/** The content-free inputs of the paper, §5. */
export const contentFree = ["N/A", "[MASK]", ""] as const;

/** Natural-log probability of each option key before there is anything to judge. */
type Prior = Record<string, number>;

type State = {
  /** Whether the question is content too: only where questions differ between samples. */
  question: boolean;
  /** The prior of the frame that queries share, or null where each has its own. */
  frame: string | null;
  prior: Prior | null;
};

/** Divides each option's probability by its prior: log p - log prior, the diagonal form of eq. 1 with b = 0. */
export function calibrate(options: CalibrateOptions = {}): LanguageSpecializer {
  readOptions(calibrateOptions, "calibrate", options);
  return defineSpecializer<State>({
    name: "calibrate",
    needs: ["logprobs"],
    fit: fitPrior,
    behave: (state, inner) => ({
      respond: async (query, context) => {
        const at = await prepared(inner, query, context);
        const answer = await at.subject.respond(at.query, context);
        if (!query.options || answer.unscored) return answer;
        const shared = state.prior !== null && frameOf(at.query, state.question) === state.frame;
        const prior = shared
          ? state.prior
          : await measurePrior(at.subject, at.query, state.question, context);
        return (prior && lessPrior(answer, prior, query)) ?? withoutChoice(answer, "no-scores");
      },
    }),
  });
}

async function fitPrior(subject: LanguageSubject, given: Given): Promise<State> {
  // Dev first: a train sample may itself be one of the demonstrations, and then its frame is one demonstration short.
  const queries = [...given.dev, ...given.train].map((sample) => given.task.query(sample));
  const first = queries[0];
  const refuse = (why: string, next: string): never => {
    throw new HoneError({
      what: "calibrate cannot be used here",
      where: `task ${given.task.name}`,
      why,
      next,
      kind: "usage",
    });
  };
  if (!first)
    return refuse("there are no dev or train samples to take a query from", "Give the task a train split.");
  if (!first.options?.length) {
    return refuse(
      "the task asks the model to write, not to choose",
      "Take calibrate out of this task's study.",
    );
  }
  const question = questionsVary(queries);
  const probes = queries.slice(0, 5);
  const frames = new Map<string, { query: Query; subject: LanguageSubject; count: number }>();
  for (const probe of probes) {
    const at = await prepared(subject, probe, given.context);
    const frame = frameOf(at.query, question);
    frames.set(frame, { ...at, count: (frames.get(frame)?.count ?? 0) + 1 });
  }
  const [frame, common] = [...frames].toSorted(([, a], [, b]) => b.count - a.count)[0] as [
    string,
    { query: Query; subject: LanguageSubject; count: number },
  ];
  // Measured in any case, so that a subject without scores is refused here and not at the first test sample.
  const prior = await measurePrior(common.subject, common.query, question, given.context);
  if (!prior) {
    return refuse(
      `${subject.name} gives no score for each option`,
      "Use a model that grants logprobs and a scoring other than parse, or take calibrate out.",
    );
  }
  const shared = common.count * 2 > probes.length;
  return { question, frame: shared ? frame : null, prior: shared ? prior : null };
}

/** The query with its content replaced. */
function blanked(query: Query, withQuestion: boolean, content: string): Query {
  return {
    ...query,
    input: content,
    ...(withQuestion && query.question !== undefined ? { question: content } : {}),
  };
}

function frameOf(query: Query, withQuestion: boolean): string {
  return fingerprint(blanked(query, withQuestion, ""));
}

/** Mean of the option probabilities over the content-free inputs, as logs; undefined where one gives no scores. */
async function measurePrior(
  subject: LanguageSubject,
  query: Query,
  withQuestion: boolean,
  context: CallContext,
): Promise<Prior | undefined> {
  const rows: Map<string, number>[] = [];
  // One after the other: the order of calls is part of what the journal keeps.
  for (const content of contentFree) {
    const { scores } = await subject.respond(blanked(query, withQuestion, content), context);
    if (!scores || Object.keys(scores).length === 0) return undefined;
    rows.push(logSoftmax(new Map(Object.entries(scores))));
  }
  const keys = [...(rows[0] as Map<string, number>).keys()];
  return Object.fromEntries(
    keys.map((key) => [key, logSumExp(rows.map((row) => row.get(key) ?? -Infinity)) - Math.log(rows.length)]),
  );
}

/** The answer with the prior taken out of its scores; undefined where no option has both a score and a prior. */
function lessPrior(answer: Answer, prior: Prior, query: Query): Answer | undefined {
  if (!answer.scores) return undefined;
  const scores = new Map(Object.entries(answer.scores));
  const priors = new Map(Object.entries(prior));
  const out: [key: string, score: number][] = [];
  for (const { key } of query.options ?? []) {
    const score = (scores.get(key) ?? Number.NaN) - (priors.get(key) ?? Number.NaN);
    if (Number.isFinite(score)) out.push([key, score]);
  }
  if (out.length === 0) return undefined;
  const best = out.reduce((a, b) => (b[1] > a[1] ? b : a));
  return { ...answer, choice: best[0], scores: Object.fromEntries(out) };
}

function withoutChoice({ choice: _choice, scores: _scores, ...answer }: Answer, unscored: string): Answer {
  return { ...answer, unscored };
}

/** Scores as natural logs of probabilities that sum to 1. */
export function logSoftmax(scores: Map<string, number>): Map<string, number> {
  const total = logSumExp([...scores.values()]);
  return new Map([...scores].map(([key, score]) => [key, score - total]));
}

/** ln Σ exp(x), without overflow. */
function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values);
  if (!Number.isFinite(most)) return most;
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

/** Its entry in the table of specializers. */
export const calibrateEntry = {
  make: calibrate,
  options: calibrateOptions,
  summary: "Option scores minus those that the model gives content-free inputs",
  paper: "Zhao et al. 2021, Calibrate Before Use (arXiv 2102.09690), eq. 1 and 2",
  leaf: "zero-shot prompt",
} satisfies SpecializerEntry;
