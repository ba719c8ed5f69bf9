// A model card for a saved specialist that has its own files: what it is, how it was made, how well it did, how to load
// it, and what the figures do not show. It measures nothing. All names and texts in it come from users and data, and are escaped.

import { stringify } from "yaml";
import type { Json } from "../core/json.js";
import type { Estimate, OpenedBefore, Result, TaskCard } from "../core/record.js";
import { renderedElsewhere } from "../models/template.js";
import { escapeMarkdown, fenced, oneLine } from "../report/escape.js";
import {
  formatDuration,
  formatInterval,
  formatScore,
  formatWhole,
  sayOpenedBefore,
} from "../report/format.js";
import { version } from "../version.js";

export interface CardFacts {
  /** The specialist's name in its study. */
  name: string;
  study: string;
  /** Fingerprint of the study's plan. */
  plan: string;
  /** The generalist: its name, the reference that opens it, its identity, and the path of its weights if there are any. */
  base: { name: string; ref: string; id: string; file?: string };
  specializer: { name: string; options: Json };
  seed: number;
  /** Seconds spent making it. */
  seconds: number;
  task: Pick<TaskCard, "name" | "metric" | "source" | "counts" | "labels">;
  dev: Result["dev"];
  test: (Estimate & { unscored: number }) | null;
  /** How many of the test rows other plans had opened. */
  openedBefore: OpenedBefore;
  /** Paths within the specialist's folder, with slashes. `adapter` and `model` are GGUF files, `peft` a folder that peft loads. */
  files: { adapters: readonly string[]; models: readonly string[]; peft: readonly string[] };
}

const md = (text: string, limit?: number) => escapeMarkdown(text, limit);

/** The card as Markdown with a YAML header, for README.md. */
export function modelCard(facts: CardFacts): string {
  const { base, task, files } = facts;
  const header = stringify({
    base_model: oneLine(base.ref),
    library_name: files.peft.length > 0 ? "peft" : "hone",
    tags: ["hone", "specialist", oneLine(facts.specializer.name)],
    pipeline_tag: task.labels ? "text-classification" : "text-generation",
  });
  const score = (one: Estimate): string => {
    const scale = task.metric.display;
    return `${formatScore(one.mean, one.n, scale)} (95 % interval ${formatInterval(one.low, one.high, one.n, scale)})`;
  };
  const { train, dev, test } = task.counts;
  const measured = [
    facts.dev &&
      `| dev (${facts.dev.optimistic ? "optimistic: dev also chose within the specialist, or its seed" : "the specialist may have been chosen on it"}) | ${facts.dev.n} | ${score(facts.dev)} |`,
    facts.test && `| test | ${facts.test.n} | ${score(facts.test)} |`,
  ].filter(Boolean);
  const unscored = facts.test?.unscored ?? 0;
  const sections = [
    `# ${md(facts.name)}`,
    `A specialist of **${md(base.name)}** for the task **${md(task.name)}**, made and measured by Hone ${md(version)}.`,
    "## How it was made",
    [
      "| | |",
      "|---|---|",
      `| base | ${md(base.ref)} (${md(base.id)}) |`,
      ...(base.file === undefined ? [] : [`| base file | ${md(base.file, 400)} |`]),
      `| data | ${md(task.source, 300)}: ${formatWhole(train)} train, ${formatWhole(dev)} dev, ${formatWhole(test)} test samples |`,
      ...settings(facts.specializer.options).map(([key, value]) => `| ${md(key, 100)} | ${md(value, 300)} |`),
      `| seed | ${facts.seed} |`,
      `| time | ${formatDuration(1000 * facts.seconds)} |`,
      `| study | ${md(facts.study)}, plan ${md(facts.plan)} |`,
    ].join("\n"),
    "## How well it does",
    measured.length > 0
      ? [`| split | n | ${md(task.metric.name)} |`, "|---|---|---|", ...measured].join("\n")
      : "It was not measured.",
    ...(unscored > 0 ? [`${formatWhole(unscored)} test samples could not be scored and are left out.`] : []),
    ...(facts.test ? [`Of the test split, ${sayOpenedBefore(facts.openedBefore)}.`] : []),
    "The study's report compares it with the base, with prompts and with simple references on the same samples.",
    "## How to load it",
    ...loading(facts),
    "## Limits",
    [
      `- It was made for one task, and nothing is known of it elsewhere${task.labels ? `; it answers with one of ${task.labels.length} labels` : ""}.`,
      "- The figures hold for samples like those of the test split, asked in the prompt that Hone writes for this task.",
      `- It was trained on the base's weights as they are served${base.file ? ` (${md(base.file)})` : ""}; on the same model in another precision its answers can differ.`,
      ...renderedElsewhere(base.id).map((line) => `- ${line}`),
      "- The base's licence and limits hold for it too.",
    ].join("\n"),
  ];
  return `---\n${header}---\n\n${sections.join("\n\n")}\n`;
}

function loading({ base, files }: CardFacts): string[] {
  const parts = [
    "With Hone, prompt and labels included; PATH is this folder:",
    fenced(
      'import { loadSpecialist } from "@honelab/hone";\nconst { subject } = await loadSpecialist("PATH", { signal: AbortSignal.timeout(60_000) });',
    ),
  ];
  const gguf = base.file ?? "BASE.gguf";
  const known = /^llama:([\w.-]+)(?:\?|$)/.exec(base.ref)?.[1];
  const fetched =
    known === undefined || known.endsWith(".gguf") ? "" : ` (\`hone models pull ${known}\` fetches it)`;
  for (const file of files.adapters) {
    parts.push(
      `With llama.cpp, on the base's file${fetched}:`,
      fenced(oneLine(`llama-server -m ${gguf} --lora ${file}`)),
    );
  }
  for (const file of files.models) parts.push("With llama.cpp:", fenced(oneLine(`llama-server -m ${file}`)));
  for (const folder of files.peft) {
    parts.push(
      "With transformers and peft; BASE is the base's original checkpoint:",
      fenced(
        `from peft import PeftModel\nfrom transformers import AutoModelForCausalLM\nmodel = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("BASE"), ${JSON.stringify(oneLine(folder))})`,
      ),
    );
  }
  return parts;
}

/** Options as rows of key and value, nested keys joined by dots. */
function settings(options: Json, key = "method"): [string, string][] {
  if (options === null || typeof options !== "object")
    return [[key, typeof options === "string" ? options : JSON.stringify(options)]];
  return Object.entries(options as Record<string, Json | undefined>).flatMap(([inner, value]) =>
    value === undefined ? [] : settings(value, key === "method" ? inner : `${key}.${inner}`),
  );
}
