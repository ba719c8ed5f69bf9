// The reproduction's figures as tables for people: errors by arm, how movements differ, what carries over to other tasks, what
// lesions do. Errors in cm.

import type { Measured } from "../claim.js";
import type { PaperTable } from "../index.js";
import { type BySeed, overSeeds, seedDifference } from "./measured.js";

/** Errors of one arm by task. */
export type Row = { name: string; on: (task: string) => BySeed | undefined };

function cm(measured: Measured | null): string {
  if (!measured) return "";
  const [mean, low, high] = [measured.mean, measured.low, measured.high].map((x) => (100 * x).toFixed(1));
  return measured.n === 1 ? `${mean}` : `${mean} (${low} to ${high})`;
}

const rightOf = (head: readonly string[]) => head.map((_, i) => i).slice(1);

/** One column a task; rows were trained on `trained`. */
export function errorTable(trained: string, rows: readonly Row[], tasks: readonly string[]): PaperTable {
  const head = ["controller", ...tasks];
  return {
    title: `Trained on ${trained}: error in cm (95 % over seeds)`,
    head,
    rows: rows.map(({ name, on }) => [name, ...tasks.map((task) => cm(overSeeds(on(task))))]),
    right: rightOf(head),
  };
}

const shown = ["pathRatio", "peakSpeed", "jerk", "effort", "settling", "spread"] as const;
const units = { pathRatio: "", peakSpeed: "m/s", jerk: "m/s³", effort: "u²", settling: "s", spread: "cm" };

export function metricsTable(task: string, rows: readonly Row[]): PaperTable {
  const head = ["controller", ...shown.map((metric) => `${metric} ${units[metric]}`.trim())];
  const text = (metric: (typeof shown)[number], value: number) =>
    metric === "spread" ? (100 * value).toFixed(2) : value >= 100 ? value.toFixed(0) : value.toFixed(3);
  return {
    title: `How they move: ${task}`,
    head,
    rows: rows.map(({ name, on }) => [
      name,
      ...shown.map((metric) => {
        const found = overSeeds(on(task), metric);
        return found ? text(metric, found.mean) : "";
      }),
    ]),
    right: rightOf(head),
  };
}

/** Lesions beside the intact controller, one column a task that it was trained on. */
export function lesionTable(intact: Row, cut: readonly Row[], task: string): PaperTable {
  const head = ["cut", "error, cm", "more than intact, cm"];
  const row = ({ name, on }: Row) => [
    name,
    cm(overSeeds(on(task))),
    cm(seedDifference(on(task), intact.on(task))),
  ];
  return {
    title: `Lesions at test time: ${task}`,
    head,
    rows: [["nothing", cm(overSeeds(intact.on(task))), ""], ...cut.map(row)],
    right: rightOf(head),
  };
}
