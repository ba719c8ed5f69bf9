// The reproduction's figures task by task and along the curve, as tables for people and as records for scripts.

import type { Estimate } from "../../core/record.js";
import { formatBare, formatInterval } from "../../report/format.js";
import { byTask, crossedMean, meanOverTasks, type Scores } from "../figures.js";
import { type Given, type PaperTable, paperTable } from "../paper.js";
import { atNaturalMix } from "./natural.js";
import type { RowsOn, ScoresOn } from "./plans.js";
import type { LawmaSettings } from "./settings.js";
import type { LawmaChoice } from "./tasks.js";

const shown = ["gpt4", "llama-3-8b-instruct", "lawma-8b"] as const;

/** The subjects that were run, by their names in tables. */
function subjectsOf(on: ScoresOn): [string, Scores][] {
  const main = ["majority", "zero-shot", "few-shot", "one for all", "one each", "linear"];
  const all: [string, Scores][] = [
    ...main.map((arm): [string, Scores] => [arm, on("tasks", arm)]),
    ["transfer", on("transfer", "tuned")],
    ["larger, zero-shot", on("larger", "zero-shot")],
    ["larger, one for all", on("larger", "one for all")],
  ];
  return all.filter(([, scores]) => scores.size > 0);
}

/** The figures of every task and of every point of the curve; null if a subject was not run or nothing is published. */
export function recordsOf(on: ScoresOn, rows: RowsOn, { settings, data }: Given<LawmaSettings, LawmaChoice>) {
  const means = subjectsOf(on).map(([name, scores]) => [name, byTask(scores)] as const);
  const tuned = [...on("tasks", "one for all").values()];
  // On the curve each task is trained by itself, with several seeds.
  const onCurve = (arm: string) => crossedMean(rows("curve", arm), { apart: true });
  return {
    subjects: subjectsOf(on),
    tasks: data.chosen.map(({ name, splits, keep, majority }) => {
      const answered = tuned
        .filter(({ task }) => task === name)
        .map(({ score, gold }) => ({ right: score, gold }));
      return {
        task: name,
        options: splits.test[0]?.options?.length ?? 0,
        train: splits.train.length,
        test: splits.test.length,
        /** Share of the majority class that balancing left in test. */
        keep: keep.test,
        accuracy: Object.fromEntries(means.map(([subject, mean]) => [subject, mean.get(name) ?? null])),
        /** The tuned model at the natural mix of classes. */
        natural: answered.length === 0 ? null : atNaturalMix(answered, majority, keep.test),
        published: Object.fromEntries(
          shown.map((model) => [model, data.accuracy.get(name)?.[model] ?? null]),
        ),
      };
    }),
    curve: settings.curve.n.map((n) => ({
      n,
      tuned: onCurve(`tuned on ${n}`),
      linear: onCurve(`linear on ${n}`),
    })),
  };
}

export function lawmaTables(
  { on, subjects, tasks, curve }: ReturnType<typeof recordsOf> & { on: ScoresOn },
  { leftOut }: LawmaChoice,
): PaperTable[] {
  const number = (value: number | null | undefined, n = 100) =>
    value === null || value === undefined ? "–" : formatBare(value, n);
  const estimate = (one: Estimate | null) =>
    one === null ? "–" : `${formatBare(one.mean)} (${formatInterval(one.low, one.high)})`;
  const names = subjects.map(([name]) => name);
  const onCurve = (arm: string) => estimate(meanOverTasks(on("curve", arm)));
  return [
    paperTable(
      "Mean over tasks in %, with 95 % interval",
      ["subject", "samples", "mean"],
      subjects.map(([name, one]) => [name, String(one.size), estimate(meanOverTasks(one))]),
    ),
    paperTable(
      "Accuracy in % by task; the last three are published, on whole opinions",
      ["task", ...names, "at natural mix", ...shown],
      tasks.map(({ task, accuracy, natural, published }) => [
        task,
        ...names.map((name) => number(accuracy[name], 10)),
        number(natural, 10),
        ...shown.map((name) => number(published[name])),
      ]),
    ),
    paperTable(
      `Accuracy in % by number of labels; zero-shot ${onCurve("zero-shot")}, majority ${onCurve("majority")}`,
      ["labels", "tuned", "linear"],
      curve.map(({ n, tuned, linear }) => [String(n), estimate(tuned), estimate(linear)]),
      0,
    ),
    paperTable(
      "Tasks left out",
      ["task", "why"],
      leftOut.map(({ task, why }) => [task, why]),
      2,
    ),
  ];
}
