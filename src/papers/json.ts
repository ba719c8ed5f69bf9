// Parsing of papers' JSON data that keeps the order of keys. Lawma's maps of choices are in codebook order, in which
// prompts list them, but JavaScript would put keys that look like whole numbers first and in numeric order.

import { readFile } from "node:fs/promises";
import { HoneError, messageOf } from "../core/errors.js";
import { shownPath } from "../data/index.js";

const mark = "#";

/**
 * Parses JSON with a mark before every key that is a whole number, so that objects keep the order of the text.
 * A number in quotes that a colon follows is always a key: inside a string its quotes would be escaped.
 */
export function parseOrdered(text: string): unknown {
  return JSON.parse(text.replace(/(?<!\\)"(-?\d+)"(\s*:)/g, `"${mark}$1"$2`));
}

/** The entries of an object from `parseOrdered`, with keys as written, in the order of the text. */
export function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).map(([key, entry]) => [key.replace(/^#(?=-?\d+$)/, ""), entry]);
}

/** The value of a key as written; undefined if there is none. */
export function at(value: unknown, key: string): unknown {
  if (value === null || typeof value !== "object") return undefined;
  return entriesOf(value).find(([name]) => name === key)?.[1];
}

/** @throws HoneError when the file is missing or is not JSON; it names file and cause */
export async function readJsonFile(path: string, ordered: boolean): Promise<unknown> {
  try {
    const text = await readFile(path, "utf8");
    return ordered ? parseOrdered(text) : JSON.parse(text);
  } catch (error) {
    throw new HoneError({
      what: "Cannot read a file of the paper's data",
      where: shownPath(path),
      why: messageOf(error),
      next: "Download or make it again.",
      cause: error,
    });
  }
}
