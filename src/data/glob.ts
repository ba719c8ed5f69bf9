// File name patterns: `*` and `?` within a name, `**` across folders, `{a,b}` alternatives. Nothing else is special.

import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { codeOf } from "./files.js";

const maxPatternLength = 1000;
const maxAlternatives = 1000;

/** True where the text has pattern characters. */
export function isGlob(text: string): boolean {
  return /[*?]|\{[^}]*,[^}]*\}/.test(text);
}

/** The pattern with every `{a,b}` written out. */
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

/** A test for paths with forward slashes. `*` and `?` never match a slash or a leading dot of hidden files is not special. */
export function globMatcher(pattern: string): (path: string) => boolean {
  if (pattern.length > maxPatternLength) throw tooLarge(pattern);
  const alternatives = expandBraces(pattern).map((one) => {
    const parts = one.replace(/(\*\*\/)+/g, "**/").replace(/\*{3,}/g, "**");
    const source = parts.replace(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (token) => {
      if (token === "**/") return "(?:[^/]+/)*";
      if (token === "**") return ".*";
      if (token === "*") return "[^/]*";
      if (token === "?") return "[^/]";
      return token.replace(/[\\^$.|+()[\]{}]/g, "\\$&");
    });
    return new RegExp(`^${source}$`, "su");
  });
  return (path) => alternatives.some((expression) => expression.test(path));
}

/** The regular files that match, as absolute paths in code-unit order. A path without pattern characters is itself. */
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
      // Linked folders are not entered: a link to a parent would never end.
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

/** Most path segments that any alternative of the pattern has. */
function longest(pattern: string): number {
  return Math.max(...expandBraces(pattern).map((one) => one.split("/").length));
}
