// How files are read: the words that studies, the command line and the readers share. It imports nothing, so that help
// answers at once.
/** Every format that can be read. */
export const formats = ["jsonl", "json", "csv", "tsv", "xlsx", "sqlite", "parquet", "document"];
/** How a file's bytes are read as text. `cp1252` is what Windows programs call ANSI. */
export const encodings = ["utf8", "latin1", "cp1252", "utf16le", "utf16be"];
/** What is said about reading, out of more that was said. */
export function readingOf(from) {
  const { format, encoding, delimiter, columns, table } = from;
  const said = Object.entries({ format, encoding, delimiter, columns, table });
  return Object.fromEntries(said.filter(([, value]) => value !== undefined));
}
/** The delimiter that is meant, `tab` included; undefined where it cannot be one. */
export function delimiterOf(text) {
  if (text === "tab" || text === "\\t") return "\t";
  return [...text].length === 1 && !/["\r\n]/.test(text) ? text : undefined;
}
