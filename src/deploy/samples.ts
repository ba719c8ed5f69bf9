// A study's training samples in the formats of other trainers: supervised (messages with the right answer) and preferences (a chosen
// and a rejected answer). Train and dev only: the test split stays sealed.

import { HoneError } from "../core/errors.js";
import type { Option } from "../core/language.js";
import type { Message } from "../core/model.js";
import { randomFor } from "../core/random.js";
import type { Sample } from "../core/sample.js";
import { hasQueries, type LanguageTask } from "../core/task.js";
import { type DatasetSpec, loadDataset } from "../data/index.js";
import { renderPrompt } from "../models/prompt.js";
import type { Journal } from "../store/journal.js";
import type { StudySpec } from "../study/spec.js";
import { makeTask } from "../tasks/index.js";

/** One line of the file: TRL's conversational forms. */
export type TrainingRow =
  | { id: string; messages: Message[] }
  | { id: string; prompt: Message[]; chosen: Message[]; rejected: Message[] };

export interface TrainingRowsOptions {
  as: "sft" | "dpo";
  split: "train" | "dev";
  base: string;
  signal: AbortSignal;
  /** The journal of the study, if it was run: its subjects' wrong answers on dev serve as rejected answers. */
  journal?: Journal | undefined;
  seed?: number;
}

/**
 * A study's samples as rows for training elsewhere. The rejected answer is a wrong one that a subject of the study gave; if none is
 * known, another option, drawn by the seed. A sample with open answers and no known wrong one is left out.
 * @returns the rows, and how many samples had no answer to reject
 */
export async function trainingRows(
  spec: StudySpec,
  { as, split, base, signal, journal, seed = 0 }: TrainingRowsOptions,
): Promise<{ rows: TrainingRow[]; left: number; known: number }> {
  const { name, data, ...options } = spec.task;
  const refuse = (why: string): HoneError =>
    new HoneError({
      what: "The study has no text samples to train on",
      where: `task ${name}`,
      why,
      next: "Choose a study with a task of kind choice or answer.",
      kind: "usage",
    });
  if (!("input" in data)) throw refuse("its samples are drawn, not read");
  const dataset = await loadDataset(data as DatasetSpec, { base, signal, name: `${name}: data` });
  const made = makeTask(name, options, dataset.labels);
  if (!hasQueries(made)) throw refuse(`its kind is ${made.kind}`);
  const task: LanguageTask = made;
  const wrong = journal ? wrongAnswers(journal, spec.study, split) : new Map<string, string[]>();
  const rows: TrainingRow[] = [];
  let left = 0;
  let known = 0;
  for (const sample of dataset[split]) {
    const query = task.query(sample);
    const { messages, continuations } = renderPrompt(query, "chat");
    const said = (content: string): Message[] => [{ role: "assistant", content }];
    const written = (answer: string): string | undefined => {
      if (!query.options) return answer;
      const index = query.options.findIndex(({ key }) => key === answer);
      return index < 0 ? undefined : continuations[index];
    };
    const gold = written(task.demonstration(sample).answer);
    if (gold === undefined) continue;
    if (as === "sft") {
      rows.push({ id: sample.id, messages: [...messages, ...said(gold)] });
      continue;
    }
    const given = (wrong.get(sample.id) ?? []).map(written).find((one) => one !== undefined && one !== gold);
    const rejected = given ?? drawn(query.options, sample, written, seed);
    if (rejected === undefined) left++;
    else {
      if (given !== undefined) known++;
      rows.push({ id: sample.id, prompt: messages, chosen: said(gold), rejected: said(rejected) });
    }
  }
  return { rows, left, known };
}

function drawn(
  options: readonly Option[] | undefined,
  { id, gold }: Sample,
  written: (answer: string) => string | undefined,
  seed: number,
): string | undefined {
  const others = (options ?? []).filter(({ key }) => ![gold].flat().includes(key));
  const one = others[Math.floor(randomFor(seed, "rejected", id)() * others.length)];
  return one && written(one.key);
}

/** Wrong answers of a study's subjects, by sample. */
function wrongAnswers(journal: Journal, study: string, split: "train" | "dev"): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const record = journal.study(study)?.record;
  if (!record || split === "train") return found;
  const { subjects, tasks } = JSON.parse(record) as {
    subjects: { ids: string[] }[];
    tasks: { name: string; key: string }[];
  };
  const [task] = tasks;
  for (const { ids } of task ? subjects : [])
    for (const subject of ids)
      for (const key of journal.tasksOf(subject, "dev").filter((one) => one.startsWith(`${task?.name}@`)))
        for (const { sample, grade } of journal.outcomes({ subject, task: key, split: "dev" }, () => {})) {
          if (grade.status !== "scored" || grade.score >= 1) continue;
          const answer = grade.prediction || grade.raw?.trim();
          if (answer) found.set(sample, [...(found.get(sample) ?? []), answer]);
        }
  return found;
}
