// optimize: searches for an instruction and examples, and keeps them only if fresh samples confirm them. Train is cut into
// three disjoint parts (feedback, search, confirm); dev is left to the study and test stays sealed.

import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import type { LanguageSubject } from "../../core/kinds.js";
import { extremes } from "../../core/metric.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Sample } from "../../core/sample.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { foldsOf, groupsOf } from "../../learn/folds.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { bankOf, exampleBank, idleBank } from "./optimize/bank.js";
import { ask, type Candidate, type Home, lengthOf } from "./optimize/candidate.js";
import { type PublishedReport, published } from "./optimize/published.js";
import { type RaceReport, type Racer, race } from "./optimize/race.js";
import { openWorkshop, type Parts, type Reflections } from "./optimize/workshop.js";

const optimizeOptions = z.strictObject({
  algorithm: z
    .enum(["race", "gepa", "miprov2"])
    .default("race")
    .describe('"race", or a published method to compare with, whose winner need not pass the confirmation'),
  calls: z
    .int()
    .min(100)
    .max(1_000_000)
    .default(2000)
    .describe(
      "answers after which gepa and miprov2 begin nothing more (what they have begun and the confirmation come on top); race stops when its samples are used up",
    ),
  reflector: z
    .string()
    .optional()
    .describe("a model that reads wrong answers and writes instructions, as a study names models"),
  reflections: z
    .int()
    .min(1)
    .max(100)
    .default(4)
    .describe("how many instructions the reflector is asked for"),
  draws: z.int().min(1).max(20).default(3).describe("sets of examples of each size that are tried"),
  batch: z.int().min(32).max(1000).default(32).describe("samples of a minibatch, 32 or more"),
  search: z.int().min(96).max(100_000).default(256).describe("maximum samples to search on"),
  confirm: z.int().min(32).max(100_000).default(256).describe("maximum samples to confirm on"),
  headroom: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("level of the headroom test: nothing is searched where its p is above this; 1 always searches"),
  proposals: z
    .enum(["bank", "examples", "no-op"])
    .default("bank")
    .describe(
      'controls: "examples" tries as many sets of examples as the bank has candidates and nothing else, "no-op" rewordings that say nothing',
    ),
});
/** Options of `optimize`. */
export type OptimizeOptions = z.input<typeof optimizeOptions>;

type Options = z.output<typeof optimizeOptions>;
type Report = (RaceReport | PublishedReport) & { reflections?: Reflections };
type State = { candidate: Candidate; home: Home; report: Report };

/** Tenths of train: for proposals, to search on, to confirm on. */
const tenths = { feedback: 3, search: 4, confirm: 3 } as const;
/** Most samples that proposals are made from. */
const mostFeedback = 2000;
/** Groups of which about nine are left to confirm on: with fewer than five nothing can be confirmed at 5 %. */
const leastGroups = 30;

/** Train is cut into three parts: with fewer samples a search finds only luck, and a confirmation shows nothing. */
function checkTrain({ task, train }: Pick<Given, "task" | "train">): void {
  requireTrain({ task, train }, "optimize", 160);
  const groups = new Set(groupsOf(task, train)).size;
  if (groups < leastGroups) throw tooFewGroups(task.name, groups);
}

/**
 * Searches for a prompt: candidates from a bank (phrasings, a glossary, sets of examples) and from a reflector race on
 * paired minibatches (`race`), and the winner replaces the prompt as it stands only if it is confirmed on samples that
 * no candidate was made from or chosen on. The state's report has every candidate, the confirmed gain and its
 * shrinkage.
 * @throws HoneError where train is too small or has too few groups, or a reflector has no instruction to improve
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
    checkTrain,
    ceiling: (train) => ({ calls: mostAnswers(train.length, chosen) }),
    fit: (subject, given) => search(subject, given, chosen),
    behave: ({ candidate, home }) => ({ prepare: (query) => ask(candidate, home, query) }),
  });
}

function labelOf({ algorithm, reflector, search, proposals }: Options): string {
  const parts = [
    ...(algorithm === "race" ? [] : [algorithm]),
    ...(proposals === "bank" ? [] : [proposals]),
    ...(search === 256 ? [] : [`search=${search}`]),
    ...(reflector === undefined ? [] : [`reflector=${reflector}`]),
  ];
  return parts.length > 0 ? `optimize(${parts.join(", ")})` : "optimize";
}

/** Answers that a search asks for at most, each one call of a plain subject, with the reflector's calls. */
function mostAnswers(
  train: number,
  { algorithm, calls, draws, search, confirm, reflector, reflections }: Options,
): number {
  const [searched, confirmed] = [
    Math.min(search, Math.ceil(0.4 * train)),
    Math.min(confirm, Math.ceil(0.3 * train)),
  ];
  const asked = reflector === undefined ? 0 : reflections;
  // The bank: three phrasings, a glossary, two sizes of example sets, one reversed, one size with the glossary.
  const racers = 1 + 5 + 3 * draws + asked;
  const searching = algorithm === "race" ? racers * searched : calls + searched;
  return searching + 2 * confirmed + 9 * asked;
}

