// Rows from Parquet, one row group at a time through ranged reads: memory is bounded by the largest row group.
// Decoding is hyparquet's; this file sets its limits and turns whatever it throws into one error with the place.

import type { FileHandle } from "node:fs/promises";
import type { AsyncBuffer, Compressors, FileMetaData } from "hyparquet";
import { parquetMetadataAsync, parquetRead } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { HoneError, messageOf } from "../core/errors.js";
import { openFile } from "./files.js";
import type { Row } from "./readers.js";

const maxFooterBytes = 64 * 1024 * 1024;
const maxPageBytes = 256 * 1024 * 1024;
const maxGroupBytes = 1024 * 1024 * 1024;

// A page's declared size is allocated before it is decompressed, so a lying header must be stopped here.
const limitedCompressors: Compressors = Object.fromEntries(
  Object.entries(compressors).map(([codec, decompress]) => [
    codec,
    (input: Uint8Array, size: number) => {
      if (!(size >= 0 && size <= maxPageBytes)) throw new Error(`a page declares ${size} bytes`);
      return decompress(input, size);
    },
  ]),
);

function refuse(name: string, place: string, cause: unknown): HoneError {
  const why = messageOf(cause);
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

/** Reads the footer and checks what it declares against the file, before anything is allocated for it. */
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
  const buffer = rangedFile(handle, size);
  try {
    const metadata = await parquetMetadataAsync(buffer, { initialFetchSize: length + 8 });
    for (const [i, group] of metadata.row_groups.entries()) {
      const rows = Number(group.num_rows);
      if (!(rows >= 0 && rows <= 2 ** 31)) throw new Error(`row group ${i} declares ${group.num_rows} rows`);
      let bytes = 0;
      for (const column of group.columns) {
        const meta = column.meta_data;
        if (!meta) throw new Error(`row group ${i} has a column without metadata`);
        bytes += Number(meta.total_uncompressed_size);
        if (Number(meta.total_compressed_size) > size)
          throw new Error(`row group ${i} declares more bytes than the file`);
      }
      if (bytes > maxGroupBytes) {
        throw new Error(`row group ${i} holds ${bytes} bytes; write it in groups of at most 1 GiB`);
      }
    }
    return metadata;
  } catch (error) {
    throw refuse(name, `footer at byte ${size - 8 - length}`, error);
  }
}

function rangedFile(handle: FileHandle, size: number): AsyncBuffer {
  return {
    byteLength: size,
    async slice(start: number, end = size): Promise<ArrayBuffer> {
      if (!(start >= 0 && start <= end && end <= size))
        throw new Error(`bytes ${start} to ${end} lie outside the file`);
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
      if (bytesRead !== bytes.length) throw new Error(`the file ends within bytes ${start} to ${end}`);
      return bytes.buffer;
    },
  };
}

/** Parquet values as the plain JSON that every other format gives: no BigInt, Date or typed array. */
function plain(value: unknown, depth = 0): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value === null || typeof value !== "object") return value;
  if (depth > 100) throw new Error("a value is nested deeper than 100");
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as Iterable<unknown>, (v) => plain(v, depth + 1));
  if (Array.isArray(value)) return value.map((v) => plain(v, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v, depth + 1)]));
}

/** Rows of a Parquet file; `place` is the row's number in the file, from 1. */
export async function* readParquet(path: string, name: string): AsyncGenerator<Row> {
  const { handle, size } = await openFile(path);
  try {
    const metadata = await readFooter(handle, size, name);
    const file = rangedFile(handle, size);
    const columns = topColumns(metadata);
    let rowStart = 0;
    for (const [g, group] of metadata.row_groups.entries()) {
      const rowEnd = rowStart + Number(group.num_rows);
      let rows: unknown[][] = [];
      try {
        await parquetRead({
          file,
          metadata,
          rowStart,
          rowEnd,
          compressors: limitedCompressors,
          rowFormat: "array",
          onComplete: (read) => {
            rows = read;
          },
        });
        if (rows.length !== rowEnd - rowStart) {
          throw new Error(`row group ${g} declares ${rowEnd - rowStart} rows and holds ${rows.length}`);
        }
      } catch (error) {
        throw refuse(name, `rows ${rowStart + 1} to ${rowEnd}`, error);
      }
      for (let i = 0; i < rows.length; i++) {
        const values = rows[i] ?? [];
        const place = `${name}: row ${rowStart + i + 1}`;
        let row: Record<string, unknown>;
        try {
          row = Object.fromEntries(columns.map((column, c) => [column, plain(values[c])]));
        } catch (error) {
          throw refuse(name, `row ${rowStart + i + 1}`, error);
        }
        yield { row, place };
      }
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

/** Number of rows as the footer says it; nothing else is read. */
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
