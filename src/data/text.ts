// Decodes bytes as text, strictly: an undecodable byte or a NUL is an error with its line and column, never a silent
// "�".

import { isUtf8 } from "node:buffer";
import { HoneError } from "../core/errors.js";
import { textBytes } from "./encoding.js";
import { maxRecordBytes } from "./files.js";
import type { Encoding } from "./reading.js";

/** Length of the longest prefix that is valid UTF-8. */
function validUtf8Prefix(bytes: Buffer): number {
  let low = 0;
  let high = bytes.length;
  // A prefix of valid UTF-8 is valid except where it cuts a character, so step back to a character's first byte.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const cut = wholeCharacters(bytes.subarray(0, middle));
    if (isUtf8(bytes.subarray(0, cut))) low = middle;
    else high = middle - 1;
  }
  return wholeCharacters(bytes.subarray(0, low));
}

/** Length without a character that is cut off at the end (at most three bytes). */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Throws if the bytes are not UTF-8 or contain a NUL; `line` and `column` (both from 1) are those of the first byte. */
export function checkText(bytes: Buffer, name: string, line: number, column = 1): void {
  const nul = bytes.indexOf(0);
  const valid = isUtf8(bytes);
  if (nul < 0 && valid) return;
  const at = nul >= 0 && (valid || isUtf8(bytes.subarray(0, nul))) ? nul : validUtf8Prefix(bytes);
  const before = bytes.subarray(0, at);
  let newlines = 0;
  for (let i = before.indexOf(10); i >= 0; i = before.indexOf(10, i + 1)) newlines++;
  const tail = newlines > 0 ? before.subarray(before.lastIndexOf(10) + 1) : before;
  const where = `${name}:${line + newlines}:${(newlines > 0 ? 1 : column) + tail.toString("utf8").length}`;
  if (at === nul) {
    throw new HoneError({
      what: "Cannot read the file as text.",
      where,
      why: "it contains a NUL byte, so it is binary or UTF-16",
      next: "Set `encoding: utf16le` if it is UTF-16, or name the format if it is not text.",
    });
  }
  throw new HoneError({
    what: "Cannot read the file as UTF-8.",
    where,
    why: `byte 0x${(bytes[at] ?? 0).toString(16).padStart(2, "0")} is not valid there`,
    next: "If the file came from Windows or Excel, set `encoding: cp1252` (--encoding cp1252); else `encoding: latin1`, or convert it to UTF-8.",
  });
}

/** The file's text in chunks, checked and decoded. */
export async function* textChunks(path: string, encoding: Encoding, name: string): AsyncGenerator<string> {
  let carry: Buffer = Buffer.alloc(0);
  let line = 1;
  let column = 1;
  const decoded = (bytes: Buffer): string => {
    checkText(bytes, name, line, column);
    const text = bytes.toString("utf8");
    const last = text.lastIndexOf("\n");
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) line++;
    column = last < 0 ? column + text.length : text.length - last;
    return text;
  };
  for await (const chunk of textBytes(path, encoding, name)) {
    const bytes = carry.length > 0 ? Buffer.concat([carry, chunk]) : chunk;
    const whole = wholeCharacters(bytes);
    carry = bytes.subarray(whole);
    if (whole > 0) yield decoded(bytes.subarray(0, whole));
  }
  if (carry.length > 0) yield decoded(carry);
}

/** A line of a file as UTF-8, without its newline. `line` counts from 1. */
export interface ByteLine {
  bytes: Buffer;
  line: number;
}

/** The lines of a file, many at a time: one await per chunk rather than per line, which a million rows need. */
export async function* byteLines(path: string, encoding: Encoding, name: string): AsyncGenerator<ByteLine[]> {
  let parts: Buffer[] = [];
  let held = 0;
  let line = 1;
  const hold = (bytes: Buffer): void => {
    held += bytes.length;
    if (held > maxRecordBytes) {
      throw new HoneError({
        what: "A line is too long.",
        where: `${name}:${line}`,
        why: `it exceeds ${maxRecordBytes / 1024 / 1024} MiB`,
        next: "Check that the file has one row a line; name the format if it is not JSONL.",
      });
    }
    parts.push(bytes);
  };
  for await (const chunk of textBytes(path, encoding, name)) {
    const lines: ByteLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      let bytes = chunk.subarray(start, end);
      if (parts.length > 0) {
        hold(bytes);
        bytes = Buffer.concat(parts);
        parts = [];
        held = 0;
      }
      lines.push({ bytes, line: line++ });
      start = end + 1;
    }
    if (start < chunk.length) hold(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (parts.length > 0) yield [{ bytes: Buffer.concat(parts), line }];
}
