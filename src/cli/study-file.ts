// Writing a study file to disk for `hone init` and `hone advise`: never overwrites an existing one unless told to, and for
// `init` never outside the given folder.

import { lstatSync, type Stats } from "node:fs";
import { mkdir, realpath, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { HoneError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { globFiles } from "../data/glob.js";
import { requireFile } from "../store/place.js";

/** @throws HoneError where a file exists and `force` is not set, and where it cannot be written */
export function refuseToOverwrite(path: string, force = false): void {
  const there = lookAt(path);
  if (!there || (force && there.isFile())) {
    requireFile(path, "the study file");
    return;
  }
  throw new HoneError({
    what: there.isFile() ? "The study file exists already" : "A study cannot be written there",
    where: path,
    ...(there.isFile() ? {} : { why: there.isDirectory() ? "it is a folder" : "it is not a regular file" }),
    next: there.isFile() ? "Choose another name, or overwrite it with --force." : "Choose another name.",
    kind: "usage",
  });
}

/** The entry at a path, without following links. A path that cannot be inspected is left for `requireFile` to refuse. */
function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * The path of a study in a folder, as short as it can be written from here.
 * @throws HoneError where the name leads out of the folder, through `..`, from the root, or over a link
 */
export async function pathWithin(folder: string, name: string): Promise<string> {
  const path = resolve(folder, name);
  const inside =
    isInside(resolve(folder), path) && isInside(await real(folder), await real(dirname(path)), true);
  if (isAbsolute(name) || !inside) {
    throw new HoneError({
      what: "The name leads out of the folder",
      where: name,
      why: `a study is written in ${resolve(folder)}`,
      next: "Give a name alone, and the folder with --folder.",
      kind: "usage",
    });
  }
  return isInside(process.cwd(), path) ? relative(process.cwd(), path) : path;
}

function isInside(folder: string, path: string, orSame = false): boolean {
  const from = relative(folder, path);
  return (
    (orSame && from === "") ||
    (from !== "" && from !== ".." && !from.startsWith(`..${sep}`) && !isAbsolute(from))
  );
}

/** The path with its links resolved; a path that does not exist yet has none. */
async function real(path: string): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch (error) {
    const parent = dirname(whole);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === whole) throw error;
    return join(await real(parent), relative(parent, whole));
  }
}

export async function writeStudy(path: string, text: string): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true });
  await writeFile(path, text);
}

/** The files that a study is read from, which no result may overwrite: its own, and those that it names, by globs, too. */
export async function filesOf(spec: object, base: string, file?: string): Promise<string[]> {
  const named = (value: Json | undefined): string[] => {
    if (typeof value === "string") return value.startsWith("file:") ? [value.slice("file:".length)] : [];
    return value && typeof value === "object" ? Object.values(value).flatMap((one) => named(one)) : [];
  };
  const found = await Promise.all(named(spec as Json).map((path) => globFiles(path, base)));
  return [...(file === undefined ? [] : [file]), ...found.flat()];
}
