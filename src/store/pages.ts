// Reads the rows of an SQLite file page by page, without SQLite: rows that its tree no longer reaches are still found, and
// nothing in the file can crash the process. It follows SQLite's published file format.

import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { openForGood } from "./file.js";

/** Text is given as its bytes: the reader decides whether they are UTF-8. */
export type RawValue = null | number | { text: Uint8Array } | { blob: Uint8Array };

export interface RawRow {
  /** True for a row of a table with row ids; else it is of an index or of a table without row ids. */
  table: boolean;
  values: RawValue[];
}

export interface Pages {
  pages: number;
  /** Pages that the file should have and does not. */
  missing: number;
  /** Commits in the log that SQLite would not read, because something in front of them is damaged. */
  unreadable: number;
  /** @param onDamaged receives the number of each page, or of each row's page, that cannot be read */
  rows: (onDamaged: (page: number) => void) => Generator<RawRow>;
  close: () => void;
}

/** Access to the pages of one file. */
interface Source {
  page: (number: number) => Buffer | undefined;
  /** Bytes of a page that rows can use. */
  usable: number;
  pages: number;
}

/** Opens a file and the log beside it. Undefined if it has not even one page. */
export function openPages(path: string): Pages | undefined {
  const file = openForGood(path);
  const size = fstatSync(file).size;
  const header = read(file, 0, 100);
  const log = readLog(`${path}-wal`);
  const pageSize = log?.pageSize ?? pageSizeOf(header, size);
  if (pageSize === undefined || (size < 512 && !log)) {
    log?.close();
    return undefined;
  }
  // A damaged header must not hide pages: the file's actual size counts.
  const declared = header.length === 100 ? header.readUInt32BE(28) : 0;
  const there = Math.ceil(size / pageSize);
  const pages = Math.max(there, log?.pages ?? 0);
  const usable = pageSize - Math.min(header[20] ?? 0, 32);
  const page = (number: number): Buffer | undefined => {
    if (number < 1 || number > pages) return undefined;
    const bytes = log?.page(number) ?? read(file, (number - 1) * pageSize, pageSize);
    return bytes.length === pageSize ? bytes : undefined;
  };
  const source: Source = { page, usable, pages };
  return {
    pages,
    missing: !log && declared > there && declared < there * 1000 ? declared - there : 0,
    unreadable: log?.unreadable ?? 0,
    *rows(onDamaged) {
      const free = freePages(source);
      for (let number = 1; number <= pages; number++) {
        if (free.has(number)) continue;
        const bytes = page(number);
        if (!bytes) {
          onDamaged(number);
          continue;
        }
        yield* rowsOf(bytes, number, source, onDamaged);
      }
    },
    close: () => log?.close(),
  };
}

function* rowsOf(
  bytes: Buffer,
  number: number,
  source: Source,
  onDamaged: (page: number) => void,
): Generator<RawRow> {
  const start = number === 1 ? 100 : 0;
  const kind = kindOf(bytes[start] as number);
  if (kind === undefined) return;
  const cells = bytes.readUInt16BE(start + 3);
  const pointers = start + (kind === 2 ? 12 : 8);
  let damaged = kind !== bytes[start] || pointers + 2 * cells > source.usable;
  for (let i = 0; i < cells && pointers + 2 * i + 2 <= source.usable; i++) {
    try {
      const values = rowAt(bytes, bytes.readUInt16BE(pointers + 2 * i), kind, source);
      yield { table: kind === 13, values };
    } catch {
      damaged = true;
    }
  }
  if (damaged) onDamaged(number);
}

/** 13: leaf of a table; 10 and 2: leaf and inner page of an index. Undefined for pages without rows. */
function kindOf(byte: number): 13 | 10 | 2 | undefined {
  if (byte === 13 || byte === 10 || byte === 2) return byte;
  // 5 is an inner page of a table, and 0 begins the overflow pages of long rows.
  if (byte === 5 || byte === 0) return undefined;
  // One flipped bit.
  const near = ([13, 10, 2] as const).filter((kind) => Number.isInteger(Math.log2(kind ^ byte)));
  return near[0];
}

function rowAt(bytes: Buffer, at: number, kind: 13 | 10 | 2, { page, usable, pages }: Source): RawValue[] {
  let here = kind === 2 ? at + 4 : at;
  const [length, afterLength] = varint(bytes, here);
  here = kind === 13 ? varint(bytes, afterLength)[1] : afterLength;
  if (length > usable * pages) throw new Error("too long");
  const most = kind === 13 ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const rest = least + ((length - least) % (usable - 4));
  const local = length <= most ? length : rest <= most ? rest : least;
  if (here + local > usable) throw new Error("outside of the page");
  const parts = [bytes.subarray(here, here + local)];
  let left = length - local;
  let next = left > 0 ? bytes.readUInt32BE(here + local) : 0;
  while (left > 0) {
    const more = page(next);
    // Every page reduces what is left, so a cycle ends.
    if (!more) throw new Error("the row goes on outside of the file");
    const part = more.subarray(4, Math.min(usable, 4 + left));
    parts.push(part);
    left -= part.length;
    next = more.readUInt32BE(0);
  }
  return decodeRow(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
}

function decodeRow(row: Buffer): RawValue[] {
  const [headerLength, first] = varint(row, 0);
  if (headerLength > row.length || headerLength > 1000) throw new Error("the header is longer than the row");
  const values: RawValue[] = [];
  let body = headerLength;
  for (let at = first; at < headerLength; ) {
    const [type, after] = varint(row, at);
    at = after;
    const bytes = bytesFor(type);
    if (body + bytes > row.length) throw new Error("a value is longer than the row");
    values.push(decodeValue(type, row.subarray(body, body + bytes)));
    body += bytes;
  }
  if (body !== row.length) throw new Error("the row is longer than its values");
  return values;
}

function bytesFor(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  const bytes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type];
  if (bytes === undefined) throw new Error("no such type");
  return bytes;
}

