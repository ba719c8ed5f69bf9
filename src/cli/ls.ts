// hone ls: the studies in the store, also those of a damaged journal that can still be read.

import { join, resolve } from "node:path";
import type { HoneError } from "../core/errors.js";
import type { OpenedBefore, StudyRecord } from "../core/record.js";
import { oneLine } from "../report/escape.js";
import { formatDate, formatScore, type Scale } from "../report/format.js";
import { DamagedJournal, DamagedRecord, passingOver } from "../store/damage.js";
import { studiesIn } from "../store/examine.js";
import { OlderResult, resultOf, type StudyRow } from "../store/studies.js";
import { openStore } from "../study/open.js";
import { makeOutput } from "./output.js";
import { table } from "./table.js";

interface StudyLine {
  study: string;
  state: string;
  champion: string | null;
  metric: string | null;
  display: Scale;
  mean: number | null;
  n: number | null;
  openings: number | null;
  openedBefore: OpenedBefore | null;
  started: string;
}

type Listed = Pick<StudyRow, "name" | "started"> & {
  result: StudyRecord | "damaged" | "older" | undefined;
};

export function ls(flags: { store: string; json?: boolean }): void {
  const output = makeOutput(flags);
  const damage: HoneError[] = [];
  const rows = listed(flags.store, (error) => damage.push(error)).map(
    ({ name, started, result }): StudyLine => {
      const record = typeof result === "string" ? undefined : result;
      const champion = record?.verdict?.champion ?? null;
      const best = record?.results.find(
        ({ subject, task }) => subject === champion && task === record.tasks[0]?.name,
      );
      return {
        study: name,
        state:
          typeof result === "string"
            ? result
            : !record
              ? "unfinished"
              : record.stopped === null
                ? "done"
                : "stopped",
        champion,
        metric: best?.metric ?? null,
        display: record?.tasks[0]?.metric.display ?? "percent",
        mean: best?.mean ?? null,
        n: best?.n ?? null,
        openings: record?.openings ?? null,
        openedBefore: record?.openedBefore ?? null,
        // A damaged date can be out of range.
        started: new Date(Math.abs(started) < 8e15 ? started : 0).toISOString(),
      };
    },
  );
  output.record({ type: "done", studies: rows });
  if (!flags.json && (rows.length > 0 || damage.length === 0)) output.say(listing(rows));
  if (damage[0]) throw damage[0];
}

function listing(rows: readonly StudyLine[]): string {
  const lines = rows.map((row) => [
    row.study,
    row.state,
    oneLine(row.champion ?? "–", 40),
    row.mean === null ? "–" : formatScore(row.mean, row.n ?? 0, row.display),
    row.n === null ? "–" : String(row.n),
    row.openings === null ? "–" : String(row.openings),
    row.openedBefore ? `${row.openedBefore.rows} of ${row.openedBefore.of}` : "–",
    formatDate(row.started),
  ]);
  return table(
    ["study", "state", "champion", "score", "n", "openings", "rows opened before", "started"],
    lines,
    [3, 4, 5, 6],
  );
}

/** The studies as the journal lists them; if it cannot, those still found in its pages. */
function listed(store: string, onDamaged: (error: HoneError) => void): Listed[] {
  const result = (row: { name: string; record: string | null }, path: string): Listed["result"] => {
    try {
      return resultOf(row, path);
    } catch (error) {
      // Running that study again makes it readable; the others are still listed.
      if (error instanceof OlderResult) return "older";
      if (!(error instanceof DamagedRecord)) throw error;
      onDamaged(error);
      return "damaged";
    }
  };
  try {
    const journal = openStore(store);
    try {
      return journal.studies(onDamaged).map(({ name, started }) => {
        const row = passingOver(() => journal.study(name), onDamaged);
        return { name, started, result: row ? result(row, journal.path) : "damaged" };
      });
    } finally {
      journal.close();
    }
  } catch (error) {
    if (!(error instanceof DamagedJournal)) throw error;
    onDamaged(error);
    const path = join(resolve(store), "journal.db");
    return studiesIn(path).map((row) => ({ ...row, result: result(row, path) }));
  }
}
