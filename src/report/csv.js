// Outcomes as CSV, one row each, streamed: fit for a spreadsheet, inert in it. Subjects and tasks go by the names that the
// report gives them; what the journal calls them stands in the last columns.
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
];
/** Yields the head and then one line per outcome, each ending in CRLF (RFC 4180). */
export function* outcomesCsv({ subjects, tasks }, outcomes) {
  const subjectNames = new Map(subjects.flatMap(({ name, ids }) => ids.map((id) => [id, name])));
  const taskNames = new Map(tasks.map(({ name, key }) => [key, name]));
  yield `${columns.join(",")}\r\n`;
  for (const { subject, task, split, sample, seed, group, eyesOff, gold, grade, cost } of outcomes) {
    const scored = grade.status === "scored";
    const cells = [
      subjectNames.get(subject) ?? subject,
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
    yield `${cells.map(csvCell).join(",")}\r\n`;
  }
}
