// The SHA-256 of a model file, which is its identity. Hashing a large file takes seconds, so it is done once per file.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { HoneError, messageOf } from "../../core/errors.js";
import { writeWhole } from "../../core/place.js";

/** Hashes that this process computed or read from a note, by path. */
const known = new Map<string, { size: number; mtimeMs: number; sha256: string }>();

/**
 * SHA-256 of a file, cached while its size and modification time stay the same: in this process, and in a note beside the
 * file.
 * @param note false for a file whose folder must not be written to, such as an artifact's
 * @throws HoneError when it cannot be read
 */
export async function sha256Of(path: string, { note = true } = {}): Promise<string> {
  const unreadable = (error: unknown): never => {
    throw new HoneError({
      what: "Cannot read the model file",
      where: path,
      why: messageOf(error),
      next: "Check the path and who may read it.",
      cause: error,
    });
  };
  const { size, mtimeMs } = await stat(path).catch(unreadable);
  const same = (kept: { size?: unknown; mtimeMs?: unknown } | undefined) =>
    kept?.size === size && kept.mtimeMs === mtimeMs;
  const own = known.get(path);
  if (own && same(own)) return own.sha256;
  const beside = `${path}.sha256.json`;
  try {
    const { sha256, ...kept } = JSON.parse(await readFile(beside, "utf8")) as Record<string, unknown>;
    if (same(kept) && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256)) {
      known.set(path, { size, mtimeMs, sha256 });
      return sha256;
    }
  } catch {
    // No note, or one that cannot be read: hash again.
  }
  const sha256 = await hashFile(path).catch(unreadable);
  known.set(path, { size, mtimeMs, sha256 });
  if (!note) return sha256;
  try {
    await writeWhole(beside, JSON.stringify({ size, mtimeMs, sha256 }));
  } catch {
    // If the folder cannot be written to, the file is only hashed again next time.
  }
  return sha256;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  return hash.digest("hex");
}
