// The one way a file is made: written under a temporary name beside its place, then renamed into it, so that a reader never
// sees half a file and two writers of the same file only do the work twice. It does not say which files there are.

import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A temporary name beside the target, on the same file system, so that the rename is atomic. */
export function temporaryName(target: string): string {
  return join(dirname(target), `.${randomUUID()}.part`);
}

/** Runs `write` on a temporary path and renames the result to `target`; leaves nothing behind on failure. */
export async function intoPlace<T>(target: string, write: (temporary: string) => Promise<T>): Promise<T> {
  await mkdir(dirname(target), { recursive: true });
  const temporary = temporaryName(target);
  try {
    const result = await write(temporary);
    await rename(temporary, target);
    return result;
  } catch (error) {
    await rm(temporary, { force: true, recursive: true });
    throw error;
  }
}

/** A file's text, whole or not at all. */
export function writeWhole(target: string, text: string): Promise<void> {
  return intoPlace(target, (temporary) => writeFile(temporary, text, { flag: "wx" }));
}
