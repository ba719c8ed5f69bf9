// Reads rows from CSV and TSV (RFC 4180 quoting in both): a header row, or names given in its place, then one record
// per row. The delimiter is detected in the first records unless it is given. Values are always strings.

import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { HoneError, messageOf } from "../core/errors.js";
import { findDelimiter } from "./delimiter.js";
import { following } from "./encoding.js";
import { maxRecordBytes } from "./files.js";
import { checkColumns, checkHeader } from "./header.js";
import type { Encoding, Row } from "./reading.js";
import { textChunks } from "./text.js";

export interface CsvOptions {
  /** Used if the first records do not indicate another. */
  usual: "," | "\t";
  /** Detected if omitted. */
  delimiter?: string | undefined;
  /** Column names, if the file has no header row. */
  columns?: readonly string[] | undefined;
  /** Called with the error for a record with too many or too few fields, which is then skipped. */
  onBad?: ((error: HoneError) => void) | undefined;
}

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

const spoken: Record<string, string> = { ",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a pipe" };

/** Record delimiters: a lone carriage return if that ends the first record, else both CRLF and LF, which some files mix. */
function lineEnds(head: string): string[] {
  let quoted = false;
  for (let i = 0; i < head.length; i++) {
    if (head[i] === '"') quoted = !quoted;
    else if (!quoted && head[i] === "\n") break;
    else if (!quoted && head[i] === "\r" && head[i + 1] !== "\n") return ["\r"];
  }
  return ["\r\n", "\n"];
}

/** Rows of a CSV or TSV file. `place` is the line on which the record begins. */
export async function* readCsv(
  path: string,
  encoding: Encoding,
  name: string,
  options: CsvOptions,
): AsyncGenerator<Row> {
  const { usual, columns } = options;
  let header = columns && checkColumns(columns, name);
  const chunks = textChunks(path, encoding, name);
  const first = await chunks.next();
  const head = first.done ? "" : first.value;
  const said = /^sep=([^"\r\n])\r?\n/i.exec(head)?.[1]; // Excel's own first line
  const delimiter = options.delimiter ?? said ?? findDelimiter(head, usual, columns?.length);
  const parser = parse({
    delimiter,
    record_delimiter: lineEnds(head),
    info: true,
    relax_column_count: true, // ragged rows are reported below, with the header's count
    skip_empty_lines: true,
    max_record_size: maxRecordBytes,
  });
  // Errors of either side reach the loop below through the parser, which pipeline destroys.
  pipeline(Readable.from(following(head, chunks)), parser, () => {});
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
      const isFirst = lastLine === 0;
      lastLine = info.lines;
      if (isFirst && said !== undefined) continue;
      if (header === undefined) {
        header = checkHeader(record, `${name}:${line}`);
        continue;
      }
      if (columns && isFirst && record.join("\n") === columns.join("\n")) {
        throw new HoneError({
          what: "The columns are named twice.",
          where: `${name}:${line}`,
          why: "the file's first row has the same names as `columns`",
          next: "Leave `columns` out: the file has a header row.",
          kind: "usage",
        });
      }
      if (record.length !== header.length) {
        const separator = spoken[delimiter] ?? JSON.stringify(delimiter);
        const misfit = new HoneError({
          what: columns ? "A CSV row does not fit `columns`." : "A CSV row does not fit its header.",
          where: `${name}:${line}`,
          why: `it has ${record.length} ${record.length === 1 ? "field" : "fields"}, ${columns ? "`columns` names" : "the header has"} ${header.length}, with ${separator} between them`,
          next: `Fix line ${line} (quote fields that contain ${separator} or a line break), or set another \`delimiter\`.`,
        });
        if (!options.onBad) throw misfit;
        options.onBad(misfit);
        continue;
      }
      yield { row: Object.fromEntries(header.map((key, i) => [key, record[i]])), place: `${name}:${line}` };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The parser reports the line where it noticed the error; a quote that is never closed was opened in the record after
    // the last good one.
    const unclosed = error.code === "CSV_QUOTE_NOT_CLOSED" || error.code === "CSV_MAX_RECORD_SIZE";
    const line = unclosed ? lastLine + 1 : ((error as { lines?: number }).lines ?? lastLine + 1);
    const known = advice[error.code];
    throw new HoneError({
      what: "Cannot read the CSV file.",
      where: `${name}:${line}`,
      why: known?.why ?? messageOf(error),
      next: known?.next ?? `Fix the record at line ${line}.`,
      cause: error,
    });
  } finally {
    parser.destroy();
  }
}
