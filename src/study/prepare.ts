// From a study's words to the things it names: data loaded and checked, models opened, the arms to be compared.

import { resolve } from "node:path";
import { fingerprint, type Json } from "../core/json.js";
import type { LanguageModel } from "../core/language.js";
import type { SubjectCard, TaskCard } from "../core/record.js";
import type { Specializer } from "../core/specializer.js";
import type { LanguageTask, Subject, Task } from "../core/task.js";
import { contentsOf, sourcesIn } from "../data/contents.js";
import { type Dataset, loadDataset, type Opening, sealTest } from "../data/index.js";
import { openModel } from "../models/registry.js";
import { makeSpecializer, type SpecializerTable } from "../specializers/index.js";
import type { ArtifactStore } from "../store/artifacts.js";
import type { Journal } from "../store/journal.js";
import { journaled } from "../store/journaled.js";
import { makeTask } from "../tasks/index.js";
import { drawTrials } from "../tasks/motor/trials.js";
import type { Budget } from "./budget.js";
import { checkKinds, type Generalist, openGeneralist } from "./generalist.js";
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
  generalist: Subject;
  encoder: () => Promise<LanguageModel>;
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
  open?: (ref: string, signal: AbortSignal) => Promise<LanguageModel>;
  /** The specializers that the study may name; Hone's own by default. */
  specializers?: SpecializerTable;
  /** Wraps every opened model; the journal by default. */
  wrap?: (model: LanguageModel) => LanguageModel;
}

export async function prepareStudy(spec: StudySpec, options: PrepareOptions): Promise<PreparedStudy> {
  const { signal, journal, budget } = options;
  const arms = listArms(spec, options.specializers);
  // The seal: nothing in a test split is shown before the journal has it in writing that this plan opens it.
  let plan = "";
  const onOpen = (opening: Opening): void =>
    journal.openings.record(opening, plan, spec.study, opening.reason);
  const domain = await prepareTask(spec.task, options, onOpen);
  const elsewhere: PreparedTask[] = [];
  for (const other of spec.elsewhere) elsewhere.push(await prepareTask(other, options, onOpen));

  const opened: Generalist["model"][] = [];
  const wrap = options.wrap ?? ((model: LanguageModel) => journaled(model, journal, budget));
  const open = async (ref: string): Promise<LanguageModel> => {
    const model = await (options.open ?? ((name, stop) => openModel(name, { signal: stop })))(ref, signal);
    opened.push(model);
    return wrap(model);
  };
  const subject = await openGeneralist(spec.model, open, (body) => opened.push(body));
  const { model } = subject;
  checkKinds(subject, [domain, ...elsewhere], arms);
  let encoder: Promise<LanguageModel> | undefined;
  const getEncoder = () => {
    encoder ??= open(spec.encoder);
    return encoder;
  };

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
    encoder: getEncoder,
    artifacts: options.artifacts,
    base: resolve(options.base),
    contents,
    arms,
    warnings: [domain, ...elsewhere].flatMap(({ warnings }) => warnings),
    close: async () => {
      await Promise.all(opened.map((one) => one.close()));
    },
  };
}

/** The generalist first, then what the study lists; equal names are told apart by number. */
function listArms(spec: StudySpec, table?: SpecializerTable): Arm[] {
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
  options: PrepareOptions,
  onOpen: (opening: Opening) => void,
): Promise<PreparedTask> {
  const dataset =
    spec.kind === "motor"
      ? drawnDataset(spec, onOpen)
      : await loadDataset(spec.data, {
          base: options.base,
          signal: options.signal,
          name: `${spec.name}: data`,
          onOpen,
          ...(options.onProgress ? { progress: options.onProgress } : {}),
        });
  const { name, data: _data, ...taskOptions } = spec;
  const task = makeTask(name, taskOptions, dataset.labels);
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
    binary: task.binary,
    source,
    counts,
    labels: dataset.labels ? [...dataset.labels] : null,
    testFingerprint: dataset.test.fingerprint,
    leakage,
  };
  const choice = task.kind === "choice" ? (task as LanguageTask) : null;
  return {
    task,
    dataset,
    card,
    ...blindScores(task, dataset),
    keys,
    warnings: dataWarnings(spec, card, dataset, choice),
  };
}

/** Trials are drawn, not read: there is nothing that could leak. */
function drawnDataset(
  { data, ...spec }: Extract<TaskSpec, { kind: "motor" }>,
  onOpen: (opening: Opening) => void,
): Dataset {
  const { train, dev, test } = drawTrials(spec, data);
  return {
    train,
    dev,
    test: sealTest(test, { onOpen }),
    source: `drawn with seed ${data.seed}`,
    leakage: { exact: 0, near: 0, checked: false },
    counts: { train: train.length, dev: dev.length, test: test.length, eyesOff: 0 },
    warnings: [],
  };
}

/** What knowing nothing scores, learnt from train and dev alone: test stays sealed. */
function blindScores(made: Task, { train, dev }: Dataset): Pick<PreparedTask, "commonest" | "chance"> {
  if (made.kind !== "choice") return { commonest: undefined, chance: null };
  const task = made as LanguageTask;
  const counts = new Map<string, number>();
  for (const sample of train.length > 0 ? train : dev) {
    const { answer } = task.demonstration(sample);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const commonest = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  const sizes = [...train, ...dev].map((sample) => sample.options?.length ?? task.labels?.length ?? 0);
  const known = sizes.filter((size) => size > 0);
  const chance = known.length === 0 ? null : known.reduce((sum, size) => sum + 1 / size, 0) / known.length;
  return { commonest, chance };
}
