// Exports a specialist as a folder that runs without its study: the files that Hone loads, the same in the formats of llama.cpp,
// transformers and ONNX Runtime, the prompt as text, the card, and checksums of all. Imports such a folder into a store.

import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, cp, lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";
import { intoPlace } from "../core/place.js";
import { requireFolder } from "../store/place.js";
import { makePrivate, privateFolder } from "../store/private.js";
import { filesAt, filesIn } from "../study/saved.js";
import {
  layout,
  loadSpecialist,
  readSpecialist,
  requireOwnFiles,
  type SavedSpecialist,
} from "../study/specialist.js";
import { specialistCard } from "./card.js";
import { linearOnnx } from "./classifier.js";
import { findSpecialist, refuseEndpoint } from "./find.js";
import { promptText } from "./prompt-text.js";

const sums = "SHA256SUMS";

/** Which subject is exported, and whether with its weights. */
export interface ExportOptions {
  store?: string;
  /** A subject's name, instead of the champion. */
  subject?: string;
  /** Also copy the generalist's weights, if they are a file. */
  withBase?: boolean;
  allowModules?: boolean;
  signal?: AbortSignal;
}

/** An exported folder. */
export interface Exported {
  folder: string;
  subject: string;
  /** Relative to the folder, with slashes. */
  files: string[];
  /** What the folder needs that is not in it. */
  needs: string[];
}

/**
 * Writes a specialist as a separate folder, completely or not at all.
 * @param ref a study in the store, or a saved specialist's path
 * @param out the folder, which must not exist
 * @throws HoneError where there is no such specialist, or the folder already exists
 */
export async function exportSpecialist(
  ref: string,
  out: string,
  options: ExportOptions = {},
): Promise<Exported> {
  const store = resolve(options.store ?? ".hone");
  const target = resolve(out);
  const signal = options.signal ?? new AbortController().signal;
  const { path, ours } = findSpecialist(ref, { store, subject: options.subject });
  refuseExisting(target, "--out");
  requireFolder(join(target, ".."), "--out");
  const { saved, folder } = await readSpecialist(path);
  return intoPlace(target, async (part) => {
    await mkdir(part, privateFolder);
    const artifacts = folder === undefined ? undefined : join(folder, layout.artifacts);
    if (artifacts !== undefined && existsSync(artifacts))
      await cp(artifacts, join(part, layout.artifacts), { recursive: true });
    const loading = { signal, allowFiles: ours, allowModules: options.allowModules ?? false };
    const { subject, close } = await loadSpecialist(path, loading);
    let written: SavedSpecialist = saved;
    const needs: string[] = [];
    try {
      const { model } = subject;
      const weights = model && "weights" in model ? model.weights : undefined;
      const file = baseFile(saved.modelId);
      if (options.withBase && weights && file !== undefined) {
        await copyFile(weights.path, join(part, file));
        written = { ...saved, base: file };
      } else if (model) needs.push(`the model ${saved.model}`);
    } finally {
      await close();
    }
    written = await withFiles(written, folder ?? dirname(path), part);
    if (saved.use) needs.push(...saved.use.map((module) => `the module ${module}`));
    const prompt = await promptText(path, loading);
    if (prompt !== undefined) await writeFile(join(part, "prompt.txt"), prompt);
    const classifier = linearOnnx(saved);
    if (classifier) {
      await writeFile(join(part, "classifier.onnx"), classifier.model);
      await writeFile(join(part, "features.json"), JSON.stringify(classifier.features));
    }
    await writeFile(join(part, layout.specialist), `${JSON.stringify(written)}\n`);
    const card = folder === undefined ? undefined : await readFile(join(folder, layout.card), "utf8");
    await writeFile(
      join(part, layout.card),
      specialistCard(written, { card, files: await filesBelow(part), needs }),
    );
    const files = await filesBelow(part);
    const lines = [];
    for (const name of files) lines.push(`${await sha256(join(part, name))}  ${name}\n`);
    await writeFile(join(part, sums), lines.join(""));
    return { folder: target, subject: saved.name, files: [...files, sums], needs };
  });
}

