// The reproduction's figures as tables for people: the ladder, each rung's cost and gain, eyes-on and eyes-off, positions
// of chosen options, what retrieval found and gained.

import { formatBare, formatInterval } from "../../report/format.js";
import type { ShapleyValue } from "../../statistics/index.js";
import { difference, meanOverTasks } from "../figures.js";
import { type PaperTable, paperTable } from "../paper.js";
import { positionHistograms } from "./bias.js";
import { type Measured, on, optionKeys } from "./measured.js";
import { rungNames } from "./plans.js";
import { publishedLadder, publishedTable } from "./published.js";

function shown(measured: { mean: number; low: number; high: number } | null | undefined): string {
  return measured ? `${formatBare(measured.mean)} ${formatInterval(measured.low, measured.high)}` : "";
}

function percent(value: number | undefined): string {
  return value === undefined ? "" : formatBare(value);
}

function count(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : String(Number(value.toFixed(1)));
}

const score = (task: Measured, arm: string) => shown(meanOverTasks(on(task, arm)));

export function ladderTable(model: string, tasks: readonly Measured[]): PaperTable {
  const rungs = rungNames.filter((rung) => tasks.some((task) => on(task, rung).size > 0));
  const published: Readonly<Record<string, number>> = publishedLadder;
  return paperTable(
    `The ladder, ${model} (accuracy, 95 %)`,
    ["task", ...rungs],
    [
      ...tasks.map((task) => [task.plan.task, ...rungs.map((rung) => score(task, rung))]),
      ["medqa, GPT-4 (published)", ...rungs.map((rung) => percent(published[rung]))],
    ],
  );
}

/** Table 1 with ours at its end; only the sets that were measured. */
export function tableOne(tasks: readonly Measured[], models: readonly string[]): PaperTable {
  const measured = new Set(tasks.map(({ plan }) => plan.task));
  return paperTable(
    "The paper's Table 1 and the whole ladder here",
    ["set", "Flan-PaLM", "Med-PaLM 2", "Medprompt, GPT-4", ...models],
    [...measured].flatMap((set) => {
      const known = publishedTable[set];
      if (known === undefined) return [];
      const ours = models.map((model) => {
        const found = tasks.find(({ plan }) => plan.model === model && plan.task === set);
        return found ? score(found, "ensemble") : "";
      });
      return [[set, percent(known.flanPalm), percent(known.medPalm2), percent(known.medprompt), ...ours]];
    }),
  );
}

/** The cost of an answer, and what each rung gains over the one below for the calls that it adds. */
export function costTable(model: string, tasks: readonly Measured[]): PaperTable {
  const rows = tasks.flatMap((task) =>
    task.plan.shown.map((arm, i) => {
      const below = task.plan.shown[i - 1];
      const gain = below === undefined ? null : difference(on(task, arm), on(task, below));
      const calls = (name = "") => task.study.result(name)?.perAnswer.calls ?? 0;
      const more = calls(arm) - calls(below);
      const cost = task.study.result(arm)?.perAnswer;
      return [
        task.plan.task,
        arm,
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
  const price = ["calls", "tokens read", "written", "ms", "$ per 1,000"];
  const head = ["task", "rung", ...price, "gain over the rung below", "per call"];
  return paperTable(`Cost of an answer by rung, ${model}`, head, rows, 2);
}

/** Eyes-on and eyes-off separately (§3.2, §5.1); published for Medprompt: 90.6 and 91.3 over the nine sets. */
export function eyesTable(model: string, tasks: readonly Measured[]): PaperTable {
  const rows = tasks.flatMap(({ plan, study }) =>
    plan.shown.map((arm) => {
      const { on: seen, off: unseen } = study.result(arm)?.eyes ?? {};
      return [plan.task, arm, shown(seen), String(seen?.n ?? ""), shown(unseen), String(unseen?.n ?? "")];
    }),
  );
  const head = ["task", "rung", "eyes-on", "n", "eyes-off", "n"];
  return paperTable(`Eyes-on and eyes-off, ${model}`, head, rows, 2);
}

/** The whole ladder without shuffling, and with it. */
export function biasTable(model: string, tasks: readonly Measured[]): PaperTable {
  const arms = ["neighbours", "ensemble"];
  const bars = (shares: readonly number[]) => shares.map((share) => Math.round(share * 100)).join(" ");
  const rows = tasks.flatMap((task) => {
    const { gold, subjects } = positionHistograms(
      arms.map((arm) => on(task, arm)),
      optionKeys(task),
    );
    return [
      [task.plan.task, "right options", bars(gold), ""],
      ...subjects.map(({ positions, distance }, i) => [
        task.plan.task,
        arms[i] as string,
        bars(positions),
        formatBare(distance),
      ]),
    ];
  });
  const head = ["task", "", "choices by position, first to last (%)", "distance from the right ones"];
  return paperTable(`Where chosen options stood, ${model}`, head, rows, 3);
}

export function shapleyTable(model: string, task: string, credit: readonly ShapleyValue[]): PaperTable {
  const rows = credit.map((one) => [one.player, shown(one)]);
  return paperTable(`Shapley values of the rungs on ${task}, ${model}`, ["rung", "value"], rows);
}

/** What was found (recall of the gold documents among the k passages) and what it gained. */
export function lookupTable(model: string, tasks: readonly Measured[]): PaperTable {
  const rows = tasks.flatMap((task) =>
    task.plan.shown.map((arm) => {
      const without = task.plan.compared?.without ?? "";
      const result = task.study.result(arm);
      return [
        task.plan.task,
        arm,
        score(task, arm),
        arm === without ? "" : percent(result?.details.recall),
        arm === without ? "" : shown(difference(on(task, arm), on(task, without))),
        count(result?.perAnswer.inputTokens),
      ];
    }),
  );
  const head = ["task", "passages", "score", "recall@k", "gain over none", "tokens read"];
  return paperTable(`Questions without their text, and retrieval, ${model}`, head, rows, 2);
}
