// Reads one row from one document: a YAML header between `---` lines, if there is one, and the text below it. The row is
// the header's fields, `text` (the body), `file` (the file's name) and `folder` (the name of the folder it is in).

import { basename, dirname } from "node:path";
import { parseDocument } from "yaml";
import { HoneError, messageOf } from "../core/errors.js";
import { keepDigits } from "./digits.js";
import { textBytes } from "./encoding.js";
import { maxRecordBytes } from "./files.js";
import type { Encoding, Row } from "./reading.js";
import { checkText } from "./text.js";

const maxHeaderLength = 256 * 1024;

/** The one row of a document file. */
export async function* readDocument(path: string, encoding: Encoding, name: string): AsyncGenerator<Row> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of textBytes(path, encoding, name)) {
    size += chunk.length;
    if (size > maxRecordBytes) {
      throw new HoneError({
        what: "The document is too long.",
        where: name,
        why: `it has more than ${maxRecordBytes / 1024 / 1024} MiB`,
        next: "Cut it into smaller files.",
      });
    }
    parts.push(chunk);
  }
  const bytes = Buffer.concat(parts);
  checkText(bytes, name, 1);
  const { header, body } = splitHeader(bytes.toString("utf8"), name);
  const row = { folder: basename(dirname(path)), ...header, text: body, file: basename(path) };
  yield { row, place: name };
}

function splitHeader(text: string, name: string): { header: Record<string, unknown>; body: string } {
  const opening = /^---[ \t]*\r?\n/.exec(text);
  if (!opening) return { header: {}, body: text.trim() };
  const refuse = (line: number, column: number, why: string, cause?: unknown) =>
    new HoneError({
      what: "Cannot read the YAML header.",
      where: `${name}:${line}:${column}`,
      why,
      next: "Fix the lines between the two `---`; they take simple `name: value` fields.",
      cause,
    });
  const closing = /^---[ \t]*\r?$/m;
  const rest = text.slice(opening[0].length);
  const end = closing.exec(rest);
  if (!end) throw refuse(1, 1, "its closing `---` is missing");
  const source = rest.slice(0, end.index);
  if (source.length > maxHeaderLength) throw refuse(2, 1, `it is longer than ${maxHeaderLength} characters`);
  // Deep flow nesting overflows a recursive parser, and aliases can multiply a short text into gigabytes.
  const nested = /(?:[[{]\s*){50}|^ {200,}\S|(?:- ){50}/m.exec(source);
  if (nested)
    throw refuse(source.slice(0, nested.index).split("\n").length + 1, 1, "it is nested too deeply");
  let value: unknown;
  try {
    const document = parseDocument(source, {
      maxAliasCount: 0,
      intAsBigInt: true,
      prettyErrors: false,
    } as object);
    const problem = document.errors[0];
    if (problem) {
      const before = source.slice(0, problem.pos[0]).split("\n");
      throw refuse(before.length + 1, before.at(-1)!.length + 1, problem.message, problem);
    }
    value = document.toJS({ maxAliasCount: 0, reviver: keepDigits });
  } catch (error) {
    if (error instanceof HoneError) throw error;
    const alias = /alias/i.test(messageOf(error));
    throw refuse(2, 1, alias ? "aliases (`*name`) are not allowed" : messageOf(error), error);
  }
  if (value === null || value === undefined) value = {};
  if (typeof value !== "object" || Array.isArray(value))
    throw refuse(2, 1, "it is not a list of `name: value` fields");
  return { header: value as Record<string, unknown>, body: rest.slice(end.index + end[0].length).trim() };
}
