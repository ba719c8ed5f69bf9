// A folder that is itself a data set: one subfolder of text files per label, as many corpora are published.

import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { HoneError } from "../core/errors.js";
import { shownPath } from "./files.js";
import { formatOf } from "./readers.js";

/**
 * The text files in a folder's subfolders, sorted; undefined if the path is not a folder.
 * @throws HoneError if there are none, or files of other formats are among them
 */
export async function filesByFolder(path: string): Promise<string[] | undefined> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return undefined;
  const found: string[] = [];
  for (const folder of await visible(path)) {
    if (!folder.isDirectory()) continue;
    for (const file of await visible(join(path, folder.name))) {
      if (file.isDirectory())
        throw refuse(
          join(path, folder.name, file.name),
          "subfolders may hold texts only, and this is a folder inside one",
        );
      if (!file.isFile()) continue;
      const full = join(path, folder.name, file.name);
      if (extname(full) !== "" && formatOf(full) !== "document")
        throw refuse(full, "a folder is read as texts, and this is another format");
      found.push(full);
    }
  }
  if (found.length === 0) throw refuse(path, "it is a folder without subfolders of text files");
  return found;
}

async function visible(path: string): Promise<Dirent[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function refuse(path: string, why: string): HoneError {
  return new HoneError({
    what: "Cannot read the folder.",
    where: shownPath(path),
    why,
    next: "Make one subfolder of .txt files for each label, or name the files, for instance `FOLDER/*.jsonl`.",
  });
}
