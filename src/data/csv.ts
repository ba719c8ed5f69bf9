// Rows from CSV and TSV (RFC 4180 quoting in both): a header row, then one record a row. Values are strings, always.

import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { HoneError, messageOf } from "../core/errors.js";
import { maxRecordBytes } from "./files.js";
import type { Row } from "./readers.js";
import { type Encoding, textChunks } from "./text.js";

const advice: Record<string, { why: string; next: string }> = {
  CSV_QUOTE_NOT_CLOSED: {
    why: "a quoted field is never closed",
    next: 'Close the quote, or write quotes inside a field twice: "".',
  },
  CSV_INVALID_CLOSING_QUOTE: {
    why: "text follows a closing quote",
    next: 'Write quotes inside a quoted field twice: "".',
  },
  INVALID_OPENING_QUOTE: {
    why: "a quote stands inside an unquoted field",
    next: 'Quote the whole field and write quotes inside it twice: "".',
  },
  CSV_MAX_RECORD_SIZE: {
    why: `a record exceeds ${maxRecordBytes / 1024 / 1024} MiB`,
    next: "Look for a quote that is opened there and not closed.",
  },
};

/** Rows of a CSV (`,`) or TSV (tab) file. `place` is the line on which the record begins. */
export async function* readCsv(
  path: string,
  delimiter: "," | "\t",
  encoding: Encoding,
  name: string,
): AsyncGenerator<Row> {
  const parser = parse({
    delimiter,
    info: true,
    relax_column_count: true, // ragged rows are reported below, with the header's count
    skip_empty_lines: true,
    max_record_size: maxRecordBytes,
  });
  // Errors of either side reach the loop below through the parser, which pipeline destroys.
  pipeline(Readable.from(textChunks(path, encoding, name)), parser, () => {});
  let header: string[] | undefined;
  let lastLine = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      const breaks = record.reduce(
        (n, field) => n + (field.includes("\n") ? field.split("\n").length - 1 : 0),
        0,
      );
      const line = Math.max(lastLine + 1, info.lines - breaks);
      lastLine = info.lines;
      if (header === undefined) {
        header = checkHeader(record, name, line);
        continue;
      }
      if (record.length !== header.length) {
        throw new HoneError({
          what: "A CSV row does not fit its header.",
          where: `${name}:${line}`,
          why: `it has ${record.length} fields, the header has ${header.length}`,
          next: `Mend line ${line}: quote fields that contain ${delimiter === "," ? "a comma" : "a tab"} or a line break.`,
        });
      }
      yield { row: Object.fromEntries(header.map((key, i) => [key, record[i]])), place: `${name}:${line}` };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The parser counts to where it noticed; a quote that is never closed was opened in the record after the last good one.
    const unclosed = error.code === "CSV_QUOTE_NOT_CLOSED" || error.code === "CSV_MAX_RECORD_SIZE";
    const line = unclosed ? lastLine + 1 : ((error as { lines?: number }).lines ?? lastLine + 1);
    const known = advice[error.code];
    throw new HoneError({
      what: "Cannot read the CSV file.",
      where: `${name}:${line}`,
      why: known?.why ?? messageOf(error),
      next: known?.next ?? `Mend the record at line ${line}.`,
      cause: error,
    });
  } finally {
    parser.destroy();
  }
}

function checkHeader(record: readonly string[], name: string, line: number): string[] {
  const seen = new Set<string>();
  record.forEach((key, i) => {
    if (key !== "" && !seen.has(key)) {
      seen.add(key);
      return;
    }
    throw new HoneError({
      what: "Cannot use the CSV header.",
      where: `${name}:${line}`,
      why: key === "" ? `column ${i + 1} has no name` : `two columns are called ${JSON.stringify(key)}`,
      next: "Give every column its own name in the first line.",
    });
  });
  return [...record];
}
