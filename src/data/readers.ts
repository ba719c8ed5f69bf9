// Rows from files: the one door to every format. Each reader streams; no file is held in memory whole but a document.

import { extname } from "node:path";
import { HoneError } from "../core/errors.js";
import { shownPath } from "./files.js";
import { isBlank, readJson, readJsonLines } from "./json.js";
import { byteLines, type Encoding } from "./text.js";

export const formats = ["jsonl", "json", "csv", "tsv", "parquet", "document"] as const;
export type Format = (typeof formats)[number];

/** One row and where it stands: `file:line`, or `file: row N` in Parquet. */
export interface Row {
  row: Record<string, unknown>;
  place: string;
}

export interface ReadOptions {
  /** Taken from the file's ending where absent. */
  format?: Format;
  /** `utf8` where absent. Parquet is always UTF-8. */
  encoding?: Encoding;
  /** How places call the file; its path where absent. */
  name?: string;
}

const endings: Record<string, Format> = {
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "json",
  ".csv": "csv",
  ".tsv": "tsv",
  ".parquet": "parquet",
  ".license": "document",
  ".md": "document",
  ".txt": "document",
};

/** The format that a file's ending says, or a HoneError that lists the endings. */
export function formatOf(path: string): Format {
  const format = endings[extname(path).toLowerCase()];
  if (format) return format;
  throw new HoneError({
    what: "Cannot tell the file's format.",
    where: shownPath(path),
    why: `its ending is none of ${Object.keys(endings).join(" ")}`,
    next: `Say \`format:\` with one of ${formats.join(", ")}.`,
    kind: "usage",
  });
}

/**
 * Streams the rows of a file. Values are plain JSON; names such as `__proto__` are ordinary, inert fields.
 *
 * @throws HoneError with file and place for anything malformed, and for a file without a single row.
 * @example
 * for await (const { row, place } of readRows("cases.jsonl")) console.log(place, row["text"]);
 */
export async function* readRows(path: string, options: ReadOptions = {}): AsyncGenerator<Row> {
  const format = options.format ?? formatOf(path);
  const name = options.name ?? shownPath(path);
  let empty = true;
  for await (const row of rowsOf(path, format, options.encoding ?? "utf8", name)) {
    empty = false;
    yield row;
  }
  if (empty) throw noRows(name, format);
}

// The parsers of other formats than JSON are loaded on use.
async function* rowsOf(path: string, format: Format, encoding: Encoding, name: string): AsyncGenerator<Row> {
  switch (format) {
    case "jsonl":
      return yield* readJsonLines(path, encoding, name);
    case "json":
      return yield* readJson(path, encoding, name);
    case "csv":
    case "tsv":
      return yield* (await import("./csv.js")).readCsv(path, format === "csv" ? "," : "\t", encoding, name);
    case "parquet":
      return yield* (await import("./parquet.js")).readParquet(path, name);
    case "document":
      return yield* (await import("./documents.js")).readDocument(path, encoding, name);
  }
}

function noRows(name: string, format: Format): HoneError {
  const header = format === "csv" || format === "tsv" ? "no row follows its header" : "it has no rows";
  return new HoneError({
    what: "The file has no rows.",
    where: name,
    why: header,
    next: "Check the file's contents.",
  });
}

/** Number of rows. JSON lines are counted without parsing them, Parquet from its footer; memory stays flat. */
export async function countRows(path: string, options: ReadOptions = {}): Promise<number> {
  const format = options.format ?? formatOf(path);
  const name = options.name ?? shownPath(path);
  let n = 0;
  if (format === "parquet") n = await (await import("./parquet.js")).countParquetRows(path, name);
  else if (format === "jsonl") {
    for await (const lines of byteLines(path, name)) for (const { bytes } of lines) if (!isBlank(bytes)) n++;
  } else for await (const _ of rowsOf(path, format, options.encoding ?? "utf8", name)) n++;
  if (n === 0) throw noRows(name, format);
  return n;
}
