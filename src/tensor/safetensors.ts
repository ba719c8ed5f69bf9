// Reads and writes safetensors files, the exchange format of checkpoints and adapters. Every claim of a header is checked
// before a byte of a tensor is read; tensors are read one at a time, on demand.
// Format: the header's length (u64, little endian), the header as JSON, then the tensors' bytes without gaps.

import { type FileHandle, open } from "node:fs/promises";
import { HoneError, messageOf } from "../core/errors.js";
import { intoPlace } from "../core/place.js";
import { dequantize } from "./dequantize.js";
import type { DenseTensor } from "./gguf-tensors.js";
import { duplicateKey } from "./json-keys.js";
import { quantize, writableTypes } from "./quantize.js";

/** Types that can be read, and their bytes. */
const widths = { F32: 4, F16: 2, BF16: 2, I32: 4, I64: 8, U8: 1 } as const;
export type SafetensorsType = keyof typeof widths;

export interface SafetensorsEntry {
  type: SafetensorsType;
  /** Outermost first; empty for a single number. */
  shape: readonly number[];
  /** First byte in the file; `end` is exclusive. */
  start: number;
  end: number;
}

export interface SafetensorsFile {
  path: string;
  metadata: ReadonlyMap<string, string>;
  /** In byte order. */
  tensors: ReadonlyMap<string, SafetensorsEntry>;
}

/** The numbers of a tensor in an array that represents them exactly; the three float types become float32. */
export interface SafetensorsData {
  type: SafetensorsType;
  shape: readonly number[];
  data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** Longest header that the format allows. */
const longestHeader = 100_000_000;

/** Reads and checks a file's header. @throws HoneError that says where the file is inconsistent */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const { header, size } = await withFile(path, async (file) => {
    const stat = await file.stat();
    if (!stat.isFile()) throw broken(path, "it is not a regular file");
    if (stat.size < 10) throw broken(path, `it has ${stat.size} bytes; the smallest such file has 10`);
    const length = Buffer.from(await readExactly(file, path, 0, 8)).readBigUInt64LE();
    if (length > BigInt(Math.min(longestHeader, stat.size - 8))) {
      throw broken(path, `its header claims ${length} bytes of the file's ${stat.size}`);
    }
    return { header: await readExactly(file, path, 8, Number(length)), size: stat.size };
  });
  return parseHeader(path, header, 8 + header.length, size);
}

/** One tensor's numbers. @throws HoneError for a name that the file does not have, and a file that has changed */
export async function readSafetensor(file: SafetensorsFile, name: string): Promise<SafetensorsData> {
  const entry = file.tensors.get(name);
  if (!entry)
    throw broken(file.path, `it has ${file.tensors.size} tensors and none is ${JSON.stringify(name)}`);
  const { type, shape, start, end } = entry;
  const bytes = await withFile(file.path, (handle) => readExactly(handle, file.path, start, end - start));
  return { type, shape, data: numbersOf(type, bytes) };
}

