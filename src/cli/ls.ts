// hone ls: the studies in the store.

import type { StudyRecord } from "../core/record.js";
import { oneLine } from "../report/escape.js";
import { formatDate, formatScore, scaleOf } from "../report/format.js";
import { openStore } from "../study/open.js";
import { makeOutput } from "./output.js";
import { table } from "./table.js";

export function ls(flags: { store: string; json?: boolean }): void {
  const output = makeOutput(flags);
  const journal = openStore(flags.store);
  const rows = journal.studies().map((study) => {
    const record = study.record ? (JSON.parse(study.record) as StudyRecord) : undefined;
    const champion = record?.verdict?.champion ?? null;
    const best = record?.results.find(
      ({ subject, task }) => subject === champion && task === record.tasks[0]?.name,
    );
    return {
      study: study.name,
      state: !record ? "unfinished" : record.stopped === null ? "done" : "stopped",
      champion,
      metric: best?.metric ?? null,
      mean: best?.mean ?? null,
      n: best?.n ?? null,
      openings: record?.openings ?? null,
      started: new Date(study.started).toISOString(),
    };
  });
  journal.close();
  output.record({ type: "done", studies: rows });
  if (flags.json) return;
  const lines = rows.map((row) => [
    row.study,
    row.state,
    oneLine(row.champion ?? "–", 40),
    row.mean === null ? "–" : formatScore(row.mean, row.n ?? 0, scaleOf(row.metric ?? "")),
    row.n === null ? "–" : String(row.n),
    row.openings === null ? "–" : String(row.openings),
    formatDate(row.started),
  ]);
  output.say(table(["study", "state", "champion", "score", "n", "openings", "started"], lines, [3, 4, 5]));
}
