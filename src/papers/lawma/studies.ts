// The studies behind the claims, as data: which samples, which arms. Each is written to the store as files that
// `hone run` takes too, so that nothing here is measured in a second way.

import { randomFor, shuffled } from "../../core/random.js";
import type { SplitName } from "../../core/sample.js";
import type { Plan } from "../plans.js";
import type { LawmaSettings } from "./settings.js";
import { type BalancedTask, head, roomFor, sentences } from "./tasks.js";

/** A row of the files: one case of one task, ready to be put into Lawma's prompt. */
export interface LawmaRow {
  /** `task/case`, with a number where a task asks twice about a case. */
  id: string;
  stratum: string;
  case: string;
  instruction: string;
  input: string;
  question: string;
  /** In codebook order; a plain object would not keep it. */
  options: { label: string[]; text: string[] };
  answer: string | string[];
}

export type Rows = Record<SplitName, LawmaRow[]>;

/** At most so many examples of each split, drawn with a fixed seed, as rows in the order of the tasks. */
export function rowsOf(
  tasks: readonly BalancedTask[],
  texts: ReadonlyMap<string, string>,
  settings: Pick<LawmaSettings, "input" | "instructionSentences" | "limit">,
): Rows {
  const rows: Rows = { train: [], dev: [], test: [] };
  for (const task of tasks) {
    for (const split of ["train", "dev", "test"] as const) {
      const drawn = shuffled(task.splits[split], randomFor(0, "lawma/limit", task.name, split));
      const seen = new Map<string, number>();
      for (const example of drawn.slice(0, settings.limit[split])) {
        const instruction = sentences(example.instruction, settings.instructionSentences);
        const text = texts.get(example.caseId) as string;
        const before = seen.get(example.caseId) ?? 0;
        seen.set(example.caseId, before + 1);
        rows[split].push({
          id: `${task.name}/${example.caseId}${before > 0 ? `#${before + 1}` : ""}`,
          stratum: task.name,
          case: example.caseId,
          instruction,
          input: head(text, roomFor(example, instruction, settings.input)),
          question: example.question,
          options: {
            label: (example.options ?? []).map(({ key }) => key),
            text: (example.options ?? []).map((option) => option.text),
          },
          answer: example.gold.length === 1 ? (example.gold[0] as string) : [...example.gold],
        });
      }
    }
  }
  return rows;
}

export interface StudyPlan {
  name: string;
  description: string;
  model: string;
  rows: Rows;
  /** As a study file would write them. */
  specialists: readonly unknown[];
  seeds: readonly number[];
}

/** The study as the files of a plan say it. */
export function toPlan({ name, description, model, rows, specialists, seeds }: StudyPlan): Plan {
  const files = { "train.jsonl": rows.train, "dev.jsonl": rows.dev, "test.jsonl": rows.test };
  const study = {
    model,
    task: {
      name: "lawma",
      kind: "choice",
      data: {
        splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: "file:test.jsonl" },
        id: "id",
        input: "input",
        instruction: "{{instruction}}",
        question: "{{question}}",
        options: "options",
        label: "answer",
        group: "case",
        stratum: "stratum",
        // Cases are split before tasks are made of them, and cases whose text occurs twice are left out there.
        leakage: "off",
      },
    },
    specialists,
    seeds,
    handOver: 5,
  };
  return { name, description, files, study };
}

/** The arms of the main study, by the part that they play in the claims. */
export function mainArms({ shots, tune }: Pick<LawmaSettings, "shots" | "tune">) {
  return {
    few: { perStratum: { use: { fewShot: { k: shots } } } },
    all: tune.all,
    one: { perStratum: { use: tune.one } },
    linear: { perStratum: { use: "linear" } },
    majority: { perStratum: { use: "majority" } },
  } as const;
}

/** The arms of the curve: tuned and, beside it, logistic regression on the same draws. */
export function curveArms({
  n,
  tune,
}: LawmaSettings["curve"]): { n: number; tuned: unknown; linear: unknown }[] {
  return n.map((count) => ({
    n: count,
    tuned: { subset: { n: count, use: tune(count) } },
    linear: { subset: { n: count, use: { perStratum: { use: "linear" } } } },
  }));
}
