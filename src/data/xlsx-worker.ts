// The part of reading an Excel workbook that runs on its own thread: the whole sheet is held there and returned in parts.

import { type Files, type ReaderThread, type Reply, startThread, type Threads } from "./thread.js";

/** Rows of the sheet from `from` up to but excluding `to`, counted from 0. */
interface Request {
  from: number;
  to: number;
}

export type Cell = string | number | boolean | null;

/** The thread's own code; see `startThread` for what it may use. */
function serve(threads: Threads, fs: Files, excel: typeof import("read-excel-file/universal")): void {
  const { path, sheet } = threads.workerData as { path: string; sheet: string | number };
  const port = threads.parentPort!;
  const reply = (value: Reply<Cell[][]>): void => port.postMessage(value);
  // Integers that a double cannot hold keep their digits.
  const parseNumber = (text: string): number | string =>
    /^-?\d{16,}$/.test(text) && !Number.isSafeInteger(Number(text)) ? text : Number(text);
  // Excel dates have no time zone; the reader returns them in UTC.
  const plain = (value: unknown): Cell => {
    if (!(value instanceof Date)) return value as Cell;
    return Number.isNaN(value.getTime()) ? null : value.toISOString().replace(/(?:T00:00:00)?\.000Z$|Z$/, "");
  };
  const read = async (): Promise<unknown[][]> => {
    const { buffer, byteOffset, byteLength } = await fs.readFile(path);
    const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    return excel.readSheet(file, sheet, { trim: false, parseNumber });
  };
  const rows = read();
  rows.catch(() => {}); // the error is reported to each request
  port.on("message", async ({ from, to }: Request) => {
    try {
      reply({ value: (await rows).slice(from, to).map((row) => row.map(plain)) });
    } catch (error) {
      const sheets = (error as { sheets?: string[] }).sheets;
      const internal = error instanceof TypeError || error instanceof RangeError;
      const message = internal ? "its sheets make no sense" : (error as Error).message;
      reply({ error: sheets ? `sheets: ${sheets.map((name) => JSON.stringify(name)).join(", ")}` : message });
    }
  });
}

/** Returns rows of a sheet, which is given by name or by number from 1. */
export function startExcelThread(path: string, sheet: string | number): ReaderThread<Request, Cell[][]> {
  return startThread(serve, ["read-excel-file/universal"], { path, sheet });
}
