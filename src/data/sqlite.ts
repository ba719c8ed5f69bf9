// Reads rows from a table of an SQLite file, opened read-only. Texts are fetched as bytes and decoded here: the binding
// assumes that every text is UTF-8 and aborts the process if a damaged file contains anything else.

import { isUtf8 } from "node:buffer";
import { stat } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { HoneError, messageOf } from "../core/errors.js";
import { plainInteger } from "./digits.js";
import { maxRecordBytes, openFile } from "./files.js";
import type { Row } from "./reading.js";

type Value = null | bigint | number | Buffer;
type Opened = { database: Database.Database; utf16: "LE" | "BE" | undefined };

/** Rows read between yields to the event loop. */
const batch = 1000;

/** Rows in the table's own order; `place` is the row's number in it, from 1. */
export async function* readSqlite(
  path: string,
  name: string,
  table: string | undefined,
): AsyncGenerator<Row> {
  const opened = await openReadOnly(path, name);
  const { database } = opened;
  try {
    const chosen = chooseTable(tablesOf(opened, name), table, name);
    const place = `${name}: ${chosen}`;
    const columns = select<[Buffer]>(
      database,
      `SELECT CAST(name AS BLOB) FROM pragma_table_info(${literal(chosen)})`,
      place,
    ).map(([column]) => textOf(column, opened, place));
    const selected = columns.map((column) => {
      const field = identifier(column);
      const text = `typeof(${field}) = 'text'`;
      return `${text}, CASE WHEN ${text} THEN CAST(${field} AS BLOB) ELSE ${field} END`;
    });
    // NOT INDEXED: an index that covers all columns would change the order.
    const rows = guarded(place, () =>
      database
        .prepare(`SELECT ${selected.join(", ")} FROM ${identifier(chosen)} NOT INDEXED`)
        .raw()
        .iterate(),
    );
    for (let n = 1; ; n++) {
      const next = guarded(`${place}: row ${n}`, () => rows.next());
      if (next.done) return;
      const values = next.value as Value[];
      const row = columns.map((column, i) => {
        const value = plain(values[2 * i + 1] ?? null, `${place}: row ${n}: ${column}`);
        if (!Buffer.isBuffer(value)) return [column, value];
        const isText = values[2 * i] === 1n;
        return [column, isText ? textOf(value, opened, `${place}: row ${n}`) : value.toString("base64")];
      });
      yield { row: Object.fromEntries(row), place: `${place}: row ${n}` };
      if (n % batch === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    database.close();
  }
}

/** Number of rows, counted by SQLite. */
export async function countSqliteRows(
  path: string,
  name: string,
  table: string | undefined,
): Promise<number> {
  const opened = await openReadOnly(path, name);
  try {
    const chosen = chooseTable(tablesOf(opened, name), table, name);
    const sql = `SELECT count(*) FROM ${identifier(chosen)} NOT INDEXED`;
    const [row] = select<[bigint]>(opened.database, sql, `${name}: ${chosen}`);
    return Number(row?.[0] ?? 0);
  } finally {
    opened.database.close();
  }
}

/** Opens without writing anything: neither the file itself nor, unless another process is writing to it, a file beside it. */
async function openReadOnly(path: string, name: string): Promise<Opened> {
  const { handle } = await openFile(path);
  await handle.close();
  const busy = await Promise.all(
    ["-wal", "-journal"].map((ending) =>
      stat(`${path}${ending}`).then(
        ({ size }) => size > 0,
        () => false,
      ),
    ),
  );
  const url = `${pathToFileURL(path).href}?mode=ro${busy.includes(true) ? "" : "&immutable=1"}`;
  const database = guarded(name, () => new Database(url).defaultSafeIntegers(true));
  try {
    const [encoding] = select<[string]>(database, "SELECT encoding FROM pragma_encoding", name);
    return { database, utf16: /^UTF-16(LE|BE)/i.exec(encoding?.[0] ?? "")?.[1] as Opened["utf16"] };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs a query about the file itself, which returns only a few rows. */
function select<T>(database: Database.Database, sql: string, where: string): T[] {
  return guarded(where, () => database.prepare(sql).raw().all() as T[]);
}

interface Table {
  name: string;
  view: boolean;
}

function tablesOf(opened: Opened, name: string): Table[] {
  const sql =
    "SELECT CAST(name AS BLOB), type = 'view' FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
  return select<[Buffer, bigint]>(opened.database, sql, name).map(([table, view]) => ({
    name: textOf(table, opened, name),
    view: view === 1n,
  }));
}

/** Views are not read: the computation behind a view in an untrusted file is unbounded. */
function chooseTable(all: readonly Table[], table: string | undefined, name: string): string {
  const tables = all.filter(({ view }) => !view);
  const found = table === undefined ? tables[0] : tables.find((one) => one.name === table);
  if (found && (table !== undefined || tables.length === 1)) return found.name;
  const names = tables.map((one) => JSON.stringify(one.name));
  const shown = `${names.slice(0, 30).join(", ")}${names.length > 30 ? ", …" : ""}`;
  const view = all.some((one) => one.view && one.name === table);
  throw new HoneError({
    what: table === undefined ? "Cannot tell which table holds the rows." : "There is no such table.",
    where: table === undefined ? name : `${name}: ${table}`,
    why: `${view ? "it is a view; " : ""}${names.length === 0 ? "the file has no tables" : `the file's tables are ${shown}`}`,
    next: view
      ? "Write its rows to a table: CREATE TABLE … AS SELECT * FROM the view."
      : "Name one of its tables as `table` (--table).",
    kind: "usage",
  });
}

/** Runs one operation on the database; an SQLite error becomes a HoneError with the position. */
function guarded<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof HoneError) throw error;
    throw new HoneError({
      what: "Cannot read the SQLite file.",
      where,
      why: messageOf(error),
      next: "The file is damaged, or something is writing to it: check it with `sqlite3 FILE 'PRAGMA integrity_check'`.",
      cause: error,
    });
  }
}

/** A number as in JSON, with all its digits; bytes are left to the caller. */
function plain(value: Value, where: string): Buffer | string | number | null {
  if (typeof value === "bigint") return plainInteger(value);
  if (Buffer.isBuffer(value) && value.length > maxRecordBytes) {
    throw new HoneError({
      what: "A value is too long.",
      where,
      why: `it has ${value.length} bytes; at most ${maxRecordBytes / 1024 / 1024} MiB are read`,
      next: "Leave the column out of the table, or cut it.",
    });
  }
  return value;
}

function textOf(bytes: Buffer, { utf16 }: Opened, where: string): string {
  if (utf16) return (utf16 === "BE" ? bytes.swap16() : bytes).toString("utf16le");
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new HoneError({
    what: "Cannot read a text value of the SQLite file.",
    where,
    why: "it is not UTF-8",
    next: "Fix it, or copy the table to a CSV file and name its encoding.",
  });
}

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
