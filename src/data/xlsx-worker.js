// The part of reading an Excel workbook that runs on its own thread: the sheet is held whole there, and handed out in parts.
import { startThread } from "./thread.js";

/** The thread's own code; see `startThread` for what it may use. */
function serve(threads, fs, excel) {
  const { path, sheet } = threads.workerData;
  const port = threads.parentPort;
  const reply = (value) => port.postMessage(value);
  // Integers that a double cannot hold keep their digits.
  const parseNumber = (text) =>
    /^-?\d{16,}$/.test(text) && !Number.isSafeInteger(Number(text)) ? text : Number(text);
  // Dates have no zone in Excel; the reader gives them in UTC.
  const plain = (value) => {
    if (!(value instanceof Date)) return value;
    return Number.isNaN(value.getTime()) ? null : value.toISOString().replace(/(?:T00:00:00)?\.000Z$|Z$/, "");
  };
  const read = async () => {
    const { buffer, byteOffset, byteLength } = await fs.readFile(path);
    const file = buffer.slice(byteOffset, byteOffset + byteLength);
    return excel.readSheet(file, sheet, { trim: false, parseNumber });
  };
  const rows = read();
  rows.catch(() => {}); // told to whoever asks
  port.on("message", async ({ from, to }) => {
    try {
      reply({ value: (await rows).slice(from, to).map((row) => row.map(plain)) });
    } catch (error) {
      const sheets = error.sheets;
      const internal = error instanceof TypeError || error instanceof RangeError;
      const message = internal ? "its sheets make no sense" : error.message;
      reply({ error: sheets ? `sheets: ${sheets.map((name) => JSON.stringify(name)).join(", ")}` : message });
    }
  });
}
/** Answers rows of a sheet, which is named or numbered from 1. */
export function startExcelThread(path, sheet) {
  return startThread(serve, ["read-excel-file/universal"], { path, sheet });
}
