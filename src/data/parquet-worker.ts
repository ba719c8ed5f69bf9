// The part of reading Parquet that runs on its own thread: the decoder is synchronous and trusts what pages declare, so a
// damaged or hostile page can make it loop or fill the heap.

import { type Files, type ReaderThread, type Reply, startThread, type Threads } from "./thread.js";

/** A request to the thread: one row group. */
interface Request {
  rowStart: number;
  rowEnd: number;
}

const maxPageBytes = 256 * 1024 * 1024;

/** The thread's own code; see `startThread` for what it may use. */
function serve(
  threads: Threads,
  fs: Files,
  hyparquet: typeof import("hyparquet"),
  codecs: typeof import("hyparquet-compressors"),
): void {
  const { path, size, pageLimit } = threads.workerData as { path: string; size: number; pageLimit: number };
  const port = threads.parentPort!;
  const reply = (value: Reply<unknown[][]>): void => port.postMessage(value);
  const opened = fs.open(path, "r");
  const file = {
    byteLength: size,
    async slice(start: number, end = size): Promise<ArrayBuffer> {
      if (!(start >= 0 && start <= end && end <= size))
        throw new Error(`bytes ${start} to ${end} lie outside the file`);
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await (await opened).read(bytes, 0, bytes.length, start);
      if (bytesRead !== bytes.length) throw new Error(`the file ends within bytes ${start} to ${end}`);
      return bytes.buffer;
    },
  };
  // A page's declared size is allocated before it is decompressed, so a false header is rejected here.
  const compressors = Object.fromEntries(
    Object.entries(codecs.compressors).map(([codec, decompress]) => [
      codec,
      (input: Uint8Array, length: number) => {
        if (!(length >= 0 && length <= pageLimit)) throw new Error(`a page declares ${length} bytes`);
        return decompress(input, length);
      },
    ]),
  );
  // Plain JSON, as every other format yields it: no BigInt, Date or typed array; NaN, which stands for a missing number, becomes
  // null.
  const plain = (value: unknown, depth: number): unknown => {
    if (value === undefined || value === null) return null;
    if (typeof value === "bigint")
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    if (typeof value !== "object") return Number.isNaN(value) ? null : value;
    if (depth > 100) throw new Error("a value is nested deeper than 100");
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    if (ArrayBuffer.isView(value))
      return Array.from(value as ArrayBufferView & ArrayLike<unknown>, (v) => plain(v, depth + 1));
    if (Array.isArray(value)) return value.map((v) => plain(v, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v, depth + 1)]));
  };
  const metadata = hyparquet.parquetMetadataAsync(file);
  port.on("message", async ({ rowStart, rowEnd }: { rowStart: number; rowEnd: number }) => {
    try {
      let read: unknown[][] = [];
      await hyparquet.parquetRead({
        file,
        metadata: await metadata,
        rowStart,
        rowEnd,
        compressors,
        rowFormat: "array",
        onComplete: (rows) => {
          read = rows;
        },
      });
      reply({ value: read.map((row) => row.map((value) => plain(value, 0))) });
    } catch (error) {
      const internal = error instanceof TypeError || error instanceof RangeError;
      const message = error instanceof Error ? error.message : String(error);
      reply({ error: internal ? "its pages make no sense" : message });
    }
  });
}

/** Returns row groups as arrays of plain values. */
export function startParquetThread(path: string, size: number): ReaderThread<Request, unknown[][]> {
  const data = { path, size, pageLimit: maxPageBytes };
  return startThread(serve, ["hyparquet", "hyparquet-compressors"], data);
}
