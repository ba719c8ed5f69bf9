// Makes and scores candidates, with the parts of train, the task, the subject under a candidate's prompt, and the reflector.

import { CallError, type CallFailure, ofTheSample } from "../../../core/call.js";
import { HoneError } from "../../../core/errors.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import { directionOf, extremes } from "../../../core/metric.js";
import { randomFor, shuffled } from "../../../core/random.js";
import type { Sample } from "../../../core/sample.js";
import type { Given } from "../../../core/specializer.js";
import { derive } from "../../parts/define.js";
import { ask, type Candidate, type Home, homeOf } from "./candidate.js";
import { type Attempt, reflect, withoutProposal } from "./reflect.js";

/** Disjoint parts of train: for proposals, to search on, to confirm on. */
export type Parts = Readonly<Record<"feedback" | "search" | "confirm", readonly Sample[]>>;

/**
 * Scores of a candidate on samples of a part, higher is better; null where the endpoint failed. A sample that fails for what it is,
 * for example a prompt longer than the context, has the worst score: it is the prompt's doing.
 */
export type Scorer = (
  candidate: number,
  part: keyof Parts,
  samples: readonly number[],
) => Promise<readonly (number | null)[]>;

/**
 * Makes a new candidate from what another one got wrong on feedback samples (eight drawn ones where none are named), and
 * returns its number; undefined if none was written.
 */
export type Propose = (from: number, among?: readonly number[]) => Promise<number | undefined>;

/** What the reflector was asked for and what came of it. */
export type Reflections = { asked: number; written: number };

export interface Workshop {
  /** Grows as candidates are proposed; the first is the prompt as it stands. */
  readonly candidates: Candidate[];
  readonly home: Home;
  readonly propose: Propose;
  /** Whether the reflector may be asked again. */
  readonly asksAgain: () => boolean;
  /** Undefined without a reflector. */
  readonly reflections: () => Reflections | undefined;
  readonly scores: Scorer;
  /** Samples of each part. */
  readonly sizes: Readonly<Record<keyof Parts, number>>;
  /** The best and the worst score of a sample; infinite if the scale is unbounded. */
  readonly perfect: number;
  readonly worst: number;
}

export async function openWorkshop(
  subject: LanguageSubject,
  given: Given,
  parts: Parts,
  {
    bank,
    reflector,
    reflections,
  }: { bank: readonly Candidate[]; reflector: string | undefined; reflections: number },
): Promise<Workshop> {
  const { task, seed, context } = given;
  const queries = parts.feedback.map((sample) => task.query(sample));
  const home = homeOf(task, queries);
  if (reflector !== undefined && home.instruction === null && queries.some(({ instruction }) => instruction))
    throw withoutInstruction(given);
  const writer = reflector === undefined ? undefined : await openReflector(given, reflector);
  const worst = directionOf(task.metric) * extremes(task.metric).worst;
  /** The worst score so far, which stands for the worst where the scale has no end. */
  let least = Number.POSITIVE_INFINITY;
  const candidates: Candidate[] = [{ name: "as it stands" }, ...bank];
  const width = Math.max(1, subject.model?.concurrency ?? 1);
  let done = 0;
  const evaluate = async (candidate: Candidate, samples: readonly Sample[]) => {
    const asked = derive(subject, { name: "optimize", label: candidate.name, options: {} }, candidate, {
      prepare: (query) => ask(candidate, home, query),
    });
    const rows: { score: number | null; answered?: string }[] = [];
    for (let start = 0; start < samples.length; start += width) {
      const batch = samples.slice(start, start + width);
      const grades = await Promise.all(
        batch.map((sample) => task.evaluate(asked, sample, context).catch(unscored)),
      );
      for (const grade of grades) {
        if (grade.status === "scored") {
          const score = directionOf(task.metric) * grade.score;
          least = Math.min(least, score);
          rows.push({ score, answered: grade.prediction });
        } else {
          const lowest = Number.isFinite(worst) ? worst : least;
          const own = ofTheSample.includes(grade.cause as CallFailure) && Number.isFinite(lowest);
          rows.push({ score: own ? lowest : null });
        }
      }
      done += batch.length;
      given.progress(done, Math.max(done, candidates.length * parts.search.length), candidate.name);
    }
    return rows;
  };

  const best = directionOf(task.metric) * extremes(task.metric).best;
  let asks = 0;
  let written = 0;
  const propose: Propose = async (number, among) => {
    if (!writer || asks >= reflections) return undefined;
    const from = candidates[number] as Candidate;
    const turn = ++asks;
    const shown =
      among?.map((i) => parts.feedback[i] as Sample) ??
      shuffled(parts.feedback, randomFor(seed, "optimize", "feedback", turn)).slice(0, 8);
    const rows = await evaluate(from, shown);
    // What was not answered tells nothing of the instruction.
    const attempts = shown.flatMap((sample, i): Attempt[] => {
      const { answered, score = null } = rows[i] ?? {};
      const golds = [sample.gold].flat().map(String);
      return answered === undefined || score === null
        ? []
        : [{ query: task.query(sample), answered, golds, right: score >= best }];
    });
    const wrong = attempts.filter(({ right }) => !right);
    const instruction = await reflect(
      writer,
      from.instruction ?? home.instruction ?? "",
      (wrong.length > 0 ? wrong : attempts).slice(0, 4),
      { seed: seed * 1000 + turn, context },
    ).catch(withoutProposal);
    if (instruction === undefined) return undefined;
    written++;
    candidates.push({ ...from, name: `reflection ${turn}`, instruction });
    return candidates.length - 1;
  };

  return {
    ...{ candidates, home, propose, worst },
    asksAgain: () => writer !== undefined && asks < reflections,
    reflections: () => (writer ? { asked: asks, written } : undefined),
    perfect: best,
    sizes: {
      feedback: parts.feedback.length,
      search: parts.search.length,
      confirm: parts.confirm.length,
    },
    scores: async (candidate, part, samples) => {
      const rows = await evaluate(
        candidates[candidate] as Candidate,
        samples.map((i) => parts[part][i] as Sample),
      );
      return rows.map(({ score }) => score);
    },
  };
}

function unscored(error: unknown) {
  if (error instanceof CallError) return { status: "unscored" as const, cause: error.failure };
  throw error;
}

async function openReflector({ context }: Given, ref: string) {
  const { subject } = await context.open(ref);
  if (subject.kind === "language" && subject.model) return subject.model;
  throw new HoneError({
    what: `${ref} cannot reflect`,
    where: "optimize, reflector",
    why: "it is not a model that writes text",
    next: "Name a language model, such as openai:MODEL?base=URL.",
    kind: "usage",
  });
}

function withoutInstruction({ task }: Given): HoneError {
  return new HoneError({
    what: "A reflector has no instruction to improve",
    where: `optimize, reflector; task ${task.name}`,
    why: "samples have instructions of their own",
    next: "Give the task one instruction, or leave the reflector out.",
    kind: "usage",
  });
}
