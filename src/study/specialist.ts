// A specialist as a file: what is written, where its parts are, and how it is read and loaded again as a subject.

import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { type Artifacts, artifactsIn } from "../core/artifacts.js";
import { HoneError, messageOf } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { Subject } from "../core/kinds.js";
import { intoPlace } from "../core/place.js";
import type { Task } from "../core/task.js";
import { openModel } from "../models/registry.js";
import { makeSpecializer } from "../specializers/index.js";
import { copyArtifact, findArtifact } from "../store/artifacts.js";
import { makePrivate, privateFile, privateFolder } from "../store/private.js";
import { makeTask, type TaskOptions } from "../tasks/index.js";
import { readGguf } from "../tensor/gguf.js";
import type { CardFacts } from "./card.js";
import { loadModules, tablesWith } from "./extension.js";
import { begin } from "./kinds.js";
import { modelOpener, type PrepareOptions } from "./prepare.js";
import { filesAt, filesIn, measuredSchema, ownFile, profileSchema, rowsSchema } from "./saved.js";

const specialistSchema = z.strictObject({
  hone: z.literal("specialist/1"),
  name: z.string(),
  model: z.string().describe("The generalist's reference, as in the study"),
  modelId: z.string().describe("Content identity of the generalist it was made from"),
  base: z
    .string()
    .regex(/^\w[\w.-]*\.gguf$/)
    .optional()
    .describe("The generalist's file in the same folder, where an export includes it"),
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
  rows: rowsSchema.optional().describe("How a row becomes a sample; none if samples are drawn"),
  measured: measuredSchema.optional().describe("What it scored on the study's test split"),
  profile: profileSchema.optional().describe("The inputs on which that was measured"),
});

export type SavedSpecialist = z.infer<typeof specialistSchema>;

/** File names in a specialist's folder. */
export const layout = { specialist: "specialist.json", artifacts: "artifacts", card: "README.md" } as const;

/**
 * Writes a specialist atomically: `PATH.json` if it has nothing but its state, else the folder `PATH` with its
 * artifacts, the card, and specialist.json last. What an earlier study left under that name is replaced.
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
  if (ids.length === 0) {
    await intoPlace(file, (part) => writeFile(part, text, privateFile));
    await rm(path, { recursive: true, force: true });
    return file;
  }
  await intoPlace(path, async (part) => {
    await mkdir(part, privateFolder);
    for (const id of ids)
      await copyArtifact(dirname(artifacts.path(id)), join(part, layout.artifacts), id, copy);
    await writeFile(join(part, layout.card), card(await whatLiesIn(part)));
    await writeFile(join(part, layout.specialist), text);
    await makePrivate(part);
    // An existing folder would block the rename.
    await rm(path, { recursive: true, force: true });
  });
  await rm(file, { force: true });
  return path;
}

/** The loadable files in a specialist's folder, for its card. */
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
 * @returns its folder, too, if it has one
 * @throws HoneError if it is not one
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

/**
 * Makes sure that the files that a specialist of unknown origin names are inside its own folder.
 * @throws HoneError for a file that lies elsewhere, is missing, or is not a regular file
 */
export function requireOwnFiles({ base, task }: SavedSpecialist, folder: string): void {
  const where = (field: string) => `${join(folder, layout.specialist)}, ${field}`;
  if (base !== undefined) ownFile(folder, base, where("base"));
  for (const [option, path] of filesIn(task.options)) ownFile(folder, path, where(`task.options.${option}`));
}

/** The reference that opens the generalist: the file beside the specialist, if it brings one. */
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
 * made from, or when it needs modules or files elsewhere that were not allowed
 */
export async function loadSpecialist(
  path: string,
  options: {
    signal: AbortSignal;
    /** Wraps every opened model: a meter, a log. */
    wrap?: PrepareOptions["wrap"];
    /** Load the modules that the file names under `use`, which runs their code; refused by default. */
    allowModules?: boolean;
    /** Read files outside its folder that its task names, as a study's own specialist does; refused by default. */
    allowFiles?: boolean;
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
  // Before a model is opened, so that a damaged specialist is rejected without loading one.
  if (!options.allowFiles) requireOwnFiles(saved, folder ?? dirname(path));
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
      next: "Run its study again, or restore the old model.",
    });
  }
  const tools = { artifacts, encoder: () => models.encoder(saved.encoder) };
  const specializer = makeSpecializer(saved.specializer, path, tables.specializers);
  const subject = specializer.apply(from, saved.state as Json, tools);
  const task = () => {
    const { name, options: asked, labels } = saved.task;
    const placed = filesAt(asked, folder ?? dirname(path));
    return makeTask(name, placed as TaskOptions, labels ?? undefined, tables.tasks);
  };
  return { saved, subject, task, close: models.close };
}
