// Resolves what a study file names: loads and checks data, opens models, lists the arms to be compared.

import { resolve } from "node:path";
import { requireCapability } from "../core/capabilities.js";
import { HoneError } from "../core/errors.js";
import { fingerprint, type Json } from "../core/json.js";
import type { Subject } from "../core/kinds.js";
import type { Metric } from "../core/metric.js";
import type { Callable, Encoder, Model, PromptFormat } from "../core/model.js";
import type { SubjectCard } from "../core/record.js";
import type { Specializer } from "../core/specializer.js";
import { contentsOf, modelsIn, sourcesIn } from "../data/contents.js";
import type { Opening } from "../data/index.js";
import { openModel } from "../models/registry.js";
import { makeSpecializer, type SpecializerTable } from "../specializers/index.js";
import { requireNet } from "../specializers/training/contrastive/kept.js";
import type { ArtifactStore } from "../store/artifacts.js";
import type { Journal } from "../store/journal.js";
import { journaled } from "../store/journaled.js";
import { chooseWay } from "./asking.js";
import type { Budget } from "./budget.js";
import { type Extension, loadModules, placesOf, tablesWith } from "./extension.js";
import { begin, checkGrants, checkKinds, type Generalist } from "./kinds.js";
import { type PreparedTask, prepareTask } from "./prepare-task.js";
import type { StudySpec } from "./spec.js";
import { askedWithout, encoderWarnings } from "./warnings.js";

/** One row of the study's table: a specializer still to be fitted, once for each seed that it depends on. */
export interface Arm {
  name: string;
  role: SubjectCard["role"];
  specializer: Specializer;
  /** The specializer as the study file has it. */
  written: unknown;
  seeds: number[];
}

export type { PreparedTask } from "./prepare-task.js";

export interface PreparedStudy {
  spec: StudySpec;
  /** Fingerprint of everything that determines the figures. */
  plan: string;
  domain: PreparedTask;
  elsewhere: PreparedTask[];
  /** The generalist's model: a language model, or a body. */
  model: Generalist["model"];
  /** The prompt format chosen on dev; undefined for the model's own. */
  format: PromptFormat | undefined;
  generalist: Generalist;
  encoder: () => Promise<Encoder>;
  /** Opens another subject, for tasks that need one; each once. */
  open: (ref: string) => Promise<Subject>;
  artifacts: ArtifactStore;
  /** Absolute folder that relative `file:` sources are resolved against. */
  base: string;
  /**
   * Names what determines a specializer's result besides its options: contents of files, identities of models and of the encoder
   * if it uses them; undefined if it uses nothing.
   */
  contents: (specializer: Specializer) => Promise<Json | undefined>;
  arms: Arm[];
  warnings: string[];
  close: () => Promise<void>;
}

export interface PrepareOptions {
  /** Folder that relative `file:` sources are resolved against. */
  base: string;
  signal: AbortSignal;
  journal: Journal;
  artifacts: ArtifactStore;
  budget: Budget;
  /** Bytes fetched, bytes in all (0 while unknown), and what is being fetched. */
  onProgress?: (done: number, total: number, note: string) => void;
  /** Replaces the opener of models: dry runs and tests. */
  open?: (ref: string, signal: AbortSignal) => Promise<Model>;
  /** Tasks, specializers and models of the caller's own, besides those that the study uses. */
  use?: Extension;
  /** Samples in flight; by default as many as the model suggests. */
  concurrency?: number;
  /** Asks again for dev answers that failed calls left out when the way of prompting was chosen. */
  retryErrors?: boolean;
  /** Receives which of the ways of prompting is being measured on dev. */
  onAsk?: (done: number, of: number) => void;
  /** Wraps every opened model; the journal by default. */
  wrap?: <M extends Callable>(model: M) => M;
}

