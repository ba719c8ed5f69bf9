// How files are read: the words that studies, the command line and the readers share. It imports nothing, so that help
// answers at once.

/** One row and where it stands: `file:line`, or `file: row N` in Parquet, Excel and SQLite. */
export interface Row {
  row: Record<string, unknown>;
  place: string;
}

/** Every format that can be read. */
export const formats = ["jsonl", "json", "csv", "tsv", "xlsx", "sqlite", "parquet", "document"] as const;
/** A data file's format. */
export type Format = (typeof formats)[number];

/** How a file's bytes are read as text. `cp1252` is what Windows programs call ANSI. */
export const encodings = ["utf8", "latin1", "cp1252", "utf16le", "utf16be"] as const;
/** A text file's encoding. */
export type Encoding = (typeof encodings)[number];

/** The fields of a study's `data:` and the flags of the same names. */
export interface Reading {
  /** Taken from the file's ending where absent. */
  format?: Format | undefined;
  /** Of text; a byte order mark has the last word. `utf8` where absent. */
  encoding?: Encoding | undefined;
  /** Between the fields of CSV; found where absent. */
  delimiter?: string | undefined;
  /** Names of the columns of CSV or Excel without a header row. */
  columns?: readonly string[] | undefined;
  /** The table of SQLite, the sheet of Excel, or the field of a JSON object that holds the rows. */
  table?: string | undefined;
}

/** What is said about reading, out of more that was said. */
export function readingOf(from: Reading): Reading {
  const { format, encoding, delimiter, columns, table } = from;
  const said = Object.entries({ format, encoding, delimiter, columns, table });
  return Object.fromEntries(said.filter(([, value]) => value !== undefined));
}

/** The delimiter that is meant, `tab` included; undefined where it cannot be one. */
export function delimiterOf(text: string): string | undefined {
  if (text === "tab" || text === "\\t") return "\t";
  return [...text].length === 1 && !/["\r\n]/.test(text) ? text : undefined;
}
