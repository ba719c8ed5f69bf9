// Computes the study's record from the journal: results, the family of comparisons, the verdict, the gate.

import { machineName } from "../core/cores.js";
import type { Json } from "../core/json.js";
import { directionOf } from "../core/metric.js";
import { optimizeNotesOf } from "../core/optimized.js";
import type { Estimate, HandOver, Result, StudyRecord, SubjectCard } from "../core/record.js";
import { searchNotesOf } from "../core/search.js";
import type { Specializer } from "../core/specializer.js";
import type { SyntheticCard, SyntheticData } from "../core/synthetic.js";
import { notesOf } from "../core/training.js";
import { type Candidate, choose, scoredRow } from "../statistics/index.js";
import type { Journal } from "../store/journal.js";
import { version } from "../version.js";
import { compareFamily, estimate, gatherScores, type Scores, toResult } from "./analyse.js";
import type { FittedArm } from "./fit.js";
import { gateOf, type Saved } from "./gate.js";
import type { PreparedStudy, PreparedTask } from "./prepare.js";
import { makeVerdict } from "./verdict.js";
import { noVerdict, outcomeWarnings, untrained } from "./warnings.js";

/** The figures of one specialist on the study's own task, for its card. */
export function figuresOf(
  study: PreparedStudy,
  { arm, specialists }: FittedArm,
  specialist: FittedArm["specialists"][number],
  journal: Journal,
): { dev: Result["dev"]; test: (Estimate & { unscored: number }) | null } {
  const one = { arm, specialists: [specialist] };
  const dev = devOf(study.domain, one, specialist.seed, journal);
  const { rows, unscored } = scoresOf(study.domain, one, "test", journal);
  return {
    // Of several seeds dev chose this one.
    dev: dev && specialists.length > 1 ? { ...dev, optimistic: true } : dev,
    test: rows.length > 0 ? { ...estimate(rows, study.domain.task, specialist.seed), unscored } : null,
  };
}

function scoresOf(
  prepared: PreparedTask,
  { arm, specialists }: FittedArm,
  split: "dev" | "test",
  journal: Journal,
): Scores {
  const subjects = specialists.map(({ seed, subject }) => ({ id: subject.id, seed }));
  return gatherScores(arm.name, subjects, prepared.keys[split], split, prepared.task.binary, journal);
}

/** The champion: the best arm on dev by the rule of `choose`; null if none was scored there. */
export function chooseOnDev(
  { domain }: PreparedStudy,
  fitted: readonly FittedArm[],
  journal: Journal,
): FittedArm | null {
  const candidates = fitted.map(({ specialists }): Candidate => {
    const outcomes = specialists.map(({ seed, subject }) =>
      [...journal.outcomes({ subject: subject.id, task: domain.keys.dev, split: "dev" })].filter(
        (outcome) => outcome.seed === seed,
      ),
    );
    const tokens = outcomes.flat().map(({ cost }) => cost.inputTokens + cost.outputTokens);
    return {
      runs: outcomes.map((run) => new Map(run.map((o) => [o.sample, scoredRow(o.grade, o.gold)]))),
      tokens: tokens.reduce((sum, n) => sum + n, 0) / Math.max(1, tokens.length),
    };
  });
  const best = choose(candidates, domain.task);
  return best === undefined ? null : (fitted[best] as FittedArm);
}

export interface RecordInput {
  study: PreparedStudy;
  fitted: readonly FittedArm[];
  champion: string | null;
  handOver: HandOver | null;
  journal: Journal;
  stopped: string | null;
  devOnly?: boolean;
  seconds: number;
  spentUsd: number;
  reproduce: string;
}

