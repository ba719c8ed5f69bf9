// The SQLite file of a store: waited for while another program holds it, and read so that damage ends in one error.
import { isUtf8 } from "node:buffer";
import { existsSync } from "node:fs";
import { types } from "node:util";
import Database from "libsql";
import { HoneError, messageOf } from "../core/errors.js";
import { DamagedJournal, DamagedRecord, notAJournal, passingOver } from "./damage.js";
import { prepareFile } from "./file.js";

/** SQLite waits this long before it says that a lock is held; then we wait on. */
const busyMs = 250;
const defaultPatienceMs = 60_000;
const noticeMs = 1_000;
/** @throws HoneError where the file is not SQLite's, is damaged, or cannot be read and written */
export function openSqlite(path, options = {}) {
  const explain = (error) => explainError(error, path);
  const explained = (work) => {
    try {
      return work();
    } catch (error) {
      throw explain(error);
    }
  };
  if (path !== ":memory:") explained(() => prepareFile(path, options.existing ?? false));
  let told = false;
  let patienceMs = options.patienceMs ?? defaultPatienceMs;
  const patiently = (work) => {
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
  // NORMAL survives any death of the process; only a power cut can lose the last moments. Nothing that a damaged schema
  // says is run.
  patiently(() =>
    db.exec(
      `pragma busy_timeout = ${busyMs}; pragma trusted_schema = off; pragma journal_mode = wal; pragma synchronous = normal;`,
    ),
  );
  const prepare = (sql) => patiently(() => db.prepare(sql));
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
      const decode = (row) => {
        try {
          return decodeRow(row, readers);
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
        // Somebody else has it open, or it is damaged: the log stays.
      }
    },
    close: () => db.close(),
  };
}
export function waitingFor(path) {
  return `Another program holds the lock of ${path}; waiting for it.`;
}
function opened(path) {
  try {
    return new Database(path);
  } catch (error) {
    throw explainError(error, path, true);
  }
}
/** Whether another client holds the lock that is needed. */
export function isBusy(error) {
  const code = primaryCode(error instanceof HoneError ? error.cause : error);
  return code === 5 || code === 6;
}
/** A column of the wrong type comes as null, and text as bytes: the binding aborts the process on text that is not UTF-8. */
function readColumn([name, kind]) {
  const value = kind.startsWith("text")
    ? `case typeof(${name}) when 'text' then cast(${name} as blob) end as ${name}`
    : `case when typeof(${name}) in ('integer', 'real') then ${name} end as ${name}`;
  return kind.endsWith("?") ? `${value}, ${name} is null as ${name}_null` : value;
}
function decodeRow(row, readers) {
  const decoded = {};
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
  return decoded;
}
/** The binding gives bytes as a Buffer or as an ArrayBuffer. */
function isBytes(value) {
  return Buffer.isBuffer(value) || types.isArrayBuffer(value);
}
/** SQLite's result code without its extension. */
function primaryCode(error) {
  const raw = error?.rawCode;
  return typeof raw === "number" ? raw & 0xff : undefined;
}
/** @param surely the error is the file's, whatever it looks like; else what is not SQLite's or the system's stays a bug */
function explainError(error, path, surely = false) {
  if (error instanceof HoneError) return error;
  const code = primaryCode(error);
  const { syscall } = error ?? {};
  if (code === undefined && syscall === undefined && !surely) return error;
  const why = messageOf(error);
  const cannot = (next, reason = why) =>
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
        "Make room, and run the same command again: it continues where it stopped.",
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
