// The part of reading Parquet that runs on its own thread. The decoder is synchronous and believes what pages declare, so
// a damaged or hostile page can make it loop or fill the heap; a thread has a heap of its own and can be stopped.

import type * as FileSystem from "node:fs/promises";
import { Worker } from "node:worker_threads";

/** What is asked of the thread: one row group. */
interface Request {
  rowStart: number;
  rowEnd: number;
}

type Reply = { rows: unknown[][] } | { error: string };

const maxPageBytes = 256 * 1024 * 1024;
const heapMb = 3072;

/** The thread's own code. It is passed as source text, so it may use nothing from outside but its parameters. */
function serve(
  hyparquet: typeof import("hyparquet"),
  codecs: typeof import("hyparquet-compressors"),
  fs: typeof FileSystem,
  threads: typeof import("node:worker_threads"),
): void {
  const { path, size, pageLimit } = threads.workerData as { path: string; size: number; pageLimit: number };
  const port = threads.parentPort!;
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
  // A page's declared size is allocated before it is decompressed, so a lying header is stopped here.
  const compressors = Object.fromEntries(
    Object.entries(codecs.compressors).map(([codec, decompress]) => [
      codec,
      (input: Uint8Array, length: number) => {
        if (!(length >= 0 && length <= pageLimit)) throw new Error(`a page declares ${length} bytes`);
        return decompress(input, length);
      },
    ]),
  );
  // Plain JSON, as every other format gives it: no BigInt, Date or typed array.
  const plain = (value: unknown, depth: number): unknown => {
    if (value === undefined || value === null) return null;
    if (typeof value === "bigint")
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    if (typeof value !== "object") return value;
    if (depth > 100) throw new Error("a value is nested deeper than 100");
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    if (ArrayBuffer.isView(value))
      return Array.from(value as unknown as Iterable<unknown>, (v) => plain(v, depth + 1));
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
      port.postMessage({ rows: read.map((row) => row.map((value) => plain(value, 0))) });
    } catch (error) {
      const internal = error instanceof TypeError || error instanceof RangeError;
      const message = error instanceof Error ? error.message : String(error);
      port.postMessage({ error: internal ? "its pages make no sense" : message });
    }
  });
}

export interface ParquetThread {
  /** The rows of a group as arrays of plain values; rejects with the reason when they cannot be had within `ms`. */
  read(request: Request, ms: number): Promise<unknown[][]>;
  close(): Promise<void>;
}

export function startParquetThread(path: string, size: number): ParquetThread {
  const urls = ["hyparquet", "hyparquet-compressors"].map((name) =>
    JSON.stringify(import.meta.resolve(name)),
  );
  const source = `Promise.all([import(${urls[0]}), import(${urls[1]})]).then(([hyparquet, codecs]) =>
    (${serve.toString()})(hyparquet, codecs, require("node:fs/promises"), require("node:worker_threads")))`;
  const worker = new Worker(source, {
    eval: true,
    workerData: { path, size, pageLimit: maxPageBytes },
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  return {
    read: (request, ms) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => finish(() => reject(new Error(`decoding took over ${ms / 1000} s`))),
          ms,
        );
        const onMessage = (reply: Reply): void =>
          finish(() => ("rows" in reply ? resolve(reply.rows) : reject(new Error(reply.error))));
        const onError = (error: Error): void => {
          const heap = (error as { code?: string }).code === "ERR_WORKER_OUT_OF_MEMORY";
          finish(() => reject(heap ? new Error(`decoding needs over ${heapMb} MB`) : error));
        };
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          worker.off("message", onMessage).off("error", onError);
          settle();
        };
        worker.on("message", onMessage).on("error", onError);
        worker.postMessage(request);
      }),
    async close() {
      worker.on("error", () => {}); // whatever the thread still throws while it is stopped concerns nobody
      await worker.terminate();
    },
  };
}
