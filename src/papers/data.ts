// The folder that --data names: med/, law/, social/ and lexical/, the same one for every paper. What a paper needs and does
// not find there is one error, which names the folder and what is missing.

import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";
import { shownPath } from "../data/index.js";

/** What a paper reads. */
export interface DataNeeds {
  /** Folders of the one that --data names. */
  folders: readonly ("med" | "law" | "social" | "lexical")[];
  /** What they hold, for the error. */
  holding: string;
  /** True where what is missing can be had from elsewhere, so that --data may be left out. */
  elsewhere?: true;
}

export interface DataFolder {
  /** Names of what is in one of the folders; empty where it is not there. */
  names: (folder: string) => ReadonlySet<string>;
  /** Path of one of the folders, or of something in it. */
  path: (...parts: string[]) => string;
  /** The error to throw where something is missing after all. */
  missing: (what: string) => HoneError;
}

/**
 * @param data as --data says it
 * @param base folder that it is relative to
 * @throws HoneError where it is missing, cannot be read, or lacks what the paper needs
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