/** The specialist with copies of the files that its task names, which may be beside it or elsewhere on this machine. */
async function withFiles(saved: SavedSpecialist, beside: string, folder: string): Promise<SavedSpecialist> {
  const { options } = saved.task;
  const copies: [string, string][] = [];
  for (const [option, path] of filesIn(filesAt(options, beside))) {
    const name = `${option}${extname(path)}`;
    try {
      await copyFile(path, join(folder, name));
    } catch (error) {
      throw new HoneError({
        what: `The ${option} of its task cannot be copied`,
        where: path,
        why: messageOf(error),
        next: "Restore the file, or run the study again with another.",
        kind: "usage",
      });
    }
    copies.push([option, name]);
  }
  return { ...saved, task: { ...saved.task, options: { ...options, ...Object.fromEntries(copies) } } };
}

/** Under which name, and what is allowed. */
export interface ImportOptions {
  store?: string;
  /** Its name; the study's name if absent. */
  name?: string;
  /** Allows sending rows to the endpoint that its model names. */
  allowEndpoint?: boolean;
}

/**
 * Copies an exported folder into a store, where `hone predict NAME` and `hone serve NAME` find it. Nothing in it is run.
 * @throws HoneError where a file is missing, changed, not listed, or not a regular file; where the name is taken; and where its
 * model is an endpoint and that was not allowed
 */
export async function importSpecialist(
  from: string,
  options: ImportOptions = {},
): Promise<{ name: string; path: string; saved: SavedSpecialist }> {
  const source = resolve(from);
  await verifyExport(source);
  const { saved } = await readSpecialist(source);
  if (!options.allowEndpoint) refuseEndpoint(saved, source);
  requireOwnFiles(saved, source);
  const name = options.name ?? saved.made.study;
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name))
    throw new HoneError({
      what: "The name cannot be used",
      where: `--name ${name}`,
      why: "a name has letters, digits, dots, dashes and underscores, at most 64",
      next: "Choose another with --name.",
      kind: "usage",
    });
  const folder = join(resolve(options.store ?? ".hone"), "specialists");
  const target = join(folder, name);
  for (const taken of [target, `${target}.json`]) refuseExisting(taken, `the name ${name}`);
  await mkdir(folder, privateFolder);
  await intoPlace(target, async (part) => {
    await cp(source, part, { recursive: true });
    await makePrivate(part);
    // The copy is verified, not the original.
    await verifyExport(part);
  });
  return { name, path: target, saved };
}

/** @throws HoneError where the folder's files do not match its checksums */
async function verifyExport(folder: string): Promise<void> {
  const refuse = (where: string, why: string, next = "Copy the whole folder again."): HoneError =>
    new HoneError({ what: "The exported specialist is damaged", where, why, next });
  const text = await readFile(join(folder, sums), "utf8").catch(() => undefined);
  if (text === undefined)
    throw refuse(
      join(folder, sums),
      "the file is missing",
      "Name a folder that `hone export` wrote; a study's own specialists need no import.",
    );
  const listed = new Map<string, string>();
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [, hash, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (hash === undefined || name === undefined)
      throw refuse(join(folder, sums), "a line is not a checksum");
    listed.set(name, hash);
  }
  const found = (await filesBelow(folder)).filter((name) => name !== sums);
  const extra = found.find((name) => !listed.has(name));
  if (extra !== undefined) throw refuse(join(folder, extra), `${sums} does not list it`);
  for (const [name, hash] of listed) {
    if (!found.includes(name)) throw refuse(join(folder, name), "the file is missing");
    if ((await sha256(join(folder, name))) !== hash)
      throw refuse(join(folder, name), "its contents are not what was exported");
  }
}

/** Names of the files below a folder, with slashes, sorted. @throws HoneError for anything but files and folders */
async function filesBelow(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const found = await lstat(path);
    if (found.isDirectory()) continue;
    if (!found.isFile())
      throw new HoneError({
        what: "The folder cannot be copied",
        where: path,
        why: "it is a link or a device, and only regular files can be",
        next: "Copy the folder with its files, following links.",
      });
    names.push(relative(folder, path).split(sep).join("/"));
  }
  return names.sort();
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const block of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(block as Buffer);
  return hash.digest("hex");
}

/** The name that the base's file must have to count as the same model: NAME of its identity, `llama:NAME@HASH`. */
function baseFile(modelId: string): string | undefined {
  const name = /^llama:([\w.-]+)@/.exec(modelId)?.[1];
  return name === undefined ? undefined : `${basename(name)}.gguf`;
}

function refuseExisting(path: string, said: string): void {
  if (!existsSync(path)) return;
  throw new HoneError({
    what: "Something is already there",
    where: `${said} (${path})`,
    next: "Choose another name, or remove it first.",
    kind: "usage",
  });
}
