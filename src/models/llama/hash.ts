// The SHA-256 of a model file, which is its identity. Hashing a large file takes seconds, so it is done once a file.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, stat, writeFile } from "node:fs/promises";

/** SHA-256 of a file, remembered beside it for as long as its size and time of change stay the same. */
export async function sha256Of(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  const note = `${path}.sha256.json`;
  try {
    const kept = JSON.parse(await readFile(note, "utf8")) as Record<string, unknown>;
    const same = kept.size === size && kept.mtimeMs === mtimeMs;
    if (same && typeof kept.sha256 === "string" && /^[0-9a-f]{64}$/.test(kept.sha256)) return kept.sha256;
  } catch {
    // No note, or one that cannot be read: hash again.
  }
  const hash = createHash("sha256");
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  const sha256 = hash.digest("hex");
  try {
    const temporary = `${note}.${process.pid}`;
    await writeFile(temporary, JSON.stringify({ size, mtimeMs, sha256 }));
    await rename(temporary, note);
  } catch {
    // A folder that cannot be written only costs the hash again next time.
  }
  return sha256;
}
