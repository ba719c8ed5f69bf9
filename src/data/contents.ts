// What decides a build beside its options: the files and models that the options name. It reads files' bytes and hashes them; it
// knows nothing of formats, and opens no model.

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { fingerprint, type Json } from "../core/json.js";
import { fileChunks } from "./files.js";
import { resolveSource, type SourceOptions } from "./sources.js";

/** What options that name files are called; `test/specializers/table.test.ts` holds the specializers to it. */
const sourceKeys: ReadonlySet<string> = new Set(["documents", "source", "corpora", "dictionaries"]);
const modelKeys: ReadonlySet<string> = new Set(["generator", "reflector"]);

/**
 * The sources that a specializer's options name: every string under one of `sourceKeys`, at any depth, each once. So
 * combinators, whose options hold those of what they apply, need not pass them on.
 */
export function sourcesIn(options: Json): string[] {
  return under(sourceKeys, options);
}

/** The references of the models that a specializer's options name beside the study's own, found as sources are. */
export function modelsIn(options: Json): string[] {
  return under(modelKeys, options);
}

function under(keys: ReadonlySet<string>, options: Json): string[] {
  const found = new Set<string>();
  const visit = (value: Json | undefined): void => {
    if (value === null || typeof value !== "object") return;
    for (const [key, inner] of Object.entries(value) as [string, Json | undefined][]) {
      if (keys.has(key) && typeof inner === "string") found.add(inner);
      else visit(inner);
    }
  };
  visit(options);
  return [...found];
}

/**
 * Names a source's contents: equal for equal files, wherever they lie. `hf:` and `pip:` are named by their commit or
 * wheel; the bytes of `file:` are hashed.
 * @throws HoneError where the source cannot be found or read
 */
export async function contentsOf(ref: string, options: SourceOptions = {}): Promise<string> {
  const { files, pinned } = await resolveSource(ref, options);
  if (pinned !== ref) return pinned;
  const hashes: [string, string][] = [];
  for (const path of files) {
    const hash = createHash("sha256");
    // An empty file is refused where rows are read from it; a list may have nothing in it.
    if ((await stat(path)).size > 0) for await (const chunk of fileChunks(path)) hash.update(chunk);
    hashes.push([basename(path), hash.digest("hex")]);
  }
  return fingerprint(hashes);
}
