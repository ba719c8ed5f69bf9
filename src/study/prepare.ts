// From a study's words to the things it names: data loaded and checked, models opened, the arms to be compared.

import { resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { fingerprint, type Json } from "../core/json.js";
import type { Subject } from "../core/kinds.js";
import type { Metric } from "../core/metric.js";
import type { Callable, Encoder, Model } from "../core/model.js";
import type { SubjectCard, TaskCard } from "../core/record.js";
import type { Specializer } from "../core/specializer.js";
import type { Task } from "../core/task.js";
import { contentsOf, sourcesIn } from "../data/contents.js";
import { type Dataset, type DatasetSpec, loadDataset, type Opening, sealTest } from "../data/index.js";
import { openModel } from "../models/registry.js";
import { makeSpecializer, type SpecializerTable } from "../specializers/index.js";
import type { ArtifactStore } from "../store/artifacts.js";
import type { Journal } from "../store/journal.js";
import { journaled } from "../store/journaled.js";
import type { TaskEntry, TaskTable } from "../tasks/index.js";
import type { Budget } from "./budget.js";
import { type Extension, loadModules, tablesWith } from "./extension.js";
import { begin, checkKinds, type Generalist } from "./kinds.js";
import type { StudySpec, TaskSpec } from "./spec.js";
import { dataWarnings } from "./warnings.js";

export interface PreparedTask {
  task: Task;
  dataset: Dataset;
  card: TaskCard;
  /** Names the task together with one split's contents: outcomes are kept under it. */
  keys: { dev: string; test: string };
  /** The most frequent answer of train, or of dev where nothing is learnt; undefined where answers are written. */
  commonest: string | undefined;
  /** The score of guessing uniformly among the options; null where answers are written. */
  chance: number | null;
  /** What the data alone give reason to warn of. */
  warnings: string[];
}

/** One row of the study's table: a specializer still to be fitted, once for each seed that changes it. */
export interface Arm {
  name: string;
  role: SubjectCard["role"];
  specializer: Specializer;
  /** The specializer as the study file writes it. */
  written: unknown;
  seeds: number[];
}

export interface PreparedStudy {
  spec: StudySpec;
  /** Fingerprint of everything that decides the figures. */
  plan: string;
  domain: PreparedTask;
  elsewhere: PreparedTask[];
  /** What the generalist stands on: a language model, or a body. */
  model: Generalist["model"];
  generalist: Generalist;
  encoder: () => Promise<Encoder>;
  /** Another subject, for tasks that ask for one; opened once. */
  open: (ref: string) => Promise<Subject>;
  artifacts: ArtifactStore;
  /** Absolute folder that relative `file:` sources start from. */
  base: string;
  /** Names the contents of what a specializer's options point to (documents); undefined where they point to nothing. */
  contents: (specializer: Specializer) => Promise<Json | undefined>;
  arms: Arm[];
  warnings: string[];
  close: () => Promise<void>;
}

export interface PrepareOptions {
  /** Folder that relative `file:` sources start from. */
  base: string;
  signal: AbortSignal;
  journal: Journal;
  artifacts: ArtifactStore;
  budget: Budget;
  /** Bytes fetched, bytes in all (0 while unknown), and what is being fetched. */
  onProgress?: (done: number, total: number, note: string) => void;
  /** Replaces the opening of models: dry runs and tests. */
  open?: (ref: string, signal: AbortSignal) => Promise<Model>;
  /** Tasks, specializers and models of the caller's own, besides those that the study uses. */
  use?: Extension;
  /** Wraps every opened model; the journal by default. */
  wrap?: <M extends Callable>(model: M) => M;
}

export async function prepareStudy(spec: StudySpec, options: PrepareOptions): Promise<PreparedStudy> {
  const { signal, journal, budget } = options;
  const tables = tablesWith(await loadModules(spec.use), options.use ?? {});
  const arms = listArms(spec, tables.specializers);
  // The seal: nothing in a test split is shown before the journal has it in writing that this plan opens it.
  let plan = "";
  const onOpen = ({ fingerprint: test, reason }: Opening): void =>
    journal.recordOpening(test, plan, spec.study, reason);
  const domain = await prepareTask(spec.task, tables.tasks, options, onOpen);
  const elsewhere: PreparedTask[] = [];
  for (const other of spec.elsewhere) elsewhere.push(await prepareTask(other, tables.tasks, options, onOpen));

  if (spec.gate) checkGate(spec.gate, domain.task.metric);
  const models = modelOpener(
    { signal, open: options.open ?? ((ref) => openModel(ref, { signal, schemes: tables.models })) },
    options.wrap ?? ((model) => journaled(model, journal, budget)),
  );
  const subject = begin(await models.open(spec.model));
  const { model } = subject;
  checkKinds(subject, [domain, ...elsewhere], arms);

  const named = new Map<string, Promise<string>>();
  const contents = async ({ options: chosen }: Specializer): Promise<Json | undefined> => {
    const sources = sourcesIn(chosen);
    for (const ref of sources) {
      if (!named.has(ref)) named.set(ref, contentsOf(ref, { base: options.base, signal }));
    }
    const names = await Promise.all(sources.map((ref) => named.get(ref) as Promise<string>));
    return names.length > 0 ? names : undefined;
  };
  const sources: (Json | undefined)[] = [];
  for (const { specializer } of arms) sources.push(await contents(specializer));

  plan = fingerprint({
    model: model.id,
    encoder: spec.encoder,
    tasks: [domain, ...elsewhere].map(({ task, keys, card }) => [task.id, keys, card.counts]),
    train: fingerprint(domain.dataset.train),
    arms: arms.map(({ name, specializer, seeds }) => [name, specializer.name, specializer.options, seeds]),
    ...(sources.some((one) => one !== undefined) ? { sources: sources.map((one) => one ?? null) } : {}),
  });
  return {
    spec,
    plan,
    domain,
    elsewhere,
    model,
    generalist: subject,
    encoder: () => models.encoder(spec.encoder),
    open: async (ref) => begin(await models.open(ref)),
    artifacts: options.artifacts,
    base: resolve(options.base),
    contents,
    arms,
    warnings: [domain, ...elsewhere].flatMap(({ warnings }) => warnings),
    close: models.close,
  };
}

/** @throws HoneError where the gate asks for what the metric cannot be */
function checkGate({ atLeast, atMost }: NonNullable<StudySpec["gate"]>, metric: Metric): void {
  const { name, better, least, most } = metric;
  const [field, wrong] = better === "higher" ? ["atLeast", "atMost"] : ["atMost", "atLeast"];
  const asked = atLeast ?? atMost;
  const why =
    (better === "higher" ? atMost : atLeast) !== undefined
      ? `of ${name}, ${better === "higher" ? "more" : "less"} is better: its gate is ${field}`
      : asked !== undefined && (asked < (least ?? asked) || asked > (most ?? asked))
        ? `${name} lies between ${least ?? "any"} and ${most ?? "any"}, and ${asked} does not`
        : undefined;
  if (why === undefined) return;
  throw new HoneError({
    what: "The study's gate cannot be met",
    where: `gate.${atLeast === undefined ? "atMost" : "atLeast"}`,
    why,
    next: why.startsWith("of ")
      ? `Write \`${field}\` in place of \`${wrong}\`.`
      : "Write a value in that range.",
    kind: "usage",
  });
}

/** Opens each model once, wrapped, and closes them all. */
export function modelOpener(
  { open, signal }: Required<Pick<PrepareOptions, "open" | "signal">>,
  wrap: <M extends Callable>(model: M) => M,
) {
  const opened = new Map<string, Promise<Model>>();
  const openOnce = async (ref: string): Promise<Model> => {
    const model = opened.get(ref) ?? open(ref, signal).then((one) => wrap(one));
    opened.set(ref, model);
    return model;
  };
  return {
    open: openOnce,
    async encoder(ref: string): Promise<Encoder> {
      const model = await openOnce(ref);
      if ("embed" in model) return model as Encoder;
      throw new HoneError({
        what: "The study's encoder gives no vectors",
        where: `encoder: ${ref}`,
        next: "Write encoder:minilm, or leave `encoder` out.",
        kind: "usage",
      });
    },
    close: async () => {
      for (const model of await Promise.allSettled(opened.values()))
        if (model.status === "fulfilled") await model.value.close();
    },
  };
}

/** The generalist first, then what the study lists; equal names are told apart by number. */
function listArms(spec: StudySpec, table: SpecializerTable): Arm[] {
  const listed = spec.specialists.map((written, i) => ({
    written,
    specializer: makeSpecializer(written, `specialists.${i}`, table),
  }));
  const all = [
    { written: "zeroShot", specializer: makeSpecializer("zeroShot", "generalist") },
    ...listed.filter(({ specializer }) => specializer.name !== "zeroShot"),
  ];
  const seen = new Map<string, number>();
  return all.map(({ written, specializer }) => {
    const count = (seen.get(specializer.label) ?? 0) + 1;
    seen.set(specializer.label, count);
    return {
      name: count === 1 ? specializer.label : `${specializer.label} #${count}`,
      role:
        specializer.name === "zeroShot" ? "generalist" : specializer.reference ? "reference" : "specialist",
      specializer,
      written,
      seeds: specializer.seeded ? spec.seeds : [spec.seeds[0] as number],
    };
  });
}

async function prepareTask(
  spec: TaskSpec,
  table: TaskTable,
  options: PrepareOptions,
  onOpen: (opening: Opening) => void,
): Promise<PreparedTask> {
  const { name, data, ...taskOptions } = spec;
  const entry = table[spec.kind] as TaskEntry;
  const dataset = entry.draw
    ? drawnDataset(entry.draw(taskOptions, data), onOpen)
    : await loadDataset(data as DatasetSpec, {
        base: options.base,
        signal: options.signal,
        name: `${spec.name}: data`,
        onOpen,
        ...(options.onProgress ? { progress: options.onProgress } : {}),
      });
  const task = entry.make(name, taskOptions, dataset.labels);
  const { counts, leakage, source } = dataset;
  const keys = {
    dev: `${name}@${fingerprint([task.id, dataset.dev], 12)}`,
    test: `${name}@${fingerprint([task.id, dataset.test.fingerprint], 12)}`,
  };
  const card: TaskCard = {
    name,
    key: keys.test,
    kind: task.kind,
    metric: task.metric,
    details: task.details ?? [],
    binary: task.binary,
    source,
    counts,
    labels: dataset.labels ? [...dataset.labels] : null,
    testFingerprint: dataset.test.fingerprint,
    leakage,
  };
  return {
    task,
    dataset,
    card,
    ...blindScores(task, dataset),
    keys,
    warnings: dataWarnings(entry.draw ? null : (data as DatasetSpec), card, dataset),
  };
}

/** Trials are drawn, not read: there is nothing that could leak. */
function drawnDataset(
  { train, dev, test, source }: ReturnType<NonNullable<TaskEntry["draw"]>>,
  onOpen: (opening: Opening) => void,
): Dataset {
  return {
    train,
    dev,
    test: sealTest(test, { onOpen }),
    source,
    leakage: { exact: 0, near: 0, checked: false },
    counts: { train: train.length, dev: dev.length, test: test.length, eyesOff: 0 },
    warnings: [],
  };
}

/** What knowing nothing scores, learnt from train and dev alone: test stays sealed. */
function blindScores(
  task: Task,
  { train, dev, labels }: Dataset,
): Pick<PreparedTask, "commonest" | "chance"> {
  const sizes = [...train, ...dev].map((sample) => sample.options?.length ?? labels?.length ?? 0);
  const known = sizes.filter((size) => size > 0);
  if (!task.binary || known.length === 0) return { commonest: undefined, chance: null };
  const counts = new Map<string, number>();
  for (const { gold } of train.length > 0 ? train : dev) {
    const answer = [gold].flat()[0] as string;
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const commonest = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  const chance = known.length === 0 ? null : known.reduce((sum, size) => sum + 1 / size, 0) / known.length;
  return { commonest, chance };
}
