// Reads rows from a sheet of an Excel workbook (.xlsx): a header row, or names given in its place, then one row each.
// Empty cells are null, dates are ISO texts. The archive is checked against what it declares before it reaches a
// parser.

import { HoneError, messageOf } from "../core/errors.js";
import { openFile } from "./files.js";
import { checkColumns, checkHeader } from "./header.js";
import type { Row } from "./reading.js";
import { type Cell, startExcelThread } from "./xlsx-worker.js";
import { openZip } from "./zip.js";

/** A workbook is XML that is held in memory: 512 MiB of it corresponds to about Excel's million rows of a few columns. */
const maxUnpackedMb = 512;
const batch = 2000;

/**
 * Rows of a sheet, by default the first; `place` is the row's number as Excel shows it.
 * `patienceMs` is how long the parser may take, plus one second per megabyte.
 */
export async function* readXlsx(
  path: string,
  name: string,
  sheet?: string,
  columns?: readonly string[],
  patienceMs = 20_000,
): AsyncGenerator<Row> {
  const bytes = await checkArchive(path, name);
  const thread = startExcelThread(path, sheet ?? 1);
  let header = columns && checkColumns(columns, name);
  try {
    for (let from = 0; ; from += batch) {
      let rows: Cell[][];
      try {
        rows = await thread.ask({ from, to: from + batch }, patienceMs + bytes / 1000);
      } catch (error) {
        throw refuse(name, sheet, error);
      }
      if (rows.length === 0) return;
      for (const [i, cells] of rows.entries()) {
        const place = `${name}: row ${from + i + 1}`;
        if (cells.every(isEmpty)) continue;
        if (header) yield { row: rowOf(cells, header, place), place };
        else header = headerOf(cells, place);
      }
    }
  } finally {
    await thread.close();
  }
}

const isEmpty = (cell: Cell | undefined): boolean => cell === null || cell === undefined || cell === "";

/** The header's names; columns without one stay "" and must be empty throughout. */
function headerOf(cells: readonly Cell[], place: string): string[] {
  const names = cells.map((cell) => (isEmpty(cell) ? "" : String(cell).trim()));
  checkHeader(
    names.filter((one) => one !== ""),
    place,
  );
  return names;
}

function rowOf(cells: readonly Cell[], header: readonly string[], place: string): Record<string, unknown> {
  const unnamed = cells.findIndex((cell, i) => !header[i] && !isEmpty(cell));
  if (unnamed >= 0) {
    throw new HoneError({
      what: "A row does not fit the sheet's columns.",
      where: place,
      why: `it has a value in column ${unnamed + 1}, which has no name`,
      next: "Name that column in the header row, or empty the cell.",
    });
  }
  const named = header.flatMap((key, i) => (key === "" ? [] : [[key, cells[i] ?? null]]));
  return Object.fromEntries(named);
}

/** Checks every member against the size that it declares, and the total against a limit; returns the sum. */
async function checkArchive(path: string, name: string): Promise<number> {
  const { handle } = await openFile(path);
  await handle.close();
  const archive = await openZip(path, name);
  try {
    const bytes = archive.entries.reduce((sum, { size }) => sum + size, 0);
    if (!archive.entries.some((entry) => entry.name === "xl/workbook.xml"))
      throw refuse(name, undefined, "it is a zip archive without a workbook in it");
    if (bytes > maxUnpackedMb * 1024 * 1024) {
      throw new HoneError({
        what: "The Excel workbook is too large.",
        where: name,
        why: `it unpacks to ${Math.round(bytes / 1024 / 1024)} MiB; at most ${maxUnpackedMb} MiB are read`,
        next: "Save the sheet as CSV, which is read row by row.",
      });
    }
    for (const entry of archive.entries) await archive.check(entry);
    return bytes;
  } finally {
    await archive.close();
  }
}

function refuse(name: string, sheet: string | undefined, cause: unknown): HoneError {
  const why = messageOf(cause);
  const sheets = /^sheets: (.*)$/s.exec(why)?.[1];
  if (sheets !== undefined) {
    return new HoneError({
      what: "There is no such sheet.",
      where: `${name}: ${sheet ?? "sheet 1"}`,
      why: `the workbook's sheets are ${sheets}`,
      next: "Name one of them as `table` (--table).",
      kind: "usage",
    });
  }
  return new HoneError({
    what: "Cannot read the Excel workbook.",
    where: name,
    why,
    next: "Open it in a spreadsheet program and save it again as .xlsx, or as CSV.",
    cause,
  });
}
