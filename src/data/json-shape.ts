// Detects how a JSON file is laid out, in one pass over its brackets that keeps only the names of its lists.

import { HoneError } from "../core/errors.js";
import { textBytes } from "./encoding.js";
import type { Encoding } from "./reading.js";

/** A place in the file's UTF-8, without a byte order mark. */
export interface At {
  offset: number;
  line: number;
  /** Offset of the beginning of the line. */
  lineStart: number;
}

/** A field of the file's single object that holds a list of objects (`data` may be empty); the position is that of its [. */
export interface List extends At {
  name: string;
}

export type Shape =
  /** An array; `objects` is true if its first element is an object. */
  | { kind: "array"; at: At; objects: boolean }
  /** One object and nothing else. */
  | { kind: "object"; lists: List[] }
  /** Several objects, the first of which spans several lines. */
  | { kind: "objects" }
  /** An object that is never closed. */
  | { kind: "unclosed" }
  /** Anything else is read line by line. */
  | { kind: "lines" };

const maxName = 1000;
const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** True for the white space that JSON allows between values. */
export function isSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9;
}

export async function shapeOf(path: string, encoding: Encoding, name: string): Promise<Shape> {
  const lists: List[] = [];
  let state: "before" | "array" | "object" | "after" = "before";
  let at: At = { offset: 0, line: 1, lineStart: 0 };
  let offset = 0;
  let line = 1;
  let lineStart = 0;
  let depth = 0;
  let spans = false; // whether the first object ends on another line than it begins on
  let inString = false;
  let escaped = false;
  let text: number[] = []; // the last string directly in the object
  let key = "";
  let pending: List | undefined; // a list whose first element has not been read yet
  for await (const chunk of textBytes(path, encoding, name)) {
    for (let i = 0; i < chunk.length; i++, offset++) {
      const byte = chunk[i]!;
      if (byte === 10) {
        line++;
        lineStart = offset + 1;
      }
      if (inString) {
        if (!escaped && byte === quote) inString = false;
        else if (depth === 1 && text.length < maxName) text.push(byte);
        escaped = !escaped && byte === backslash;
        continue;
      }
      if (isSpace(byte)) continue;
      if (state === "before") {
        at = { offset, line, lineStart };
        if (byte !== openArray && byte !== openObject) return { kind: "lines" };
        state = byte === openArray ? "array" : "object";
        depth = 1;
      } else if (state === "array") return { kind: "array", at, objects: byte === openObject };
      else if (state === "after") return { kind: spans ? "objects" : "lines" };
      else {
        const empty = byte === closeArray && key === "data";
        if (pending && (byte === openObject || empty)) lists.push(pending);
        pending = undefined;
        if (byte === quote) {
          inString = true;
          if (depth === 1) text = [];
        } else if (byte === colon && depth === 1) key = Buffer.from(text).toString("utf8");
        else if (byte === openArray || byte === openObject) {
          if (byte === openArray && depth === 1) pending = { name: key, offset, line, lineStart };
          depth++;
        } else if (byte === closeArray || byte === closeObject) {
          depth--;
          if (depth === 0) {
            state = "after";
            spans = line > at.line;
          }
        }
      }
    }
  }
  if (state === "array") return { kind: "array", at, objects: false };
  if (state === "object") return { kind: "unclosed" };
  return state === "after" ? { kind: "object", lists } : { kind: "lines" };
}

/** The list that holds the rows: the one that `table` names, the only one, or `data`; undefined if there is none. */
export function chosenList(
  lists: readonly List[],
  table: string | undefined,
  name: string,
): List | undefined {
  const found =
    table === undefined && lists.length === 1
      ? lists[0]
      : lists.find((list) => list.name === (table ?? "data"));
  if (found || (lists.length === 0 && table === undefined)) return found;
  const names = lists.map((list) => JSON.stringify(list.name)).join(", ");
  throw new HoneError({
    what: table === undefined ? "Cannot tell which list holds the rows." : "There is no such list of rows.",
    where: name,
    why: lists.length === 0 ? "it has no list of objects" : `its lists of objects are ${names}`,
    next: lists.length === 0 ? "Leave `table` out." : "Name one of them as `table` (--table).",
    kind: "usage",
  });
}
