// Reads rows from JSON: one object per line (.jsonl), an array of objects, objects over several lines, or one object
// that holds the array, as in {"data": [{…}, {…}]}. All are streamed, one row in memory at a time. JSON.parse does the
// parsing.

import { HoneError } from "../core/errors.js";
import { parseKeepingDigits } from "./digits.js";
import { textBytes } from "./encoding.js";
import { maxRecordBytes } from "./files.js";
import { findJsonError } from "./json-error.js";
import { type At, chosenList, isSpace, shapeOf } from "./json-shape.js";
import type { Encoding, Row } from "./reading.js";
import { byteLines, checkText } from "./text.js";

const maxDepth = 100;
const again = "Download or write the file again.";

/** True if objects and arrays are nested deeper than the limit. Does not recurse. */
function tooDeep(value: object): boolean {
  let level: object[] = [value];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return true;
    const below: object[] = [];
    for (const outer of level)
      for (const inner of Object.values(outer))
        if (inner !== null && typeof inner === "object") below.push(inner);
    level = below;
  }
  return false;
}

/** One row from the bytes of one JSON value that begins at `line` and `column`. */
export function parseJsonRow(bytes: Buffer, name: string, line: number, column = 1): Record<string, unknown> {
  checkText(bytes, name, line, column);
  const text = bytes.toString("utf8");
  const refuse = (why: string, offset: number, next: string, cause?: unknown): HoneError => {
    const before = text.slice(0, offset).split("\n");
    const shift = before.length > 1 ? 1 : column;
    const where = `${name}:${line + before.length - 1}:${shift + before.at(-1)!.length}`;
    return new HoneError({ what: "Cannot read a row as JSON.", where, why, next, cause });
  };
  let value: unknown;
  try {
    value = parseKeepingDigits(text);
  } catch (error) {
    const found = findJsonError(text);
    throw refuse(found?.why ?? "not JSON", found?.offset ?? 0, `Fix line ${line}, or remove it.`, error);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    const kind = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
    throw refuse(
      `the row is ${kind}, not an object`,
      0,
      'Write rows as objects: {"text": "…", "label": "…"}.',
    );
  }
  if (tooDeep(value)) throw refuse(`nested deeper than ${maxDepth}`, 0, "Flatten the row.");
  return value as Record<string, unknown>;
}

/** True for a line that contains only spaces. */
export function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 9 && byte !== 13) return false;
  return true;
}

/** Rows of a JSONL or .json file: the layout is detected from the contents, whatever the file's ending. */
export async function* readJson(
  path: string,
  encoding: Encoding,
  name: string,
  lines: boolean,
  table?: string,
  onBad?: (error: HoneError) => void,
): AsyncGenerator<Row> {
  // A .jsonl file is scanned as a whole only if its first line is not a row.
  if (lines && table === undefined && (await firstLineIsRow(path, encoding, name)))
    return yield* readLines(path, encoding, name, onBad);
  const shape = await shapeOf(path, encoding, name);
  const list = chosenList(shape.kind === "object" ? shape.lists : [], table, name);
  if (list) return yield* cutRows(path, encoding, name, { at: list, inner: true });
  if (shape.kind === "array" && (shape.objects || !lines))
    return yield* cutRows(path, encoding, name, { at: shape.at, inner: false });
  // If one line among others is broken, the error names the line; if the whole file is broken, it says where.
  if (lines ? shape.kind !== "object" && shape.kind !== "objects" : shape.kind === "lines") {
    try {
      return yield* readLines(path, encoding, name, onBad);
    } catch (error) {
      if (lines || !(error instanceof HoneError)) throw error;
      const next =
        "Write the file as an array of objects, [{…}, {…}], or as one object a line; if it is not JSON, set its `format`.";
      throw new HoneError({ ...error.failure, next });
    }
  }
  yield* cutRows(path, encoding, name);
}

/** Whether the file's rows can be counted by its lines. */
export async function firstLineIsRow(path: string, encoding: Encoding, name: string): Promise<boolean> {
  for await (const lines of byteLines(path, encoding, name)) {
    for (const { bytes, line } of lines) {
      if (isBlank(bytes)) continue;
      try {
        parseJsonRow(bytes, name, line);
        return true;
      } catch (error) {
        if (error instanceof HoneError) return false;
        throw error;
      }
    }
  }
  return true;
}

