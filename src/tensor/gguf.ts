// Reads a GGUF file's header and checks every claim it makes against the file, before native code sees it:
// llama.cpp may abort the whole process on an inconsistent file.
// Format: ggml's docs/gguf.md, versions 2 and 3, little endian.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";

export type GgufScalar = string | number | bigint | boolean;
export type GgufValue = GgufScalar | readonly GgufScalar[];

export interface GgufTensor {
  name: string;
  /** Innermost first, as ggml counts them. */
  shape: readonly number[];
  /** ggml type number; see `ggmlTypes`. */
  type: number;
  /** Bytes from the start of the data section. */
  offset: number;
  bytes: number;
}

export interface GgufFile {
  path: string;
  version: number;
  size: number;
  architecture: string;
  metadata: ReadonlyMap<string, GgufValue>;
  /** ggml's number of each metadata entry's type (`metadataTypes`). */
  types: ReadonlyMap<string, number>;
  /** Where each metadata entry, including its key and type, begins and ends in the file. */
  spans: ReadonlyMap<string, readonly [start: number, end: number]>;
  tensors: readonly GgufTensor[];
  /** Where the tensors' data starts. */
  dataStart: number;
  alignment: number;
}

/** ggml's storage types: name, weights per block, bytes per block (ggml.c, `type_traits`). */
export const ggmlTypes: Readonly<Record<number, readonly [name: string, weights: number, bytes: number]>> = {
  0: ["F32", 1, 4],
  1: ["F16", 1, 2],
  2: ["Q4_0", 32, 18],
  3: ["Q4_1", 32, 20],
  6: ["Q5_0", 32, 22],
  7: ["Q5_1", 32, 24],
  8: ["Q8_0", 32, 34],
  9: ["Q8_1", 32, 36],
  10: ["Q2_K", 256, 84],
  11: ["Q3_K", 256, 110],
  12: ["Q4_K", 256, 144],
  13: ["Q5_K", 256, 176],
  14: ["Q6_K", 256, 210],
  15: ["Q8_K", 256, 292],
  16: ["IQ2_XXS", 256, 66],
  17: ["IQ2_XS", 256, 74],
  18: ["IQ3_XXS", 256, 98],
  19: ["IQ1_S", 256, 50],
  20: ["IQ4_NL", 32, 18],
  21: ["IQ3_S", 256, 110],
  22: ["IQ2_S", 256, 82],
  23: ["IQ4_XS", 256, 136],
  24: ["I8", 1, 1],
  25: ["I16", 1, 2],
  26: ["I32", 1, 4],
  27: ["I64", 1, 8],
  28: ["F64", 1, 8],
  29: ["IQ1_M", 256, 56],
  30: ["BF16", 1, 2],
  34: ["TQ1_0", 256, 54],
  35: ["TQ2_0", 256, 66],
  39: ["MXFP4", 32, 17],
};

/** ggml's numbers of metadata types (gguf.h, `gguf_type`). */
export const metadataTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
const scalarBytes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8] as const;
const { string: stringType, array: arrayType } = metadataTypes;
/** Longest single string: chat templates and merge rules stay far below it. */
const longestString = 1 << 24;
/** Most items of a metadata array; the largest vocabularies have 262,144 tokens and twice as many merges. */
const longestArray = 1 << 22;
const maxEntries = 1 << 18; // Most tensors, and most metadata entries.

/** Reads and checks the header of a GGUF file. Throws a HoneError that names the byte where the file is inconsistent. */
export function readGguf(path: string): GgufFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    throw new HoneError({
      what: "Cannot open the model file",
      where: path,
      why: messageOf(error),
      next: "Check the path, or run `hone models list` for the models Hone knows.",
      cause: error,
    });
  }
  try {
    const stat = fstatSync(descriptor);
    const bad = (why: string, at?: number) => broken(path, why, at);
    if (!stat.isFile()) throw bad("it is not a regular file");
    return readHeader(path, stat.size, cursorOver(descriptor, stat.size, bad), bad);
  } finally {
    closeSync(descriptor);
  }
}

function broken(path: string, why: string, at?: number): HoneError {
  return new HoneError({
    what: "Not a usable GGUF model file",
    where: at === undefined ? path : `${path}, byte ${at}`,
    why,
    next: "Fetch the file again (`hone models pull NAME`) or give another GGUF file.",
  });
}

