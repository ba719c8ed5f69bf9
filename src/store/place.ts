// Checks whether a folder or file can be written, before any work is done; writes the files that users name.

import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";
import { intoPlace } from "../core/place.js";
import { privateFolder } from "./private.js";

/**
 * Creates a folder if needed and writes an empty file in it, which is removed again.
 * @param said how the user named the folder, for instance `--store runs`
 * @param mode of folders that are made
 * @throws HoneError if it is not a folder or cannot be written; then no folder that was made stays
 */
export function requireFolder(path: string, said: string, mode = 0o777): void {
  tryFolder(path, said, mode);
}

/** Does that, and returns the folders that it made, topmost first. */
function tryFolder(path: string, said: string, mode = 0o777): string[] {
  const folder = resolve(path);
  const made: string[] = [];
  try {
    // Level by level: under /proc Node's recursive mkdir never returns.
    for (const level of missingLevels(folder)) {
      mkdirSync(level, { mode });
      made.push(level);
    }
    const probe = join(folder, `.write-test-${process.pid}`);
    closeSync(openSync(probe, "w"));
    rmSync(probe, { force: true });
    return made;
  } catch (error) {
    for (const level of made.reverse()) rmdirSync(level);
    throw cannotWrite(folder, said, messageOf(error));
  }
}

/** The same for a store: its folder, and what an earlier run or another user put into it. */
export function requireStore(store: string): void {
  requireFolder(store, "the store", privateFolder.mode);
  for (const part of ["artifacts", "reports", "specialists"]) {
    const folder = join(resolve(store), part);
    if (lookAt(folder)) requireFolder(folder, "the store");
  }
}

/**
 * The same for a file, which is left as it is; no folder that was made for it stays.
 * @param read files that are read for what will be written
 * @throws HoneError if it is a folder, one of the files read, or cannot be written
 */
export function requireFile(path: string, said: string, read: readonly string[] = []): void {
  const file = resolve(path);
  const own = realOf(file);
  if (own !== undefined && read.some((one) => realOf(resolve(one)) === own)) {
    throw new HoneError({
      what: "The result would overwrite its own input",
      where: `${said} (${file})`,
      next: "Name another file.",
      kind: "usage",
    });
  }
  let found: Stats | undefined;
  try {
    found = lookAt(file);
  } catch (error) {
    throw cannotWrite(file, said, messageOf(error));
  }
  if (!found) {
    for (const level of tryFolder(dirname(file), said).reverse()) rmdirSync(level);
    return;
  }
  if (found.isDirectory()) throw cannotWrite(file, said, "it is a folder, and a file is needed");
  try {
    // Non-blocking: a pipe without a reader is an error, too.
    closeSync(openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK));
  } catch (error) {
    throw cannotWrite(file, said, messageOf(error));
  }
}

/**
 * Writes a text to a file that the user named, whole or not at all, with the folders that it needs. Links, pipes and devices are
 * written through.
 * @param mode of a new file
 */
export async function writeOut(path: string, text: string, mode = 0o666): Promise<void> {
  const file = resolve(path);
  const there = lstatSync(file, { throwIfNoEntry: false });
  if (there && !there.isFile()) return writeFile(file, text);
  await intoPlace(file, async (temporary) => {
    await writeFile(temporary, text, { flag: "wx", mode });
    if (there) await chmod(temporary, there.mode & 0o777);
  });
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The folders to be made, topmost first. */
function missingLevels(folder: string): string[] {
  const missing: string[] = [];
  for (let level = folder; ; level = dirname(level)) {
    const found = lookAt(level);
    if (found?.isDirectory()) return missing;
    if (found) throw new Error(`${level} is a file, and a folder is needed`);
    missing.unshift(level);
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}

function cannotWrite(where: string, said: string, why: string): HoneError {
  return new HoneError({
    what: "Cannot write there",
    where: `${said} (${where})`,
    why,
    next: "Name a folder that you can write to.",
    kind: "usage",
  });
}