export function makeRecord(input: RecordInput): StudyRecord {
  const { study, fitted, champion, journal } = input;
  const { spec, domain, elsewhere } = study;
  const seed = spec.seeds[0] as number;
  const tasks = [domain, ...elsewhere].map((prepared) => ({
    prepared,
    task: prepared.card.name,
    domain: prepared === domain,
    // A run that was to stop after dev shows nothing of test, even where other plans have opened it.
    scores: fitted.map((one) =>
      scoresOf(prepared, input.devOnly ? { ...one, specialists: [] } : one, "test", journal),
    ),
  }));
  const results: Result[] = tasks.flatMap(({ prepared, scores }) =>
    scores.map((one, i) => {
      const made = fitted[i] as FittedArm;
      const expected = prepared.card.counts.test;
      const build = meanBuild(made.specialists);
      const dev = prepared === domain ? devOf(domain, made, seed, journal) : null;
      return toResult(one, prepared, expected, build, dev, seed, made.failure);
    }),
  );
  const generalist = fitted.find(({ arm }) => arm.role === "generalist")!.arm.name;
  const comparisons = input.stopped === null ? compareFamily(tasks, generalist, champion, seed) : [];
  const subjects: SubjectCard[] = fitted.map(({ arm, specialists }) => ({
    name: arm.name,
    role: arm.role,
    ids: specialists.map(({ subject }) => subject.id),
    seeds: specialists.map(({ seed }) => seed),
    ...(arm.specializer.seeded ? { seeded: true } : {}),
    chain: chainOf(arm.specializer),
    ...syntheticOf(specialists),
    ...notes(specialists),
    ...searches(specialists),
    ...optimized(specialists),
  }));
  const made = fitted.map(({ arm, specialists }) => ({
    name: arm.name,
    specializer: arm.specializer,
    states: specialists.map(({ state }) => state),
    failedCalls: specialists.reduce((sum, { failed }) => sum + failed, 0),
    // What a stopped run did not reach has not failed.
    failedSeeds:
      input.stopped === null ? arm.seeds.filter((one) => !specialists.some(({ seed }) => seed === one)) : [],
  }));
  const { counts } = domain.card;
  const openings = tasks.map(({ prepared }) => journal.openings.of(prepared.dataset.test, study.plan));
  const [{ plans, before: openedBefore }] = openings as [(typeof openings)[number]];
  const cards = tasks.map(({ prepared }, i) => ({
    ...prepared.card,
    openedBefore: (openings[i] as (typeof openings)[number]).before,
  }));
  const notTrained = untrained(made).map(({ subject }) => subject);
  const ownBest = chooseOnDev(
    study,
    fitted.filter(({ arm }) => arm.role === "specialist"),
    journal,
  );
  const verdict =
    champion === null || input.stopped !== null
      ? null
      : makeVerdict(
          { results, comparisons, subjects, tasks: cards, openedBefore },
          champion,
          ownBest?.arm.name ?? null,
          notTrained,
        );
  const figures = { results, subjects, verdict, handOver: input.handOver, tasks: cards };
  return {
    type: "done",
    study: spec.study,
    description: spec.description ?? null,
    results,
    comparisons,
    verdict,
    ...(champion === null && input.stopped === null
      ? {
          noVerdict: noVerdict(
            counts,
            fitted.map((one) => ({
              causes: scoresOf(domain, one, "dev", journal).causes,
              failure: one.failure,
            })),
          ),
        }
      : {}),
    warnings: [...outcomeWarnings(figures, made), ...study.warnings],
    openings: plans,
    openedBefore,
    subjects,
    tasks: cards,
    handOver: input.handOver,
    stopped: input.stopped,
    gate: !spec.gate
      ? null
      : input.stopped === null
        ? gateOf(spec.gate, results, comparisons, champion, domain.card, savedOf(input, spec.gate.beats))
        : { met: false, text: "the run was stopped before the end" },
    seeds: spec.seeds,
    model: study.model.name,
    seconds: input.seconds,
    spentUsd: input.spentUsd,
    hone: version,
    machine: machineName(),
    reproduce: input.reproduce,
    at: new Date().toISOString(),
  };
}

/** Of an arm's seeds the one that is best on dev, which is handed over; the first where dev does not tell. */
export function bestSeed(
  domain: PreparedTask,
  one: FittedArm,
  journal: Journal,
): FittedArm["specialists"][number] | undefined {
  const direction = directionOf(domain.task.metric);
  const figures = one.specialists.map((specialist) => {
    const { rows } = scoresOf(domain, { ...one, specialists: [specialist] }, "dev", journal);
    const { mean } = estimate(rows, domain.task, specialist.seed);
    return { specialist, score: Number.isFinite(mean) ? direction * mean : Number.NEGATIVE_INFINITY };
  });
  return figures.toSorted((a, b) => b.score - a.score)[0]?.specialist;
}

