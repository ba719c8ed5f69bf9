// Handing the champion over: saved as one JSON file, or as a folder where it has files of its own; loaded again, and scored
// again on samples it was measured on, with fresh calls and without the journal. What is handed over is what was measured,
// or the report says that it is not.

import { copyFile, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { type Artifacts, artifactsIn } from "../core/artifacts.js";
import { CallError } from "../core/call.js";
import { HoneError, messageOf } from "../core/errors.js";
import { fingerprint, type Json } from "../core/json.js";
import type { Subject } from "../core/kinds.js";
import type { Callable } from "../core/model.js";
import type { Outcome } from "../core/outcome.js";
import type { HandOver } from "../core/record.js";
import { type Grade, type Task, taskContext } from "../core/task.js";
import { openModel } from "../models/registry.js";
import { makeSpecializer } from "../specializers/index.js";
import { copyArtifact, findArtifact } from "../store/artifacts.js";
import { passingOver } from "../store/damage.js";
import { type Journal, openJournal, resultOf } from "../store/journal.js";
import { journaled } from "../store/journaled.js";
import { makePrivate, privateFile, privateFolder } from "../store/private.js";
import { makeTask, type TaskOptions } from "../tasks/index.js";
import { readGguf } from "../tensor/gguf.js";
import { type Budget, Draining } from "./budget.js";
import { type CardFacts, modelCard } from "./card.js";
import { loadModules, tablesWith } from "./extension.js";
import type { FittedArm } from "./fit.js";
import { begin } from "./kinds.js";
import { modelOpener, type PreparedStudy, type PrepareOptions } from "./prepare.js";
import { figuresOf } from "./record.js";
import { measuredSchema, profileOf, profileSchema, rowsSchema, vocabularyOf } from "./saved.js";

export const specialistSchema = z.strictObject({
  hone: z.literal("specialist/1"),
  name: z.string(),
  model: z.string().describe("The generalist's reference, as in the study"),
  modelId: z.string().describe("Content identity of the generalist it was made from"),
  base: z
    .string()
    .regex(/^\w[\w.-]*\.gguf$/)
    .optional()
    .describe("The generalist's file in the same folder, where an export brings it"),
  encoder: z.string(),
  format: z.enum(["chat", "plain"]).optional().describe("The prompt format, where dev chose it"),
  specializer: z.unknown().describe("The specializer as a study file would say it"),
  state: z.unknown().describe("What it learnt"),
  task: z.strictObject({
    name: z.string(),
    options: z.looseObject({ kind: z.string() }),
    labels: z.array(z.object({ key: z.string(), text: z.string() })).nullable(),
  }),
  use: z.array(z.string()).optional().describe("Modules that it needs, as absolute paths"),
  made: z.object({ study: z.string(), plan: z.string() }),
  rows: rowsSchema.optional().describe("How a row becomes a sample; absent where samples are drawn"),
  measured: measuredSchema.optional().describe("What it scored on the study's test split"),
  profile: profileSchema.optional().describe("The inputs on which that was measured"),
});

export type SavedSpecialist = z.infer<typeof specialistSchema>;

/** Where things lie in a specialist's folder. */
export const layout = { specialist: "specialist.json", artifacts: "artifacts", card: "README.md" } as const;

/**
 * Writes a specialist, whole or not at all: `PATH.json` where its state is all there is, else the folder `PATH` with its
 * artifacts, the card, and last specialist.json. What an earlier study left under that name is replaced.
 * @param path without an ending
 * @param copy how an artifact's file gets there
 * @returns the path of the file or the folder
 */
export async function saveSpecialist(
  path: string,
  saved: SavedSpecialist,
  artifacts: Pick<Artifacts, "path">,
  card: (files: CardFacts["files"]) => string,
  copy?: (from: string, to: string) => Promise<void>,
): Promise<string> {
  const ids = artifactsIn(saved.state as Json);
  const text = `${JSON.stringify(saved)}\n`;
  const file = `${path}.json`;
  await mkdir(dirname(path), privateFolder);
  const part = `${path}.${process.pid}.part`;
  await rm(part, { recursive: true, force: true });
  if (ids.length === 0) {
    await writeFile(part, text, privateFile);
    await rename(part, file);
    await rm(path, { recursive: true, force: true });
    return file;
  }
  await mkdir(part, privateFolder);
  for (const id of ids)
    await copyArtifact(dirname(artifacts.path(id)), join(part, layout.artifacts), id, copy);
  await writeFile(join(part, layout.card), card(await whatLiesIn(part)));
  await writeFile(join(part, layout.specialist), text);
  await makePrivate(part);
  await rm(path, { recursive: true, force: true });
  await rename(part, path);
  await rm(file, { force: true });
  return path;
}

/** What there is to load in a specialist's folder, for its card. */
async function whatLiesIn(folder: string): Promise<CardFacts["files"]> {
  const files = { adapters: [] as string[], models: [] as string[], peft: [] as string[] };
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    if (entry.name === "adapter_config.json") files.peft.push(name.slice(0, -entry.name.length - 1));
    if (!entry.isFile() || !entry.name.endsWith(".gguf")) continue;
    const adapter = readGguf(path).metadata.get("general.type") === "adapter";
    files[adapter ? "adapters" : "models"].push(name);
  }
  for (const list of Object.values(files)) list.sort();
  return files;
}

