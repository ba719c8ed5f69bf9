// Types for files that are too large for a specialist's JSON state: adapters, weights, checkpoints. The store decides how
// folders are kept and checked.

import { HoneError } from "./errors.js";
import type { Json } from "./json.js";

/** Where a specializer stores its files and finds them again. A state refers to a kept folder as `{ artifact: id }`. */
export interface Artifacts {
  /** A folder for unfinished work (checkpoints): the same for the same key, and it survives a kill. */
  scratch(key: string): Promise<string>;
  /**
   * Stores a finished folder under its content hash (manifest of names, sizes, sha256 written last) and returns the hash.
   * Idempotent. The folder is moved.
   */
  keep(folder: string): Promise<string>;
  /**
   * Path of a kept folder.
   * @throws HoneError when it is missing or its files do not match the manifest
   */
  path(id: string): string;
}

/** The ids of all artifacts that a state names: every string under a key `artifact`, at any depth, each once. */
export function artifactsIn(state: Json): string[] {
  const found = new Set<string>();
  const visit = (value: Json | undefined): void => {
    if (value === null || typeof value !== "object") return;
    for (const [key, inner] of Object.entries(value) as [string, Json | undefined][]) {
      if (key === "artifact" && typeof inner === "string") found.add(inner);
      else visit(inner);
    }
  };
  visit(state);
  return [...found];
}

/** Whether all artifacts that a state names are present and intact. */
export function isWhole(state: Json, artifacts: Pick<Artifacts, "path">): boolean {
  try {
    for (const id of artifactsIn(state)) artifacts.path(id);
    return true;
  } catch (error) {
    if (error instanceof HoneError) return false;
    throw error;
  }
}
