// Whether a place can be written, found out before any work is done there.
import { closeSync, constants, mkdirSync, openSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";
import { privateFolder } from "./private.js";
/**
 * Makes a folder where there is none and writes an empty file in it, which is removed again.
 * @param said how the user named the folder, for instance `--store runs`
 * @param mode of folders that are made
 * @throws HoneError where it is no folder or cannot be written; then nothing that was made stays
 */
export function requireFolder(path, said, mode = 0o777) {
  tryFolder(path, said, mode);
}
/** Does that, and gives the folders that it made, the uppermost first. */
function tryFolder(path, said, mode = 0o777) {
  const folder = resolve(path);
  const made = [];
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
/** The same for a store: its folder, and what an earlier run or somebody else put into it. */
export function requireStore(store) {
  requireFolder(store, "the store", privateFolder.mode);
  for (const part of ["artifacts", "reports", "specialists"]) {
    const folder = join(resolve(store), part);
    if (lookAt(folder)) requireFolder(folder, "the store");
  }
}
/**
 * The same for a file, which is left as it is; no folder that was made for it stays.
 * @throws HoneError where it is a folder or cannot be written
 */
export function requireFile(path, said) {
  const file = resolve(path);
  let found;
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
    // Without waiting: a pipe that nobody reads is an error, too.
    closeSync(openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK));
  } catch (error) {
    throw cannotWrite(file, said, messageOf(error));
  }
}
/** The folders to be made, the uppermost first. */
function missingLevels(folder) {
  const missing = [];
  for (let level = folder; ; level = dirname(level)) {
    const found = lookAt(level);
    if (found?.isDirectory()) return missing;
    if (found) throw new Error(`${level} is a file, and a folder is needed`);
    missing.unshift(level);
  }
}
function lookAt(path) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (error.code === "ENOTDIR") return undefined;
    throw error;
  }
}
function cannotWrite(where, said, why) {
  return new HoneError({
    what: "Cannot write there",
    where: `${said} (${where})`,
    why,
    next: "Name a folder that you can write to.",
    kind: "usage",
  });
}
