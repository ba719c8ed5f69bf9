// Reads a source of documents as passages: rows are read one at a time, and each document is cut into overlapping
// pieces of a given number of words. Nothing is kept or searched here.

import { HoneError } from "../../../core/errors.js";
import type { Passage } from "../../../core/language.js";
import { formatOf, readRows } from "../../../data/readers.js";
import { resolveSource, type SourceOptions } from "../../../data/sources.js";
import { asText, field, fieldOrTemplate, requiredField } from "../../../data/template.js";

export interface Document {
  id: string;
  text: string;
  /** Its place in the source, for errors. */
  place: string;
}

export interface PassageSize {
  /** Most words of a passage; a run of 40 characters without a space counts as one. */
  words: number;
  /** Words that a passage repeats from the one before. */
  overlap: number;
}

/**
 * Streams the documents of a source, one row each.
 * @param id field or template; without it the field `id`, else the file's name where a file is one document
 * @param text field or template
 * @throws HoneError with file and line for unreadable rows, missing fields and empty ids
 */
export async function* readDocuments(
  source: string,
  id: string | undefined,
  text: string,
  options: SourceOptions,
): AsyncGenerator<Document> {
  const idOf =
    id === undefined
      ? (row: Record<string, unknown>, place: string) =>
          asText(field(row, "id") ?? field(row, "file") ?? requiredField(row, "id", place))
      : fieldOrTemplate(id);
  const textOf = fieldOrTemplate(text);
  const { files } = await resolveSource(source, options);
  for (const path of files) {
    for await (const { row, place } of readRows(path, { format: formatOf(path) })) {
      const name = cleanText(idOf(row, place)).trim();
      if (name === "") {
        throw new HoneError({
          what: "A document has no id.",
          where: place,
          next: "Fill the field, or name another as `id`.",
        });
      }
      yield { id: name, text: cleanText(textOf(row, place)).trim(), place };
    }
  }
}

/** Control characters become spaces and lone surrogates U+FFFD, because the database holds UTF-8 text. */
function cleanText(text: string): string {
  const printable = text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, " ");
  return Buffer.from(printable, "utf8").toString("utf8");
}

const sentenceEnd = /[.!?。！？]["'”’)\]]*$/u;

/**
 * Cuts a document into passages, in order. A passage ends with a sentence where one ends in its last quarter; each but
 * the first begins `overlap` words before the end of the one before. An empty document has none.
 */
export function cutPassages({ id, text }: Pick<Document, "id" | "text">, size: PassageSize): Passage[] {
  const places = [...text.matchAll(/\S{1,40}/gu)].map((found) => ({
    from: found.index,
    to: found.index + found[0].length,
    ends: sentenceEnd.test(found[0]),
  }));
  const passages: Passage[] = [];
  const minWords = Math.max(Math.ceil(size.words * 0.75), size.overlap + 1);
  for (let start = 0; start < places.length; ) {
    let end = Math.min(start + size.words, places.length);
    if (end < places.length) {
      for (let last = end; last >= start + minWords; last--) {
        if (places[last - 1]?.ends) {
          end = last;
          break;
        }
      }
    }
    passages.push({ id, text: text.slice(places[start]?.from, places[end - 1]?.to) });
    if (end === places.length) break;
    start = end - size.overlap;
  }
  return passages;
}
