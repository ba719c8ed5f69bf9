// Keeps the states below the trained layers on disk while a training is unfinished, so that they are not recomputed after
// a stop. The file is append-only; reading ends at the first truncated or damaged record.

import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { appendFile, mkdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** A record's header: 16 bytes of the key's hash, then the body's length in bytes and its CRC-32, little-endian. */
const headBytes = 24;
/** Longest possible body; a record that claims more is damaged. */
const longest = 1 << 30;

export interface StatesFile {
  /**
   * The states stored under these keys, float32. The file is truncated after the last intact record, so that `add`
   * continues there.
   */
  read(keys: Iterable<string>): Promise<Map<string, Float32Array>>;
  add(records: Iterable<readonly [key: string, states: Float32Array]>): Promise<void>;
}

/** The file in a folder; it is created with its first record. */
export function statesFile(folder: string): StatesFile {
  const path = join(folder, "states.f32");
  return {
    read: async (keys) => {
      const wanted = new Map([...keys].map((key) => [hashOf(key).toString("hex"), key]));
      const found = new Map<string, Float32Array>();
      if (!existsSync(path)) return found;
      let whole = 0;
      for await (const { hash, body } of records(path)) {
        whole += headBytes + body.length;
        const key = wanted.get(hash);
        if (key !== undefined) found.set(key, new Float32Array(Uint8Array.from(body).buffer));
      }
      await truncate(path, whole);
      return found;
    },
    add: async (records) => {
      const parts = [...records].flatMap(([key, states]) => {
        const body = Buffer.from(states.buffer, states.byteOffset, states.byteLength);
        const head = Buffer.alloc(headBytes);
        hashOf(key).copy(head);
        head.writeUInt32LE(body.length, 16);
        head.writeUInt32LE(crc32(body), 20);
        return [head, body];
      });
      await mkdir(folder, { recursive: true });
      await appendFile(path, Buffer.concat(parts));
    },
  };
}

/** The records of a file up to the first that is incomplete or damaged. */
async function* records(path: string): AsyncGenerator<{ hash: string; body: Buffer }> {
  let held = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 22 })) {
    held = Buffer.concat([held, chunk as Buffer]);
    while (held.length >= headBytes) {
      const length = held.readUInt32LE(16);
      if (length > longest || length % 4 !== 0) return;
      if (held.length < headBytes + length) break;
      const body = held.subarray(headBytes, headBytes + length);
      if (crc32(body) !== held.readUInt32LE(20)) return;
      yield { hash: held.toString("hex", 0, 16), body };
      held = held.subarray(headBytes + length);
    }
  }
}

function hashOf(key: string): Buffer {
  return createHash("sha256").update(key).digest().subarray(0, 16);
}
