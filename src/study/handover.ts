// Handing over the champion: saved (specialist.ts), loaded again, and scored again on samples it was measured on, with fresh
// calls and without the journal. The report says whether what is handed over is what was measured.

import { copyFile, link, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, relative, sep } from "node:path";
import { CallError, ofTheSample } from "../core/call.js";
import { fingerprint } from "../core/json.js";
import type { Callable } from "../core/model.js";
import type { Outcome } from "../core/outcome.js";
import type { HandOver } from "../core/record.js";
import { type Grade, taskContext } from "../core/task.js";
import { type Journal, openJournal } from "../store/journal.js";
import { journaled } from "../store/journaled.js";
import { readableResult } from "../store/studies.js";
import { type Budget, Draining } from "./budget.js";
import { type CardFacts, modelCard } from "./card.js";
import type { FittedArm } from "./fit.js";
import type { PreparedStudy, PrepareOptions } from "./prepare.js";
import { bestSeed, figuresOf } from "./record.js";
import { filesAt, profileOf, rowsSchema, vocabularyOf } from "./saved.js";
import { loadSpecialist, type SavedSpecialist, saveSpecialist } from "./specialist.js";

/**
 * Saves the champion under the store, loads it again and scores it again on test samples that have outcomes, without the
 * journal; counts the samples whose prediction and score are the same. The result is kept with the file: an unchanged one is
 * not checked twice.
 */
export async function handOverChampion(
  study: PreparedStudy,
  champion: FittedArm,
  specialist: FittedArm["specialists"][number],
  store: string,
  journal: Journal,
  options: {
    signal: AbortSignal;
    budget: Budget;
    onSample?: (done: number) => void;
  } & Pick<PrepareOptions, "open" | "use">,
): Promise<HandOver | null> {
  const { spec, domain } = study;
  const known = readableResult(journal.study(spec.study), journal.path)?.handOver;
  const saved = savedForm(study, champion, specialist, journal);
  const card = cardOf(study, champion, specialist, journal);
  const path = await saveSpecialist(join(store, "specialists", spec.study), saved, study.artifacts, card);
  const outcomes = new Map<string, Outcome>();
  for (const outcome of journal.outcomes({
    subject: specialist.subject.id,
    task: domain.keys.test,
    split: "test",
  })) {
    if (outcome.seed === specialist.seed) outcomes.set(outcome.sample, outcome);
  }
  const compared = fingerprint([...outcomes].map(([sample, { grade }]) => [sample, { ...grade }]).sort());
  if (
    known &&
    known.subject === specialist.subject.id &&
    known.outcomes === compared &&
    known.n >= Math.min(spec.handOver, domain.card.counts.test)
  )
    return { ...known, path: fromHere(path) };

  // A journal in memory: the calls are made again and count against the budget.
  const scratch = openJournal(":memory:");
  const wrap = <M extends Callable>(model: M) => journaled(model, scratch, options.budget);
  const { subject, close } = await loadSpecialist(path, {
    ...options,
    wrap,
    allowModules: true,
    allowFiles: true,
  });
  let agree = 0;
  let n = 0;
  try {
    for await (const sample of domain.dataset.test.open(`study ${spec.study}, hand-over`)) {
      const measured = outcomes.get(sample.id);
      if (!measured) continue;
      if (n >= spec.handOver) break;
      const context = taskContext(options.signal, {
        seed: specialist.seed,
        open: async (ref) => ({ subject: await study.open(ref), context: { signal: options.signal } }),
      });
      const grade = await domain.task.evaluate(subject, sample, context).catch(unscoredGrade);
      if (sameGrade(grade, measured.grade)) agree++;
      options.onSample?.(++n);
    }
  } catch (error) {
    if (!(error instanceof CallError || error instanceof Draining)) throw error;
    // The endpoint failed or the budget ended during the check: what was checked so far counts, with its n.
  } finally {
    await close();
    scratch.close();
  }
  const { test } = figuresOf(study, champion, specialist, journal);
  return {
    path: fromHere(path),
    subject: specialist.subject.id,
    outcomes: compared,
    n,
    agree,
    // The mean over several seeds is not the score of the saved one.
    ...(champion.specialists.length > 1 && test
      ? { seed: specialist.seed, score: { n: test.n, mean: test.mean, low: test.low, high: test.high } }
      : {}),
  };
}

/** A specialist in the form in which it is saved. */
function savedForm(
  study: PreparedStudy,
  one: FittedArm,
  specialist: FittedArm["specialists"][number],
  journal: Journal,
): SavedSpecialist {
  const { spec, domain, model, format, plan } = study;
  const { arm } = one;
  return {
    hone: "specialist/1",
    name: arm.name,
    model: spec.model,
    modelId: model.id,
    encoder: spec.encoder,
    ...(format === undefined ? {} : { format }),
    specializer: arm.written,
    state: JSON.parse(specialist.state),
    task: {
      name: domain.card.name,
      options: filesAt(domain.options, study.base),
      labels: domain.card.labels,
    },
    ...(spec.use.length > 0 ? { use: spec.use } : {}),
    made: { study: spec.study, plan },
    ...useOf(study, one, specialist, journal),
  };
}

