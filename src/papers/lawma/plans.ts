// The studies behind the claims, as data: which samples and which arms, by name.

import { randomFor, shuffled } from "../../core/random.js";
import type { SplitName } from "../../core/sample.js";
import type { Row, Scores } from "../figures.js";
import type { Given } from "../paper.js";
import { byLabel, fileSplits, type Plan, splitFiles } from "../plans.js";
import type { LawmaSettings } from "./settings.js";
import { type BalancedTask, head, type LawmaChoice, roomFor, sentences } from "./tasks.js";

/** A row of the files: one case of one task, ready for Lawma's prompt. */
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

/** At most `limit` examples of each split, drawn with a fixed seed, as rows in the order of the tasks. */
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

/** The four experiments; the curve has one study per task. */
export type LawmaPart = "tasks" | "transfer" | "curve" | "larger";

export interface LawmaPlan extends Plan {
  experiment: LawmaPart;
}

/** An arm's scored answers in an experiment, by training seed; none if it was not run. */
export type RowsOn = (experiment: LawmaPart, arm: string) => readonly Row[];
/** Their means over seeds. */
export type ScoresOn = (experiment: LawmaPart, arm: string) => Scores;

export function lawmaPlans({ settings, models, data }: Given<LawmaSettings, LawmaChoice>): LawmaPlan[] {
  const { shots, tune, curve, input, instructionSentences } = settings;
  const { chosen, heldOut } = data;
  const [small, large] = models as [string, string?];
  const pool = rowsOf(chosen, data.texts, settings);
  const held = ({ stratum }: LawmaRow) => heldOut.includes(stratum);
  const others = (rows: readonly LawmaRow[]) => rows.filter((row) => !held(row));
  const main: LawmaPlan = {
    experiment: "tasks",
    part: "tasks",
    model: small,
    description: `Lawma's comparison on ${chosen.length} tasks put into one`,
    ...studyOf(pool, [1]),
    arms: {
      "zero-shot": "zeroShot",
      "few-shot": { perStratum: { use: { fewShot: { k: shots } } } },
      "one for all": tune.all,
      "one each": { perStratum: { use: tune.one } },
      linear: { perStratum: { use: "linear" } },
      majority: { perStratum: { use: "majority" } },
    },
  };
  const transfer: LawmaPlan = {
    experiment: "transfer",
    part: "transfer",
    model: small,
    description: `Tuned on ${chosen.length - heldOut.length} tasks, tested on ${heldOut.length} others`,
    ...studyOf({ train: others(pool.train), dev: others(pool.dev), test: pool.test.filter(held) }, [1]),
    arms: { "zero-shot": "zeroShot", tuned: tune.transfer },
  };
  const curves = chosen
    .filter(({ name }) => curve.tasks.includes(name))
    .map((task): LawmaPlan => {
      const rows = rowsOf([task], data.texts, {
        instructionSentences,
        input: "chars" in input ? { chars: curve.chars } : input,
        limit: { train: Math.max(...curve.n), dev: curve.dev, test: curve.test },
      });
      // Logistic regression runs beside it on the same draws.
      const draws = curve.n.flatMap((n): [string, unknown][] => [
        [`tuned on ${n}`, { subset: { n, use: curve.tune(n) } }],
        [`linear on ${n}`, { subset: { n, use: { perStratum: { use: "linear" } } } }],
      ]);
      return {
        experiment: "curve",
        part: `curve-${task.name}`,
        model: small,
        description: `What labels are worth on ${task.name}`,
        ...studyOf(rows, curve.seeds),
        arms: { "zero-shot": "zeroShot", ...Object.fromEntries(draws), majority: "majority" },
      };
    });
  const larger = (model: string): LawmaPlan => ({
    ...main,
    experiment: "larger",
    model,
    description: `Lawma's comparison on ${chosen.length} tasks with a larger model`,
    arms: { "zero-shot": "zeroShot", "one for all": tune.larger },
  });
  return [
    main,
    ...(heldOut.length > 0 ? [transfer] : []),
    ...curves,
    ...(large === undefined ? [] : [larger(large)]),
  ];
}

/** The part of a study file that these rows determine. */
function studyOf(rows: Rows, seeds: readonly number[]): Pick<Plan, "files" | "study"> {
  return {
    files: splitFiles(rows),
    study: {
      task: {
        name: "lawma",
        kind: "choice",
        ...byLabel,
        data: {
          splits: fileSplits,
          id: "id",
          input: "input",
          instruction: "{{instruction}}",
          question: "{{question}}",
          options: "options",
          label: "answer",
          group: "case",
          stratum: "stratum",
          // Cases are split before tasks are built, and cases whose text occurs twice are removed there.
          leakage: "off",
        },
      },
      seeds,
      handOver: 5,
    },
  };
}