/** One row per line. @param onBad called with the error for a line that is not a row, which is then skipped */
export async function* readLines(
  path: string,
  encoding: Encoding,
  name: string,
  onBad?: (error: HoneError) => void,
): AsyncGenerator<Row> {
  for await (const lines of byteLines(path, encoding, name)) {
    for (const { bytes, line } of lines) {
      if (isBlank(bytes)) continue;
      let row: Row["row"];
      try {
        row = parseJsonRow(bytes, name, line);
      } catch (error) {
        if (!onBad || !(error instanceof HoneError)) throw error;
        onBad(error);
        continue;
      }
      yield { row, place: `${name}:${line}` };
    }
  }
}

/** Elements of an array whose [ is at a given position, or consecutive objects: cut out byte by byte, one at a time. */
async function* cutRows(
  path: string,
  encoding: Encoding,
  name: string,
  array?: { at: At; inner: boolean },
): AsyncGenerator<Row> {
  let { line, lineStart } = array?.at ?? { line: 1, lineStart: 0 };
  const begin = array ? array.at.offset + 1 : 0;
  let offset = 0; // of the current chunk in the file
  let state: "between" | "inside" | "after" = "between";
  let depth = 0;
  let inString = false;
  let escaped = false;
  let afterComma = false;
  let parts: Buffer[] = [];
  let held = 0;
  let startLine = 1;
  let startColumn = 1;
  const refuse = (why: string, at: number, next = "Write the file as an array of objects: [{…}, {…}].") =>
    new HoneError({
      what: array ? "Cannot read the JSON array." : "Cannot read the JSON objects.",
      where: `${name}:${line}:${at - lineStart + 1}`,
      why,
      next,
    });
  const rowOf = (last: Buffer): Row => {
    const bytes = Buffer.concat([...parts, last]);
    parts = [];
    held = 0;
    return { row: parseJsonRow(bytes, name, startLine, startColumn), place: `${name}:${startLine}` };
  };

  for await (const chunk of textBytes(path, encoding, name)) {
    let from = 0;
    for (let i = Math.max(0, begin - offset); i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (state !== "inside" && !isSpace(byte)) {
        if (state === "after") throw refuse("more text after the array's ]", offset + i);
        if (array && byte === 0x5d) {
          if (afterComma) throw refuse("a comma before the array's ]", offset + i, "Remove the last comma.");
          if (array.inner) return;
          state = "after";
        } else if (array || byte === 0x7b) {
          state = "inside";
          from = i;
          startLine = line;
          startColumn = offset + i - lineStart + 1;
          depth = 0;
        } else throw refuse("expected another object", offset + i);
      }
      if (state === "inside") {
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === 0x5c) escaped = true;
          else if (byte === 0x22) inString = false;
        } else if (byte === 0x22) inString = true;
        else if (byte === 0x7b || byte === 0x5b) depth++;
        else if (depth > 0 && (byte === 0x7d || byte === 0x5d)) {
          depth--;
          if (!array && depth === 0) {
            state = "between";
            yield rowOf(chunk.subarray(from, i + 1));
          }
        } else if (array && depth === 0 && (byte === 0x2c || byte === 0x5d)) {
          afterComma = byte === 0x2c;
          state = afterComma ? "between" : "after";
          yield rowOf(chunk.subarray(from, i));
          if (state === "after" && array.inner) return;
        }
      }
      if (byte === 10) {
        line++;
        lineStart = offset + i + 1;
      }
    }
    if (state === "inside") {
      parts.push(chunk.subarray(from));
      held += chunk.length - from;
      if (held > maxRecordBytes) {
        line = startLine;
        throw refuse("one element exceeds 64 MiB", lineStart, "Check that every { and [ is closed.");
      }
    }
    offset += chunk.length;
  }
  if (!array && state === "inside") {
    line = startLine;
    lineStart = 0;
    throw refuse("the object that begins there is never closed", startColumn - 1, again);
  }
  if (array && (state as string) !== "after")
    throw refuse("the file ends before the array's ]", offset, again);
}
