// Reads tab-separated lists, such as word and sentence lists: a key, a tab and a text on every line.

import { readFileSync } from "node:fs";
import { HoneError, messageOf } from "../core/errors.js";

/** How errors name the list and its two columns. */
export interface TabbedList {
  /** "the examples" */
  list: string;
  /** The columns before and after the tab: "label" and "text". */
  first: string;
  second: string;
}

/**
 * The list's pairs, in order; empty lines are skipped.
 * @throws HoneError if the file cannot be read, is not UTF-8 or empty, or has a line that is not a pair
 */
export function readTabbed(path: string, { list, first, second }: TabbedList): [string, string][] {
  const fail = (why: string) =>
    new HoneError({
      what: `Cannot read ${list}`,
      where: path,
      why,
      next: `Name a file with a ${first}, a tab and a ${second} in every line.`,
      kind: "usage",
    });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    throw fail(messageOf(error));
  }
  const pairs: [string, string][] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === "") continue;
    const tab = line.indexOf("\t");
    if (tab <= 0 || tab === line.length - 1) throw fail(`line ${i + 1} has no ${first}, tab and ${second}`);
    pairs.push([line.slice(0, tab), line.slice(tab + 1)]);
  }
  if (pairs.length === 0) throw fail("it is empty");
  return pairs;
}
