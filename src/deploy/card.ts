// The card of an exported folder: the study's card if there is one, else a description from the saved specialist; then the
// folder's files and how each is loaded. Names in it come from users and data, and are escaped.

import { renderedElsewhere } from "../models/template.js";
import { escapeMarkdown, fenced, oneLine } from "../report/escape.js";
import { formatInterval, formatScore, formatWhole, sayOpenedBefore } from "../report/format.js";
import type { SavedSpecialist } from "../study/specialist.js";

interface Folder {
  /** The card that the study wrote. */
  card: string | undefined;
  /** Relative to the folder, with slashes. */
  files: readonly string[];
  needs: readonly string[];
}

export function specialistCard(saved: SavedSpecialist, { card, files, needs }: Folder): string {
  return `${(card ?? ownCard(saved)).trimEnd()}\n\n${folderSection(files, needs)}\n`;
}

const md = (text: string, limit?: number) => escapeMarkdown(text, limit);

function ownCard({ name, model, modelId, specializer, task, made, measured }: SavedSpecialist): string {
  const labels = task.labels?.map(({ key, text }) => (key === text ? key : `${key} (${text})`));
  const rows = [
    ["made by", typeof specializer === "string" ? specializer : JSON.stringify(specializer)],
    ["base", `${model} (${modelId})`],
    ["study", `${made.study}, plan ${made.plan}`],
    ...(labels ? [["answers", labels.join(", ")]] : []),
  ] as [string, string][];
  const score = measured
    ? `${formatScore(measured.mean, measured.n, measured.display)} ${md(measured.metric)} on the study's ${formatWhole(measured.n)} test samples (95 % interval ${formatInterval(measured.low, measured.high, measured.n, measured.display)}).${measured.openedBefore ? ` Of the test split, ${sayOpenedBefore(measured.openedBefore)}.` : ""}`
    : "It was not measured.";
  return [
    `# ${md(name)}`,
    `A specialist for the task **${md(task.name)}**, made and measured by Hone.`,
    ["| | |", "|---|---|", ...rows.map(([key, value]) => `| ${key} | ${md(value, 400)} |`)].join("\n"),
    "## How well it does",
    score,
    "## Limits",
    [
      "It was made for one task, and nothing is known of it elsewhere.",
      "The figure holds for samples like those of the test split.",
      ...renderedElsewhere(modelId),
      "The base's licence and limits hold for it too.",
    ]
      .map((line) => `- ${line}`)
      .join("\n"),
  ].join("\n\n");
}

function folderSection(files: readonly string[], needs: readonly string[]): string {
  const has = (name: string) => files.includes(name);
  const parts = [
    "## This folder",
    "`SHA256SUMS` has the checksum of every file (`sha256sum -c SHA256SUMS`). With Hone:",
    fenced(
      "hone import FOLDER --name NAME\nhone predict NAME --data new.csv --out answers.csv\nhone serve NAME",
    ),
  ];
  if (needs.length > 0)
    parts.push(
      `Needed, but not included: ${needs.map((need) => md(oneLine(need, 300))).join("; ")}. \`hone export --with-base\` includes a local model's weights.`,
    );
  if (has("prompt.txt")) parts.push("`prompt.txt` is the prompt, as the model reads it.");
  if (has("classifier.onnx"))
    parts.push(
      "`classifier.onnx` maps `features` to `logits` and `probabilities`; `features.json` says how text becomes features, and names the classes. With ONNX Runtime:",
      fenced(
        'const session = await ort.InferenceSession.create("classifier.onnx");\nconst { probabilities } = await session.run({ features });',
      ),
    );
  return parts.join("\n\n");
}
