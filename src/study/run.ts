// A study from beginning to end: prepare, fit, choose on dev, open test, compare, hand over, verdict.

import { setMaxListeners } from "node:events";
import { join, resolve } from "node:path";
import { CallError } from "../core/call.js";
import { HoneError } from "../core/errors.js";
import { canonicalJson } from "../core/json.js";
import type { Model } from "../core/model.js";
import type { HandOver, StudyRecord } from "../core/record.js";
import type { Sample } from "../core/sample.js";
import { openArtifacts } from "../store/artifacts.js";
import { type Journal, openJournalWhenFree } from "../store/journal.js";
import { lockStudy } from "../store/lock.js";
import { requireStore } from "../store/place.js";
import { readableResult } from "../store/studies.js";
import { type Budget, Draining, makeBudget } from "./budget.js";
import { type StudyClock, startClock } from "./clock.js";
import { answerEffort, fitSeconds } from "./effort.js";
import type { Phase, StudyEvent } from "./events.js";
import type { Extension } from "./extension.js";
import { type FittedArm, fitArm, fitSeeds } from "./fit.js";
import { handOverChampion, saveOthers } from "./handover.js";
import { measure, mostInFlight, widthFor } from "./measure.js";
import { type PreparedStudy, type PreparedTask, prepareStudy } from "./prepare.js";
import { makeProgress, stretchesOf } from "./progress.js";
import { bestSeed, chooseOnDev, makeRecord } from "./record.js";
import type { StudySpec } from "./spec.js";

/** Store, limits, signal and listener of a run. */
export interface RunOptions {
  /** Folder of the journal and the reports. Default: `.hone` in the working folder. */
  store?: string;
  /** Folder that relative `file:` sources are resolved against. Default: the working folder. */
  base?: string;
  /** Stops at once. */
  signal?: AbortSignal;
  /** Finishes what is in flight and starts nothing new. */
  drain?: AbortSignal;
  /** Stops when every specialist is made and scored on dev: the test stays sealed. */
  devOnly?: boolean;
  maxUsd?: number;
  maxSeconds?: number;
  /** What other studies have used of these limits: the clock's start in ms since 1970, and dollars. */
  used?: { since: number; usd: number };
  /** Tries again what an earlier run left unscored. */
  retryErrors?: boolean;
  /** Samples in flight; by default as many as the model suggests. */
  concurrency?: number;
  onEvent?: (event: StudyEvent) => void;
  /** The command that reproduces the record, to be shown to readers. */
  reproduce?: string;
  /** Tasks, specializers and models of the caller's own, besides those that the study uses. */
  use?: Extension;
  /** Opens models; for tests and for models of one's own. */
  open?: (ref: string, signal: AbortSignal) => Promise<Model>;
}

/**
 * Runs a study, or continues it where it stopped, and returns its record. The journal in the store keeps every call.
 * @throws HoneError for bad input, leaking data, and endpoints that do not answer at all
 */
