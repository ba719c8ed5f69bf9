// What decides a build beside its options: the contents of the files that the options name. It reads bytes and hashes
// them; it knows nothing of formats.
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { fingerprint } from "../core/json.js";
import { fileChunks } from "./files.js";
import { resolveSource } from "./sources.js";
/**
 * The sources that a specializer's options name: every string under a key `documents` or `source`, at any depth, each
 * once. So combinators, whose options hold those of what they apply, need not pass them on.
 */
export function sourcesIn(options) {
  const found = new Set();
  const visit = (value) => {
    if (value === null || typeof value !== "object") return;
    for (const [key, inner] of Object.entries(value)) {
      if ((key === "documents" || key === "source") && typeof inner === "string") found.add(inner);
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
export async function contentsOf(ref, options = {}) {
  const { files, pinned } = await resolveSource(ref, options);
  if (pinned !== ref) return pinned;
  const hashes = [];
  for (const path of files) {
    const hash = createHash("sha256");
    for await (const chunk of fileChunks(path)) hash.update(chunk);
    hashes.push([basename(path), hash.digest("hex")]);
  }
  return fingerprint(hashes);
}
