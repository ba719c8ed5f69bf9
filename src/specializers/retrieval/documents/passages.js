// From a source of documents to passages: rows are read one at a time, and each document is cut into pieces of so many
// words that overlap. It keeps nothing and searches nothing.
import { HoneError } from "../../../core/errors.js";
import { formatOf, readRows } from "../../../data/readers.js";
import { resolveSource } from "../../../data/sources.js";
import { asText, field, fieldOrTemplate, requiredField } from "../../../data/template.js";
/**
 * Streams the documents of a source, one row each.
 * @param id field or template; without it the field `id`, else the file's name where a file is one document
 * @param text field or template
 * @throws HoneError with file and line for unreadable rows, missing fields and empty ids
 */
export async function* readDocuments(source, id, text, options) {
  const idOf =
    id === undefined
      ? (row, place) => asText(field(row, "id") ?? field(row, "file") ?? requiredField(row, "id", place))
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
/** Control characters as spaces, and halves of surrogate pairs as U+FFFD: the database holds UTF-8 text. */
function cleanText(text) {
  const printable = text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, " ");
  return Buffer.from(printable, "utf8").toString("utf8");
}
const sentenceEnd = /[.!?。！？]["'”’)\]]*$/u;
/**
 * Cuts a document into passages, in order. A passage ends with a sentence where one ends in its last quarter; each but
 * the first begins `overlap` words before the end of the one before. An empty document has none.
 */
export function cutPassages({ id, text }, size) {
  const places = [...text.matchAll(/\S{1,40}/gu)].map((found) => ({
    from: found.index,
    to: found.index + found[0].length,
    ends: sentenceEnd.test(found[0]),
  }));
  const passages = [];
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
