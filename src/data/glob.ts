// File name patterns: `*` and `?` within a name, `**` across folders, `{a,b}` alternatives. No other character is
// special.

import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { codeOf } from "./files.js";

const maxPatternLength = 1000;
const maxAlternatives = 1000;

/** True if the text has pattern characters. */
export function isGlob(text: string): boolean {
  return /[*?]|\{[^}]*,[^}]*\}/.test(text);
}

/** Expands every `{a,b}` in the pattern. */
function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const found = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(next);
    if (!found) done.push(next);
    else for (const part of found[2]!.split(",").reverse()) open.push(`${found[1]}${part}${found[3]}`);
    if (done.length + open.length > maxAlternatives) throw tooLarge(pattern);
  }
  return done;
}

function tooLarge(pattern: string): HoneError {
  return new HoneError({
    what: "The file pattern is too large.",
    where: pattern.slice(0, 80),
    next: "Name a folder and `*` instead of listing so many alternatives.",
    kind: "usage",
  });
}

/** One step of a pattern: a character, `?`, `*`, `**`, or the folders that `**` with a slash stands for. */
type Step = { kind: "character"; character: string } | { kind: "?" | "*" | "**" | "folders" };

function stepsOf(pattern: string): Step[] {
  const parts = pattern.replace(/(\*\*\/)+/g, "**/").replace(/\*{3,}/g, "**");
  return Array.from(parts.matchAll(/\*\*\/|\*\*|./gsu), ([token]): Step => {
    if (token === "**/") return { kind: "folders" };
    if (token === "**" || token === "*" || token === "?") return { kind: token };
    return { kind: "character", character: token };
  });
}

/**
 * Whether the steps match the whole path. All positions in the pattern that the path's beginning can have reached are
 * tracked at once, so time grows at most with the product of the lengths.
 */
function matchesSteps(steps: readonly Step[], path: string): boolean {
  // Position 2i is before step i; 2i + 1 is within a folder's name at step i.
  let places = new Set<number>();
  const enter = (into: Set<number>, from: number): void => {
    for (let i = from; !into.has(2 * i); i++) {
      into.add(2 * i);
      const kind = steps[i]?.kind;
      if (kind !== "*" && kind !== "**" && kind !== "folders") return;
    }
  };
  enter(places, 0);
  for (const character of path) {
    const next = new Set<number>();
    const slash = character === "/";
    for (const place of places) {
      const i = place >> 1;
      const step = steps[i];
      if (step === undefined) continue;
      if (place % 2 === 1) slash ? enter(next, i) : next.add(place);
      else if (step.kind === "character") step.character === character && enter(next, i + 1);
      else if (step.kind === "**" || (step.kind === "*" && !slash)) enter(next, i);
      else if (step.kind === "?" && !slash) enter(next, i + 1);
      else if (step.kind === "folders" && !slash) next.add(place + 1);
    }
    if (next.size === 0) return false;
    places = next;
  }
  return places.has(2 * steps.length);
}

/** Returns a test for paths with forward slashes. `*` and `?` never match a slash; a leading dot is not special. */
export function globMatcher(pattern: string): (path: string) => boolean {
  if (pattern.length > maxPatternLength) throw tooLarge(pattern);
  const alternatives = expandBraces(pattern).map((one) => {
    const start = /^[^*?]*/.exec(one)![0];
    const end = /[^*?/]*$/.exec(one.slice(start.length))![0];
    return { start, end, steps: stepsOf(one.slice(start.length)) };
  });
  return (path) =>
    alternatives.some(
      ({ start, end, steps }) =>
        path.startsWith(start) && path.endsWith(end) && matchesSteps(steps, path.slice(start.length)),
    );
}

/** The regular files that match, as absolute paths in code-unit order. A path without pattern characters matches itself. */
export async function globFiles(pattern: string, base: string): Promise<string[]> {
  if (!isGlob(pattern)) return [resolve(base, pattern)];
  const slashed = pattern.replaceAll("\\", "/");
  const segments = slashed.split("/");
  const fixed = segments.findIndex((segment) => isGlob(segment) || /[{}]/.test(segment));
  const prefix = segments.slice(0, fixed).join("/");
  const root = resolve(base, prefix === "" && slashed.startsWith("/") ? "/" : prefix);
  const matches = globMatcher(segments.slice(fixed).join("/"));
  const deep = slashed.includes("**") ? Number.POSITIVE_INFINITY : longest(segments.slice(fixed).join("/"));
  const found: string[] = [];
  const walk = async (folder: string, relative: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (["ENOENT", "ENOTDIR", "EACCES"].includes(codeOf(error) ?? "")) return [];
      throw error;
    });
    for (const entry of entries) {
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      // Linked folders are not entered: a link to a parent would recurse forever.
      if (entry.isDirectory()) {
        if (depth < deep) await walk(join(folder, entry.name), path, depth + 1);
      } else if (matches(path)) {
        const isFile = entry.isSymbolicLink()
          ? await stat(join(folder, entry.name)).then(
              (s) => s.isFile(),
              () => false,
            )
          : entry.isFile();
        if (isFile) found.push(join(folder, entry.name));
      }
    }
  };
  await walk(root, "", 1);
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Maximum number of path segments of any alternative of the pattern. */
function longest(pattern: string): number {
  return Math.max(...expandBraces(pattern).map((one) => one.split("/").length));
}