export interface SafetensorsOptions {
  /** How numbers are stored; F32 by default. */
  type?: "F32" | "F16";
  metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes tensors, sorted by name: the same tensors always give the same bytes. The file appears only when it is complete.
 *
 * @throws HoneError if it cannot be written, for numbers that are not finite, and if shape and numbers do not match
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, DenseTensor>>,
  { type = "F32", metadata = {} }: SafetensorsOptions = {},
): Promise<void> {
  const names = Object.keys(tensors).sort();
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) {
    entries.push(["__metadata__", Object.fromEntries(Object.entries(metadata).sort())]);
  }
  let offset = 0;
  for (const name of names) {
    const { shape, data } = tensors[name] as DenseTensor;
    if (name === "__metadata__") throw unwritable(path, "a tensor is named __metadata__");
    if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0) || product(shape) !== data.length) {
      throw unwritable(path, `tensor ${name} has ${data.length} numbers for the shape [${shape}]`);
    }
    const end = offset + data.length * writableTypes[type].bytes;
    entries.push([name, { dtype: type, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  // Spaces pad the header, so that the numbers start at a multiple of eight bytes.
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ");
  if (header.length - 8 > longestHeader)
    throw unwritable(path, `its header would have ${header.length} bytes`);
  header.writeBigUInt64LE(BigInt(header.length - 8));
  json.copy(header, 8);
  try {
    await intoPlace(path, async (temporary) => {
      const out = await open(temporary, "w");
      try {
        await out.writeFile(header);
        for (const name of names) {
          await out.writeFile(quantize(type, (tensors[name] as DenseTensor).data, `${path}: ${name}`));
        }
        await out.sync();
      } finally {
        await out.close();
      }
    });
  } catch (error) {
    throw error instanceof HoneError ? error : unwritable(path, messageOf(error), error);
  }
}

function parseHeader(path: string, bytes: Uint8Array, dataStart: number, size: number): SafetensorsFile {
  if (bytes[0] !== 0x7b) throw broken(path, 'its header does not begin with "{"');
  let text: string;
  let header: Record<string, unknown>;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw broken(path, `its header is not JSON: ${messageOf(error)}`);
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) throw broken(path, `its header has ${JSON.stringify(twice)} twice`);
  const metadata = new Map<string, string>();
  const found: [name: string, entry: SafetensorsEntry][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (!isRecord(value)) throw broken(path, "its __metadata__ is not an object");
      for (const [key, item] of Object.entries(value)) {
        if (typeof item !== "string")
          throw broken(path, `its metadata ${JSON.stringify(key)} is not a string`);
        metadata.set(key, item);
      }
    } else found.push([name, parseEntry(path, name, value, dataStart)]);
  }
  // If several begin at the same byte, all but one are empty; the empty ones come first.
  found.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let next = dataStart;
  for (const [name, { start, end }] of found) {
    if (start !== next)
      throw broken(path, `tensor ${JSON.stringify(name)} begins at byte ${start}, not ${next}`);
    next = end;
  }
  if (next !== size) throw broken(path, `its tensors end at byte ${next}, the file at ${size}`);
  return { path, metadata, tensors: new Map(found) };
}

function parseEntry(path: string, name: string, value: unknown, dataStart: number): SafetensorsEntry {
  const bad = (why: string) => broken(path, `tensor ${JSON.stringify(name)} ${why}`);
  if (!isRecord(value)) throw bad("is not an object");
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const other = Object.keys(rest)[0];
  if (other !== undefined) throw bad(`has the unknown field ${JSON.stringify(other)}`);
  if (typeof dtype !== "string" || !Object.hasOwn(widths, dtype)) {
    throw bad(
      `has the type ${JSON.stringify(dtype)}; those that can be read are ${Object.keys(widths).join(", ")}`,
    );
  }
  if (!isNaturals(shape) || shape.length > 64) throw bad("has a shape that is not a list of lengths");
  if (!isNaturals(offsets) || offsets.length !== 2) throw bad("does not have two data_offsets");
  const [start, end] = offsets as [number, number];
  const bytes = product(shape) * widths[dtype as SafetensorsType];
  // Beyond 2^53 products are no longer exact; no file is that large.
  if (!(bytes <= Number.MAX_SAFE_INTEGER)) throw bad("has an impossible shape");
  if (end - start !== bytes) throw bad(`has ${end - start} bytes where its shape needs ${bytes}`);
  return { type: dtype as SafetensorsType, shape, start: dataStart + start, end: dataStart + end };
}

function numbersOf(type: SafetensorsType, bytes: Uint8Array<ArrayBuffer>): SafetensorsData["data"] {
  if (type === "U8") return bytes;
  if (type === "I32") return new Int32Array(bytes.buffer);
  if (type === "I64") return new BigInt64Array(bytes.buffer);
  return dequantize(writableTypes[type].number, bytes, bytes.length / widths[type]);
}

/** 0 if any dimension is 0, however large the others are. */
function product(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((all, length) => all * length, 1);
}

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    return await use(file);
  } catch (error) {
    throw error instanceof HoneError ? error : broken(path, messageOf(error));
  } finally {
    await file?.close();
  }
}

async function readExactly(
  file: FileHandle,
  path: string,
  from: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let got = 0; got < length; ) {
    const { bytesRead } = await file.read(bytes, got, length - got, from + got);
    if (bytesRead === 0) throw broken(path, `it ends at byte ${from + got}`);
    got += bytesRead;
  }
  return bytes;
}

function broken(path: string, why: string): HoneError {
  return new HoneError({
    what: "Not a usable safetensors file",
    where: path,
    why,
    next: "Make or fetch the file again, or give another.",
  });
}

function unwritable(path: string, why: string, cause?: unknown): HoneError {
  return new HoneError({
    what: "Cannot write the safetensors file",
    where: path,
    why,
    next: "Check the folder, the free disk space, and the tensors to be written.",
    ...(cause === undefined ? {} : { cause }),
  });
}
