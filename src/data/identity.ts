// The identity of a source row: a hash of its contents as they were read, independent of a study's templates. Openings of
// test splits are recorded by it.

import { hash } from "node:crypto";

/** Fields that the document reader adds: where a text lies, not what it says. */
const places: ReadonlySet<string> = new Set(["file", "folder"]);

/**
 * 64 bits of a row's contents, as hexadecimal digits. It is the same for a row with its columns in another order, in a
 * renamed or divided file, in CSV and in JSON: values are hashed as text, and empty fields are ignored. Rows with equal
 * contents share it.
 * @param document whether the row is a document, whose file and folder are ignored
 */
export function rowIdentity(row: Readonly<Record<string, unknown>>, document = false): string {
  const entries = Object.entries(row).filter(([name]) => !document || !places.has(name));
  return hash("sha256", JSON.stringify(members(entries)), "hex").slice(0, 16);
}

function members(entries: [string, unknown][]): unknown[] {
  return entries
    .map(([name, value]) => [name, canonical(value)] as const)
    .filter(([, value]) => value !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function canonical(value: unknown): unknown {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(canonical);
  return typeof value === "object" ? { "": members(Object.entries(value)) } : String(value);
}