/** The refusal of one of several files that make up a model. */
export function onePart(where: string, part: number, parts: number): HoneError {
  const first = basename(where).replace(/-\d{5}-of-(\d{5}\.gguf)$/i, "-00001-of-$1");
  return new HoneError({
    what: "This GGUF file is a part of a model",
    where,
    why: `it is part ${part} of ${parts}, and Hone reads models of one file`,
    next: `Fetch all parts into one folder, merge them there with llama.cpp's \`llama-gguf-split --merge ${first} WHOLE.gguf\`, and give llama:file:WHOLE.gguf.`,
    kind: "usage",
  });
}

type Bad = (why: string, at?: number) => HoneError;

interface Cursor {
  at(): number;
  bytes(n: number, what: string): Buffer;
  u32(what: string): number;
  u64(what: string): number;
  string(what: string): string;
}

function cursorOver(descriptor: number, size: number, bad: Bad): Cursor {
  // A window over the file, so that a header of any size is read in constant memory, apart from the values kept.
  const window = Buffer.alloc(Math.min(1 << 20, size));
  let start = 0;
  let filled = 0;
  let position = 0;
  const bytes = (n: number, what: string): Buffer => {
    if (n > size - position) throw bad(`the file ends inside ${what}`, position);
    if (position < start || position + n > start + filled) {
      if (n > window.length) {
        const own = Buffer.alloc(n);
        let got = 0;
        while (got < n) {
          const read = readSync(descriptor, own, got, n - got, position + got);
          if (read === 0) throw bad(`the file ends inside ${what}`, position);
          got += read;
        }
        position += n;
        return own;
      }
      start = position;
      filled = 0;
      const want = Math.min(window.length, size - start);
      while (filled < want) {
        const read = readSync(descriptor, window, filled, want - filled, start + filled);
        if (read === 0) throw bad(`the file ends inside ${what}`, position);
        filled += read;
      }
    }
    const slice = window.subarray(position - start, position - start + n);
    position += n;
    return slice;
  };
  const u64 = (what: string): number => {
    const at = position;
    const value = bytes(8, what).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(`${what} is ${value}, which no file can hold`, at);
    return Number(value);
  };
  const string = (what: string): string => {
    const at = position;
    const length = u64(`the length of ${what}`);
    if (length > longestString) throw bad(`${what} claims ${length} bytes`, at);
    return bytes(length, what).toString("utf8");
  };
  return { at: () => position, bytes, u32: (what) => bytes(4, what).readUInt32LE(), u64, string };
}

function readHeader(path: string, size: number, cursor: Cursor, bad: Bad): GgufFile {
  const magic = cursor.bytes(4, "the magic number").toString("latin1");
  if (magic !== "GGUF") throw bad(`it starts with ${JSON.stringify(magic)} where a GGUF file has "GGUF"`, 0);
  const version = cursor.u32("the version");
  if (version !== 2 && version !== 3) {
    const swapped = version > 0xffffff ? " (a big-endian file?)" : "";
    throw bad(`its GGUF version is ${version}${swapped}; versions 2 and 3 can be read`, 4);
  }
  const tensorCount = cursor.u64("the tensor count");
  const entryCount = cursor.u64("the metadata count");
  // The smallest tensor entry takes 33 bytes and the smallest metadata entry 14: counts beyond that are false.
  const most = (bytes: number) => Math.min(size / bytes, maxEntries);
  if (tensorCount > most(33)) throw bad(`it claims ${tensorCount} tensors in ${size} bytes`, 8);
  if (entryCount > most(14)) throw bad(`it claims ${entryCount} metadata entries in ${size} bytes`, 16);
  const metadata = new Map<string, GgufValue>();
  const types = new Map<string, number>();
  const spans = new Map<string, readonly [number, number]>();
  for (let i = 0; i < entryCount; i++) {
    const at = cursor.at();
    const key = cursor.string(`metadata key ${i + 1}`);
    if (key === "" || key.length > 65_535)
      throw bad(`metadata key ${i + 1} has ${key.length} characters`, at);
    if (metadata.has(key)) throw bad(`metadata key ${JSON.stringify(key)} occurs twice`, at);
    const type = cursor.u32(`the type of metadata ${JSON.stringify(key)}`);
    types.set(key, type);
    metadata.set(key, readValue(cursor, type, key, size, bad));
    spans.set(key, [at, cursor.at()]);
  }
  const parts = Number(metadata.get("split.count") ?? 1);
  if (parts > 1) throw onePart(path, Number(metadata.get("split.no") ?? 0) + 1, parts);
  const architecture = metadata.get("general.architecture");
  if (typeof architecture !== "string" || architecture === "") throw bad("it names no general.architecture");
  const alignment = Number(metadata.get("general.alignment") ?? 32);
  if (!Number.isInteger(alignment) || alignment < 8 || alignment > 1 << 20 || alignment & (alignment - 1)) {
    throw bad(`its general.alignment is ${alignment}`);
  }

  const tensors: GgufTensor[] = [];
  const starts: number[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const at = cursor.at();
    const tensor = readTensor(cursor, i, alignment, bad);
    if (names.has(tensor.name)) throw bad(`tensor ${JSON.stringify(tensor.name)} occurs twice`, at);
    names.add(tensor.name);
    tensors.push(tensor);
    starts.push(at);
  }
  const dataStart = Math.ceil(cursor.at() / alignment) * alignment;
  for (const [i, tensor] of tensors.entries()) {
    const end = dataStart + tensor.offset + tensor.bytes;
    if (end > size) {
      const why = `tensor ${JSON.stringify(tensor.name)} should end at byte ${end}, but the file has ${size} bytes`;
      throw bad(`${why} (cut short?)`, starts[i]);
    }
  }
  return { path, version, size, architecture, metadata, types, spans, tensors, dataStart, alignment };
}

