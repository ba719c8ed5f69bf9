// The folder that --data names: med/, law/, social/ and lexical/, the same one for every paper. Anything that a paper needs
// and that is missing gives one error, which names the folder and what is missing.

import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";
import { shownPath } from "../data/index.js";

/** What a paper reads. */
export interface DataNeeds {
  /** Subfolders of the folder that --data names. */
  folders: readonly ("med" | "law" | "social" | "lexical")[];
  /** What they hold, for the error. */
  holding: string;
  /** True if missing data can be had from elsewhere, so that --data may be omitted. */
  elsewhere?: true;
}

export interface DataFolder {
  /** Names of the entries of one of the folders; empty if it does not exist. */
  names: (folder: string) => ReadonlySet<string>;
  /** Path of one of the folders, or of an entry in it. */
  path: (...parts: string[]) => string;
  /** The error to throw where something turns out to be missing. */
  missing: (what: string) => HoneError;
}

/**
 * @param data the value of --data
 * @param base folder that it is relative to
 * @throws HoneError where the folder is missing, cannot be read, or lacks what the paper needs
 */
export async function openData(
  paper: string,
  { folders, holding, elsewhere }: DataNeeds,
  data: string | undefined,
  base = ".",
): Promise<DataFolder> {
  const root = data === undefined ? undefined : resolve(base, data.replace(/^file:/, ""));
  const missing = (why: string): HoneError =>
    new HoneError({
      what: `No data for ${paper}`,
      where: root === undefined ? "--data" : shownPath(root),
      why,
      next: `Name with --data the folder that has ${folders.map((one) => `${one}/`).join(" and ")} in it (${holding}).`,
      kind: "usage",
    });
  const listing = async (path: string): Promise<Set<string>> => {
    try {
      return new Set(await readdir(path));
    } catch (error) {
      throw missing(`it cannot be read: ${messageOf(error)}`);
    }
  };
  const names = new Map<string, Set<string>>();
  if (root !== undefined) {
    const present = await listing(root);
    for (const one of folders.filter((name) => present.has(name)))
      names.set(one, await listing(join(root, one)));
  }
  const absent = folders.filter((one) => !names.has(one));
  if (elsewhere ? root !== undefined && names.size === 0 : absent.length > 0) {
    const folder = absent.map((one) => `${one}/`).join(" and ");
    throw missing(root === undefined ? "no folder of data is named" : `there is no ${folder} in it`);
  }
  return {
    names: (folder) => names.get(folder) ?? new Set(),
    path: (...parts) => join(root ?? "", ...parts),
    missing,
  };
}
