// The SQLite file of a store: waits while another program holds its lock, and reports damage as one error.

import { isUtf8 } from "node:buffer";
import { existsSync } from "node:fs";
import { types } from "node:util";
import Database from "libsql";
import { HoneError, messageOf } from "../core/errors.js";
import { DamagedJournal, DamagedRecord, notAJournal, type OnDamaged, passingOver } from "./damage.js";
import { prepareFile } from "./file.js";

export interface OpenOptions {
  /** Called once, after waiting a second for another program's lock. */
  onWait?: (text: string) => void;
  /** Longest wait for a lock, in milliseconds. It blocks the process, which a signal then ends. */
  patienceMs?: number;
  /** The file must hold a journal already; else an empty or missing one is initialized. */
  existing?: boolean;
}

/** SQLite waits this long before it says that a lock is held; then we wait on. */
const busyMs = 250;
const defaultPatienceMs = 60_000;
const noticeMs = 1_000;

type Kind = "text" | "number" | "text?" | "number?";
type Value<K extends Kind> = K extends "text"
  ? string
  : K extends "number"
    ? number
    : K extends "text?"
      ? string | null
      : number | null;
export type Columns = Record<string, Kind>;
export type Row<C extends Columns> = { [N in keyof C]: Value<C[N]> };

/** One SELECT with columns of known types. A row that does not have them is damaged, and says so when it is read. */
export interface Query<C extends Columns> {
  get: (...values: unknown[]) => Row<C> | undefined;
  /** @param onDamaged receives records that cannot be read, which are then skipped; without it the first one is thrown */
  iterate: (values: readonly unknown[], onDamaged?: OnDamaged) => Generator<Row<C>>;
}

export interface SqliteFile {
  path: string;
  /** As SQLite gives them. */
  prepare: (sql: string) => Statement;
  exec: (sql: string) => void;
  /** @param rest the statement from FROM on */
  select: <const C extends Columns>(columns: C, rest: string) => Query<C>;
  write: (sql: string) => (...values: unknown[]) => number;
  /** Runs `work` in one transaction and commits it. Fails with `isBusy` at once if another client is writing. */
  transaction: (work: () => void) => void;
  /** Retries an operation while another client holds the lock. */
  patiently: <T>(work: () => T) => T;
  /** Sets how long operations wait from now on. */
  bePatient: (ms?: number) => void;
  /** The error to show to a person. */
  explain: (error: unknown) => unknown;
  /** Moves what the log holds into the file, so that the file is complete by itself. */
  tidy: () => void;
  close: () => void;
}

export interface Statement {
  get: (...values: unknown[]) => unknown;
  all: (...values: unknown[]) => unknown[];
  iterate: (...values: unknown[]) => Iterable<unknown>;
  run: (...values: unknown[]) => { changes: number };
}

/** @throws HoneError if the file is not SQLite's, is damaged, or cannot be read and written */
export function openSqlite(path: string, options: OpenOptions = {}): SqliteFile {
  const explain = (error: unknown) => explainError(error, path);
  const explained = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw explain(error);
    }
  };
  if (path !== ":memory:") explained(() => prepareFile(path, options.existing ?? false));

  let told = false;
  let patienceMs = options.patienceMs ?? defaultPatienceMs;
  const patiently = <T>(work: () => T): T => {
    const started = Date.now();
    for (;;) {
      try {
        return work();
      } catch (error) {
        const waited = Date.now() - started;
        if (!isBusy(error) || waited > patienceMs) throw explain(error);
        if (waited >= noticeMs && !told) {
          told = true;
          options.onWait?.(waitingFor(path));
        }
        // Some locks are refused at once, without SQLite's own wait.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
    }
  };
  const db = opened(path);
  // NORMAL survives any crash of the process; only a power failure can lose the last moments. Nothing in a damaged schema is
  // executed.
  patiently(() =>
    db.exec(
      `pragma busy_timeout = ${busyMs}; pragma trusted_schema = off; pragma journal_mode = wal; pragma synchronous = normal;`,
    ),
  );
  const prepare = (sql: string) => patiently(() => db.prepare(sql));

  return {
    path,
    prepare,
    exec: (sql) => patiently(() => db.exec(sql)),
    select(columns, rest) {
      const statement = prepare(`select ${Object.entries(columns).map(readColumn).join(", ")} ${rest}`);
      const readers = Object.entries(columns).map(([name, kind]) => ({
        name,
        text: kind.startsWith("text"),
        empty: kind.endsWith("?") ? `${name}_null` : undefined,
      }));
      const record = `a row of ${/from (\w+)/.exec(rest)?.[1] ?? "it"}`;
      const decode = (row: unknown): Row<typeof columns> => {
        try {
          return decodeRow<typeof columns>(row as Record<string, unknown>, readers);
        } catch (error) {
          throw new DamagedRecord(path, record, messageOf(error));
        }
      };
      return {
        get(...values) {
          const row = patiently(() => statement.get(...values));
          return row === undefined ? undefined : decode(row);
        },
        *iterate(values, onDamaged) {
          const rows = patiently(() => statement.iterate(...values)[Symbol.iterator]());
          for (;;) {
            const next = patiently(() => rows.next());
            if (next.done) return;
            const row = passingOver(() => decode(next.value), onDamaged);
            if (row !== undefined) yield row;
          }
        },
      };
    },
    write(sql) {
      const statement = prepare(sql);
      return (...values) => {
        // Within a transaction the lock is held already.
        if (db.inTransaction) return statement.run(...values).changes;
        return patiently(() => statement.run(...values)).changes;
      };
    },
    transaction(work) {
      db.exec("begin immediate");
      try {
        work();
        db.exec("commit");
      } catch (error) {
        if (db.inTransaction) db.exec("rollback");
        throw error;
      }
    },
    patiently,
    bePatient(ms = defaultPatienceMs) {
      patienceMs = ms;
    },
    explain,
    tidy() {
      try {
        db.exec("pragma wal_checkpoint(truncate)");
      } catch {
        // Another process has it open, or it is damaged: the log stays.
      }
    },
    close: () => db.close(),
  };
}