export async function runStudy(spec: StudySpec, options: RunOptions = {}): Promise<StudyRecord> {
  const store = resolve(options.store ?? ".hone");
  requireStore(store);
  const signal = options.signal ?? new AbortController().signal;
  // Every call in flight adds a listener to it.
  setMaxListeners(0, signal);
  const emit = options.onEvent ?? (() => {});
  if (options.concurrency !== undefined && options.concurrency > mostInFlight) {
    const asked = options.concurrency.toLocaleString("en");
    emit({
      type: "warning",
      text: `A concurrency of ${asked} is more than Hone allows; ${mostInFlight.toLocaleString("en")} samples are kept in flight.`,
    });
  }
  const budget = makeBudget(options);

  const journal = await openJournalWhenFree(join(store, "journal.db"), {
    signal,
    onWait: (text) => emit({ type: "warning", text }),
  });
  try {
    const unlock = await lockStudy(journal, spec.study, {
      // Nothing is in flight yet, so draining ends the wait too.
      signal: options.drain ? AbortSignal.any([signal, options.drain]) : signal,
      onWait({ pid, host, first }) {
        const text = `Process ${pid} on ${host} is running this study; waiting for it.`;
        if (first) emit({ type: "warning", text });
      },
    });
    try {
      const study = await prepareStudy(spec, {
        base: resolve(options.base ?? "."),
        signal,
        journal,
        artifacts: openArtifacts(join(store, "artifacts")),
        budget,
        onProgress: (done, total, note) => emit({ type: "fetch", done, total, note }),
        onAsk: (done, of) => emit({ type: "asking", done, of }),
        ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
        ...(options.retryErrors ? { retryErrors: true } : {}),
        ...(options.open ? { open: options.open } : {}),
        ...(options.use ? { use: options.use } : {}),
      });
      const clock = startClock(journal, spec.study);
      try {
        return await conduct({ study, journal, store, budget, signal, emit, options, clock });
      } finally {
        clock.stop();
        await study.close();
      }
    } finally {
      unlock();
    }
  } finally {
    journal.close();
  }
}

/** Why a run with `devOnly` stopped. */
export const stoppedAfterDev = "after dev, as asked by --dev-only";

interface Conduct {
  study: PreparedStudy;
  journal: Journal;
  store: string;
  budget: Budget;
  signal: AbortSignal;
  emit: (event: StudyEvent) => void;
  options: RunOptions;
  clock: StudyClock;
}

