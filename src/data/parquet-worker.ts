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
  const strict = new TextDecoder("utf-8", { fatal: true });
  const parsers = {
    stringFromBytes(bytes: Uint8Array): string {
      try {
        return strict.decode(bytes);
      } catch {
        throw new Error("a text is not UTF-8");
      }
    },
  };
  /** Bytes that are not declared a text: some programs write texts like this, others images. */
  const textOrBase64 = (bytes: Uint8Array): string => {
    try {
      return strict.decode(bytes);
    } catch {
      return Buffer.from(bytes).toString("base64");
    }
  };
  /** A number, or its digits if a double cannot hold it. */
  const decimalOf = (value: unknown, scale: number): number | string | null => {
    if (value === undefined || value === null) return null;
    const whole =
      value instanceof Uint8Array
        ? BigInt.asIntN(8 * value.length, BigInt(`0x0${Buffer.from(value).toString("hex")}`))
        : BigInt(value as number | bigint);
    const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, "0");
    const [integer, fraction] = [digits.slice(0, digits.length - scale), digits.slice(digits.length - scale)];
    const text = `${whole < 0n ? "-" : ""}${integer}.${fraction}`.replace(/\.?0*$/, "");
    return String(Number(text)) === text ? Number(text) : text;
  };
  // Plain JSON, as every other format yields it: no BigInt, Date or typed array; NaN, which stands for a missing number, becomes
  // null.
  const plain = (value: unknown, depth: number): unknown => {
    if (value === undefined || value === null) return null;
    if (typeof value === "bigint")
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    if (typeof value !== "object") return Number.isNaN(value) ? null : value;
    if (depth > 100) throw new Error("a value is nested deeper than 100");
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Uint8Array) return textOrBase64(value);
    if (ArrayBuffer.isView(value))
      return Array.from(value as ArrayBufferView & ArrayLike<unknown>, (v) => plain(v, depth + 1));
    if (Array.isArray(value)) return value.map((v) => plain(v, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v, depth + 1)]));
  };
  // The decoder multiplies decimals as doubles, 3 × 0.1, so columns of them are read as the integers that they are stored as.
  const described = hyparquet.parquetMetadataAsync(file).then((metadata) => {
    const scales = hyparquet.parquetSchema(metadata).children.map(({ element }) => {
      const isDecimal = element.converted_type === "DECIMAL" || element.logical_type?.type === "DECIMAL";
      if (!isDecimal || element.repetition_type === "REPEATED") return undefined;
      delete element.converted_type;
      return element.scale ?? 0;
    });
    return { metadata, scales };
  });
  described.catch(() => {}); // the error is reported to each request
  port.on("message", async ({ rowStart, rowEnd }: { rowStart: number; rowEnd: number }) => {
    try {
      const { metadata, scales } = await described;
      let read: unknown[][] = [];
      await hyparquet.parquetRead({
        file,
        metadata,
        rowStart,
        rowEnd,
        compressors,
        parsers,
        utf8: false,
        rowFormat: "array",
        onComplete: (rows) => {
          read = rows;
        },
      });
      const cell = (value: unknown, column: number): unknown =>
        scales[column] === undefined ? plain(value, 0) : decimalOf(value, scales[column]);
      reply({ value: read.map((row) => row.map(cell)) });
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
