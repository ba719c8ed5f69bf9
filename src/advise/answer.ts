// Which column of a data file holds the answer, and which others would give it away.

import { field, foldLabel } from "../data/index.js";
import { type Column, isFilled, type Table } from "./columns.js";
import { has, isCategorical, mayBeLabels, named, set } from "./names.js";

/** Whether the column restates the label: equally few values, each with a single label. */
export function betrays(
  rows: Table["rows"],
  { name, counts, filled, meanLength }: Column,
  label: string,
): boolean {
  if (counts.size < 2 || counts.size > filled / 2 || meanLength < 3) return false;
  const labels = new Map<string, string>();
  const alone = rows.every((row) => {
    const [value, answer] = [field(row, name), field(row, label)];
    if (!isFilled(value) || !isFilled(answer)) return true;
    const key = String(value).trim();
    const known = labels.get(key) ?? foldLabel(String(answer));
    labels.set(key, known);
    return known === foldLabel(String(answer));
  });
  return alone && counts.size <= new Set(labels.values()).size;
}

/** The column with its lists replaced by their elements. */
export function asLabels(column: Column, rows: Table["rows"]): Column {
  if (column.lists < 0.5) return column;
  const counts = new Map<string, number>();
  for (const row of rows)
    for (const one of [field(row, column.name)].flat().filter(isFilled))
      counts.set(String(one), (counts.get(String(one)) ?? 0) + 1);
  return { ...column, lists: 0, counts };
}

/** A column named like a label with few values, else an answer in free text, else the last with few values. */
export function labelOf(
  columns: readonly Column[],
  said: { input?: string; label?: string },
): { name: string; why: string } | undefined {
  if (said.label !== undefined) return { name: said.label, why: "" };
  const rows = Math.max(...columns.map(({ filled }) => filled));
  const others = columns.filter(({ name }) => name !== said.input);
  const few = others.filter((column) => isCategorical(column, rows) && !has(column, named.date));
  // The shortest name (`team` before `team_text`); ties go to the last column.
  const called = (list: readonly Column[]) =>
    list
      .toReversed()
      .filter((column) => has(column, named.label) && !has(column, named.id))
      .toSorted((a, b) => a.words.length - b.words.length)[0];
  const repeating = others.filter((column) => mayBeLabels(column) && !has(column, named.date));
  const clear = called(few) ?? called(repeating.filter(({ filled }) => filled >= rows / 2));
  const open = others.find(
    (column) =>
      has(column, named.open) &&
      !few.includes(column) &&
      column !== clear &&
      column.filled > rows / 2 &&
      (column.counts.size > 0 || column.lists > 0.9),
  );
  const asks = others.some((column) => has(column, set("question prompt instruction source")));
  if (open && asks && !clear?.words.includes("label"))
    return { name: open.name, why: "an answer in free text" };
  if (clear)
    return {
      name: clear.name,
      why: `named like a label, with ${few.includes(clear) ? "few values" : "values that repeat"}`,
    };
  const tagged = others.find((column) => has(column, named.label) && column.lists > 0.9);
  if (tagged) return { name: tagged.name, why: "named like a label; any of a row's labels is right" };
  const perhaps = few.findLast((column) => has(column, named.perhapsLabel));
  if (perhaps) return { name: perhaps.name, why: "few values, and named like an answer" };
  if (open) return { name: open.name, why: "an answer in free text" };
  // For documents read from one folder per label: `file` repeats if the folders use the same file names.
  const folder = few.find(({ name }) => name === "folder");
  if (folder && columns.some(({ name }) => name === "file"))
    return { name: folder.name, why: "the folder that a text is in" };
  const last = few.filter((column) => ![named.id, named.group].some((words) => has(column, words))).at(-1);
  if (last) return { name: last.name, why: "few values" };
  const sparse = called(repeating);
  if (sparse)
    return { name: sparse.name, why: "named like a label, with few values in the rows that have one" };
  const written = others.find((column) => has(column, named.openLast) && column.filled > rows / 2);
  return written && { name: written.name, why: "free text, and no other field looks like an answer" };
}