export function waitingFor(path: string): string {
  return `Another program holds the lock of ${path}; waiting for it.`;
}

function opened(path: string): Database.Database {
  try {
    return new Database(path);
  } catch (error) {
    throw explainError(error, path, true);
  }
}

/** Whether another client holds the lock that is needed. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error instanceof HoneError ? error.cause : error);
  return code === 5 || code === 6;
}

/** A column of the wrong type is read as null, and text as bytes: the binding aborts the process on text that is not UTF-8. */
function readColumn([name, kind]: [string, Kind]): string {
  const value = kind.startsWith("text")
    ? `case typeof(${name}) when 'text' then cast(${name} as blob) end as ${name}`
    : `case when typeof(${name}) in ('integer', 'real') then ${name} end as ${name}`;
  return kind.endsWith("?") ? `${value}, ${name} is null as ${name}_null` : value;
}

/** How to decode a column: computed once per query. */
type Reader = { name: string; text: boolean; empty: string | undefined };

function decodeRow<C extends Columns>(row: Record<string, unknown>, readers: readonly Reader[]): Row<C> {
  const decoded: Record<string, string | number | null> = {};
  for (const { name, text, empty } of readers) {
    const value = row[name];
    if (!text && typeof value === "number") decoded[name] = value;
    else if (text && isBytes(value)) {
      const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value);
      if (!isUtf8(bytes)) throw new Error(`its ${name} is not UTF-8`);
      decoded[name] = bytes.toString();
    } else if (empty !== undefined && value === null && row[empty] === 1) decoded[name] = null;
    else throw new Error(`its ${name} is not a ${text ? "text" : "number"}`);
  }
  return decoded as Row<C>;
}

/** The binding returns bytes as a Buffer or as an ArrayBuffer. */
function isBytes(value: unknown): value is Buffer | ArrayBuffer {
  return Buffer.isBuffer(value) || types.isArrayBuffer(value);
}

/** SQLite's result code without its extension. */
function primaryCode(error: unknown): number | undefined {
  const raw = (error as { rawCode?: unknown } | undefined)?.rawCode;
  return typeof raw === "number" ? raw & 0xff : undefined;
}

/** @param surely the error is certainly the file's; else an error that is neither SQLite's nor the system's stays a bug */
function explainError(error: unknown, path: string, surely = false): unknown {
  if (error instanceof HoneError) return error;
  const code = primaryCode(error);
  const { syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined && syscall === undefined && !surely) return error;
  const why = messageOf(error);
  const cannot = (next: string, reason = why) =>
    new HoneError({ what: "Cannot use the journal", where: path, why: reason, next, cause: error });
  switch (code) {
    // Our statements are right, so one that names what is not there has met a damaged schema.
    case 1:
    case 11:
      return new DamagedJournal(path, why);
    case 5:
    case 6:
      return cannot(
        "Close the other program, and run the same command again.",
        "another program holds its lock",
      );
    case 13:
      return cannot(
        "Free some disk space, and run the same command again: it continues where it stopped.",
        "the disk is full",
      );
    case 26:
      return notAJournal(path, why);
    default:
      return cannot(
        existsSync(path)
          ? "Check that the file and its folder can be read and written, or name another folder with --store."
          : "Check that the folder can be written, or name another with --store.",
      );
  }
}
