// Outcomes as CSV, one row each, streamed: fit for a spreadsheet, inert in it.

import type { Outcome } from "../core/outcome.js";
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
] as const;

/** Yields the head and then one line per outcome, each ending in CRLF (RFC 4180). */
export function* outcomesCsv(outcomes: Iterable<Outcome>): Generator<string> {
  yield `${columns.join(",")}\r\n`;
  for (const { subject, task, split, sample, seed, group, eyesOff, gold, grade, cost } of outcomes) {
    const scored = grade.status === "scored";
    const cells = [
      subject,
      task,
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
    ];
    yield `${cells.map(csvCell).join(",")}\r\n`;
  }
}
