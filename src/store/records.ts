// How values stand in the journal: as JSON with a checksum for its last member, so that a flipped bit is damage and never
// another figure. Texts without one were written by an older Hone and are read as they are.

import { crc32 } from "node:zlib";
import { messageOf } from "../core/errors.js";
import { DamagedRecord } from "./damage.js";

const tail = /,"crc":"([0-9a-f]{8})"\}$/;

export function toText(value: unknown): string {
  return withChecksum(JSON.stringify(value));
}

/** @param json of an object, with at least one member; other JSON stays as it is */
export function withChecksum(json: string): string {
  if (!json.endsWith("}") || json.length < 4) return json;
  return `${json.slice(0, -1)},"crc":"${sumOf(json)}"}`;
}

/** @throws Error where the text is not what was written */
export function withoutChecksum(text: string): string {
  const found = tail.exec(text.slice(-19));
  if (!found) return text;
  const json = `${text.slice(0, -18)}}`;
  if (sumOf(json) !== found[1]) throw new Error("its checksum does not match");
  return json;
}

/** The value of a text. @param record what it is, for the error */
export function fromText<T>(text: string, record: string, path: string): T {
  try {
    return JSON.parse(withoutChecksum(text)) as T;
  } catch (error) {
    throw new DamagedRecord(path, record, messageOf(error));
  }
}

/** The JSON of a record as text. */
export function jsonOf(text: string, record: string, path: string): string {
  try {
    const json = withoutChecksum(text);
    // Without a checksum only reading it shows whether it is whole.
    if (json === text) JSON.parse(json);
    return json;
  } catch (error) {
    throw new DamagedRecord(path, record, messageOf(error));
  }
}

function sumOf(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
