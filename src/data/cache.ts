// The cache folder, checks on names before they become paths, and Hone's own small files in the cache. Atomic writing of
// files is in core/place.ts.

import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { HoneError } from "../core/errors.js";
import { writeWhole } from "../core/place.js";

/** HONE_CACHE, else XDG_CACHE_HOME/hone, else ~/.cache/hone. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HONE_CACHE) return resolve(env.HONE_CACHE);
  return join(env.XDG_CACHE_HOME ? resolve(env.XDG_CACHE_HOME) : join(homedir(), ".cache"), "hone");
}

/** Why a path from an archive or a server must not become a file here; undefined if it may. */
export function unsafePath(path: string): string | undefined {
  if (path === "" || path.length > 1024) return "its name is empty or longer than 1024 characters";
  if (/[\0-\x1f\x7f]/.test(path)) return "its name has control characters";
  if (path.includes("\\")) return "its name has a backslash";
  if (path.startsWith("/")) return "its name is an absolute path";
  if (/^[a-zA-Z]:/.test(path)) return "its name begins with a drive letter";
  const parts = path.replace(/\/$/, "").split("/");
  if (parts.some((part) => part === ".." || part === "." || part === ""))
    return "its name leaves its folder or has empty parts";
  return undefined;
}

/** The path under a folder. @throws HoneError if it would lie outside the folder */
export function pathInside(folder: string, path: string, where: string): string {
  const reason = unsafePath(path);
  const target = resolve(folder, path);
  const inside = relative(folder, target);
  if (reason || inside === "" || inside === ".." || inside.startsWith(`..${sep}`)) {
    throw new HoneError({
      what: "Refused a file name that is not safe.",
      where: `${where}: ${JSON.stringify(path.slice(0, 200))}`,
      why: reason ?? "it leads out of its folder",
      next: "Do not use this source; tell whoever publishes it.",
    });
  }
  return target;
}

export async function writeJson(target: string, value: unknown): Promise<void> {
  await writeWhole(target, JSON.stringify(value));
}

/** Reads one of Hone's own JSON files in the cache; undefined if it is missing or damaged. */
export async function readJsonFile<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** Size of a regular file; undefined if there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}