const banks = { bank: bankOf, examples: exampleBank, "no-op": idleBank };

async function search(subject: LanguageSubject, given: Given, options: Options): Promise<State> {
  checkTrain(given);
  const { task, seed } = given;
  const { algorithm } = options;
  const parts = partsOf(given, options);
  const workshop = await openWorkshop(subject, given, parts, {
    bank: banks[options.proposals](task, parts.feedback, { seed, draws: options.draws }),
    reflector: options.reflector,
    // GEPA reflects until its calls are spent.
    reflections: algorithm === "gepa" ? Number.POSITIVE_INFINITY : options.reflections,
  });
  const { candidates, home, propose, asksAgain, scores } = workshop;
  const state = (report: RaceReport | PublishedReport): State => {
    const reflections = workshop.reflections();
    return {
      candidate: candidates[report.returned] as Candidate,
      home,
      report: { ...report, ...(reflections ? { reflections } : {}) },
    };
  };
  const confirm = groupsOf(task, parts.confirm);
  const bounded = Number.isFinite(extremes(task.metric).worst);
  const scale = {
    seed,
    ...(bounded ? {} : { range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const }),
  };
  if (algorithm !== "race") {
    if (algorithm === "gepa" && options.reflector === undefined) throw withoutReflector();
    return state(await published(workshop, { algorithm, calls: options.calls }, confirm, scale));
  }
  for (let i = 0; i < Math.ceil(options.reflections / 2); i++) await propose(0);
  const racerOf = (candidate: Candidate): Racer => ({
    name: candidate.name,
    length: lengthOf(candidate, home),
  });
  const report = await race(
    candidates.map(racerOf),
    { search: groupsOf(task, parts.search), confirm },
    scores,
    { ...scale, batch: options.batch, headroom: options.headroom, alpha: 0.05 },
    async (leader) => {
      while (asksAgain()) {
        const added = await propose(leader);
        if (added !== undefined) return racerOf(candidates[added] as Candidate);
      }
      return undefined;
    },
  );
  return state(report);
}

/** Three disjoint parts of train with similar label distributions; groups, and samples with the same text, stay together. */
function partsOf({ task, train, seed }: Given, most: { search: number; confirm: number }): Parts {
  const golds = train.map(({ gold }) => String([gold].flat()[0]));
  const known = new Map([...new Set(golds)].map((gold, i) => [gold, i]));
  const folds = foldsOf(
    golds.map((gold) => known.get(gold) as number),
    groupsOf(task, train),
    10,
    seed,
  );
  const between = (from: number, to: number) => train.filter((_, i) => folds[i]! >= from && folds[i]! < to);
  // Drawn at random, because a file may be sorted by its labels.
  const some = (part: readonly Sample[], size: number) =>
    shuffled(part, randomFor(seed, "optimize", "parts")).slice(0, size);
  const cut = (part: readonly Sample[], size: number) => (part.length > size ? some(part, size) : part);
  const { feedback, search, confirm } = tenths;
  return {
    feedback: cut(between(0, feedback), mostFeedback),
    search: some(between(feedback, feedback + search), most.search),
    confirm: some(between(feedback + search, feedback + search + confirm), most.confirm),
  };
}

function tooFewGroups(task: string, groups: number): HoneError {
  return new HoneError({
    what: `optimize has too few groups of train samples: ${groups}, and it needs ${leastGroups}`,
    where: `task ${task}, split train`,
    why: "samples of one group, or with the same text, are one piece of evidence, and a third of them has to confirm what is found",
    next: "Bring samples of more groups, or take this specializer out of the study.",
    kind: "usage",
  });
}

function withoutReflector(): HoneError {
  return new HoneError({
    what: "gepa needs a reflector",
    where: "optimize, reflector",
    why: "it writes every candidate by reflection",
    next: 'Name a model that writes, such as reflector: "openai:MODEL?base=URL", or use the race.',
    kind: "usage",
  });
}

/** Its entry in the table of specializers. */
export const optimizeEntry = {
  make: optimize,
  options: optimizeOptions,
  summary: "Instruction and examples searched, and kept only where fresh samples confirm them",
  paper:
    "Agrawal et al. 2025, GEPA (arXiv 2507.19457) and Opsahl-Ong et al. 2024, MIPRO (2406.11695) for reflection and bank; the tests are ours",
  leaf: "few-shot prompt",
} satisfies SpecializerEntry;
