// What every part of the Markdown report is built from: tables, names, headings. It knows no figures.
import { escapeMarkdown as md } from "./escape.js";
/** A Markdown table whose cells are already escaped; columns from the second on are right-aligned unless named left. */
export function table(head, rows, left = [0]) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (left.includes(i) ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
/** A subject's name, told apart where it is the champion's. */
export function nameOf(record, subject) {
  const name = md(subject, 64);
  return subject === record.verdict?.champion ? `**${name}** (champion)` : name;
}
/** A heading for each task that has something to show, none where there is only one task. */
export function perTask(record, draw) {
  return record.tasks.flatMap((task, i) => {
    const body = draw(task.name, i);
    return body.length > 0 && record.tasks.length > 1 ? [`### ${md(task.name, 80)}`, ...body] : body;
  });
}
/** A part of the report under its heading; nothing where there is nothing to say. */
export function section(title, body) {
  return body.length > 0 ? [`## ${title}`, ...body] : [];
}
