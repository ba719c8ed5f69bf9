// The tables of the journal: their SQL, the list that checks and repairs use, and their making in a new file.

import { HoneError } from "../core/errors.js";
import { DamagedJournal } from "./damage.js";
import type { SqliteFile } from "./sqlite.js";

// 2 added `tests`: the identities of the source rows of every test split that was opened.
export const schemaVersion = 2;

// Keys are random, so tables that hold long rows keep them in order of arrival and index the keys apart: inserting into a
// tree of long rows in random order took half again as long.

export const schema = `
create table if not exists calls (
  key text primary key, model text not null, operation text not null, request text not null, response text not null,
  calls integer not null, input integer not null, output integer not null, ms real not null, usd real not null,
  at integer not null);
create table if not exists failures (
  key text not null, model text not null, operation text not null, failure text not null, message text not null, at integer not null);
create table if not exists outcomes (
  subject text not null, task text not null, split text not null, seed integer not null, sample text not null,
  status text not null, score real, outcome text not null, at integer not null,
  primary key (subject, task, split, seed, sample));
create table if not exists samples (
  task text not null, sample text not null, content text not null, primary key (task, sample));
create table if not exists builds (
  subject text primary key, state text not null, cost text not null, seconds real not null, at integer not null) without rowid;
create table if not exists openings (
  test text not null, plan text not null, study text not null, reason text not null, at integer not null,
  primary key (test, plan)) without rowid;
create table if not exists tests (
  test text not null, id text not null, rows text not null, at integer not null, primary key (test, id)) without rowid;
create table if not exists studies (
  name text primary key, plan text not null, spec text not null, record text, seconds real not null default 0,
  started integer not null, finished integer) without rowid;
create table if not exists locks (
  name text primary key, owner text not null, pid integer not null, host text not null, beat integer not null) without rowid;
`;

export interface Table {
  name: string;
  columns: { name: string; kind: "text" | "number"; nullable: boolean }[];
  /** Rows are stored in a tree of their own, apart from their keys. */
  rowids: boolean;
}

export const tables: readonly Table[] = schema.split(";").flatMap((statement) => {
  const [, name, body, end] = /create table if not exists (\w+) \(([\s\S]*)\)([^)]*)$/.exec(statement) ?? [];
  if (name === undefined || body === undefined) return [];
  const columns = body
    .split(/,(?![^(]*\))/)
    .map((line) => line.trim())
    .filter((line) => !line.startsWith("primary key"))
    .map((line) => ({
      name: line.split(" ")[0] as string,
      kind: line.split(" ")[1] === "text" ? ("text" as const) : ("number" as const),
      nullable: !/not null|primary key/.test(line),
    }));
  return [{ name, columns, rowids: !end?.includes("without rowid") }];
});

/** The tables of a journal of this format; none if it is still to be created. */
export function tablesOf(version: number): readonly Table[] {
  return version === 0 ? [] : tables.filter(({ name }) => version >= 2 || name !== "tests");
}

/** Creates the tables of a new journal, and checks those of an existing one: a lost table is damage, and is not created again. */
export function prepareSchema(db: SqliteFile): void {
  const { user_version: version } = db.prepare("pragma user_version").get() as { user_version: number };
  if (version > schemaVersion) {
    throw new HoneError({
      what: "Cannot open the journal",
      where: db.path,
      why: `it was written by a newer Hone (format ${version}, this one knows ${schemaVersion})`,
      next: "Update Hone, or name another folder with --store.",
    });
  }
  const known = db.select({ name: "text" }, "from sqlite_master where type = 'table'");
  const names = new Set([...known.iterate([])].map(({ name }) => name));
  const lost = tablesOf(version).find(({ name }) => !names.has(name));
  if (lost) throw new DamagedJournal(db.path, `it has lost its table ${lost.name}`);
  if (version === schemaVersion) return;
  db.patiently(() =>
    db.transaction(() => {
      db.exec(schema);
      db.exec(`pragma user_version = ${schemaVersion};`);
    }),
  );
}
