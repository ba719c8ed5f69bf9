// What `hone run --dev-only` prints at its end: every subject's score on dev. Nothing is compared: dev is what one chooses on.

import { directionOf } from "../core/metric.js";
import { metricOf, type StudyRecord } from "../core/record.js";
import { displayWidth, pad, wrap } from "./columns.js";
import { oneLine } from "./escape.js";
import { formatInterval, formatScore, formatWhole, metricHead } from "./format.js";

export function renderDev(record: StudyRecord, width: number): string {
  const [task] = record.tasks;
  if (!task) return "";
  const metric = metricOf(record, task.name);
  const scored = record.results
    .flatMap(({ subject, task: own, dev }) => (own === task.name && dev ? [{ subject, ...dev }] : []))
    .sort((a, b) => directionOf(metric) * (b.mean - a.mean));
  const heads = [metricHead({ ...metric, name: `dev ${oneLine(metric.name, 12)}` }), "95 % interval", "n"];
  const figures = scored.map(({ mean, low, high, n, optimistic }) => [
    `${formatScore(mean, n, metric.display)}${optimistic ? "†" : " "}`,
    formatInterval(low, high, n, metric.display),
    formatWhole(n),
  ]);
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...figures.map((row) => (row[i] as string).length)),
  );
  const cells = (row: readonly string[]) =>
    row.map((text, i) => `  ${text.padStart(widths[i] as number)}`).join("");
  const names = scored.map(({ subject }) => oneLine(subject, 60));
  const room = Math.max(12, Math.min(width, 110) - cells(heads).length - 2);
  const longest = Math.min(room, Math.max(0, ...names.map(displayWidth)));
  const lines = ["", `  ${pad("", longest)}${cells(heads)}`];
  for (const [i, row] of figures.entries()) lines.push(`  ${pad(names[i] as string, longest)}${cells(row)}`);
  const left = record.subjects
    .map(({ name }) => name)
    .filter((name) => !scored.some(({ subject }) => subject === name));
  for (const name of left) lines.push(`  ${oneLine(name, 60)}: no score on dev`);
  const marked = "† dev has already chosen within the subject: optimistic";
  if (scored.some(({ optimistic }) => optimistic))
    lines.push(...wrap(marked, Math.max(38, width - 2)).map((line) => `  ${line}`));
  return lines.join("\n");
}
