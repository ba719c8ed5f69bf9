// Writes GGUF files: whole ones, changed copies, and LoRA adapters for llama.cpp. A file appears under its name only when it
// is complete. `gguf.ts` reads headers, `quantize.ts` turns weights into bytes.
// Format: ggml's docs/gguf.md, version 3, little endian; adapters as written by llama.cpp's convert_lora_to_gguf.py.

import { type FileHandle, open } from "node:fs/promises";
import { HoneError, messageOf } from "../core/errors.js";
import { intoPlace } from "../core/place.js";
import { type GgufFile, metadataTypes } from "./gguf.js";
import { type DenseTensor, rawChunks } from "./gguf-tensors.js";
import { quantize, type WritableType, writableTypes } from "./quantize.js";

/** A metadata value with its type in the file; plurals are arrays. */
export type GgufEntry =
  | { type: "string"; value: string }
  | { type: "bool"; value: boolean }
  | { type: "uint32" | "int32" | "float32"; value: number }
  | { type: "strings"; value: readonly string[] }
  | { type: "uint32s" | "int32s" | "float32s"; value: readonly number[] };

/** Weights to be written. */
export interface GgufWeights {
  /** Outermost first; one to four dimensions. For Q8_0 the last is a multiple of 32. */
  shape: readonly number[];
  type: WritableType;
  /** All weights, or a generator of them in order in pieces; for Q8_0 in multiples of 32. */
  data: Float32Array | (() => AsyncIterable<Float32Array>);
}

export interface GgufContents {
  /** Must include `general.architecture`. */
  metadata: Readonly<Record<string, GgufEntry>>;
  tensors: Readonly<Record<string, GgufWeights>>;
}

/** How a copy differs. */
export interface GgufChanges {
  /** Values to set, or null for entries to leave out. */
  metadata?: Readonly<Record<string, GgufEntry | null>>;
  /** New weights, of any shape, for tensors that the source has. */
  replace?: Readonly<Record<string, GgufWeights>>;
  /** Tensors that the source does not have; they are appended. */
  add?: Readonly<Record<string, GgufWeights>>;
}

/** A tensor as the file will have it. */
interface Planned {
  name: string;
  /** Innermost first. */
  shape: readonly number[];
  type: number;
  bytes: number;
  chunks: () => AsyncIterable<Uint8Array>;
}

/** Weights that are converted at once. */
const chunkWeights = 1 << 20;

/**
 * Writes a GGUF file; entries and tensors in the order given.
 *
 * @throws HoneError if it cannot be written, and for invalid names, shapes and weights
 */
export async function writeGguf(path: string, { metadata, tensors }: GgufContents): Promise<void> {
  if (metadata["general.architecture"]?.type !== "string") throw unwritable(path, "no general.architecture");
  const entries = Object.entries(metadata).map(([key, entry]) => encodeEntry(path, key, entry));
  const planned = Object.entries(tensors).map(([name, weights]) => plan(path, name, weights));
  await writeFile(path, entries, planned, alignmentOf(path, metadata["general.alignment"], 32));
}

/**
 * Writes a copy of a GGUF file with changes. Unchanged parts are copied byte for byte, whatever their type, in the same order.
 * The target may be the source.
 *
 * @throws HoneError as `writeGguf`, and if a tensor to replace is missing or one to add exists already
 */
