// Reads columns of a file's rows as texts, small enough to be kept in a specialist's state. It does no look-up.

import { HoneError } from "../../../core/errors.js";
import type { Given } from "../../../core/specializer.js";
import { readRows } from "../../../data/readers.js";
import { resolveSource } from "../../../data/sources.js";
import { asText } from "../../../data/template.js";
import { listKnown, nearest } from "../../parts/options.js";

const maxRows = 50_000;
/** Characters of all cells together: the state is one JSON text in memory. */
const maxCharacters = 8_000_000;

/** Columns by name, and each row's cells in their order. */
export type KeptRows = { columns: string[]; rows: string[][] };

/**
 * Reads the named columns of all files of a source.
 *
 * @param first the column that stands first; its cells must not be empty
 * @param others by default all other columns of the first row
 * @throws HoneError for unknown columns, empty first cells and files too large to be kept
 */
export async function keepRows(
  source: string,
  first: string,
  others: readonly string[] | undefined,
  given: Pick<Given, "base" | "context">,
): Promise<KeptRows> {
  const { files } = await resolveSource(source, { base: given.base, signal: given.context.signal });
  let columns: string[] | undefined;
  const rows: string[][] = [];
  let characters = 0;
  for (const file of files) {
    for await (const { row, place } of readRows(file)) {
      if (!columns) {
        const known = Object.keys(row);
        columns = [first, ...(others ?? known).filter((name) => name !== first)];
        for (const column of columns) if (!Object.hasOwn(row, column)) throw unknown(column, known, place);
      }
      const cells = columns.map(
        (column) => (Object.hasOwn(row, column) ? asText(row[column]) : undefined) ?? "",
      );
      if (!cells[0]?.trim()) throw refuse(place, `"${first}" is empty`, "Give every row its key.");
      characters += cells.reduce((sum, cell) => sum + cell.length, 0);
      rows.push(cells);
      if (rows.length > maxRows || characters > maxCharacters) {
        const why = `it has more than ${maxRows} rows or ${maxCharacters} characters in these columns`;
        throw refuse(source, why, "Name fewer columns, or make a smaller file.");
      }
    }
  }
  return { columns: columns ?? [first], rows };
}

/** A key in the form that is compared: ignoring case and surrounding white space. */
export function plain(text: string): string {
  return text.normalize("NFKC").trim().toLowerCase();
}

function unknown(column: string, known: readonly string[], place: string): HoneError {
  const near = nearest(column, known);
  return refuse(
    place,
    `there is no column "${column}". ${listKnown("Columns", known)}`,
    near ? `Write "${near}".` : "Write one of its columns.",
  );
}

function refuse(where: string, why: string, next: string): HoneError {
  return new HoneError({ what: "A tool cannot use this file", where, why, next, kind: "usage" });
}