/** What is handed over of the champion, with its own figures; undefined if it was fitted with one seed only. */
function savedOf(
  { study: { domain, spec }, fitted, champion, journal }: RecordInput,
  beats: string | undefined,
): Saved | undefined {
  const one = fitted.find(({ arm }) => arm.name === champion);
  const first = one && one.specialists.length > 1 ? bestSeed(domain, one, journal) : undefined;
  if (!one || !first) return undefined;
  const seed = spec.seeds[0] as number;
  const own = scoresOf(domain, { ...one, specialists: [first] }, "test", journal);
  const rival = fitted.find(({ arm }) => arm.name === beats && beats !== champion);
  const pair = rival && [own, scoresOf(domain, rival, "test", journal)];
  const found = pair && {
    ...{ prepared: domain, task: domain.card.name, scores: pair, domain: true },
  };
  const [against] = found ? compareFamily([found], rival.arm.name, one.arm.name, seed) : [];
  return { seed: first.seed, score: estimate(own.rows, domain.task, seed), against };
}

/** One arm on the domain task's dev split; marked if dev had already chosen within the arm. */
function devOf(domain: PreparedTask, one: FittedArm, seed: number, journal: Journal): Result["dev"] {
  const { rows } = scoresOf(domain, one, "dev", journal);
  if (rows.length === 0) return null;
  const { specializer, role } = one.arm;
  // The way of prompting all subjects was chosen by the generalist's own dev score.
  const twice = specializer.choosesOnDev || (role === "generalist" && domain.card.asked !== undefined);
  return { ...estimate(rows, domain.task, seed), ...(twice ? { optimistic: true } : {}) };
}

/** Notes in states, by seed, also if the state that has them is a step of a chain. */
function toldBy<Notes>(
  specialists: FittedArm["specialists"],
  of: (state: Json) => Notes | undefined,
): { seed: number; notes: Notes }[] {
  return specialists.flatMap(({ state, seed }) =>
    ([JSON.parse(state)] as Json[]).flat().flatMap((one) => {
      const notes = of(one);
      return notes === undefined ? [] : [{ seed, notes }];
    }),
  );
}

/** Notes of searches. */
function searches(specialists: FittedArm["specialists"]): Pick<SubjectCard, "searches"> {
  const found = toldBy(specialists, searchNotesOf);
  return found.length > 0 ? { searches: found.map(({ seed, notes }) => ({ seed, search: notes })) } : {};
}

/** Notes on how prompts were optimized. */
function optimized(specialists: FittedArm["specialists"]): Pick<SubjectCard, "optimized"> {
  const found = toldBy(specialists, optimizeNotesOf);
  return found.length > 0 ? { optimized: found } : {};
}

/** Notes of its training runs, if all of them have some. */
function notes(specialists: FittedArm["specialists"]): Pick<SubjectCard, "training"> {
  const found = specialists.flatMap(({ state }) => notesOf(JSON.parse(state)) ?? []);
  return found.length > 0 && found.length === specialists.length ? { training: found } : {};
}

function chainOf(specializer: Specializer): SubjectCard["chain"] {
  return [{ name: specializer.name, options: specializer.options }];
}

/** The synthetic data that states name, at any depth of nested specializers. */
function syntheticOf(specialists: FittedArm["specialists"]): Pick<SubjectCard, "synthetic"> {
  const found: SyntheticData[] = [];
  const visit = (value: Json | undefined, seed: number): void => {
    if (value === null || typeof value !== "object") return;
    const { data, card } = value as { data?: { artifact?: Json }; card?: SyntheticCard };
    if (typeof data?.artifact === "string" && card?.hone === "synthetic/1")
      found.push({ artifact: data.artifact, seed, card });
    else for (const inner of Object.values(value)) visit(inner, seed);
  };
  for (const { state, seed } of specialists) visit(JSON.parse(state) as Json, seed);
  return found.length > 0 ? { synthetic: found } : {};
}

/** Cost of one build, averaged over seeds. */
function meanBuild(specialists: FittedArm["specialists"]): Result["build"] {
  const n = Math.max(1, specialists.length);
  const mean = (pick: (build: Result["build"]) => number) =>
    specialists.reduce((sum, { build }) => sum + pick(build), 0) / n;
  return {
    calls: mean((b) => b.calls),
    inputTokens: mean((b) => b.inputTokens),
    outputTokens: mean((b) => b.outputTokens),
    ms: mean((b) => b.ms),
    usd: mean((b) => b.usd),
    seconds: mean((b) => b.seconds),
  };
}
