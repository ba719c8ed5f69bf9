// What determines a build besides its options: the files and models that the options name. Files' bytes are read and hashed; no
// format is parsed and no model is opened.

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { fingerprint, type Json } from "../core/json.js";
import { fileChunks } from "./files.js";
import { resolveSource, type SourceOptions } from "./sources.js";

/** Names of the options that refer to files; `test/specializers/table.test.ts` checks the specializers against it. */
const sourceKeys: ReadonlySet<string> = new Set(["documents", "source", "corpora", "dictionaries"]);
const modelKeys: ReadonlySet<string> = new Set(["generator", "reflector"]);

/**
 * The sources that a specializer's options name: every string under one of `sourceKeys`, at any depth, without
 * duplicates. Combinators need not pass them on, since their options contain those of the specializers that they apply.
 */
export function sourcesIn(options: Json): string[] {
  return under(sourceKeys, options);
}

/** References to the models, other than the study's own, that a specializer's options name; found in the same way as sources. */
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
 * Identifies a source's contents: equal for equal files, wherever they lie. `hf:` and `pip:` are identified by their
 * commit or wheel; the bytes of `file:` are hashed.
 * @throws HoneError if the source cannot be found or read
 */
export async function contentsOf(ref: string, options: SourceOptions = {}): Promise<string> {
  const { files, pinned } = await resolveSource(ref, options);
  if (pinned !== ref) return pinned;
  const hashes: [string, string][] = [];
  for (const path of files) {
    const hash = createHash("sha256");
    // An empty file is refused where rows are read from it; a list may be empty.
    if ((await stat(path)).size > 0) for await (const chunk of fileChunks(path)) hash.update(chunk);
    hashes.push([basename(path), hash.digest("hex")]);
  }
  return fingerprint(hashes);
}
