// Reading the medical multiple-choice sets: their rows as a study takes them, and the abstracts that answers can be looked
// up in. Long answers and conclusions are never read: they tell the label.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { randomFor, shuffled } from "../../core/random.js";
import type { SplitName } from "../../core/sample.js";
import { asText, readRows } from "../../data/index.js";
import type { MedpromptSettings } from "./settings.js";

/** One question of a set. */
export interface MedRow {
  /** `task/id`. */
  id: string;
  input: string;
  question: string;
  options: { label: string[]; text: string[] };
  answer: string;
  /** Ids of the documents that hold the answer. */
  evidence: string[];
}

export type MedRows = Record<SplitName, MedRow[]>;

/** Which files, or shares of one file, make up a task's splits. */
const files: Readonly<Record<string, Record<SplitName, string>>> = {
  medqa: { train: "medqa_train1030", dev: "medqa_dev", test: "medqa_test" },
  pubmedqa: { train: "pubmedqa_train", dev: "pubmedqa_train", test: "pubmedqa_test" },
  // Neither has a training file in these data: dev's own questions are divided.
  medmcqa: { train: "medmcqa_dev", dev: "medmcqa_dev", test: "medmcqa_dev" },
};

type Sizes = Pick<MedpromptSettings, "chars" | "limit">;

/**
 * @param folder the folder of the sets' files, one JSON object a line
 * @returns undefined for a task that has no files there
 */
export async function readTask(folder: string, task: string, sizes: Sizes): Promise<MedRows | undefined> {
  const named = files[task];
  const there = new Set(await readdir(folder));
  if (named === undefined || Object.values(named).some((name) => !there.has(`${name}.jsonl`)))
    return undefined;
  const read = new Map<string, MedRow[]>();
  for (const name of new Set(Object.values(named))) {
    const rows: MedRow[] = [];
    for await (const { row } of readRows(join(folder, `${name}.jsonl`)))
      rows.push(toRow(task, row as Record<string, unknown>, sizes.chars));
    read.set(name, shuffled(rows, randomFor(0, "medprompt/draw", name)));
  }
  const rows: MedRows = { train: [], dev: [], test: [] };
  const taken = new Map<string, number>();
  for (const split of ["test", "dev", "train"] as const) {
    const name = named[split];
    const all = read.get(name) as MedRow[];
    const from = taken.get(name) ?? 0;
    // Where a file is divided, no split may take everything.
    const shares = Object.values(named).filter((one) => one === name).length;
    const most = Math.min(
      sizes.limit[split],
      Math.ceil((all.length - from) / (split === "train" ? 1 : shares)),
    );
    rows[split] = all.slice(from, from + most);
    taken.set(name, from + most);
  }
  return rows;
}

function toRow(task: string, row: Record<string, unknown>, chars: Sizes["chars"]): MedRow {
  const options = Object.entries(row.options as Record<string, unknown>);
  const context = asText(row.context ?? "").slice(0, chars.context);
  const asked = asText(row.question);
  // The question proper stands at the end of a vignette: its tail is kept.
  const question = asked.length > chars.question ? asked.slice(-chars.question) : asked;
  return {
    id: `${task}/${asText(row.id)}`,
    input: context === "" ? question : context,
    question: context === "" ? "" : question,
    options: { label: options.map(([key]) => key), text: options.map(([, text]) => asText(text)) },
    answer: asText(row.answer),
    evidence: context === "" ? [] : [asText(row.id)],
  };
}

/** PubMedQA's contexts as documents, train and test. */
export async function readAbstracts(folder: string): Promise<{ id: string; text: string }[]> {
  const documents: { id: string; text: string }[] = [];
  for (const name of ["pubmedqa_train.jsonl", "pubmedqa_test.jsonl"])
    for await (const { row } of readRows(join(folder, name)))
      documents.push({ id: asText(row.id), text: asText(row.context) });
  return documents;
}
