// Reads untrusted zip archives: the directory is checked as a whole before any member is read, and every member is
// checked against what it declares while it is unpacked. Nothing is executed, and only requested members are written.

import type { FileHandle } from "node:fs/promises";
import { open, writeFile } from "node:fs/promises";
import { Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import { HoneError, messageOf } from "../core/errors.js";
import { intoPlace } from "../core/place.js";
import { unsafePath } from "./cache.js";

const maxEntries = 500_000;
const maxDirectoryBytes = 256 * 1024 * 1024;
const maxEntryBytes = 8 * 1024 ** 3;
/** A member that unpacks to more than 64 MiB at a ratio above 1000 to 1 is a zip bomb: real data does not compress like that. */
const maxRatio = 1000;
const ratioFreeBytes = 64 * 1024 * 1024;
/** Members up to this size are unpacked in one call, which is several times faster for thousands of small files. */
const smallBytes = 4 * 1024 * 1024;

export interface ZipEntry {
  name: string;
  size: number;
  compressed: number;
  crc: number;
  method: 0 | 8;
  /** Offset of the local header. */
  offset: number;
}

export interface ZipArchive {
  /** Files only, in the archive's order. */
  entries: readonly ZipEntry[];
  /** Unpacks one member to a path, atomically; throws a HoneError naming the member if it is not what it declares. */
  extract(entry: ZipEntry, target: string): Promise<void>;
  /** Unpacks one member without writing it; throws as `extract` does. */
  check(entry: ZipEntry): Promise<void>;
  close(): Promise<void>;
}

/** Opens an archive and checks its whole directory. `name` is the archive's name in errors. */
export async function openZip(path: string, name: string): Promise<ZipArchive> {
  const refuse = (where: string, why: string, cause?: unknown): HoneError =>
    new HoneError({
      what: "Refused the zip archive.",
      where: where === "" ? name : `${name}: ${where}`,
      why,
      next: "Fetch it again; if this persists, do not use this source.",
      cause,
    });
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const entries = await readDirectory(handle, size, refuse);
    return {
      entries,
      extract: (entry, target) =>
        withEntry(handle, size, entry, refuse, (from) =>
          intoPlace(target, async (temporary) => {
            if (entry.size <= smallBytes && entry.compressed <= smallBytes)
              await writeFile(temporary, unpackSmall(await readAt(handle, from, entry.compressed), entry));
            else {
              const out = await open(temporary, "wx");
              await unpackLarge(handle, from, entry, out.createWriteStream()).finally(
                () => out.close().catch(() => {}), // the stream has closed it already unless it failed
              );
            }
          }),
        ),
      check: (entry) =>
        withEntry(handle, size, entry, refuse, (from) =>
          unpackLarge(handle, from, entry, new Writable({ write: (_chunk, _encoding, done) => done() })),
        ),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

type Refuse = (where: string, why: string, cause?: unknown) => HoneError;

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) throw new Error(`the archive ends within bytes ${offset} to ${offset + length}`);
    read += bytesRead;
  }
  return bytes;
}