/**
 * Reads a saved specialist without loading anything.
 * @returns its folder, too, where it has one
 * @throws HoneError when it is none
 */
export async function readSpecialist(path: string): Promise<{ saved: SavedSpecialist; folder?: string }> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    const file = isFolder ? join(path, layout.specialist) : path;
    const saved = specialistSchema.parse(JSON.parse(await readFile(file, "utf8")));
    if (isFolder) return { saved, folder: path };
    return { saved, ...(basename(path) === layout.specialist ? { folder: dirname(path) } : {}) };
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new HoneError({
      what: "Cannot load the specialist",
      where: path,
      why,
      next: "Run its study again.",
    });
  }
}

/** The reference that opens the generalist: the file beside the specialist, where it brings one. */
function modelOf({ model, base }: SavedSpecialist, folder: string | undefined): string {
  if (base === undefined || folder === undefined) return model;
  const params = model.includes("?")
    ? model.slice(model.indexOf("?")).replace(/([?&])weights=[^&]*&?/, "$1")
    : "";
  return `llama:file:${resolve(folder, base)}${params.replace(/[?&]$/, "")}`;
}

/** A saved specialist that was loaded: the subject, and the task that it was made for. */
export interface LoadedSpecialist {
  saved: SavedSpecialist;
  subject: Subject;
  task: () => Task;
  close: () => Promise<void>;
}

/**
 * Loads a saved specialist as a subject.
 * @param path of its JSON file, or of its folder
 * @throws HoneError when it is not one, when a file of it is missing or changed, when its generalist is not the one it was
 * made from, or when it needs modules that were not allowed
 */
export async function loadSpecialist(
  path: string,
  options: {
    signal: AbortSignal;
    /** Wraps every opened model: a meter, a log. */
    wrap?: PrepareOptions["wrap"];
    /** Load the modules that the file names under `use`, which runs their code; refused by default. */
    allowModules?: boolean;
  } & Pick<PrepareOptions, "open" | "use">,
): Promise<LoadedSpecialist> {
  const { saved, folder } = await readSpecialist(path);
  if (saved.use && !options.allowModules)
    throw new HoneError({
      what: "The specialist needs modules of its own",
      where: path,
      why: `it names ${saved.use.join(", ")}, and loading a module runs its code`,
      next: "Read them, then allow them: loadSpecialist(path, { allowModules: true }).",
      kind: "usage",
    });
  // Before a model is opened: a damaged specialist costs no loading.
  const artifacts: Pick<Artifacts, "path"> = {
    path: (id) => findArtifact(join(folder ?? dirname(path), layout.artifacts), id),
  };
  for (const id of artifactsIn(saved.state as Json)) artifacts.path(id);
  const tables = tablesWith(await loadModules(saved.use ?? []), options.use ?? {});
  const open =
    options.open ??
    ((ref: string, signal: AbortSignal) => openModel(ref, { signal, schemes: tables.models }));
  const models = modelOpener({ signal: options.signal, open }, options.wrap ?? ((model) => model));
  const from = begin(await models.open(modelOf(saved, folder)), saved.format);
  const { model } = from;
  if (model.id !== saved.modelId) {
    await models.close();
    throw new HoneError({
      what: "The specialist's generalist has changed",
      where: path,
      why: `it was made from ${saved.modelId}, and ${saved.model} is now ${model.id}`,
      next: "Run its study again, or bring the old model back.",
    });
  }
  const tools = { artifacts, encoder: () => models.encoder(saved.encoder) };
  const specializer = makeSpecializer(saved.specializer, path, tables.specializers);
  const subject = specializer.apply(from, saved.state as Json, tools);
  const task = () => {
    const { name, options: asked, labels } = saved.task;
    return makeTask(name, asked as TaskOptions, labels ?? undefined, tables.tasks);
  };
  return { saved, subject, task, close: models.close };
}

