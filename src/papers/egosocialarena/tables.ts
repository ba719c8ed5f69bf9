// The reproduction's figures for people: every scenario in every condition, draw by draw, and the specialists' profile.

import type { Estimate } from "../../core/record.js";
import { formatBare, formatInterval } from "../../report/format.js";
import { crossedMean, difference, meanOverTasks, type Row, type Scores, scoresOf } from "../figures.js";
import { type PaperTable, paperTable } from "../paper.js";
import { drawn, type EgoScores } from "./claims.js";
import { type Condition, conditions, type Validation } from "./read.js";

/** Scenarios in the order of the tables. */
function scenariosOf(scores: Scores): string[] {
  const found = new Set([...scores.values()].map(({ task }) => task));
  return order.filter((one) => found.has(one));
}

const order = [
  "tomi-other", "tomi-self", "tombench-other", "tombench-self", "daily-tom", "number-guessing", "holdem", "daily-self",
  "counterfactual", "new-world", "blackjack", "law",
]; // biome-ignore format: a list

const on = (scores: Scores, scenario: string): Scores =>
  new Map([...scores].filter(([, { task }]) => task === scenario));

/** Rows of the trained on one scenario: their mean over items and seeds. */
const onRows = (rows: readonly Row[], scenario: string) =>
  crossedMean(rows.filter(({ sample }) => sample.startsWith(`${scenario}/`)));

function shown(one: Estimate | null): string {
  return one === null ? "–" : `${formatBare(one.mean)} (${formatInterval(one.low, one.high)})`;
}

export function egoTables(
  scores: EgoScores,
  models: readonly string[],
  draws: readonly number[],
  { tomi, tombench }: Validation,
): PaperTable[] {
  const { told, chance, surface } = scores;
  const perModel = models.map((model, at): PaperTable => {
    const columns = conditions.map((condition) => told(condition, at));
    const [third, first] = columns as [Scores, Scores];
    const line = (name: string, pick: (all: Scores) => Scores) => [
      name,
      String(pick(first).size),
      ...[chance, surface].map((rule) => shown(meanOverTasks(pick(rule))).replace(/ .*/, "")),
      ...columns.map((column) => shown(meanOverTasks(pick(column)))),
      shown(difference(pick(first), pick(third))),
    ];
    const rows = scenariosOf(third).map((scenario) => line(scenario, (all) => on(all, scenario)));
    return paperTable(
      `Accuracy in % by scenario, with 95 % interval: ${model.replace(/\?.*/, "")}`,
      ["scenario", "items", "chance", "best rule", ...conditions, "first less third"],
      third.size === 0 ? [] : [...rows, line("all", (all) => all)],
    );
  });
  const [third, first] = [told("third", 0), told("first", 0)];
  const byDraw = draws.map((draw) => {
    const pick = (all: Scores) => new Map([...drawn(all)].filter(([id]) => id.endsWith(`#${draw}`)));
    return [
      String(draw),
      String(pick(third).size),
      shown(meanOverTasks(pick(third))),
      shown(meanOverTasks(pick(first))),
      shown(difference(pick(first), pick(third))),
    ];
  });
  const columns = [...scenariosOf(scoresOf(scores.trained("law", "zero-shot", "first"))), "law"];
  const profile = (["zero-shot", "social lora", "law lora"] as const).map((subject) => {
    const [part, arm] =
      subject === "zero-shot"
        ? (["law", "zero-shot"] as const)
        : ([subject === "law lora" ? "law" : "social", "lora"] as const);
    return [
      subject,
      ...columns.map((scenario) =>
        shown(onRows(scores.trained(part, arm, scenario === "law" ? "law" : "first"), scenario)),
      ),
    ];
  });
  const refused = Object.entries(tombench.refused).sort((a, b) => b[1] - a[1]);
  return [
    ...perModel,
    paperTable(
      `Drawn situations by the seed that drew them: ${(models[0] as string).replace(/\?.*/, "")}`,
      ["seed", "items", "third", "first", "first less third"],
      third.size === 0 ? [] : byDraw,
    ),
    paperTable(
      "What specialists are good at: accuracy in % in the first person, mean over training seeds",
      ["subject", ...columns],
      columns.length > 1 ? profile : [],
    ),
    paperTable(
      "Published items",
      ["what", "items"],
      [
        ["ToMi read", String(tomi.read)],
        ["ToMi: label and symbolic world agree", String(tomi.agree)],
        ["ToMi told in the first person", String(tomi.converted)],
        ["ToMi in the first person: label and symbolic world agree", String(tomi.agreeConverted)],
        ["ToMBench read", String(tombench.read)],
        ["ToMBench told in the first person", String(tombench.converted)],
        ...refused.map(([why, count]) => [`ToMBench refused: ${why}`, String(count)]),
      ],
    ),
  ];
}

/** Means by scenario, for scripts. */
export function recordsOf({ told, ...rest }: EgoScores, models: readonly string[]): Record<string, unknown> {
  const overSeeds = (...of: Parameters<EgoScores["trained"]>) => {
    const rows = rest.trained(...of);
    return Object.fromEntries(
      scenariosOf(scoresOf(rows)).map((scenario) => [scenario, onRows(rows, scenario)]),
    );
  };
  const means = (scores: Scores) =>
    Object.fromEntries(
      scenariosOf(scores).map((scenario) => [scenario, meanOverTasks(on(scores, scenario))]),
    );
  const told4 = (at: number) =>
    Object.fromEntries(conditions.map((condition: Condition) => [condition, means(told(condition, at))]));
  return {
    scenarios: Object.fromEntries(models.map((model, at) => [model, told4(at)])),
    profile: Object.fromEntries(
      (["law", "social"] as const).map((part) => [
        part,
        Object.fromEntries(
          (["third", "first", "law"] as const).map((task) => [
            task,
            { zeroShot: overSeeds(part, "zero-shot", task), lora: overSeeds(part, "lora", task) },
          ]),
        ),
      ]),
    ),
  };
}