export async function copyGguf(source: GgufFile, target: string, changes: GgufChanges): Promise<void> {
  const { metadata = {}, replace = {}, add = {} } = changes;
  const has = new Set(source.tensors.map(({ name }) => name));
  for (const name of Object.keys(replace)) {
    if (!has.has(name)) throw unwritable(target, `${source.path} has no tensor ${name} to replace`);
  }
  for (const name of Object.keys(add)) {
    if (has.has(name)) throw unwritable(target, `${source.path} has a tensor ${name} already`);
  }
  const entries: Buffer[] = [];
  const file = await open(source.path, "r").catch((error: unknown) => {
    throw unwritable(target, `${source.path} cannot be read: ${messageOf(error)}`, error);
  });
  try {
    for (const [key, [start, end]] of source.spans) {
      const changed = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
      if (changed) entries.push(encodeEntry(target, key, changed));
      if (changed !== undefined) continue;
      const entry = Buffer.alloc(end - start);
      const { bytesRead } = await file.read(entry, 0, entry.length, start);
      if (bytesRead !== entry.length) throw unwritable(target, `${source.path} has changed`);
      entries.push(entry);
    }
  } finally {
    await file.close();
  }
  for (const [key, entry] of Object.entries(metadata)) {
    if (entry && !source.spans.has(key)) entries.push(encodeEntry(target, key, entry));
  }
  const planned = source.tensors.map((tensor): Planned => {
    const weights = Object.hasOwn(replace, tensor.name) ? replace[tensor.name] : undefined;
    if (weights) return plan(target, tensor.name, weights);
    const { name, shape, type, bytes } = tensor;
    return { name, shape, type, bytes, chunks: () => rawChunks(source, tensor) };
  });
  planned.push(...Object.entries(add).map(([name, weights]) => plan(target, name, weights)));
  const alignment = alignmentOf(target, metadata["general.alignment"], source.alignment);
  await writeFile(target, entries, planned, alignment);
}

/** A low-rank change of one weight: the change is (alpha / r) * b a. */
export interface LoraPair {
  /** [r, in] */
  a: DenseTensor;
  /** [out, r] */
  b: DenseTensor;
}

/**
 * Writes a LoRA adapter that llama.cpp loads on top of its model. The same adapter always gives the same bytes.
 *
 * @param lora `architecture` as the model's file names it; `tensors` by the names of the weights they change, such as
 *   `blk.0.attn_q.weight`
 * @throws HoneError as `writeGguf`, and if a pair's shapes do not match
 */
export async function writeLoraGguf(
  path: string,
  lora: { architecture: string; alpha: number; tensors: Readonly<Record<string, LoraPair>> },
): Promise<void> {
  const tensors: Record<string, GgufWeights> = {};
  for (const name of Object.keys(lora.tensors).sort()) {
    const { a, b } = lora.tensors[name] as LoraPair;
    if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[0] !== b.shape[1]) {
      throw unwritable(path, `${name}: shapes [${a.shape}] and [${b.shape}] are not [r, in] and [out, r]`);
    }
    tensors[`${name}.lora_a`] = { ...a, type: "F32" };
    tensors[`${name}.lora_b`] = { ...b, type: "F32" };
  }
  await writeGguf(path, {
    metadata: {
      "general.architecture": { type: "string", value: lora.architecture },
      "general.type": { type: "string", value: "adapter" },
      "adapter.type": { type: "string", value: "lora" },
      "adapter.lora.alpha": { type: "float32", value: lora.alpha },
    },
    tensors,
  });
}

function plan(path: string, name: string, { shape, type, data }: GgufWeights): Planned {
  const { number, weights, bytes } = writableTypes[type];
  const count = shape.reduce((product, length) => product * length, 1);
  const lengths = shape.every((length) => Number.isSafeInteger(length) && length > 0);
  if (!lengths || shape.length < 1 || shape.length > 4 || !Number.isSafeInteger(count)) {
    throw unwritable(path, `tensor ${name} has the shape [${shape}]`);
  }
  if ((shape.at(-1) as number) % weights !== 0) {
    throw unwritable(path, `tensor ${name}: rows of ${shape.at(-1)} do not fill blocks of ${type}`);
  }
  if (data instanceof Float32Array && data.length !== count) {
    throw unwritable(path, `tensor ${name} has ${data.length} weights for the shape [${shape}]`);
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const piece of data instanceof Float32Array ? [data] : data()) {
      for (let at = 0; at < piece.length; at += chunkWeights) {
        yield quantize(type, piece.subarray(at, at + chunkWeights), `${path}: ${name}`);
      }
    }
  }
  return { name, shape: shape.toReversed(), type: number, bytes: (count / weights) * bytes, chunks };
}