function readValue(cursor: Cursor, type: number, key: string, size: number, bad: Bad): GgufValue {
  const what = `metadata ${JSON.stringify(key)}`;
  const at = cursor.at() - 4;
  if (type !== arrayType) return readScalar(cursor, type, what, at, bad);
  const inner = cursor.u32(`the type of ${what}`);
  if (inner === arrayType) throw bad(`${what} nests arrays`, at);
  const count = cursor.u64(`the length of ${what}`);
  const smallest = inner === stringType ? 8 : (scalarBytes[inner] ?? 0);
  if (smallest === 0) throw bad(`${what} has the unknown type ${inner}`, at);
  if (count > Math.min(size / smallest, longestArray))
    throw bad(`${what} claims ${count} items in a file of ${size} bytes`, at);
  const items: GgufScalar[] = [];
  for (let i = 0; i < count; i++) items.push(readScalar(cursor, inner, what, at, bad));
  return items;
}

function readScalar(cursor: Cursor, type: number, what: string, at: number, bad: Bad): GgufScalar {
  if (type === stringType) return cursor.string(what);
  const width = scalarBytes[type];
  if (!width) throw bad(`${what} has the unknown type ${type}`, at);
  const raw = cursor.bytes(width, what);
  switch (type) {
    case 0:
      return raw.readUInt8();
    case 1:
      return raw.readInt8();
    case 2:
      return raw.readUInt16LE();
    case 3:
      return raw.readInt16LE();
    case 4:
      return raw.readUInt32LE();
    case 5:
      return raw.readInt32LE();
    case 6:
      return raw.readFloatLE();
    case 7:
      return raw.readUInt8() !== 0;
    case 10:
      return raw.readBigUInt64LE();
    case 11:
      return raw.readBigInt64LE();
    default:
      return raw.readDoubleLE();
  }
}

function readTensor(cursor: Cursor, index: number, alignment: number, bad: Bad): GgufTensor {
  const at = cursor.at();
  const name = cursor.string(`the name of tensor ${index + 1}`);
  const what = `tensor ${JSON.stringify(name)}`;
  if (name === "" || Buffer.byteLength(name) >= 64)
    throw bad(`tensor ${index + 1} has a name of ${name.length} characters`, at);
  const rank = cursor.u32(`the rank of ${what}`);
  if (rank < 1 || rank > 4) throw bad(`${what} has ${rank} dimensions`, at);
  const shape: number[] = [];
  let weights = 1;
  for (let d = 0; d < rank; d++) {
    const length = cursor.u64(`the shape of ${what}`);
    weights *= length;
    if (length < 1 || weights > Number.MAX_SAFE_INTEGER) throw bad(`${what} has an impossible shape`, at);
    shape.push(length);
  }
  const type = cursor.u32(`the type of ${what}`);
  const known = ggmlTypes[type];
  if (!known) throw bad(`${what} has the unknown type ${type}`, at);
  const [typeName, blockWeights, blockBytes] = known;
  if (shape[0]! % blockWeights !== 0)
    throw bad(`${what}: rows of ${shape[0]} do not fill blocks of ${typeName}`, at);
  const offset = cursor.u64(`the offset of ${what}`);
  if (offset % alignment !== 0)
    throw bad(`${what} starts at ${offset}, off the alignment of ${alignment}`, at);
  return { name, shape, type, offset, bytes: (weights / blockWeights) * blockBytes };
}
