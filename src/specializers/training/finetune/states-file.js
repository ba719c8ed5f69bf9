// States below the trained layers on disk, while a training is unfinished: what was computed before a stop is not computed
// again. The file only grows; a record that was cut off or damaged ends what is read of it.
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { appendFile, mkdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** 16 bytes of the key's hash, then the length of what follows in bytes and its CRC-32, little-endian. */
const headBytes = 24;
/** A record cannot be longer: what says so is damaged. */
const longest = 1 << 30;
/** The file in a folder; it appears with its first record. */
export function statesFile(folder) {
  const path = join(folder, "states.f32");
  return {
    read: async (keys) => {
      const wanted = new Map([...keys].map((key) => [hashOf(key).toString("hex"), key]));
      const found = new Map();
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
/** The records of a file up to the first that is not whole. */
async function* records(path) {
  let held = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 22 })) {
    held = Buffer.concat([held, chunk]);
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
function hashOf(key) {
  return createHash("sha256").update(key).digest().subarray(0, 16);
}