export async function prepareStudy(spec: StudySpec, options: PrepareOptions): Promise<PreparedStudy> {
  const { signal, journal, budget } = options;
  const tables = tablesWith(
    await loadModules(await placesOf(spec.use, options.base, true)),
    options.use ?? {},
  );
  const arms = listArms(spec, tables.specializers);
  if (spec.gate)
    checkBeaten(
      spec.gate,
      arms.map(({ name }) => name),
    );
  // The seal: nothing in a test split is revealed before the journal records that this plan opens it.
  let plan = "";
  const onOpen = (opening: Opening): void =>
    journal.openings.record(opening, plan, spec.study, opening.reason);
  let domain = await prepareTask(spec.task, tables.tasks, options, onOpen);
  let elsewhere: PreparedTask[] = [];
  for (const other of spec.elsewhere) elsewhere.push(await prepareTask(other, tables.tasks, options, onOpen));

  if (spec.gate) checkGate(spec.gate, domain.task.metric);
  const models = modelOpener(
    { signal, open: options.open ?? ((ref) => openModel(ref, { signal, schemes: tables.models })) },
    options.wrap ??
      ((model) => {
        budget.expect(model);
        return journaled(model, journal, budget);
      }),
  );
  const open = async (ref: string): Promise<Subject> => begin(await models.open(ref));
  const asIs = await models.open(spec.model);
  checkKinds(begin(asIs), [domain, ...elsewhere], arms);
  checkGrants(asIs, arms);
  for (const { specializer } of arms)
    specializer.checkTrain?.({ task: domain.task, train: domain.dataset.train });
  const { format, ...asked } = await chooseWay(asIs, [domain, ...elsewhere], spec.seeds[0] as number, {
    ...{ journal, budget, signal, open, told: options.onAsk ?? (() => {}) },
    retryErrors: options.retryErrors ?? false,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
  [domain, ...elsewhere] = asked.tasks;
  const subject = begin(asIs, format);
  const { model } = subject;

  const named = new Map<string, Promise<string>>();
  const encoder = () => models.encoder(spec.encoder);
  const encodes = ({ encodes }: Specializer): boolean => {
    const { task, dataset } = domain;
    return encodes?.({ task, train: dataset.train, dev: dataset.dev }) ?? false;
  };
  const contents = async (specializer: Specializer): Promise<Json | undefined> => {
    const sources = sourcesIn(specializer.options);
    for (const ref of sources) {
      if (!named.has(ref)) named.set(ref, contentsOf(ref, { base: options.base, signal }));
    }
    const names = await Promise.all(sources.map((ref) => named.get(ref) as Promise<string>));
    // An opened model reports its id: its files are hashed (once per file), but weights and graphs wait for the first call.
    for (const ref of modelsIn(specializer.options)) names.push((await models.open(ref)).id);
    if (encodes(specializer)) names.push((await encoder()).id);
    return names.length > 0 ? names : undefined;
  };
  const sources: (Json | undefined)[] = [];
  for (const { specializer } of arms) sources.push(await contents(specializer));

  for (const { specializer } of arms)
    if (specializer.trains && encodes(specializer))
      requireNet(await encoder(), specializer.name, "the study's `encoder`");
  const encoding = arms.some(({ specializer }) => encodes(specializer));
  const ofEncoder = encoding ? await encoderWarnings(await encoder(), domain.dataset) : [];
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
    format,
    generalist: subject,
    encoder,
    open,
    artifacts: options.artifacts,
    base: resolve(options.base),
    contents,
    arms,
    warnings: [
      ...[domain, ...elsewhere].flatMap(({ warnings }) => warnings),
      ...askedWithout(domain.card),
      ...ofEncoder,
    ],
    close: models.close,
  };
}

/** @throws HoneError if the gate requires a value that the metric cannot have */
function checkGate({ atLeast, atMost }: NonNullable<StudySpec["gate"]>, metric: Metric): void {
  const { name, better, least, most } = metric;
  const [field, wrong] = better === "higher" ? ["atLeast", "atMost"] : ["atMost", "atLeast"];
  const asked = atLeast ?? atMost;
  const turned = (better === "higher" ? atMost : atLeast) !== undefined;
  const beyond = asked !== undefined && (asked < (least ?? asked) || asked > (most ?? asked));
  if (!turned && !beyond) return;
  throw new HoneError({
    what: "The study's gate cannot be met",
    where: `gate.${atLeast === undefined ? "atMost" : "atLeast"}`,
    why: turned
      ? `for ${name}, ${better === "higher" ? "more" : "less"} is better, and the gate is \`${field}\``
      : `${name} lies between ${least ?? "any"} and ${most ?? "any"}, and ${asked} does not`,
    next: turned ? `Write \`${field}\` in place of \`${wrong}\`.` : "Write a value in that range.",
    kind: "usage",
  });
}

/** @throws HoneError if the gate names a subject that the study does not have */
function checkBeaten({ beats }: NonNullable<StudySpec["gate"]>, names: readonly string[]): void {
  if (beats === undefined || names.includes(beats)) return;
  throw new HoneError({
    what: "The study's gate names a subject that the study does not have",
    where: `gate.beats: ${beats}`,
    next: `Name one of: ${names.join(", ")}.`,
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
      return requireCapability(await openOnce(ref), "embeddings", `encoder: ${ref}`);
    },
    close: async () => {
      for (const model of await Promise.allSettled(opened.values()))
        if (model.status === "fulfilled") await model.value.close();
    },
  };
}

/** The generalist first, then the study's specialists; equal names are numbered. */
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
