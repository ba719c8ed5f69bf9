// Statistics of a data file's columns: how often each is filled, how many different values it has, how long they are. Roles
// are decided in roles.ts.

import { type Reading, readRows, resolveSource } from "../data/index.js";

type Value = string | number | boolean;
export type TableRow = Record<string, unknown>;

/** One column, or one field inside a structure, by its dotted path. */
export interface Column {
  name: string;
  /** The words of its name in lower case: `customerId` and `customer_id` are both `customer`, `id`. */
  words: readonly string[];
  /** Rows that have a value. */
  filled: number;
  /** Whether every row has the field, even if empty, so that a template may name it. */
  everywhere: boolean;
  /** How often each value occurs, as text; empty if values are lists or structures. */
  counts: ReadonlyMap<string, number>;
  meanLength: number;
  meanWords: number;
  /** Shares of the values. */
  numeric: number;
  lists: number;
}

export interface Table {
  /** The first rows; see `kept`. */
  rows: readonly TableRow[];
  /** Rows in all files. */
  total: number;
  columns: readonly Column[];
  files: readonly string[];
  /** How the files are read, where their contents do not show it. */
  reading: Reading;
}

/** Most rows, and most characters of text, that are kept for inspection. */
const kept = { rows: 20_000, characters: 50_000_000 };

/** Reads the source once and describes its columns by its first rows. */
export async function readTable(source: string, reading: Reading = {}): Promise<Table> {
  const { files } = await resolveSource(source);
  const rows: TableRow[] = [];
  let total = 0;
  let characters = 0;
  for (const file of files) {
    for await (const { row } of readRows(file, reading)) {
      total++;
      if (rows.length >= kept.rows || characters >= kept.characters) continue;
      rows.push(row);
      for (const value of Object.values(row)) characters += typeof value === "string" ? value.length : 8;
    }
  }
  return { rows, total, files, reading, columns: describe(rows) };
}

/** All rows of the source again, for counts that must be complete. */
export async function* allRows(table: Table): AsyncGenerator<TableRow> {
  if (table.rows.length === table.total) yield* table.rows;
  else for (const file of table.files) for await (const { row } of readRows(file, table.reading)) yield row;
}

export function isScalar(value: unknown): value is Value {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

export function isFilled(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (Array.isArray(value)) return value.some(isFilled);
  return typeof value !== "string" || value.trim() !== "";
}

/** `{text: […], label: […]}`, as some data sets write a row's options. */
export function isLabelledList(value: unknown): value is { text: unknown[]; label: unknown[] } {
  if (value === null || typeof value !== "object") return false;
  const { text, label } = value as { text?: unknown; label?: unknown };
  return Array.isArray(text) && Array.isArray(label) && text.length === label.length;
}

function wordsOf(name: string): string[] {
  const apart = name.replace(/(\p{Ll}|\d)(\p{Lu})/gu, "$1 $2").replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2");
  return apart.toLowerCase().match(/\p{L}+|\d+/gu) ?? [];
}

interface Tally {
  present: number;
  filled: number;
  scalars: number;
  lists: number;
  numbers: number;
  length: number;
  words: number;
  counts: Map<string, number>;
}

function describe(rows: readonly TableRow[]): Column[] {
  const tallies = new Map<string, Tally>();
  const add = (name: string, value: unknown): void => {
    const tally = tallies.get(name) ?? {
      present: 0,
      filled: 0,
      scalars: 0,
      lists: 0,
      numbers: 0,
      length: 0,
      words: 0,
      counts: new Map<string, number>(),
    };
    tallies.set(name, tally);
    tally.present++;
    if (!isFilled(value)) return;
    tally.filled++;
    if (Array.isArray(value) || isLabelledList(value)) tally.lists++;
    if (!isScalar(value)) return;
    const text = String(value).trim();
    tally.scalars++;
    if (/^[-+]?\d*[.,]?\d+(e[-+]?\d+)?$/i.test(text)) tally.numbers++;
    tally.length += text.length;
    tally.words += text.split(/\s+/).length;
    tally.counts.set(text, (tally.counts.get(text) ?? 0) + 1);
  };
  const visit = (row: TableRow, prefix: string): void => {
    for (const [key, value] of Object.entries(row)) {
      add(prefix + key, value);
      const nested = value !== null && typeof value === "object" && !Array.isArray(value);
      if (nested && !isLabelledList(value) && prefix === "") visit(value as TableRow, `${key}.`);
    }
  };
  for (const row of rows) visit(row, "");
  return [...tallies].map(([name, tally]) => ({
    name,
    words: wordsOf(name),
    filled: tally.filled,
    everywhere: tally.present === rows.length,
    counts: tally.counts,
    meanLength: tally.length / Math.max(1, tally.scalars),
    meanWords: tally.words / Math.max(1, tally.scalars),
    numeric: tally.numbers / Math.max(1, tally.filled),
    lists: tally.lists / Math.max(1, tally.filled),
  }));
}
