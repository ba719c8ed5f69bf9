// The reproduction's figures as tables for people: the ladder, what each rung costs and earns, eyes-on and eyes-off, where
// chosen options stood, what retrieval found and brought.

import { formatBare, formatInterval } from "../../report/format.js";
import type { ShapleyValue } from "../../statistics/index.js";
import { difference, meanOverTasks } from "../figures.js";
import type { PaperTable } from "../paper.js";
import { positionHistograms } from "./bias.js";
import { type MeasuredTask, on } from "./measured.js";
import { rungNames } from "./plans.js";
import { publishedLadder, publishedTable } from "./published.js";

type Shown = { mean: number; low: number; high: number } | null | undefined;

function shown(measured: Shown): string {
  return measured ? `${formatBare(measured.mean)} ${formatInterval(measured.low, measured.high)}` : "";
}

const numbers = (head: readonly string[], from = 1) => head.map((_, i) => i).slice(from);

export function ladderTable(model: string, tasks: readonly MeasuredTask[]): PaperTable {
  const rungs = rungNames.filter((rung) => tasks.some((task) => on(task, rung).size > 0));
  const published: Readonly<Record<string, number>> = publishedLadder;
  const head = ["task", ...rungs];
  return {
    title: `The ladder, ${model} (accuracy, 95 %)`,
    head,
    rows: [
      ...tasks.map((one) => [one.task, ...rungs.map((rung) => shown(meanOverTasks(on(one, rung))))]),
      ["medqa, GPT-4 (published)", ...rungs.map((rung) => percent(published[rung]))],
    ],
    right: numbers(head),
  };
}

function percent(value: number | undefined): string {
  return value === undefined ? "" : formatBare(value);
}

/** Table 1 with ours at its end; only the sets that were measured. */
export function tableOne(tasks: readonly MeasuredTask[], models: readonly string[]): PaperTable {
  const head = ["set", "Flan-PaLM", "Med-PaLM 2", "Medprompt, GPT-4", ...models];
  const sets = [...new Set(tasks.map(({ task }) => task))].filter((task) =>
    Object.hasOwn(publishedTable, task),
  );
  return {
    title: "The paper's Table 1 and the whole ladder here",
    head,
    rows: sets.map((set) => {
      const known = publishedTable[set];
      const ours = models.map((model) => {
        const found = tasks.find((one) => one.model === model && one.task === set);
        return shown(found && meanOverTasks(on(found, "ensemble")));
      });
      return [set, percent(known?.flanPalm), percent(known?.medPalm2), percent(known?.medprompt), ...ours];
    }),
    right: numbers(head),
  };
}

/** What an answer takes, and what each rung brings over the one below for the calls that it adds. */
export function costTable(model: string, tasks: readonly MeasuredTask[]): PaperTable {
  const head = [
    "task",
    "rung",
    "calls",
    "tokens read",
    "written",
    "ms",
    "$ per 1,000",
    "gain over the rung below",
    "per call",
  ];
  const rows = tasks.flatMap(({ task, arms }) =>
    arms.map(({ name, scores, result }, i) => {
      const below = arms[i - 1];
      const gain = below && difference(scores, below.scores);
      const more = (result?.perAnswer.calls ?? 0) - (below?.result?.perAnswer.calls ?? 0);
      const cost = result?.perAnswer;
      return [
        task,
        name,
        count(cost?.calls),
        count(cost?.inputTokens),
        count(cost?.outputTokens),
        count(cost?.msMedian),
        count(cost && cost.usd * 1000),
        shown(gain),
        gain && more >= 0.5 ? formatBare(gain.mean / more) : "",
      ];
    }),
  );
  return { title: `Cost of an answer by rung, ${model}`, head, rows, right: numbers(head, 2) };
}

function count(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : String(Number(value.toFixed(1)));
}

/** Eyes-on and eyes-off apart (§3.2, §5.1); published for Medprompt: 90.6 and 91.3 over the nine sets. */
export function eyesTable(model: string, tasks: readonly MeasuredTask[]): PaperTable {
  const head = ["task", "rung", "eyes-on", "n", "eyes-off", "n"];
  const rows = tasks.flatMap(({ task, arms }) =>
    arms.map(({ name, result }) => {
      const eyes = result?.eyes;
      return [
        task,
        name,
        shown(eyes?.on),
        String(eyes?.on.n ?? ""),
        shown(eyes?.off),
        String(eyes?.off.n ?? ""),
      ];
    }),
  );
  return { title: `Eyes-on and eyes-off, ${model}`, head, rows, right: [2, 3, 4, 5] };
}

/** All of the ladder but shuffling, and with it. */
export function biasTable(model: string, tasks: readonly MeasuredTask[]): PaperTable {
  const head = ["task", "", "choices by position, first to last (%)", "distance from the right ones"];
  const rows = tasks.flatMap(({ task, arms, keys }) => {
    const chosen = arms.filter(({ name }) => name === "neighbours" || name === "ensemble");
    const { gold, subjects } = positionHistograms(
      chosen.map(({ scores }) => scores),
      keys,
    );
    const bars = (shares: readonly number[]) => shares.map((share) => Math.round(share * 100)).join(" ");
    return [
      [task, "right options", bars(gold), ""],
      ...subjects.map(({ positions, distance }, i) => [
        task,
        chosen[i]?.name ?? "",
        bars(positions),
        formatBare(distance),
      ]),
    ];
  });
  return { title: `Where chosen options stood, ${model}`, head, rows, right: [3] };
}

export function shapleyTable(model: string, task: string, credit: readonly ShapleyValue[]): PaperTable {
  return {
    title: `Shapley values of the rungs on ${task}, ${model}`,
    head: ["rung", "value"],
    rows: credit.map((one) => [one.player, shown(one)]),
    right: [1],
  };
}

/** What was found (recall of the gold documents among the k passages) and what it brought. */
export function lookupTable(model: string, tasks: readonly MeasuredTask[]): PaperTable {
  const head = ["task", "passages", "score", "recall@k", "gain over none", "tokens read"];
  const rows = tasks.flatMap((one) =>
    one.arms.map(({ name, scores, result }) => {
      const without = one.compared?.without ?? "";
      return [
        one.task,
        name,
        shown(meanOverTasks(scores)),
        name === without ? "" : percent(result?.details.recall),
        name === without ? "" : shown(difference(scores, on(one, without))),
        count(result?.perAnswer.inputTokens),
      ];
    }),
  );
  return {
    title: `Questions without their text, and retrieval, ${model}`,
    head,
    rows,
    right: numbers(head, 2),
  };
}
