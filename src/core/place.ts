// Atomic file writing: a file is written under a temporary name beside its target, then renamed, so that a reader never sees
// half a file and two writers of the same file only do the work twice.

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

/** Writes a text file, whole or not at all. */
export function writeWhole(target: string, text: string): Promise<void> {
  return intoPlace(target, (temporary) => writeFile(temporary, text, { flag: "wx" }));
}
