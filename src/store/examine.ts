// Finds what is damaged in a journal and what can still be read, and makes a new journal of that. Records are read without
// SQLite (pages.ts), which can abort on damage; SQLite's own check runs in a separate process.

import { execFile } from "node:child_process";
import { chmodSync, existsSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";
import { DamagedRecord } from "./damage.js";
import { openJournal } from "./journal.js";
import { callKey } from "./journaled.js";
import { isDead } from "./lock.js";
import { openPages, type RawRow, type RawValue } from "./pages.js";
import { fromText, jsonOf } from "./records.js";
import { type Table, tables } from "./schema.js";

export interface Examination {
  path: string;
  /** Records that can be read, by table. */
  readable: Record<string, number>;
  /** The first descriptions of what cannot be read. */
  damage: string[];
  /** How many there are in all. */
  damaged: number;
  /** The result of SQLite's own check; undefined if it was not run. */
  sqlite?: { ok: boolean; text: string };
}

/** Stands for a result that is not even text; not valid JSON. */
const lostResult = "not UTF-8";

type Value = string | number | null;
type Found = { table: Table; values: Value[] };

const maxTold = 10;
/** Columns of the indexes that SQLite keeps beside tables with row ids, by how many they have. */
const indexOf: Record<number, string> = { 2: "calls", 6: "outcomes", 3: "samples" };
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads all of a journal.
 * @param keep receives every intact record
 */
export function examine(path: string, keep: (found: Found) => void = () => {}): Examination {
  const readable: Record<string, number> = Object.fromEntries(tables.map(({ name }) => [name, 0]));
  const result: Examination = { path, readable, damage: [], damaged: 0 };
  const tell = (text: string, count = 1): void => {
    result.damaged += count;
    if (result.damage.length < maxTold) result.damage.push(text);
  };
  const pages = openPages(path);
  if (!pages) {
    tell(existsSync(path) ? "the file is empty or too short" : "the file is missing");
    return result;
  }
  try {
    if (pages.missing > 0) tell(`the file is cut off: ${pages.missing} pages are missing`);
    if (pages.unreadable > 0) tell(`its log is damaged: ${pages.unreadable} commits in it cannot be read`);
    const indexed: Record<string, number> = {};
    const broken: Record<string, number> = {};
    for (const row of pages.rows((page) => tell(`page ${page} cannot be read completely`))) {
      const { values } = row;
      const index = row.table ? undefined : indexOf[values.length];
      if (index !== undefined) {
        indexed[index] = (indexed[index] ?? 0) + 1;
        continue;
      }
      // The table on the first page describes the others.
      if (row.table && values.length === 5) continue;
      const table = tables.find((one) => fits(one, row));
      const name = table?.name ?? nearest(row);
      let whole: Found;
      try {
        if (!table) throw new Error("a value of the wrong type");
        const read = table.columns.map((column, i) => plain(values[i] as RawValue, column.name));
        whole = checked({ table, values: read }, path, tell);
      } catch (error) {
        broken[name] = (broken[name] ?? 0) + 1;
        const why = error instanceof DamagedRecord ? error.failure.why : undefined;
        tell(why ?? `a record of ${name}: ${messageOf(error)}`);
        continue;
      }
      readable[name] = (readable[name] ?? 0) + 1;
      keep(whole);
    }
    for (const [name, count] of Object.entries(indexed)) {
      const lost = count - (readable[name] ?? 0) - (broken[name] ?? 0);
      if (lost > 0) tell(`${lost} of ${count} ${name} are lost`, lost);
    }
  } finally {
    pages.close();
  }
  return result;
}

function fits({ columns, rowids }: Table, { table, values }: RawRow): boolean {
  return (
    rowids === table &&
    columns.length === values.length &&
    columns.every(({ kind, nullable }, i) => {
      const value = values[i] as RawValue;
      if (value === null) return nullable;
      return kind === "number" ? typeof value === "number" : typeof value === "object" && "text" in value;
    })
  );
}

/** Which table a row most likely belonged to. */
function nearest({ table, values }: RawRow): string {
  return (
    tables.find((one) => one.rowids === table && one.columns.length === values.length)?.name ?? "a table"
  );
}

function plain(value: RawValue, column: string): Value {
  if (value === null || typeof value === "number") return value;
  if ("blob" in value) throw new Error("bytes instead of text");
  try {
    return decoder.decode(value.text);
  } catch {
    // A study is kept without its result.
    if (column === "record") return lostResult;
    throw new Error(`its ${column} is not UTF-8`);
  }
}

/** The record, if it is valid. A study whose result is damaged is kept without it: running the study again gives the result. */
function checked(found: Found, path: string, tell: (text: string) => void): Found {
  const text = (name: string): string => {
    const value = found.values[found.table.columns.findIndex((column) => column.name === name)];
    return typeof value === "string" ? value : "";
  };
  switch (found.table.name) {
    case "calls": {
      const name = `call ${text("key")}`;
      const request = fromText<unknown>(text("request"), name, path);
      jsonOf(text("response"), name, path);
      if (callKey(text("model"), text("operation") as "generate", request) !== text("key"))
        throw new DamagedRecord(path, name, "its request does not match its key");
      break;
    }
    case "outcomes": {
      const name = `the outcome of sample ${text("sample")}`;
      const outcome = fromText<Record<string, unknown>>(text("outcome"), name, path);
      for (const field of ["subject", "task", "split", "sample"]) {
        if (outcome[field] !== text(field)) throw new DamagedRecord(path, name, `its ${field} has changed`);
      }
      break;
    }
    case "samples":
      jsonOf(text("content"), `the text of sample ${text("sample")}`, path);
      break;
    case "tests":
      jsonOf(text("rows"), `the rows of the test split ${text("test")}`, path);
      break;
    case "builds":
      jsonOf(text("state"), `the specialist ${text("subject")}`, path);
      jsonOf(text("cost"), `the specialist ${text("subject")}`, path);
      break;
    case "studies": {
      if (text("record") === "") break;
      try {
        if (text("record") === lostResult)
          throw new DamagedRecord(path, `the result of ${text("name")}`, "it is not UTF-8");
        jsonOf(text("record"), `the result of ${text("name")}`, path);
      } catch (error) {
        tell(`${(error as DamagedRecord).failure.why}; \`hone run\` makes it again without calling a model`);
        const without = found.table.columns.map(({ name }, i) =>
          name === "record" || name === "finished" ? null : (found.values[i] as Value),
        );
        return { ...found, values: without };
      }
    }
  }
  return found;
}

/** The studies that a damaged journal still names, the newest first. */
export function studiesIn(path: string): { name: string; started: number; record: string | null }[] {
  const studies: { name: string; started: number; record: string | null }[] = [];
  examine(path, ({ table, values }) => {
    if (table.name !== "studies") return;
    const row = Object.fromEntries(table.columns.map(({ name }, i) => [name, values[i] as Value]));
    const { name, started, record } = row;
    studies.push({
      name: String(name),
      started: Number(started),
      record: record === null ? null : String(record),
    });
  });
  return studies.sort((a, b) => b.started - a.started);
}

/**
 * Saves what can be read into a new journal; the damaged one stays beside it under another name.
 * @throws HoneError if another process is using the journal
 */
export function repair(path: string): Examination & { kept: string; saved: number } {
  const fresh = join(dirname(path), `journal.repaired-${process.pid}.db`);
  const drop = () => {
    for (const end of ["", "-wal", "-shm"]) rmSync(fresh + end, { force: true });
  };
  drop();
  let saved = 0;
  let found: Examination;
  try {
    const journal = openJournal(fresh);
    const { db } = journal;
    try {
      const writes = new Map(
        tables.map(({ name, columns }) => [
          name,
          db.write(`insert or ignore into ${name} values (${columns.map(() => "?").join()})`),
        ]),
      );
      let batch: Found[] = [];
      const flush = () => {
        db.transaction(() => {
          for (const { table, values } of batch) saved += writes.get(table.name)?.(...values) ?? 0;
        });
        batch = [];
      };
      found = examine(path, (record) => {
        if (record.table.name === "locks") return refuseInUse(record, path);
        batch.push(record);
        if (batch.length >= 500) flush();
      });
      flush();
      // Everything goes into the one file that is moved, whenever the binding releases it.
      db.exec("pragma journal_mode = delete");
    } finally {
      journal.close();
    }
  } catch (error) {
    drop();
    throw error;
  }
  const stamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const kept = join(dirname(path), `journal.damaged-${stamp}.db`);
  for (const end of ["-wal", "-shm", ""]) if (existsSync(path + end)) renameSync(path + end, kept + end);
  chmodSync(kept, 0o600);
  renameSync(fresh, path);
  return { ...found, kept, saved };
}

function refuseInUse({ table, values }: Found, path: string): void {
  const { owner, pid, host, beat } = Object.fromEntries(
    table.columns.map(({ name }, i) => [name, values[i]]),
  );
  const holder = { owner: String(owner), pid: Number(pid), host: String(host), beat: Number(beat) };
  if (isDead(holder)) return;
  throw new HoneError({
    what: "Cannot repair the journal",
    where: path,
    why: `process ${holder.pid} on ${holder.host} is using it`,
    next: "Stop that process, or wait until it is done.",
  });
}

const ask = `
const [libsql, path] = process.argv.slice(-2);
const { default: Database } = await import(libsql);
const db = new Database(path);
const rows = db.prepare("select cast(integrity_check as blob) as text from pragma_integrity_check(5)").all();
console.log(rows.map(({ text }) => Buffer.from(text).toString()).join("; "));
`;

/** SQLite's integrity check, in a separate process: if that process dies, its death is part of the answer. */
export function askSqlite(path: string): Promise<{ ok: boolean; text: string }> {
  return new Promise((resolve) => {
    const script = ["--input-type=module", "-e", ask, import.meta.resolve("libsql"), path];
    execFile(process.execPath, script, { timeout: 600_000 }, (error, stdout, stderr) => {
      const said = stdout.trim();
      if (!error) return resolve({ ok: said === "ok", text: said });
      const why = error.signal ?? (error.code === 134 ? "SIGABRT" : undefined);
      const line = stderr.split("\n").find((text) => /Error: |panicked/.test(text)) ?? error.message;
      resolve({ ok: false, text: why ? `it crashes on the file (${why}: ${line})` : line.trim() });
    });
  });
}
