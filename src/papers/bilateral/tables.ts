// The reproduction's figures as tables for people: errors by arm, how movements differ, transfer to other tasks, effects of
// lesions. Errors in cm.

import type { Estimate } from "../../core/record.js";
import { type BySeed, meanOverSeeds, seedDifference } from "../figures.js";
import { type PaperTable, paperTable } from "../paper.js";

/** One controller's means by seed on a task: of the error, or of another metric. Empty where it was not tested. */
export interface Line {
  name: string;
  on: (task: string, metric?: string) => BySeed;
}

function cm(measured: Estimate | null): string {
  if (!measured) return "";
  const [mean, low, high] = [measured.mean, measured.low, measured.high].map((x) => (100 * x).toFixed(1));
  return measured.n === 1 ? `${mean}` : `${mean} (${low} to ${high})`;
}

/** One column per task; all lines were trained on `trained`. */
export function errorTable(trained: string, lines: readonly Line[], tasks: readonly string[]): PaperTable {
  return paperTable(
    `Trained on ${trained}: error in cm (95 % over seeds)`,
    ["controller", ...tasks],
    lines.map(({ name, on }) => [name, ...tasks.map((task) => cm(meanOverSeeds(on(task))))]),
  );
}

const shown = ["pathRatio", "peakSpeed", "jerk", "effort", "settling", "spread"] as const;
const units = { pathRatio: "", peakSpeed: "m/s", jerk: "m/s³", effort: "u²", settling: "s", spread: "cm" };

export function metricsTable(task: string, lines: readonly Line[]): PaperTable {
  const text = (metric: (typeof shown)[number], value: number) =>
    metric === "spread" ? (100 * value).toFixed(2) : value >= 100 ? value.toFixed(0) : value.toFixed(3);
  return paperTable(
    `How they move: ${task}`,
    ["controller", ...shown.map((metric) => `${metric} ${units[metric]}`.trim())],
    lines.map(({ name, on }) => [
      name,
      ...shown.map((metric) => {
        const found = meanOverSeeds(on(task, metric));
        return found ? text(metric, found.mean) : "";
      }),
    ]),
  );
}

/** Lesions beside the intact controller on the task that it was trained on. */
export function lesionTable(intact: Line, cut: readonly Line[], task: string): PaperTable {
  const error = ({ on }: Line) => cm(meanOverSeeds(on(task)));
  return paperTable(
    `Lesions at test time: ${task}`,
    ["controller", "error, cm", "more than intact, cm"],
    [
      ["intact", error(intact), ""],
      ...cut.map((line) => [line.name, error(line), cm(seedDifference(line.on(task), intact.on(task)))]),
    ],
  );
}