/** What is needed to use it on new rows. */
function useOf(
  study: PreparedStudy,
  one: FittedArm,
  specialist: FittedArm["specialists"][number],
  journal: Journal,
): Pick<SavedSpecialist, "rows" | "measured" | "profile"> {
  const { domain, spec } = study;
  const { train, dev } = domain.dataset;
  const { metric, name } = domain.card;
  const data = spec.task.name === name && !domain.entry.draw ? rowsSchema.keyof().options : [];
  const said = spec.task.data as Record<string, unknown>;
  const rows = Object.fromEntries(data.flatMap((key) => (said[key] === undefined ? [] : [[key, said[key]]])));
  const { test } = figuresOf(study, one, specialist, journal);
  const measured = test && {
    ...{ metric: metric.name, better: metric.better, display: metric.display, n: test.n },
    ...{ unscored: test.unscored, mean: test.mean, low: test.low, high: test.high },
    openedBefore: journal.openings.of(domain.dataset.test, study.plan).before,
  };
  const samples = function* () {
    const filter = { subject: specialist.subject.id, task: domain.keys.test, split: "test" } as const;
    for (const { sample, seed, grade } of journal.outcomes(filter)) {
      const text = seed === specialist.seed ? journal.sample(filter.task, sample) : undefined;
      if (text === undefined) continue;
      const { input } = JSON.parse(text) as { input: string };
      yield {
        input,
        prediction: grade.status === "scored" && domain.card.labels ? grade.prediction : undefined,
      };
    }
  };
  return {
    ...(data.length > 0 ? { rows: rowsSchema.parse(rows) } : {}),
    ...(measured ? { measured } : {}),
    ...(data.length > 0
      ? { profile: profileOf(vocabularyOf(train.length > 0 ? train : dev), samples()) }
      : {}),
  };
}

function cardOf(
  study: PreparedStudy,
  one: FittedArm,
  specialist: FittedArm["specialists"][number],
  journal: Journal,
): (files: CardFacts["files"]) => string {
  const { spec, model, domain, plan } = study;
  return (files) =>
    modelCard({
      name: one.arm.name,
      study: spec.study,
      plan,
      base: {
        name: model.name,
        ref: spec.model,
        id: model.id,
        ...("weights" in model && model.weights ? { file: fromHome(model.weights.path) } : {}),
      },
      specializer: one.arm.specializer,
      seed: specialist.seed,
      seconds: specialist.build.seconds,
      task: domain.card,
      ...figuresOf(study, one, specialist, journal),
      openedBefore: journal.openings.of(domain.dataset.test, study.plan).before,
      files,
    });
}

/** A path in a form that a shell reads and that can be shown to others: `~/…` below the home folder. */
function fromHome(path: string): string {
  const below = relative(homedir(), path);
  return below.startsWith("..") || isAbsolute(below) ? path : `~/${below.split(sep).join("/")}`;
}

const fromHere = (path: string): string => relative(process.cwd(), path) || path;

/** The folder of the subjects of a study that were not chosen. */
export const othersFolder = (store: string, study: string): string =>
  join(store, "specialists", `${study}+others`);

/**
 * Saves the subjects that were not chosen, so that they can be found by name and used: in `specialists/STUDY+others/NAME`, which
 * shares adapters and weights with the store and so takes no extra space for them.
 */
export async function saveOthers(
  study: PreparedStudy,
  fitted: readonly FittedArm[],
  champion: FittedArm,
  store: string,
  journal: Journal,
): Promise<{ subject: string; path: string }[]> {
  const folder = othersFolder(store, study.spec.study);
  await rm(folder, { recursive: true, force: true });
  const others: { subject: string; path: string }[] = [];
  const taken = new Set<string>();
  for (const one of fitted) {
    const specialist = bestSeed(study.domain, one, journal);
    if (one === champion || !specialist) continue;
    const saved = savedForm(study, one, specialist, journal);
    const card = cardOf(study, one, specialist, journal);
    const plain = fileName(one.arm.name);
    // Some file systems take names for one that differ only in case.
    const own = taken.has(plain.toLowerCase()) ? `${plain}-${fingerprint(one.arm.name, 12)}` : plain;
    taken.add(own.toLowerCase());
    const path = await saveSpecialist(join(folder, own), saved, study.artifacts, card, share);
    others.push({ subject: one.arm.name, path: fromHere(path) });
  }
  return others;
}

/** `lora(r=8) #2` as `lora-r-8-2`; other names may give the same. */
function fileName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^[-.]+|[-.]+$/g, "") || "specialist";
  return plain.length <= 64 ? plain : `${plain.slice(0, 51)}-${fingerprint(name, 12)}`;
}

/** A hard link to the same file, or a copy if the file system has no links. */
async function share(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

/** A failure caused by the sample is its grade; a failure of the endpoint ends the check. */
function unscoredGrade(error: unknown): Grade {
  if (error instanceof CallError && ofTheSample.includes(error.failure))
    return { status: "unscored", cause: error.failure };
  throw error;
}

function sameGrade(a: Grade, b: Grade): boolean {
  if (a.status === "scored" && b.status === "scored")
    return a.prediction === b.prediction && a.score === b.score;
  return a.status === b.status;
}
