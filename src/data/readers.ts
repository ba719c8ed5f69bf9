// Reads rows from files: the single entry point for every format. Each reader streams, or holds no more than its own
// limit allows.

import { extname } from "node:path";
import { HoneError } from "../core/errors.js";
import { shownPath, stdin } from "./files.js";
import { firstLineIsRow, isBlank, readJson } from "./json.js";
import { type Format, formats, type Reading, type Row } from "./reading.js";
import { checkContents } from "./sniff.js";
import { byteLines } from "./text.js";

/** How a file is read, if its ending is not enough. */
export interface ReadOptions extends Reading {
  /** How error positions name the file; its path if omitted. */
  name?: string | undefined;
  /** Called with the error for a line that is not a row, which is then skipped; if omitted, the error is thrown. For JSON lines and CSV. */
  onBad?: ((error: HoneError) => void) | undefined;
}

const endings: Record<string, Format> = {
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "json",
  ".csv": "csv",
  ".tsv": "tsv",
  ".xlsx": "xlsx",
  ".sqlite": "sqlite",
  ".sqlite3": "sqlite",
  ".db": "sqlite",
  ".parquet": "parquet",
  ".license": "document",
  ".md": "document",
  ".txt": "document",
};

/** Text formats, whose files may be gzip-compressed. */
const packable: readonly Format[] = ["jsonl", "json", "csv", "tsv", "document"];

/** The format that a file's ending indicates, if any. */
export function formatByEnding(path: string): Format | undefined {
  const packed = /\.gz$/i.test(path);
  const format = endings[extname(packed ? path.slice(0, -3) : path).toLowerCase()];
  return format && (!packed || packable.includes(format)) ? format : undefined;
}

/** The format that a file's ending indicates, or a HoneError that lists the endings. */
export function formatOf(path: string): Format {
  const format = formatByEnding(path);
  if (format) return format;
  throw new HoneError({
    what: "Cannot tell the file's format.",
    where: shownPath(path),
    why: `its ending is none of ${Object.keys(endings).join(" ")}, nor .gz after that of a text format`,
    next: `Set \`format\` (--format) to one of ${formats.join(", ")}.`,
    kind: "usage",
  });
}

/** The options that only some formats have. */
const fits = {
  delimiter: ["csv", "tsv"],
  columns: ["csv", "tsv", "xlsx"],
  table: ["xlsx", "sqlite", "json", "jsonl"],
} as const satisfies Partial<Record<keyof Reading, readonly Format[]>>;

function checkReading(reading: Reading, format: Format, name: string): void {
  for (const [option, having] of Object.entries(fits) as [keyof typeof fits, readonly Format[]][]) {
    if (reading[option] === undefined || having.includes(format)) continue;
    throw new HoneError({
      what: `\`${option}\` does not apply to this file.`,
      where: name,
      why: `it is read as ${format}; \`${option}\` is for ${having.join(", ")}`,
      next: `Leave \`${option}\` out, or set another \`format\`.`,
      kind: "usage",
    });
  }
}

/**
 * Streams the rows of a file, or of the text files in a folder with one subfolder per label. Values are plain JSON;
 * integers that a double cannot hold are strings of their digits; names such as `__proto__` are ordinary, inert fields.
 *
 * @throws HoneError with file and position for malformed input, and for a file without a single row.
 * @example
 * import { readRows } from "@honelab/hone";
 * for await (const { row, place } of readRows("cases.jsonl")) console.log(place, row["facts"]);
 */
export async function* readRows(path: string, options: ReadOptions = {}): AsyncGenerator<Row> {
  if (path === stdin) return yield* readStdin(options);
  const files = await (await import("./folder.js")).filesByFolder(path);
  if (files) {
    for (const file of files) yield* readRows(file, { ...options, name: undefined });
    return;
  }
  const { format, name } = await checked(path, options);
  let empty = true;
  for await (const row of rowsOf(path, format, name, options)) {
    empty = false;
    yield row;
  }
  if (empty) throw noRows(name, format);
}

/** JSON lines, CSV or TSV from standard input, as they arrive. */
async function* readStdin(options: ReadOptions): AsyncGenerator<Row> {
  const { format = "jsonl", name = "stdin" } = options;
  checkReading(options, format, name);
  if (format === "jsonl")
    return yield* (await import("./json.js")).readLines(
      stdin,
      options.encoding ?? "utf8",
      name,
      options.onBad,
    );
  if (format === "csv" || format === "tsv") return yield* rowsOf(stdin, format, name, options);
  throw new HoneError({
    what: `Cannot read ${format} from standard input.`,
    where: name,
    why: "only JSON lines, CSV and TSV can be read as a stream",
    next: "Pass --format csv, or write the rows to a file and name that.",
    kind: "usage",
  });
}

/** Format and name of a file, after checking that its contents match the format and that the reading options fit it. */
async function checked(path: string, options: ReadOptions): Promise<{ format: Format; name: string }> {
  const format = options.format ?? formatOf(path);
  const name = options.name ?? shownPath(path);
  checkReading(options, format, name);
  await checkContents(path, format, name);
  return { format, name };
}

// Parsers of formats other than JSON are loaded on use.
async function* rowsOf(
  path: string,
  format: Format,
  name: string,
  reading: ReadOptions,
): AsyncGenerator<Row> {
  const { encoding = "utf8", delimiter, columns, table, onBad } = reading;
  switch (format) {
    case "jsonl":
    case "json":
      return yield* readJson(path, encoding, name, format === "jsonl", table, onBad);
    case "csv":
    case "tsv": {
      const usual = format === "csv" ? "," : "\t";
      return yield* (await import("./csv.js")).readCsv(path, encoding, name, {
        usual,
        delimiter,
        columns,
        onBad,
      });
    }
    case "xlsx":
      return yield* (await import("./xlsx.js")).readXlsx(path, name, table, columns);
    case "sqlite":
      return yield* (await import("./sqlite.js")).readSqlite(path, name, table);
    case "parquet":
      return yield* (await import("./parquet.js")).readParquet(path, name);
    case "document":
      return yield* (await import("./documents.js")).readDocument(path, encoding, name);
  }
}

function noRows(name: string, format: Format): HoneError {
  const why =
    format === "csv" || format === "tsv" || format === "xlsx"
      ? "no row follows its header"
      : "it has no rows";
  return new HoneError({
    what: "The file has no rows.",
    where: name,
    why,
    next: "Check the file's contents.",
  });
}

/** Number of rows. JSON lines are counted without parsing, Parquet and SQLite by their own counts; memory stays flat. */
export async function countRows(path: string, options: ReadOptions = {}): Promise<number> {
  const files = await (await import("./folder.js")).filesByFolder(path);
  if (files) return files.length;
  const { format, name } = await checked(path, options);
  const { encoding = "utf8", table } = options;
  let n = 0;
  if (format === "parquet") n = await (await import("./parquet.js")).countParquetRows(path, name);
  else if (format === "sqlite") n = await (await import("./sqlite.js")).countSqliteRows(path, name, table);
  else if (format === "jsonl" && (await firstLineIsRow(path, encoding, name))) {
    for await (const lines of byteLines(path, encoding, name))
      for (const { bytes } of lines) if (!isBlank(bytes)) n++;
  } else for await (const _ of rowsOf(path, format, name, options)) n++;
  if (n === 0) throw noRows(name, format);
  return n;
}
