// Rows from JSON: one object a line (.jsonl), or an array of objects (.json), streamed in both cases.
// JSON.parse does the reading; the scanner below only finds the place of a mistake, which engines do not tell reliably.

import { HoneError } from "../core/errors.js";
import { maxRecordBytes } from "./files.js";
import type { Row } from "./readers.js";
import { byteLines, checkText, decode, type Encoding, textBytes } from "./text.js";

const maxDepth = 100;

/** Where and why a text is not JSON, or undefined if it is. `offset` is in UTF-16 units from 0. */
export function findJsonError(text: string): { offset: number; why: string } | undefined {
  let i = 0;
  const closers: string[] = [];
  let expect: "value" | "value or ]" | "name or }" | "name" | "end" = "value";
  const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
  const fail = (offset: number, why: string) => ({ offset, why });
  const skip = (): void => {
    while (i < text.length && " \t\r\n".includes(text[i]!)) i++;
  };
  const readString = (): { offset: number; why: string } | undefined => {
    string.lastIndex = i;
    string.test(text);
    const end = string.lastIndex;
    if (text[end] === '"') {
      i = end + 1;
      return undefined;
    }
    if (end >= text.length) return fail(i, "a string has no closing quote");
    return fail(end, text[end] === "\\" ? "a bad escape in a string" : "a raw control character in a string");
  };
  for (;;) {
    skip();
    const c = text[i];
    if (expect === "end") {
      const closer = closers.at(-1);
      if (closer === undefined)
        return i < text.length ? fail(i, "more text after the end of the value") : undefined;
      if (c === closer) {
        closers.pop();
        i++;
      } else if (c === ",") {
        i++;
        expect = closer === "}" ? "name" : "value";
      } else return fail(i, c === undefined ? `the text ends before a ${closer}` : `expected , or ${closer}`);
      continue;
    }
    if (c === undefined) return fail(i, "the text ends too early");
    if (expect === "name" || expect === "name or }") {
      if (c === "}" && expect === "name or }") {
        closers.pop();
        i++;
        expect = "end";
        continue;
      }
      if (c !== '"') return fail(i, "expected a name in double quotes");
      const problem = readString();
      if (problem) return problem;
      skip();
      if (text[i] !== ":") return fail(i, "expected : after a name");
      i++;
      expect = "value";
      continue;
    }
    if (c === "]" && expect === "value or ]") {
      closers.pop();
      i++;
      expect = "end";
    } else if (c === "{" || c === "[") {
      closers.push(c === "{" ? "}" : "]");
      expect = c === "{" ? "name or }" : "value or ]";
      i++;
    } else {
      if (c === '"') {
        const problem = readString();
        if (problem) return problem;
      } else {
        literal.lastIndex = i;
        if (!literal.test(text)) return fail(i, `${JSON.stringify(c)} cannot begin a value`);
        i = literal.lastIndex;
      }
      expect = "end";
    }
  }
}

/** True where objects and arrays are nested deeper than the limit. Does not recurse. */
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
export function parseJsonRow(
  bytes: Buffer,
  encoding: Encoding,
  name: string,
  line: number,
  column = 1,
): Record<string, unknown> {
  checkText(bytes, encoding, name, line, column);
  const text = decode(bytes, encoding);
  const refuse = (why: string, offset: number, next: string, cause?: unknown): HoneError => {
    const before = text.slice(0, offset).split("\n");
    const shift = before.length > 1 ? 1 : column;
    const where = `${name}:${line + before.length - 1}:${shift + before.at(-1)!.length}`;
    return new HoneError({ what: "Cannot read a row as JSON.", where, why, next, cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const found = findJsonError(text);
    throw refuse(found?.why ?? "not JSON", found?.offset ?? 0, `Mend line ${line}, or remove it.`, error);
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

/** True for a line of nothing but spaces. */
export function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 9 && byte !== 13) return false;
  return true;
}

/** Rows of a JSONL file. Blank lines are skipped. */
export async function* readJsonLines(path: string, encoding: Encoding, name: string): AsyncGenerator<Row> {
  for await (const lines of byteLines(path, name)) {
    for (const { bytes, line } of lines) {
      if (isBlank(bytes)) continue;
      yield { row: parseJsonRow(bytes, encoding, name, line), place: `${name}:${line}` };
    }
  }
}

/** Rows of a .json file: an array of objects, or, as many data sets have it, JSON lines under that ending. */
export async function* readJson(path: string, encoding: Encoding, name: string): AsyncGenerator<Row> {
  for await (const chunk of textBytes(path)) {
    const first = chunk.toString("latin1").trimStart()[0];
    if (first === undefined) continue;
    if (first === "[") return yield* readJsonArray(path, encoding, name);
    let rows = 0;
    try {
      for await (const row of readJsonLines(path, encoding, name)) {
        rows++;
        yield row;
      }
    } catch (error) {
      if (rows > 0 || !(error instanceof HoneError)) throw error;
      const next = "Write the file as an array of objects, [{…}, {…}], or as one object a line.";
      throw new HoneError({ ...error.failure, next });
    }
    return;
  }
}

/** Elements of a top-level array, cut out byte by byte so that only one is in memory at a time. */
async function* readJsonArray(path: string, encoding: Encoding, name: string): AsyncGenerator<Row> {
  let line = 1;
  let lineStart = 0; // file offset (without a byte order mark) where the current line begins
  let offset = 0; // file offset of the current chunk
  let state: "before" | "between" | "inside" | "after" = "before";
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
      what: "Cannot read the JSON array.",
      where: `${name}:${line}:${at - lineStart + 1}`,
      why,
      next,
    });

  for await (const chunk of textBytes(path)) {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (state !== "inside") {
        if (byte === 32 || byte === 9 || byte === 13 || byte === 10) {
          // white space between elements
        } else if (state === "before") {
          state = "between"; // readJson has seen the [
        } else if (state === "after") {
          throw refuse("more text after the array's ]", offset + i);
        } else if (byte === 0x5d) {
          if (afterComma) throw refuse("a comma before the array's ]", offset + i, "Remove the last comma.");
          state = "after";
        } else {
          state = "inside";
          from = i;
          startLine = line;
          startColumn = offset + i - lineStart + 1;
          depth = 0;
          inString = false;
          escaped = false;
        }
      }
      if (state === "inside") {
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === 0x5c) escaped = true;
          else if (byte === 0x22) inString = false;
        } else if (byte === 0x22) inString = true;
        else if (byte === 0x7b || byte === 0x5b) depth++;
        else if (depth > 0 && (byte === 0x7d || byte === 0x5d)) depth--;
        else if (depth === 0 && (byte === 0x2c || byte === 0x5d)) {
          parts.push(chunk.subarray(from, i));
          const row = parseJsonRow(Buffer.concat(parts), encoding, name, startLine, startColumn);
          yield { row, place: `${name}:${startLine}` };
          parts = [];
          held = 0;
          afterComma = byte === 0x2c;
          state = afterComma ? "between" : "after";
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
  if ((state as string) !== "after")
    throw refuse("the file ends before the array's ]", offset, "Download or write the file again.");
}
