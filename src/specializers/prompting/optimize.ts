// optimize: instruction and examples searched, and kept only where fresh samples confirm them. Train is cut into three disjoint
// parts (feedback, search, confirm); dev stays the study's and test stays sealed.

import { z } from "zod";
import { CallError } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import type { LanguageSubject } from "../../core/kinds.js";
import { directionOf, extremes } from "../../core/metric.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Sample } from "../../core/sample.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { foldsOf } from "../../learn/folds.js";
import { defineSpecializer, derive, requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import { bankOf, idleBank } from "./optimize/bank.js";
import { ask, type Candidate, type Home, homeOf, lengthOf } from "./optimize/candidate.js";
import { type RaceReport, type Racer, race } from "./optimize/race.js";
import { type Attempt, reflect, withoutProposal } from "./optimize/reflect.js";

export const optimizeOptions = z.strictObject({
  reflector: z
    .string()
    .optional()
    .describe("a model that reads wrong answers and writes instructions, as a study names models"),
  reflections: z.int().min(1).max(100).default(4).describe("instructions asked of the reflector"),
  draws: z.int().min(1).max(20).default(3).describe("sets of examples of each size that are tried"),
  batch: z.int().min(32).max(1000).default(32).describe("samples of a minibatch, 32 or more"),
  search: z.int().min(96).max(100_000).default(256).describe("most samples to search on"),
  confirm: z.int().min(32).max(100_000).default(256).describe("most samples to confirm on"),
  headroom: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("level of the headroom test: nothing is searched where its p is above; 1 searches always"),
  proposals: z
    .enum(["bank", "no-op"])
    .default("bank")
    .describe('"no-op" tries rewordings that say nothing: a control of the confirmation'),
});
/** Options of `optimize`. */
export type OptimizeOptions = z.input<typeof optimizeOptions>;

type State = { candidate: Candidate; home: Home; report: RaceReport };

/** Of train: for proposals, to search on, to confirm on; in tenths. */
const tenths = { feedback: 3, search: 4, confirm: 3 } as const;
/** Below so many train samples a confirmation shows nothing. */
const leastTrain = 160;

/**
 * Searches the prompt: candidates of a bank (phrasings, a glossary, sets of examples) and of a reflector race on paired
 * minibatches (`race`), and the winner replaces the prompt as it stands only where it is confirmed on samples that no
 * candidate was made of or chosen on. The state's report has every candidate, the confirmed gain and its shrinkage.
 * @throws HoneError where train is too small, or the reflector writes nothing
 *
 * @example
 * import { optimize } from "@honelab/hone";
 * optimize({ search: 128 }).label; // "optimize(search=128)"
 */
export function optimize(options: OptimizeOptions = {}): LanguageSpecializer {
  const chosen = readOptions(optimizeOptions, "optimize", options);
  return defineSpecializer<State>({
    name: "optimize",
    label: labelOf(chosen),
    options: { ...chosen, reflector: chosen.reflector ?? null },
    seeded: true,
    fit: (subject, given) => search(subject, given, chosen),
    behave: ({ candidate, home }) => ({ prepare: (query) => ask(candidate, home, query) }),
  });
}

function labelOf({ reflector, search, proposals }: z.output<typeof optimizeOptions>): string {
  const parts = [
    ...(proposals === "no-op" ? ["no-op"] : []),
    ...(search === 256 ? [] : [`search=${search}`]),
    ...(reflector === undefined ? [] : [`reflector=${reflector}`]),
  ];
  return parts.length > 0 ? `optimize(${parts.join(", ")})` : "optimize";
}

async function search(
  subject: LanguageSubject,
  given: Given,
  options: z.output<typeof optimizeOptions>,
): Promise<State> {
  requireTrain(given, "optimize");
  if (given.train.length < leastTrain) throw tooFew(given);
  const { task, seed, context } = given;
  const parts = partsOf(given.train, seed, options);
  const queries = parts.feedback.map((sample) => task.query(sample));
  const home = homeOf(task, queries);
  const reflector =
    options.reflector === undefined ? undefined : await openReflector(given, options.reflector);
  const candidates: Candidate[] = [
    { name: "as it stands" },
    ...(options.proposals === "no-op"
      ? idleBank()
      : bankOf(task, parts.feedback, { seed, draws: options.draws })),
  ];
  const { worst } = extremes(task.metric);
  const asked = (candidate: Candidate) =>
    derive(subject, { name: "optimize", label: candidate.name, options: {} }, candidate, {
      prepare: (query) => ask(candidate, home, query),
    });
  let done = 0;
  const evaluate = async (candidate: Candidate, samples: readonly Sample[]) => {
    const answering = asked(candidate);
    const width = Math.max(1, subject.model?.concurrency ?? 1);
    const rows: { score: number | null; answered: string }[] = [];
    for (let start = 0; start < samples.length; start += width) {
      const grades = samples.slice(start, start + width).map((sample) =>
        task.evaluate(answering, sample, context).catch((error: unknown) => {
          if (error instanceof CallError) return { status: "unscored" as const, cause: error.failure };
          throw error;
        }),
      );
      for (const grade of await Promise.all(grades))
        rows.push(
          grade.status === "scored"
            ? { score: directionOf(task.metric) * grade.score, answered: grade.prediction }
            : { score: null, answered: "" },
        );
      done += Math.min(width, samples.length - start);
      given.progress(done, Math.max(done, candidates.length * parts.search.length), candidate.name);
    }
    return rows;
  };

  let asks = 0;
  const propose = async (from: Candidate): Promise<Candidate | undefined> => {
    if (!reflector || asks >= options.reflections) return undefined;
    const turn = ++asks;
    const shown = shuffled(parts.feedback, randomFor(seed, "optimize", "feedback", turn)).slice(0, 8);
    const rows = await evaluate(from, shown);
    const attempts = shown.map(
      (sample, i): Attempt => ({
        query: task.query(sample),
        answered: rows[i]?.answered || "(nothing)",
        right: String([sample.gold].flat()[0]),
      }),
    );
    const wrong = attempts.filter(({ answered, right }) => answered !== right);
    const instruction = await reflect(
      reflector,
      from.instruction ?? home.instruction ?? "",
      (wrong.length > 0 ? wrong : attempts).slice(0, 4),
      { seed: seed * 1000 + turn, context },
    ).catch(withoutProposal);
    if (instruction === undefined) return undefined;
    const { before: _before, after: _after, ...rest } = from;
    return { ...rest, name: `reflection ${turn}`, instruction };
  };
  for (let i = 0; i < Math.ceil(options.reflections / 2); i++) {
    const one = await propose(candidates[0] as Candidate);
    if (one) candidates.push(one);
  }

  const racerOf = (candidate: Candidate): Racer => ({
    name: candidate.name,
    length: lengthOf(candidate, home),
  });
  const report = await race(
    candidates.map(racerOf),
    { search: parts.search.map(({ group }) => group), confirm: parts.confirm.map(({ group }) => group) },
    async (racer, part, samples) =>
      (
        await evaluate(
          candidates[racer] as Candidate,
          samples.map((i) => parts[part][i] as Sample),
        )
      ).map(({ score }) => score),
    {
      ...{ seed, batch: options.batch, headroom: options.headroom, alpha: 0.05 },
      ...(Number.isFinite(worst)
        ? {}
        : { range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const }),
    },
    async (leader) => {
      const one = await propose(candidates[leader] as Candidate);
      if (one) candidates.push(one);
      return one && racerOf(one);
    },
  );
  return { candidate: candidates[report.returned] as Candidate, home, report };
}

/** Three disjoint parts of train with like labels; groups stay together. */
function partsOf(
  train: readonly Sample[],
  seed: number,
  most: { search: number; confirm: number },
): Record<keyof typeof tenths, Sample[]> {
  const golds = train.map(({ gold }) => String([gold].flat()[0]));
  const known = [...new Set(golds)];
  const folds = foldsOf(
    golds.map((gold) => known.indexOf(gold)),
    train.map(({ group }) => group),
    10,
    seed,
  );
  const between = (from: number, to: number) => train.filter((_, i) => folds[i]! >= from && folds[i]! < to);
  const { feedback, search, confirm } = tenths;
  return {
    feedback: between(0, feedback),
    search: between(feedback, feedback + search).slice(0, most.search),
    confirm: between(feedback + search, feedback + search + confirm).slice(0, most.confirm),
  };
}

async function openReflector({ context }: Given, ref: string) {
  const { subject } = await context.open(ref);
  if (subject.kind === "language" && subject.model) return subject.model;
  throw new HoneError({
    what: `${ref} cannot reflect`,
    where: "optimize, reflector",
    why: "it is no model that writes",
    next: "Name a language model, such as openai:MODEL?base=URL.",
    kind: "usage",
  });
}

function tooFew({ train, task }: Given): HoneError {
  return new HoneError({
    what: "optimize has too few train samples to confirm what it finds",
    where: `task ${task.name}, split train: ${train.length} samples`,
    why: `they are cut into three parts, and with fewer than ${leastTrain} in all a search finds luck`,
    next: "Give more labels, or use fewShot or knn.",
    kind: "usage",
  });
}
