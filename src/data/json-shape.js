// How a JSON file is laid out, found by one pass over its brackets that holds nothing but the names of its lists.
import { HoneError } from "../core/errors.js";
import { textBytes } from "./encoding.js";

const maxName = 1000;
const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
/** True for the white space that JSON allows between values. */
export function isSpace(byte) {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9;
}
export async function shapeOf(path, encoding, name) {
  const lists = [];
  let state = "before";
  let at = { offset: 0, line: 1, lineStart: 0 };
  let offset = 0;
  let line = 1;
  let lineStart = 0;
  let depth = 0;
  let spans = false; // whether the first object ends on another line than it begins
  let inString = false;
  let escaped = false;
  let text = []; // of the last string directly in the object
  let key = "";
  let pending; // a list whose first element is still to come
  for await (const chunk of textBytes(path, encoding, name)) {
    for (let i = 0; i < chunk.length; i++, offset++) {
      const byte = chunk[i];
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
/** The list that holds the rows: the one that `table` names, the only one, or `data`; undefined where there is none. */
export function chosenList(lists, table, name) {
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
