// Outcomes as CSV, one row each, streamed and safe to open in a spreadsheet. Subjects and tasks have their names in the
// report; their names in the journal are in the last columns.

import type { Outcome } from "../core/outcome.js";
import type { StudyRecord } from "../core/record.js";
import { csvCell } from "./escape.js";

const columns = [
  "subject",
  "task",
  "split",
  "sample",
  "seed",
  "group",
  "eyes_off",
  "gold",
  "status",
  "score",
  "prediction",
  "cause",
  "detail",
  "raw",
  "calls",
  "input_tokens",
  "output_tokens",
  "ms",
  "usd",
  "subject_id",
  "task_id",
] as const;

/** Yields the head and then one line per outcome and subject that it belongs to, each ending in CRLF (RFC 4180). */
export function* outcomesCsv(
  { subjects, tasks }: Pick<StudyRecord, "subjects" | "tasks">,
  outcomes: Iterable<Outcome>,
): Generator<string> {
  const subjectNames = new Map<string, Set<string>>();
  for (const { name, ids } of subjects)
    for (const id of ids) subjectNames.set(id, (subjectNames.get(id) ?? new Set()).add(name));
  const taskNames = new Map(tasks.map(({ name, key }) => [key, name]));
  yield `${columns.join(",")}\r\n`;
  for (const { subject, task, split, sample, seed, group, eyesOff, gold, grade, cost } of outcomes) {
    const scored = grade.status === "scored";
    const cells = [
      taskNames.get(task) ?? task,
      split,
      sample,
      seed,
      group,
      eyesOff ?? false,
      gold,
      grade.status,
      scored ? grade.score : null,
      scored ? grade.prediction : null,
      scored ? null : grade.cause,
      scored ? null : grade.detail,
      grade.raw,
      cost.calls,
      cost.inputTokens,
      cost.outputTokens,
      cost.ms,
      cost.usd,
      subject,
      task,
    ];
    // Equal specialists share their outcomes.
    for (const name of subjectNames.get(subject) ?? [subject])
      yield `${[name, ...cells].map(csvCell).join(",")}\r\n`;
  }
}
