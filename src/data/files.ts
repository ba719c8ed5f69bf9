// Opens files that users named: how a path is shown, and one clear error if it cannot be read. Formats are handled in
// readers.ts and its neighbours.

import { constants, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";

/** Longest line, field, array element or document that a reader accepts, in bytes. */
export const maxRecordBytes = 64 * 1024 * 1024;

/** Stands for standard input where rows are read once. */
export const stdin = "-";

/** A path as errors show it: relative to the working folder if it lies inside, else unchanged. */
export function shownPath(path: string): string {
  const inside = relative(process.cwd(), path);
  return inside === "" || inside.startsWith("..") || isAbsolute(inside) ? path : inside;
}

const reasons: Record<string, string> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOTDIR: "a part of the path is a file, not a folder",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
  ENXIO: "it is a socket or a device that is not there",
};

/** The error code of a failed system call, if there is one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** The name of a file type that is neither file nor folder. */
function kindOf(stat: Stats): string {
  if (stat.isFIFO()) return "a pipe";
  if (stat.isSocket()) return "a socket";
  return stat.isCharacterDevice() || stat.isBlockDevice() ? "a device" : "not a regular file";
}

/** Opens a regular, non-empty file, or throws a HoneError that says why not. The caller closes the handle. */
export async function openFile(path: string): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle;
  try {
    if (path.includes("\0")) throw new Error("the path contains a NUL byte");
    // Without O_NONBLOCK, opening a named pipe blocks until a writer opens it. Windows has neither.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw new HoneError({
      what: "Cannot open the file.",
      where: shownPath(path),
      why: reasons[codeOf(error) ?? ""] ?? messageOf(error),
      next: "Check the path; a glob such as `data/*.jsonl` takes every file that matches.",
      cause: error,
    });
  }
  const stat = await handle.stat();
  const refused = stat.isDirectory()
    ? { why: "it is a folder", next: "Name the files in it, for instance `FOLDER/*.jsonl`." }
    : !stat.isFile()
      ? {
          why: `it is ${kindOf(stat)}`,
          next: "Rows are read more than once: write them to a file and name that.",
        }
      : stat.size === 0
        ? { why: "the file is empty", next: "Check that it was written or downloaded completely." }
        : undefined;
  if (refused) {
    await handle.close();
    throw new HoneError({ what: "Cannot read rows.", where: shownPath(path), ...refused });
  }
  return { handle, size: stat.size };
}

/** The file's bytes in order, 256 KiB at a time. The caller may keep each chunk. */
export async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  if (path === stdin) return yield* process.stdin as AsyncIterable<Buffer>;
  const { handle } = await openFile(path);
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(256 * 1024);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
