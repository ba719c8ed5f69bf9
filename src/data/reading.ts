// How files are read: the options that studies, the command line and the readers share. It imports nothing, so that
// help starts fast.

/** One row and its position: `file:line`, or `file: row N` in Parquet, Excel and SQLite. */
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
  /** Taken from the file's ending if omitted. */
  format?: Format | undefined;
  /** Text encoding; a byte order mark overrides it. `utf8` if omitted. */
  encoding?: Encoding | undefined;
  /** Field separator of CSV; detected if omitted. */
  delimiter?: string | undefined;
  /** Column names for CSV or Excel without a header row. */
  columns?: readonly string[] | undefined;
  /** The table of SQLite, the sheet of Excel, or the field of a JSON object that holds the rows. */
  table?: string | undefined;
}

/** The reading options, picked from a larger set of options. */
export function readingOf(from: Reading): Reading {
  const { format, encoding, delimiter, columns, table } = from;
  const said = Object.entries({ format, encoding, delimiter, columns, table });
  return Object.fromEntries(said.filter(([, value]) => value !== undefined));
}

/** The delimiter that a text denotes, including `tab`; undefined if it is not a valid delimiter. */
export function delimiterOf(text: string): string | undefined {
  if (text === "tab" || text === "\\t") return "\t";
  return [...text].length === 1 && !/["\r\n]/.test(text) ? text : undefined;
}
