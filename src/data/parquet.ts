// Reads rows from Parquet, one row group at a time through ranged reads: memory is bounded by the largest row group.
// hyparquet decodes on its own thread (parquet-worker.ts); this file checks what the footer declares, sets the limits,
// and turns every failure into one error with the position.

import type { FileHandle } from "node:fs/promises";
import type { FileMetaData } from "hyparquet";
import { parquetMetadata } from "hyparquet";
import { HoneError, messageOf } from "../core/errors.js";
import { openFile } from "./files.js";
import { startParquetThread } from "./parquet-worker.js";
import type { Row } from "./reading.js";

const maxFooterBytes = 64 * 1024 * 1024;
const maxGroupBytes = 1024 * 1024 * 1024;
// With run-length encoding a few bytes can stand for billions of values, so a limit on bytes bounds nothing.
const maxGroupRows = 10_000_000;
const maxGroupCells = 100_000_000;

function refuse(name: string, place: string, cause: unknown): HoneError {
  const internal = cause instanceof TypeError || cause instanceof RangeError;
  const why = internal ? "its metadata make no sense" : messageOf(cause);
  const codec = /unsupported compression codec: ?(\S+)/.exec(why);
  return new HoneError({
    what: "Cannot read the Parquet file.",
    where: `${name}: ${place}`,
    why: codec ? `its codec ${codec[1]} is not supported` : why,
    next: codec
      ? "Write the file again with snappy, gzip, brotli, zstd or lz4."
      : "The file is cut or damaged: download or write it again.",
    cause,
  });
}

/** Reads the footer and checks what it declares against the file before anything is allocated for it. */
async function readFooter(handle: FileHandle, size: number, name: string): Promise<FileMetaData> {
  const tail = Buffer.alloc(Math.min(8, size));
  await handle.read(tail, 0, tail.length, size - tail.length);
  const head = Buffer.alloc(4);
  await handle.read(head, 0, 4, 0);
  if (size < 12 || head.toString("latin1") !== "PAR1")
    throw refuse(name, "byte 0", "it does not begin with PAR1");
  const magic = tail.toString("latin1", 4);
  if (magic === "PARE") throw refuse(name, `byte ${size - 4}`, "its footer is encrypted");
  if (magic !== "PAR1") throw refuse(name, `byte ${size - 4}`, "it does not end with PAR1");
  const length = tail.readUInt32LE(0);
  if (length > size - 12 || length > maxFooterBytes) {
    throw refuse(name, `byte ${size - 8}`, `its footer declares ${length} bytes of ${size}`);
  }
  const footer = Buffer.alloc(length + 8);
  await handle.read(footer, 0, footer.length, size - footer.length);
  try {
    const metadata = parquetMetadata(footer);
    for (const [i, group] of metadata.row_groups.entries()) {
      const rows = Number(group.num_rows);
      if (!(rows >= 0 && rows <= maxGroupRows && rows * group.columns.length <= maxGroupCells)) {
        throw new Error(
          `row group ${i} declares ${group.num_rows} rows; at most ${maxGroupRows} are read at a time`,
        );
      }
      let bytes = 0;
      for (const column of group.columns) {
        const meta = column.meta_data;
        if (!meta) throw new Error(`row group ${i} has a column without metadata`);
        bytes += Number(meta.total_uncompressed_size);
        const from = Number(meta.dictionary_page_offset || meta.data_page_offset);
        const length = Number(meta.total_compressed_size);
        if (!(from >= 0 && length >= 0 && from + length <= size && Number(meta.data_page_offset) <= size)) {
          throw new Error(`row group ${i} has a column outside the file`);
        }
      }
      if (!(bytes >= 0 && bytes <= maxGroupBytes)) {
        throw new Error(`row group ${i} holds ${bytes} bytes; write it in groups of at most 1 GiB`);
      }
    }
    if (topColumns(metadata).length === 0) throw new Error("it has no columns");
    return metadata;
  } catch (error) {
    throw refuse(name, `footer at byte ${size - 8 - length}`, error);
  }
}

/**
 * Rows of a Parquet file; `place` is the row's number in the file, from 1.
 * `patienceMs` is how long a row group may take, plus one second per megabyte of it.
 */
export async function* readParquet(path: string, name: string, patienceMs = 20_000): AsyncGenerator<Row> {
  const { handle, size } = await openFile(path);
  const metadata = await readFooter(handle, size, name).finally(() => handle.close());
  const columns = topColumns(metadata);
  const twice = columns.find((column, i) => columns.indexOf(column) < i);
  if (twice !== undefined) {
    throw new HoneError({
      what: "Cannot tell the Parquet file's columns apart.",
      where: name,
      why: `two columns are called ${JSON.stringify(twice)}`,
      next: "Write it again and give every column its own name.",
    });
  }
  const thread = startParquetThread(path, size);
  try {
    let rowStart = 0;
    for (const [g, group] of metadata.row_groups.entries()) {
      const rowEnd = rowStart + Number(group.num_rows);
      const bytes = group.columns.reduce(
        (n, { meta_data }) => n + Number(meta_data?.total_uncompressed_size),
        0,
      );
      let rows: unknown[][];
      try {
        rows = await thread.ask({ rowStart, rowEnd }, patienceMs + bytes / 1000);
        if (rows.length !== rowEnd - rowStart) {
          throw new Error(`row group ${g} declares ${rowEnd - rowStart} rows and holds ${rows.length}`);
        }
      } catch (error) {
        throw refuse(name, `rows ${rowStart + 1} to ${rowEnd}`, error);
      }
      for (const [i, values] of rows.entries()) {
        const row = Object.fromEntries(columns.map((column, c) => [column, values[c] ?? null]));
        yield { row, place: `${name}: row ${rowStart + i + 1}` };
      }
      rowStart = rowEnd;
    }
  } finally {
    await thread.close();
  }
}

/** Number of rows according to the footer; nothing else is read. */
export async function countParquetRows(path: string, name: string): Promise<number> {
  const { handle, size } = await openFile(path);
  try {
    const metadata = await readFooter(handle, size, name);
    return metadata.row_groups.reduce((n, group) => n + Number(group.num_rows), 0);
  } finally {
    await handle.close();
  }
}

/** Names of the top-level columns: the schema's root element, then a depth-first list. */
function topColumns(metadata: FileMetaData): string[] {
  const names: string[] = [];
  let i = 1;
  const skip = (): void => {
    const children = metadata.schema[i++]?.num_children ?? 0;
    for (let c = 0; c < children && i < metadata.schema.length; c++) skip();
  };
  while (i < metadata.schema.length) {
    names.push(metadata.schema[i]!.name);
    skip();
  }
  return names;
}
