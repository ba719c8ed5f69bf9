// Writing a study file to disk for `hone init` and `hone advise`: never over one that is there unless that was said.

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { requireFile } from "../store/place.js";

/** @throws HoneError where there is a file and it was not said to overwrite it, and where it cannot be written */
export function refuseToOverwrite(path: string, force = false): void {
  if (!existsSync(path) || force) {
    requireFile(path, "the study file");
    return;
  }
  throw new HoneError({
    what: "The study file exists already",
    where: path,
    next: "Choose another name, or overwrite it with --force.",
    kind: "usage",
  });
}

export async function writeStudy(path: string, text: string): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true });
  await writeFile(path, text);
}