/**
 * Saves the champion under the store, loads it again and scores it again on test samples that have outcomes, without the
 * journal; counts where prediction and score are the same. The result is kept with the file: an unchanged one is not
 * checked twice.
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
  const before = journal.study(spec.study);
  // A damaged result is replaced at the end of this run.
  const known =
    before &&
    passingOver(
      () => resultOf(before, journal.path),
      () => {},
    )?.handOver;
  const saved = savedForm(study, champion, specialist, journal);
  const card = cardOf(study, champion, specialist, journal);
  const path = await saveSpecialist(join(store, "specialists", spec.study), saved, study.artifacts, card);
  if (
    known &&
    known.subject === specialist.subject.id &&
    known.n >= Math.min(spec.handOver, domain.card.counts.test)
  )
    return known;

  const outcomes = new Map<string, Outcome>();
  for (const outcome of journal.outcomes({
    subject: specialist.subject.id,
    task: domain.keys.test,
    split: "test",
  })) {
    if (outcome.seed === specialist.seed) outcomes.set(outcome.sample, outcome);
  }
  // A journal that forgets: the calls are made again and count against the budget.
  const scratch = openJournal(":memory:");
  const wrap = <M extends Callable>(model: M) => journaled(model, scratch, options.budget);
  const { subject, close } = await loadSpecialist(path, { ...options, wrap, allowModules: true });
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
      if (sameGrade(await domain.task.evaluate(subject, sample, context), measured.grade)) agree++;
      options.onSample?.(++n);
    }
  } catch (error) {
    if (!(error instanceof CallError || error instanceof Draining)) throw error;
    // The endpoint failed or the budget ended during the check: what was checked so far stands, with its n.
  } finally {
    await close();
    scratch.close();
  }
  const { test } = figuresOf(study, champion, specialist, journal);
  return {
    path: relative(process.cwd(), path) || path,
    subject: specialist.subject.id,
    n,
    agree,
    // Several seeds' mean is not what the saved one scored.
    ...(champion.specialists.length > 1 && test
      ? { seed: specialist.seed, score: { n: test.n, mean: test.mean, low: test.low, high: test.high } }
      : {}),
  };
}

/** A specialist as it is written down. */
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
    task: { name: domain.card.name, options: domain.options, labels: domain.card.labels },
    ...(spec.use.length > 0 ? { use: spec.use } : {}),
    made: { study: spec.study, plan },
    ...useOf(study, one, specialist, journal),
  };
}

/** What using it on new rows needs to know. */
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

/** A path as a shell reads it and as it can be shown to others: `~/…` below the home folder. */
function fromHome(path: string): string {
  const below = relative(homedir(), path);
  return below.startsWith("..") || isAbsolute(below) ? path : `~/${below.split(sep).join("/")}`;
}

/** Where what was not chosen lies, by its name: a folder, or a file with `.json` behind it. */
export function otherPath(store: string, study: string, subject: string): string {
  return join(store, "specialists", `${study}+others`, fileName(subject));
}

/**
 * Saves what was not chosen, so that it can be found by its name and used: in `specialists/STUDY+others/NAME`, which shares
 * adapters and weights with the store and so takes no room for them.
 */
export async function saveOthers(
  study: PreparedStudy,
  fitted: readonly FittedArm[],
  champion: FittedArm,
  store: string,
  journal: Journal,
): Promise<{ subject: string; path: string }[]> {
  const folder = join(store, "specialists", `${study.spec.study}+others`);
  await rm(folder, { recursive: true, force: true });
  const others: { subject: string; path: string }[] = [];
  for (const one of fitted) {
    const [specialist] = one.specialists;
    if (one === champion || !specialist) continue;
    const saved = savedForm(study, one, specialist, journal);
    const card = cardOf(study, one, specialist, journal);
    const path = await saveSpecialist(
      otherPath(store, study.spec.study, one.arm.name),
      saved,
      study.artifacts,
      card,
      share,
    );
    others.push({ subject: one.arm.name, path: relative(process.cwd(), path) || path });
  }
  return others;
}

/** `lora(r=8) #2` as `lora-r-8-2`. */
function fileName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^[-.]+|[-.]+$/g, "") || "specialist";
  return plain.length <= 64 ? plain : `${plain.slice(0, 51)}-${fingerprint(name, 12)}`;
}

/** A second name for the same file, or a copy where the file system has no such thing. */
async function share(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

function sameGrade(a: Grade, b: Grade): boolean {
  if (a.status === "scored" && b.status === "scored")
    return a.prediction === b.prediction && a.score === b.score;
  return a.status === b.status;
}
