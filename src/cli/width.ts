// Width of text for people: the terminal's width, or COLUMNS if there is no terminal. Lines to a file or a pipe are not
// wrapped.

import type { WriteStream } from "node:tty";
import { displayWidth } from "../report/columns.js";

/** Text is laid out for at least this width. */
const narrowest = 40;

/** Columns of the terminal behind a stream; undefined if there is none and COLUMNS is not set. */
export function columnsOf(stream: Pick<WriteStream, "columns"> = process.stdout): number | undefined {
  const said = Number(process.env.COLUMNS);
  const columns = stream.columns || (Number.isInteger(said) && said > 0 ? said : undefined);
  return columns === undefined ? undefined : Math.max(narrowest, columns);
}

/**
 * Lines wrapped at spaces to fit; continuations are indented two more than their line. Words are never broken, so that
 * paths and commands can be copied.
 */
export function fold(text: string, columns: number | undefined = columnsOf()): string {
  if (columns === undefined) return text;
  return text
    .split("\n")
    .map((line) => (displayWidth(line) <= columns ? line : foldLine(line, columns)))
    .join("\n");
}

function foldLine(line: string, columns: number): string {
  const indent = /^\s*/.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let now = "";
  let before = indent;
  // Spaces within a line are kept where it is not broken, since they align columns.
  for (const [, gap = "", word = ""] of line.slice(indent.length).matchAll(/(\s*)(\S+)/g)) {
    const longer = now === "" ? before + word : now + gap + word;
    if (now !== "" && displayWidth(longer) > columns) {
      lines.push(now);
      before = `${indent}  `;
      now = before + word;
    } else now = longer;
  }
  lines.push(now);
  return lines.join("\n");
}