function decodeValue(type: number, bytes: Buffer): RawValue {
  if (type >= 12) return type % 2 === 1 ? { text: bytes } : { blob: bytes };
  if (type === 0) return null;
  if (type === 7) return bytes.readDoubleBE(0);
  if (type === 6) return Number(bytes.readBigInt64BE(0));
  return bytes.length === 0 ? type - 8 : bytes.readIntBE(0, bytes.length);
}

/** Reads an SQLite varint of one to nine bytes, and returns it with the offset after it. */
function varint(bytes: Buffer, at: number): [number, number] {
  let value = 0n;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new Error("cut off");
    if (i === 8) return [Number((value << 8n) | BigInt(byte)), at + 9];
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) return [Number(value), at + i + 1];
  }
  throw new Error("unreachable");
}

/** Pages that are empty, or hold what was deleted. */
function freePages({ page, pages }: Source): Set<number> {
  const free = new Set<number>();
  let trunk = page(1)?.readUInt32BE(32) ?? 0;
  while (trunk > 1 && trunk <= pages && !free.has(trunk)) {
    const bytes = page(trunk);
    if (!bytes) break;
    free.add(trunk);
    const count = Math.min(bytes.readUInt32BE(4), bytes.length / 4 - 2);
    for (let i = 0; i < count; i++) free.add(bytes.readUInt32BE(8 + 4 * i));
    trunk = bytes.readUInt32BE(0);
  }
  return free;
}

/** The pages in a write-ahead log, up to its last complete commit. */
function readLog(path: string):
  | {
      pageSize: number;
      pages: number;
      unreadable: number;
      page: (n: number) => Buffer | undefined;
      close: () => void;
    }
  | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, "r");
  const size = fstatSync(file).size;
  const header = read(file, 0, 32);
  const magic = header.length === 32 ? header.readUInt32BE(0) : 0;
  if ((magic & 0xfffffffe) >>> 0 !== 0x377f0682) {
    closeSync(file);
    return undefined;
  }
  const pageSize = header.readUInt32BE(8);
  const little = (magic & 1) === 0;
  let sums: [number, number] = checksum(header.subarray(0, 24), [0, 0], little);
  let whole = sums[0] === header.readUInt32BE(24) && sums[1] === header.readUInt32BE(28);
  const places = new Map<number, number>();
  let open = new Map<number, number>();
  let pages = 0;
  let unreadable = 0;
  for (let at = 32; at + 24 + pageSize <= size && pageSize >= 512; at += 24 + pageSize) {
    const frame = read(file, at, 24 + pageSize);
    // Frames of an earlier round have another salt.
    if (!frame.subarray(8, 16).equals(header.subarray(16, 24))) break;
    if (whole) {
      sums = checksum(frame.subarray(24), checksum(frame.subarray(0, 8), sums, little), little);
      whole = sums[0] === frame.readUInt32BE(16) && sums[1] === frame.readUInt32BE(20);
    }
    const commit = frame.readUInt32BE(4);
    if (!whole) {
      if (commit > 0) unreadable++;
      continue;
    }
    open.set(frame.readUInt32BE(0), at + 24);
    if (commit === 0) continue;
    for (const [number, place] of open) places.set(number, place);
    open = new Map();
    pages = commit;
  }
  return {
    pageSize,
    pages,
    unreadable,
    page(number) {
      const place = places.get(number);
      return place === undefined ? undefined : read(file, place, pageSize);
    },
    close: () => closeSync(file),
  };
}

function checksum(bytes: Buffer, [first, second]: [number, number], little: boolean): [number, number] {
  let [a, b] = [first, second];
  for (let i = 0; i + 8 <= bytes.length; i += 8) {
    a = (a + (little ? bytes.readUInt32LE(i) : bytes.readUInt32BE(i)) + b) >>> 0;
    b = (b + (little ? bytes.readUInt32LE(i + 4) : bytes.readUInt32BE(i + 4)) + a) >>> 0;
  }
  return [a, b];
}

/** The header's page size; if that is damaged, SQLite's default. */
function pageSizeOf(header: Buffer, size: number): number | undefined {
  if (header.length < 100) return undefined;
  const declared = header.readUInt16BE(16);
  const given = declared === 1 ? 65_536 : declared;
  const possible = given >= 512 && Number.isInteger(Math.log2(given)) && size % given === 0;
  return possible ? given : 4096;
}

function read(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, at));
}
