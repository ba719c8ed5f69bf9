// Converts a file's bytes to UTF-8: unpacks gzip, obeys a byte order mark, and converts from the given encoding. All
// text is read through here, so that later stages only handle UTF-8.

import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { HoneError, messageOf } from "../core/errors.js";
import { codeOf, fileChunks } from "./files.js";
import type { Encoding } from "./reading.js";

// Windows-1252 differs from Latin-1 in 0x80-0x9F only. Node 20's own TextDecoder("windows-1252") has decoded these as
// Latin-1 in several releases, hence this table. Zero marks the five undefined bytes, which stay control characters.
const cp1252 = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
  0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
  0x0153, 0, 0x017e, 0x0178,
];

const marks: readonly { bytes: Buffer; encoding: Encoding }[] = [
  { bytes: Buffer.from([0xef, 0xbb, 0xbf]), encoding: "utf8" },
  { bytes: Buffer.from([0xff, 0xfe]), encoding: "utf16le" },
  { bytes: Buffer.from([0xfe, 0xff]), encoding: "utf16be" },
];

/** Converts a file's chunks in order; `last` is called at the end for the bytes that a cut character left over. */
interface Converter {
  next(chunk: Buffer): Buffer;
  last(): Buffer;
}

/** A file's bytes as UTF-8 without a byte order mark. UTF-8 itself is passed on unchecked; see `checkText`. */
export async function* textBytes(path: string, encoding: Encoding, name: string): AsyncGenerator<Buffer> {
  let converter: Converter | undefined;
  for await (let chunk of unpacked(path, name)) {
    if (!converter) {
      const mark = marks.find(({ bytes }) => chunk.subarray(0, bytes.length).equals(bytes));
      if (mark) chunk = chunk.subarray(mark.bytes.length);
      converter = converterOf(mark?.encoding ?? encoding, name);
    }
    yield converter.next(chunk);
  }
  if (converter) yield converter.last();
}

const none = Buffer.alloc(0);

function converterOf(encoding: Encoding, name: string): Converter {
  switch (encoding) {
    case "utf8":
      return { next: (chunk) => chunk, last: () => none };
    case "latin1":
      return { next: (chunk) => Buffer.from(chunk.toString("latin1")), last: () => none };
    case "cp1252":
      return { next: (chunk) => Buffer.from(fromCp1252(chunk)), last: () => none };
    case "utf16le":
    case "utf16be":
      return utf16(encoding === "utf16be", name);
  }
}

function fromCp1252(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replace(/[\x80-\x9f]/g, (c) => String.fromCharCode(cp1252[c.charCodeAt(0) - 0x80] || c.charCodeAt(0)));
}

function utf16(bigEndian: boolean, name: string): Converter {
  let carry: Buffer = none;
  let line = 1;
  const refuse = (why: string): HoneError =>
    new HoneError({
      what: "Cannot read the file as UTF-16.",
      where: `${name}:${line}`,
      why,
      next: "Check the file's encoding, or that it was written or downloaded completely.",
    });
  const convert = (bytes: Buffer): Buffer => {
    const text = (bigEndian ? Buffer.from(bytes).swap16() : bytes).toString("utf16le");
    const lone = text.search(/\p{Surrogate}/u);
    const whole = lone < 0 ? text : text.slice(0, lone);
    for (let i = whole.indexOf("\n"); i >= 0; i = whole.indexOf("\n", i + 1)) line++;
    if (lone >= 0) throw refuse("it has half of a surrogate pair there");
    return Buffer.from(text);
  };
  return {
    next(chunk) {
      const bytes = carry.length > 0 ? Buffer.concat([carry, chunk]) : chunk;
      let whole = bytes.length - (bytes.length % 2);
      // A surrogate pair that is cut in half waits for the next chunk.
      const high = whole > 0 ? bytes[bigEndian ? whole - 2 : whole - 1]! & 0xfc : 0;
      if (high === 0xd8) whole -= 2;
      carry = bytes.subarray(whole);
      return convert(bytes.subarray(0, whole));
    },
    last() {
      if (carry.length % 2 === 1) throw refuse("it ends within a character");
      return convert(carry);
    },
  };
}

/** A first item that was already read, then the rest; the rest is closed even if it is never reached. */
export async function* following<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** True if the bytes begin with gzip's magic number. */
export function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** The file's bytes, unpacked if they are gzip. */
async function* unpacked(path: string, name: string): AsyncGenerator<Buffer> {
  const chunks = fileChunks(path);
  const first = await chunks.next();
  if (first.done) return;
  const all = () => following(first.value, chunks);
  if (!isGzip(first.value)) return yield* all();
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  // Errors of either side reach the loop below through the unpacker, which pipeline destroys.
  pipeline(all, gunzip, () => {});
  try {
    yield* gunzip;
  } catch (error) {
    if (error instanceof HoneError || !codeOf(error)?.startsWith("Z_")) throw error;
    throw new HoneError({
      what: "Cannot unpack the gzip file.",
      where: name,
      why: codeOf(error) === "Z_BUF_ERROR" ? "it is cut off" : `its data are damaged (${messageOf(error)})`,
      next: "Download or write it again.",
      cause: error,
    });
  } finally {
    gunzip.destroy();
  }
}
