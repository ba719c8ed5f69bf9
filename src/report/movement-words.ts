// The Markdown report's text on movements: where the hand ended, trial by trial. The page draws them.

import type { StudyRecord } from "../core/record.js";
import { escapeMarkdown as md } from "./escape.js";
import { formatBare } from "./format.js";
import { nameOf, section, table } from "./markdown-parts.js";
import { endError, type TaskMovements } from "./movements.js";

/**
 * How far the hand of each subject ended from its target in the trials that the page draws, and which lesion belongs to
 * which subject. Empty if the study kept no movements.
 */
export function movementWords(record: StudyRecord, all: readonly TaskMovements[]): string[] {
  const tables = all.flatMap(({ task, trials, subjects, motions, lesioned }) => {
    const rows = subjects.map((s, i) => {
      const intact = lesioned.find(({ cut }) => cut === s)?.intact;
      const name = nameOf(record, record.subjects[s]?.name ?? "");
      const whole = intact === undefined ? "–" : md(record.subjects[intact]?.name ?? "", 64);
      const errors = trials.map((_, t) => {
        const motion = motions[i]?.[t];
        return motion ? formatBare(endError(motion), 1, "number") : "–";
      });
      return [name, ...(lesioned.length > 0 ? [whole] : []), ...errors];
    });
    const head = [
      "subject",
      ...(lesioned.length > 0 ? ["lesion of"] : []),
      ...trials.map((id) => md(id, 40)),
    ];
    const title = record.tasks.length > 1 ? [`### ${md(record.tasks[task]?.name ?? "", 80)}`] : [];
    return [...title, table(head, rows, lesioned.length > 0 ? [0, 1] : [0])];
  });
  const note = "The hand's distance from its target at the end, in m. The page draws and plays these trials.";
  return section("Movements", tables.length > 0 ? [note, ...tables] : []);
}
