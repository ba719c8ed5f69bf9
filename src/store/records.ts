// How values are stored in the journal: as JSON with a checksum as its last member, so that a flipped bit is detected as damage
// and never read as another figure. Texts without one were written by an older Hone and are read as they are.

import { crc32 } from "node:zlib";
import { messageOf } from "../core/errors.js";
import { DamagedRecord } from "./damage.js";

const mark = ',"crc":"';
const tailLength = mark.length + 10;

export function toText(value: unknown): string {
  return withChecksum(JSON.stringify(value));
}

/** @param json of an object, with at least one member; other JSON stays as it is */
export function withChecksum(json: string): string {
  if (!json.endsWith("}") || json.length < 4) return json;
  return `${json.slice(0, -1)},"crc":"${sumOf(json)}"}`;
}

/** @throws Error if the text is not what was written */
export function withoutChecksum(text: string): string {
  const tail = text.slice(-tailLength);
  const wrong = mismatches(tail);
  // Far from a checksum: there is none.
  if (wrong > 2) return text;
  const json = `${text.slice(0, -tailLength)}}`;
  if (wrong > 0 || sumOf(json) !== tail.slice(mark.length, -2))
    throw new Error("its checksum does not match");
  return json;
}

/** In how many characters a text differs from the form of a checksum. */
function mismatches(tail: string): number {
  let wrong = tailLength - tail.length;
  for (const [i, character] of [...`${mark}xxxxxxxx"}`].entries()) {
    if (character === "x" ? !/[0-9a-f]/.test(tail[i] ?? "") : tail[i] !== character) wrong++;
  }
  return wrong;
}

/** Parses a stored text. @param record what it is, for the error */
export function fromText<T>(text: string, record: string, path: string): T {
  try {
    return JSON.parse(withoutChecksum(text)) as T;
  } catch (error) {
    throw new DamagedRecord(path, record, messageOf(error));
  }
}

/** A text without its checksum, which is verified. */
export function checkedText(text: string, record: string, path: string): string {
  try {
    return withoutChecksum(text);
  } catch (error) {
    throw new DamagedRecord(path, record, messageOf(error));
  }
}

/** The same, but the text must be JSON even if it has no checksum. */
export function jsonOf(text: string, record: string, path: string): string {
  const json = checkedText(text, record, path);
  if (json === text) fromText(text, record, path);
  return json;
}

function sumOf(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