async function readDirectory(handle: FileHandle, size: number, refuse: Refuse): Promise<ZipEntry[]> {
  const tailLength = Math.min(size, 65_557);
  const tail = await readAt(handle, size - tailLength, tailLength);
  let at = tail.length - 22;
  while (
    at >= 0 &&
    !(tail.readUInt32LE(at) === 0x06054b50 && at + 22 + tail.readUInt16LE(at + 20) === tail.length)
  )
    at--;
  if (at < 0)
    throw refuse(`byte ${size}`, "it has no end-of-directory record: not a zip archive, or cut off");
  const endOffset = size - tailLength + at;
  let count = tail.readUInt16LE(at + 10);
  let length = tail.readUInt32LE(at + 12);
  let start = tail.readUInt32LE(at + 16);
  if (count === 0xffff || length === 0xffffffff || start === 0xffffffff) {
    if (at >= 20 && tail.readUInt32LE(at - 20) === 0x07064b50) {
      const recordAt = Number(tail.readBigUInt64LE(at - 20 + 8));
      if (recordAt + 56 > endOffset)
        throw refuse(`byte ${endOffset - 20}`, "its zip64 record lies outside the file");
      const record = await readAt(handle, recordAt, 56);
      if (record.readUInt32LE(0) !== 0x06064b50)
        throw refuse(`byte ${recordAt}`, "its zip64 record is damaged");
      count = Number(record.readBigUInt64LE(32));
      length = Number(record.readBigUInt64LE(40));
      start = Number(record.readBigUInt64LE(48));
    }
  }
  if (count > maxEntries) throw refuse("", `it declares ${count} entries; at most ${maxEntries} are read`);
  if (length > maxDirectoryBytes || start + length > endOffset) {
    throw refuse(`byte ${endOffset}`, "its directory lies outside the file or is too large");
  }
  const directory = await readAt(handle, start, length);
  const entries: ZipEntry[] = [];
  const seen = new Set<string>();
  const spans: { from: number; to: number; name: string }[] = [];
  let p = 0;
  for (let i = 0; i < count; i++) {
    if (p + 46 > length || directory.readUInt32LE(p) !== 0x02014b50) {
      throw refuse(`entry ${i + 1} of ${count}`, "its directory is damaged");
    }
    const nameLength = directory.readUInt16LE(p + 28);
    const extraLength = directory.readUInt16LE(p + 30);
    const next = p + 46 + nameLength + extraLength + directory.readUInt16LE(p + 32);
    if (next > length) throw refuse(`entry ${i + 1} of ${count}`, "its directory is cut off");
    const entryName = decodeName(directory.subarray(p + 46, p + 46 + nameLength), i, refuse);
    const shown = JSON.stringify(entryName.slice(0, 200));
    const reason = unsafePath(entryName);
    if (reason) throw refuse(shown, reason);
    const unixType = directory.readUInt16LE(p + 40) & 0xf000;
    if (unixType === 0xa000) throw refuse(shown, "it is a symbolic link");
    if (unixType !== 0 && unixType !== 0x8000 && unixType !== 0x4000)
      throw refuse(shown, "it is a device or a pipe");
    // On Windows and macOS, names that differ only in case are the same file.
    const key = entryName.toLowerCase().normalize("NFC").replace(/\/$/, "");
    if (seen.has(key)) throw refuse(shown, "two entries have this name");
    seen.add(key);
    const flags = directory.readUInt16LE(p + 8);
    if (flags & 0x2041) throw refuse(shown, "it is encrypted");
    const entry = {
      name: entryName,
      size: directory.readUInt32LE(p + 24),
      compressed: directory.readUInt32LE(p + 20),
      crc: directory.readUInt32LE(p + 16),
      method: directory.readUInt16LE(p + 10),
      offset: directory.readUInt32LE(p + 42),
    };
    readZip64(entry, directory.subarray(p + 46 + nameLength, p + 46 + nameLength + extraLength), () => {
      throw refuse(shown, "its zip64 field is damaged");
    });
    spans.push({ from: entry.offset, to: entry.offset + 30 + nameLength + entry.compressed, name: shown });
    p = next;
    if (entryName.endsWith("/")) continue;
    if (entry.method !== 0 && entry.method !== 8)
      throw refuse(shown, `its compression method ${entry.method} is not read`);
    if (entry.size > maxEntryBytes)
      throw refuse(shown, `it declares ${entry.size} bytes; at most 8 GiB are unpacked`);
    if (entry.method === 0 && entry.size !== entry.compressed)
      throw refuse(shown, "it is stored with two different sizes");
    if (entry.size > ratioFreeBytes && entry.size / Math.max(1, entry.compressed) > maxRatio) {
      throw refuse(
        shown,
        `it unpacks ${Math.round(entry.size / Math.max(1, entry.compressed))} to 1: a zip bomb`,
      );
    }
    entries.push({ ...entry, method: entry.method });
  }
  if (p !== length) throw refuse("", "its directory holds more than the entries it declares");
  // Small archives can unpack to petabytes by entries that share bytes.
  spans.sort((a, b) => a.from - b.from);
  for (const [i, span] of spans.entries()) {
    const limit = spans[i + 1]?.from ?? start;
    if (span.to > limit) throw refuse(span.name, "its data overlap another entry or the directory");
  }
  return entries;
}