async function conduct(run: Conduct): Promise<StudyRecord> {
  const { study, journal, budget, signal, emit, options } = run;
  const { spec, domain, elsewhere } = study;
  if (options.devOnly) requireDev(domain);
  // What may not reach a verdict leaves the study's own: a run that is to stop after dev, or has no time or money left.
  const brief = options.devOnly || budget.drained() !== undefined;
  if (!brief || !hasVerdict(journal, spec.study))
    journal.startStudy(spec.study, study.plan, canonicalJson(spec));

  const answers = study.arms.reduce(
    (sum, arm) =>
      sum +
      arm.seeds.length *
        (domain.card.counts.dev +
          (options.devOnly ? [] : [domain, ...elsewhere]).reduce((n, { card }) => n + card.counts.test, 0)),
    0,
  );
  emit({
    type: "launch",
    study: spec.study,
    model: study.model.name,
    tasks: [domain, ...elsewhere].map(({ card }) => card),
    subjects: study.arms.map(({ name, role, specializer, seeds }) => ({
      name,
      role,
      ids: [],
      seeds,
      chain: [{ name: specializer.name, options: specializer.options }],
    })),
    seeds: spec.seeds,
    answers,
    store: run.store,
    at: new Date().toISOString(),
  });
  for (const text of study.warnings) emit({ type: "warning", text });
  const progress = makeProgress(stretchesOf(study, options.devOnly), emit, budget.spent);
  for (const { name, specializer, seeds } of study.arms)
    for (const seed of seeds)
      progress.fitSeconds(name, seed, await fitSeconds(study, specializer, seed, journal));

  // A fit that makes no calls, such as a training, is stopped when it reports progress; it resumes from its checkpoint later.
  const stoppable: typeof progress.note = (...told) => {
    const reason = budget.drained();
    if (reason !== undefined) throw new Draining(reason);
    progress.note(...told);
  };
  const fitted: FittedArm[] = [];
  for (const arm of study.arms) {
    const one: FittedArm = { arm, specialists: [] };
    fitted.push(one);
    for (const [i, seed] of arm.seeds.entries()) {
      if (budget.drained() !== undefined) break;
      progress.begin({ phase: "fit", subject: arm.name, task: domain.card, seed, total: 0 });
      try {
        if (i === 0) await fitSeeds(study, arm, journal, signal, stoppable);
        one.specialists.push({
          seed,
          ...(await fitArm(study, arm.specializer, seed, journal, signal, stoppable, options.retryErrors)),
        });
        progress.end();
      } catch (error) {
        if (error instanceof Draining) break;
        if (!(error instanceof CallError)) throw error;
        one.failure = `not made: ${error.failure}`;
        emit({
          type: "warning",
          text: `${arm.name}${arm.seeds.length > 1 ? ` with seed ${seed}` : ""} could not be made (${error.failure}: ${error.message}); ${arm.seeds.length > 1 ? "its figures are those of its other seeds" : "it stays unscored"}.`,
        });
      }
    }
  }

  for (const { arm, specialists } of fitted) {
    const [first] = specialists;
    if (first) progress.effort(arm.name, await answerEffort(study, arm.specializer, first.state, signal));
  }

  const through = async (phase: Phase, split: "dev" | "test", prepared: PreparedTask, arms: FittedArm[]) => {
    const { task, card, keys, dataset } = prepared;
    for (const { arm, specialists } of arms) {
      for (const { seed, subject } of specialists) {
        if (budget.drained() !== undefined) return;
        const width = widthFor(subject, options.concurrency);
        progress.begin({ phase, subject: arm.name, task: card, seed, total: card.counts[split] }, width);
        const samples: AsyncIterable<Sample> | readonly Sample[] =
          split === "dev" ? dataset.dev : dataset.test.open(`study ${spec.study}`);
        await measure(subject, task, keys[split], split, seed, samples, {
          journal,
          budget,
          signal,
          concurrency: width,
          open: study.open,
          retryErrors: options.retryErrors ?? false,
          onOutcome: progress.sample,
        });
        progress.end();
      }
    }
  };

  await through("dev", "dev", domain, fitted);
  if (options.devOnly && budget.drained() === undefined) budget.drain(stoppedAfterDev);
  const champion = budget.drained() === undefined ? chooseOnDev(study, fitted, journal) : null;
  if (budget.drained() === undefined) {
    await through("test", "test", domain, fitted);
    for (const other of elsewhere) await through("elsewhere", "test", other, fitted);
  }

  let handOver: HandOver | null = null;
  if (champion && budget.drained() === undefined) {
    const { arm } = champion;
    const specialist = bestSeed(domain, champion, journal) as FittedArm["specialists"][number];
    const { seed } = specialist;
    const total = Math.min(spec.handOver, domain.card.counts.test);
    progress.begin({ phase: "hand-over", subject: arm.name, task: domain.card, seed, total });
    handOver = await handOverChampion(study, champion, specialist, run.store, journal, {
      signal,
      budget,
      ...(options.open ? { open: options.open } : {}),
      ...(options.use ? { use: options.use } : {}),
      onSample: (done) => progress.note(done, total, "scoring the saved specialist again"),
    });
    if (handOver) {
      const others = await saveOthers(study, fitted, champion, run.store, journal);
      handOver = { ...handOver, ...(others.length > 0 ? { others } : {}) };
    }
    progress.end();
  }

  const record = makeRecord({
    study,
    fitted,
    champion: champion?.arm.name ?? null,
    handOver,
    journal,
    stopped: budget.drained() ?? null,
    ...(options.devOnly ? { devOnly: true } : {}),
    seconds: run.clock.seconds(),
    spentUsd: budget.spent().usd,
    reproduce: options.reproduce ?? `npx hone run ${spec.study}.study.yaml`,
  });
  // A record with a verdict stays what other commands show.
  if (record.stopped === null || !hasVerdict(journal, spec.study)) journal.finishStudy(spec.study, record);
  emit(record);
  return record;
}

function requireDev({ card, task }: PreparedTask): void {
  if (card.counts.dev > 0) return;
  throw new HoneError({
    what: "There is no dev split to score specialists on",
    where: `task ${task.name}`,
    why: "the run was to stop after dev",
    next: "Give the task dev samples, or run the study to its end.",
    kind: "usage",
  });
}

function hasVerdict(journal: Journal, study: string): boolean {
  return readableResult(journal.study(study), journal.path)?.stopped === null;
}
