// Counting the labels of a field over all rows: spellings that differ by case or white space are one label.

import { field, foldLabel } from "../data/index.js";
import { allRows, isFilled, isScalar, type Table } from "./columns.js";

export interface Label {
  /** The most frequent spelling. */
  text: string;
  rows: number;
  /** All spellings, the most frequent first. */
  spellings: readonly string[];
}

export interface Labels {
  /** By stratum; a task without strata has one, "". Labels by number of rows, in descending order. */
  strata: ReadonlyMap<string, readonly Label[]>;
  empty: number;
}

/** Most labels of one task that are counted: a field with more holds no labels. */
const most = 5000;

/** @param task the field that distinguishes tasks with labels of their own */
export async function countLabels(table: Table, label: string, task?: string): Promise<Labels> {
  const strata = new Map<string, Map<string, Map<string, number>>>();
  let empty = 0;
  for await (const row of allRows(table)) {
    const value = field(row, label);
    if (!isFilled(value)) {
      empty++;
      continue;
    }
    const stratum = task === undefined ? "" : text(field(row, task));
    const folded = strata.get(stratum) ?? new Map<string, Map<string, number>>();
    strata.set(stratum, folded);
    for (const one of [value].flat().filter(isFilled)) {
      const spelling = text(one);
      const key = foldLabel(spelling);
      const spellings = folded.get(key) ?? new Map<string, number>();
      if (folded.size >= most && !folded.has(key)) continue;
      folded.set(key, spellings.set(spelling, (spellings.get(spelling) ?? 0) + 1));
    }
  }
  const sorted = [...strata].map(([stratum, folded]) => {
    const labels = [...folded.values()].map((spellings): Label => {
      const byCount = [...spellings].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
      return {
        text: (byCount[0] as [string, number])[0].replace(/\s+/g, " "),
        rows: byCount.reduce((sum, [, rows]) => sum + rows, 0),
        spellings: byCount.map(([spelling]) => spelling),
      };
    });
    return [stratum, labels.sort((a, b) => b.rows - a.rows || (a.text < b.text ? -1 : 1))] as const;
  });
  return { strata: new Map(sorted), empty };
}

function text(value: unknown): string {
  return isScalar(value) ? String(value).trim() : "";
}
