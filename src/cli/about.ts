// Output of `hone init` and `hone advise` about a data file: each column's role and why, the labels, the split, what was left
// out.

import type { About } from "../advise/own-data.js";
import { oneLine } from "../report/escape.js";
import { formatWhole } from "../report/format.js";

const shownLabels = 12;

/** Most names of unused fields that are listed; the rest are only counted. */
const maxNames = 20;

export function aboutText({
  source,
  rows,
  fields,
  taken,
  unused,
  labels,
  counts,
  near,
  notes,
}: About): string {
  const width = Math.max(...taken.map(({ role }) => role.length), "not used".length);
  const line = (name: string, text: string) => `  ${name.padEnd(width)}  ${oneLine(text, 400)}`;
  const plain = unused.filter(({ why }) => why === undefined).map(({ name }) => name);
  return [
    oneLine(`${source}: ${formatWhole(rows)} rows of ${fields} fields`),
    ...taken.map(({ role, fields: names, why }) => line(role, `${names.join(", ")}: ${why}`)),
    ...unused.flatMap(({ name, why }) => (why === undefined ? [] : [line("not used", `${name}: ${why}`)])),
    ...(plain.length > 0 ? [line("not used", shortened(plain))] : []),
    ...labels.map(({ task, labels: list }) => {
      const shown = list.slice(0, shownLabels).map(({ text, rows: n }) => `${text} ${formatWhole(n)}`);
      const more = list.length > shown.length ? `, and ${list.length - shown.length} more` : "";
      return line("labels", `${task === undefined ? "" : `${task}: `}${shown.join(", ")}${more}`);
    }),
    line(
      "split",
      `train ${counts.train}, dev ${counts.dev}, test ${counts.test}${near ? "; near-duplicates stay together" : ""}`,
    ),
    ...notes.map((note) => `  ! ${oneLine(note, 600)}`),
  ].join("\n");
}

function shortened(names: readonly string[]): string {
  const more = names.length - maxNames;
  return more > 1 ? `${names.slice(0, maxNames).join(", ")} and ${more} more` : names.join(", ");
}
