// Building blocks of the Markdown report: tables, names, headings. They contain no figures.

import type { StudyRecord } from "../core/record.js";
import { escapeMarkdown as md } from "./escape.js";

/** A Markdown table whose cells are already escaped; columns from the second on are right-aligned unless named left. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[] = [0],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (left.includes(i) ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** A subject's name, marked if it is the champion's. */
export function nameOf(record: StudyRecord, subject: string): string {
  const name = md(subject, 64);
  return subject === record.verdict?.champion ? `**${name}** (champion)` : name;
}

/** A heading for each task that has something to show, none where there is only one task. */
export function perTask(record: StudyRecord, draw: (task: string, index: number) => string[]): string[] {
  return record.tasks.flatMap((task, i) => {
    const body = draw(task.name, i);
    return body.length > 0 && record.tasks.length > 1 ? [`### ${md(task.name, 80)}`, ...body] : body;
  });
}

/** A part of the report under its heading; nothing if its body is empty. */
export function section(title: string, body: readonly string[]): string[] {
  return body.length > 0 ? [`## ${title}`, ...body] : [];
}