function decodeName(bytes: Buffer, index: number, refuse: Refuse): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw refuse(`entry ${index + 1}`, "its name is not UTF-8", error);
  }
}

function readZip64(
  entry: { size: number; compressed: number; offset: number },
  extra: Buffer,
  damaged: () => never,
): void {
  const wanted = (["size", "compressed", "offset"] as const).filter((key) => entry[key] === 0xffffffff);
  if (wanted.length === 0) return;
  for (let p = 0; p + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(p + 2);
    if (p + 4 + length > extra.length) damaged();
    if (extra.readUInt16LE(p) === 1) {
      if (length < wanted.length * 8) damaged();
      for (const [i, key] of wanted.entries()) entry[key] = Number(extra.readBigUInt64LE(p + 4 + i * 8));
      return;
    }
    p += 4 + length;
  }
}

/** Calls a function with the position of a member's data; errors name the member. */
async function withEntry(
  handle: FileHandle,
  archiveSize: number,
  entry: ZipEntry,
  refuse: Refuse,
  work: (from: number) => Promise<void>,
): Promise<void> {
  try {
    const header = await readAt(handle, entry.offset, 30);
    if (header.readUInt32LE(0) !== 0x04034b50) throw new Error("its local header is damaged");
    const nameLength = header.readUInt16LE(26);
    const name = await readAt(handle, entry.offset + 30, nameLength);
    if (name.toString("utf8") !== entry.name || header.readUInt16LE(8) !== entry.method) {
      throw new Error("its local header and the directory disagree");
    }
    const from = entry.offset + 30 + nameLength + header.readUInt16LE(28);
    if (from + entry.compressed > archiveSize) throw new Error("its data lie outside the file");
    await work(from);
  } catch (error) {
    throw error instanceof HoneError ? error : refuse(JSON.stringify(entry.name), messageOf(error), error);
  }
}

function unpackSmall(raw: Buffer, entry: ZipEntry): Buffer {
  const bytes = entry.method === 0 ? raw : inflateSmall(raw, entry);
  if (crc32(bytes) !== entry.crc) throw new Error("its checksum is wrong");
  return bytes;
}

function inflateSmall(raw: Buffer, entry: ZipEntry): Buffer {
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // Node's types do not cover what `info` returns.
    result = inflateRawSync(raw, { maxOutputLength: Math.max(1, entry.size), info: true }) as never;
  } catch (error) {
    const longer = (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    throw new Error(
      longer ? "it unpacks to more than it declares" : `its data are damaged: ${messageOf(error)}`,
    );
  }
  if (result.buffer.length !== entry.size) throw new Error("it unpacks to less than it declares");
  if (result.engine.bytesWritten !== raw.length)
    throw new Error("its compressed size is not what it declares");
  return result.buffer;
}

async function unpackLarge(handle: FileHandle, from: number, entry: ZipEntry, sink: Writable): Promise<void> {
  let size = 0;
  let crc = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      crc = crc32(chunk, crc);
      if (size > entry.size) done(new Error("it unpacks to more than it declares"));
      else done(null, chunk);
    },
  });
  const source = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < entry.compressed; ) {
      const length = Math.min(1024 * 1024, entry.compressed - at);
      yield await readAt(handle, from + at, length);
      at += length;
    }
  };
  if (entry.method === 8) {
    const inflate = createInflateRaw();
    await pipeline(source, inflate, check, sink);
    if (inflate.bytesWritten !== entry.compressed)
      throw new Error("its compressed size is not what it declares");
  } else await pipeline(source, check, sink);
  if (size !== entry.size) throw new Error("it unpacks to less than it declares");
  if (crc !== entry.crc) throw new Error("its checksum is wrong");
}