async function writeFile(
  path: string,
  entries: readonly Buffer[],
  planned: readonly Planned[],
  alignment: number,
): Promise<void> {
  const gap = (length: number) => Buffer.alloc((alignment - (length % alignment)) % alignment);
  const head = [Buffer.from("GGUF"), u32(3), u64(planned.length), u64(entries.length), ...entries];
  let offset = 0;
  for (const { name, shape, type, bytes } of planned) {
    const size = Buffer.byteLength(name);
    if (size < 1 || size > 63)
      throw unwritable(path, `the tensor name ${JSON.stringify(name)} has ${size} bytes`);
    head.push(text(path, name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset));
    offset += bytes + gap(bytes).length;
  }
  const header = Buffer.concat(head);
  try {
    await intoPlace(path, async (temporary) => {
      const out = await open(temporary, "w");
      try {
        await writeAll(out, header);
        await writeAll(out, gap(header.length));
        for (const { name, bytes, chunks } of planned) {
          let written = 0;
          for await (const chunk of chunks()) {
            await writeAll(out, chunk);
            written += chunk.length;
          }
          if (written !== bytes) throw unwritable(path, `tensor ${name} gave ${written} bytes of ${bytes}`);
          await writeAll(out, gap(bytes));
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

async function writeAll(out: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await out.write(bytes, at)).bytesWritten;
}

const { array: arrayType, ...entryTypes } = metadataTypes;

function encodeEntry(path: string, key: string, { type, value }: GgufEntry): Buffer {
  if (key === "") throw unwritable(path, "a metadata key is empty");
  const one = (scalar: keyof typeof entryTypes, item: string | number | boolean): Buffer => {
    if (scalar === "string") return text(path, item as string);
    if (scalar === "bool") return Buffer.from([item ? 1 : 0]);
    const bytes = Buffer.alloc(4);
    const lowest = scalar === "uint32" ? 0 : -(2 ** 31);
    const highest = scalar === "uint32" ? 2 ** 32 - 1 : 2 ** 31 - 1;
    const number = item as number;
    const fits =
      scalar === "float32"
        ? Number.isFinite(Math.fround(number))
        : Number.isInteger(number) && number >= lowest && number <= highest;
    if (!fits) throw unwritable(path, `metadata ${key}: ${number} is not a valid ${scalar}`);
    if (scalar === "float32") bytes.writeFloatLE(number);
    else bytes.writeUInt32LE(number >>> 0);
    return bytes;
  };
  const name = text(path, key);
  if (!Array.isArray(value)) {
    const scalar = type as keyof typeof entryTypes;
    return Buffer.concat([name, u32(entryTypes[scalar]), one(scalar, value as string | number | boolean)]);
  }
  const scalar = type.slice(0, -1) as keyof typeof entryTypes;
  const items = value.map((item: string | number) => one(scalar, item));
  return Buffer.concat([name, u32(arrayType), u32(entryTypes[scalar]), u64(items.length), ...items]);
}

function alignmentOf(path: string, entry: GgufEntry | null | undefined, fallback: number): number {
  if (entry === undefined) return fallback;
  const value = entry === null ? 32 : Number(entry.value);
  const power = Number.isInteger(value) && value >= 8 && value <= 1 << 20 && (value & (value - 1)) === 0;
  if (!power) throw unwritable(path, `general.alignment ${value} is not a power of two from 8 to ${1 << 20}`);
  return value;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(path: string, value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > 1 << 24) throw unwritable(path, `a text has ${bytes.length} bytes`);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function unwritable(path: string, why: string, cause?: unknown): HoneError {
  return new HoneError({
    what: "Cannot write the GGUF file",
    where: path,
    why,
    next: "Check the folder, the free disk space, and the weights and names to be written.",
    ...(cause === undefined ? {} : { cause }),
  });
}
