// Makes what the data tests need: temporary folders, zip archives (honest and hostile), wheels, and the one assertion
// that every malformed input must meet.

import { createHash } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { expect } from "vitest";
import { type Failure, HoneError } from "../../src/core/errors.js";

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "hone-data-"));

export async function write(folder: string, name: string, contents: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
  return path;
}

export async function drain<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

/** Asserts that the work fails with exactly one HoneError that has a place and a remedy, and returns it. */
export async function refusal(work: () => unknown): Promise<Failure> {
  let thrown: unknown;
  try {
    await work();
  } catch (error) {
    thrown = error;
  }
  expect(thrown, "a HoneError").toBeInstanceOf(HoneError);
  const { failure } = thrown as HoneError;
  expect(failure.where, "where").toBeTruthy();
  expect(failure.next, "next").toBeTruthy();
  return failure;
}

export interface Member {
  name: string;
  data: Uint8Array | string;
  /** Deflate instead of storing. */
  deflate?: boolean;
  /** What the headers say instead of the truth. */
  lie?: {
    size?: number;
    compressed?: number;
    crc?: number;
    method?: number;
    flags?: number;
    offset?: number;
  };
  /** The name in the local header, where it differs. */
  localName?: string;
  /** Unix mode with file type, for instance 0o120777 for a symbolic link. */
  mode?: number;
}

/** A zip archive as bytes. `tail` changes the end record. */
export function makeZip(
  members: readonly Member[],
  tail: { count?: number; size?: number; start?: number } = {},
): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflate, lie = {}, localName, mode } of members) {
    const bytes = Buffer.from(data as Uint8Array);
    const packed = deflate ? deflateRawSync(bytes) : bytes;
    const nameBytes = Buffer.from(name, "utf8");
    const localNameBytes = Buffer.from(localName ?? name, "utf8");
    const method = lie.method ?? (deflate ? 8 : 0);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(lie.flags ?? 0x800, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(lie.crc ?? crc32(bytes), 10);
    common.writeUInt32LE(lie.compressed ?? packed.length, 14);
    common.writeUInt32LE(lie.size ?? bytes.length, 18);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    common.copy(head, 4);
    head.writeUInt16LE(localNameBytes.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(0x0314, 4);
    common.copy(entry, 6);
    entry.writeUInt16LE(nameBytes.length, 28);
    entry.writeUInt32LE(((mode ?? 0o100644) << 16) >>> 0, 38);
    entry.writeUInt32LE(lie.offset ?? offset, 42);
    local.push(head, localNameBytes, packed);
    central.push(entry, nameBytes);
    offset += 30 + localNameBytes.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(tail.count ?? members.length, 8);
  end.writeUInt16LE(tail.count ?? members.length, 10);
  end.writeUInt32LE(tail.size ?? directory.length, 12);
  end.writeUInt32LE(tail.start ?? offset, 16);
  return Buffer.concat([...local, directory, end]);
}

/** A wheel that pip accepts, with further members. Returns its path and SHA-256. */
export async function makeWheel(
  folder: string,
  name: string,
  members: readonly Member[],
): Promise<{ path: string; sha256: string }> {
  const info = `${name}-1.0.dist-info`;
  const bytes = makeZip([
    { name: `${info}/METADATA`, data: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n` },
    {
      name: `${info}/WHEEL`,
      data: "Wheel-Version: 1.0\nGenerator: hone\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    },
    { name: `${info}/RECORD`, data: "" },
    ...members,
  ]);
  const path = await write(folder, `${name}-1.0-py3-none-any.whl`, bytes);
  return { path, sha256: createHash("sha256").update(bytes).digest("hex") };
}
