// The reproduction's figures task by task and along the curve, as tables for people and as records for scripts.

import type { Estimate } from "../../core/record.js";
import { formatBare, formatInterval } from "../../report/format.js";
import { byTask, meanOverTasks, type Scores } from "../figures.js";
import type { PaperTable } from "../paper.js";
import type { LawmaScores } from "./claims.js";
import { atNaturalMix } from "./natural.js";
import type { LawmaChoice, LeftOut } from "./tasks.js";

const shown = ["gpt4", "llama-3-8b-instruct", "lawma-8b"] as const;

/** One task's figures; null where a subject was not run or nothing is published. */
export interface TaskRecord {
  task: string;
  options: number;
  train: number;
  test: number;
  /** Share of the majority class that balancing left in test. */
  keep: number;
  accuracy: Record<string, number | null>;
  /** The tuned model at the natural mix of classes. */
  natural: number | null;
  published: Record<string, number | null>;
}

function subjectsOf(scores: LawmaScores): [string, Scores][] {
  return [
    ["majority", scores.majority],
    ["zero-shot", scores.zero],
    ["few-shot", scores.few],
    ["one for all", scores.all],
    ["one each", scores.one],
    ["linear", scores.linear],
    ["transfer", scores.transfer],
    ["larger, zero-shot", scores.largerZero],
    ["larger, one for all", scores.largerAll],
  ];
}

export function taskRecords({ chosen, accuracy }: LawmaChoice, scores: LawmaScores): TaskRecord[] {
  const means = subjectsOf(scores)
    .filter(([, one]) => one.size > 0)
    .map(([name, one]) => [name, byTask(one)] as const);
  return chosen.map((task) => {
    const rows = [...scores.all.values()]
      .filter((one) => one.task === task.name)
      .map(({ score, gold }) => ({ right: score, gold }));
    const known = accuracy.get(task.name);
    return {
      task: task.name,
      options: task.splits.test[0]?.options?.length ?? 0,
      train: task.splits.train.length,
      test: task.splits.test.length,
      keep: task.keep.test,
      accuracy: Object.fromEntries(means.map(([name, mean]) => [name, mean.get(task.name) ?? null])),
      natural: rows.length === 0 ? null : atNaturalMix(rows, task.majority, task.keep.test),
      published: Object.fromEntries(shown.map((name) => [name, known?.[name] ?? null])),
    };
  });
}

export interface CurveRecord {
  n: number;
  tuned: Estimate | null;
  linear: Estimate | null;
}

export function curveRecords({ curve }: LawmaScores): CurveRecord[] {
  return curve.map(({ n, tuned, linear }) => ({
    n,
    tuned: meanOverTasks(tuned),
    linear: meanOverTasks(linear),
  }));
}

export function lawmaTables(
  records: readonly TaskRecord[],
  points: readonly CurveRecord[],
  scores: LawmaScores,
  leftOut: readonly LeftOut[],
): PaperTable[] {
  const number = (value: number | null | undefined, n = 100) =>
    value === null || value === undefined ? "–" : formatBare(value, n);
  const estimate = (one: Estimate | null) =>
    one === null ? "–" : `${formatBare(one.mean)} (${formatInterval(one.low, one.high)})`;
  const names = subjectsOf(scores)
    .filter(([, one]) => one.size > 0)
    .map(([name]) => name);
  const perTask: PaperTable = {
    title: "Accuracy in % by task; the last three are published, on whole opinions",
    head: ["task", ...names, "at natural mix", ...shown],
    rows: records.map(({ task, accuracy, natural, published }) => [
      task,
      ...names.map((name) => number(accuracy[name], 10)),
      number(natural, 10),
      ...shown.map((name) => number(published[name])),
    ]),
    right: [...names, "", ...shown].map((_, i) => i + 1),
  };
  const means: PaperTable = {
    title: "Mean over tasks in %, with 95 % interval",
    head: ["subject", "mean", "samples"],
    rows: subjectsOf(scores)
      .filter(([, one]) => one.size > 0)
      .map(([name, one]) => [name, estimate(meanOverTasks(one)), String(one.size)]),
    right: [2],
  };
  const curve: PaperTable = {
    title: `Accuracy in % by number of labels; zero-shot ${estimate(meanOverTasks(scores.curveZero))}, majority ${estimate(meanOverTasks(scores.curveMajority))}`,
    head: ["labels", "tuned", "linear"],
    rows: points.map(({ n, tuned, linear }) => [String(n), estimate(tuned), estimate(linear)]),
    right: [0],
  };
  const out: PaperTable = {
    title: "Tasks left out",
    head: ["task", "why"],
    rows: leftOut.map(({ task, why }) => [task, why]),
    right: [],
  };
  return [means, perTask, curve, out].filter(({ rows }) => rows.length > 0);
}
