// The figures as tables for people: scores set by set and averaged with and without yes/no sets, gains, label priors, and the
// generated data.

import { formatBare, formatInterval, formatWhole } from "../../report/format.js";
import { difference, meanOverTasks } from "../figures.js";
import { type PaperTable, paperTable } from "../paper.js";
import { domainSets, type Measured, on, outsideSets, priors, withoutYesNo } from "./measured.js";
import { type ArmName, armNames, medKeys } from "./settings.js";

interface Estimated {
  mean: number;
  low: number;
  high: number;
}

function shown(figure: Estimated | null): string {
  return figure ? `${formatBare(figure.mean)} ${formatInterval(figure.low, figure.high)}` : "";
}

const armsIn = ({ plan }: Measured) => armNames.filter((arm) => Object.hasOwn(plan.arms, arm));

/** Sets as columns, then their mean, the mean without yes/no sets, and the out-of-domain mean. */
export function scoreTable(measured: Measured): PaperTable {
  const sets = [...domainSets, ...outsideSets].filter((set) => on(measured, "base", [set]).size > 0);
  const n = (set: string) => on(measured, "base", [set]).size;
  const rows = armsIn(measured).map((arm) => [
    arm,
    ...sets.map((set) => shown(meanOverTasks(on(measured, arm, [set])))),
    shown(meanOverTasks(on(measured, arm))),
    shown(meanOverTasks(on(measured, arm, withoutYesNo))),
  ]);
  return paperTable(
    `Scores, ${measured.plan.model} (accuracy; F1 of written answers; 95 %)`,
    ["arm", ...sets.map((set) => `${set} (n ${n(set)})`), "biomedical mean", "without yes/no sets"],
    rows,
  );
}

/** Every arm against the base with the same prompt format. */
export function gainTable(measured: Measured): PaperTable {
  const against = (arm: ArmName): ArmName => (arm === "self, few-shot" ? "base, few-shot" : "base");
  const gain = (arm: ArmName, sets: readonly string[]) =>
    shown(difference(on(measured, arm, sets), on(measured, against(arm), sets)));
  const rows = armsIn(measured)
    .filter((arm) => arm !== "base")
    .map((arm) => [
      arm,
      against(arm),
      gain(arm, domainSets),
      gain(arm, withoutYesNo),
      gain(arm, ["law"]),
      gain(arm, ["general"]),
    ]);
  const head = ["arm", "against", "biomedical mean", "without yes/no sets", "law", "general"];
  return paperTable(`Gain over the base, ${measured.plan.model} (paired, 95 %)`, head, rows, 2);
}

/** How often each label is chosen and is right: a gain that comes from choosing one label more often shows here. */
export function priorTable(measured: Measured): PaperTable {
  const rows = medKeys.flatMap((set) =>
    armsIn(measured).flatMap((arm) => {
      const found = priors(on(measured, arm, [set]));
      if (found.length === 0) return [];
      const share = (of: "right" | "chosen") => found.map((one) => Math.round(100 * one[of])).join(" ");
      const distance = found.reduce((sum, { chosen, right }) => sum + Math.abs(chosen - right), 0) / 2;
      return [
        [
          set,
          arm,
          found.map(({ key }) => key).join(" "),
          share("right"),
          share("chosen"),
          formatBare(distance),
        ],
      ];
    }),
  );
  const head = ["set", "arm", "answers", "right (%)", "chosen (%)", "distance"];
  return paperTable(`Label priors, ${measured.plan.model}`, head, rows, 5);
}

/** The data generated for each arm, and by which model: a model's own data and another's are never in one row. */
export function dataTable(measured: Measured): PaperTable {
  const rows = armsIn(measured).flatMap((arm) =>
    measured.study.synthetic(arm).map((card, i) => [
      i === 0 ? arm : `${arm}, round ${i + 1}`,
      card.self ? "itself" : `another: ${card.writers.join(", ")}`,
      formatWhole(card.attempts),
      formatWhole(card.pairs),
      card.funnel
        .filter(({ refused }) => refused > 0)
        .map(({ rule, refused }) => `${rule} ${refused}`)
        .join(", "),
      card.answers
        .slice(0, 5)
        .map(([answer, count]) => `${answer} ${count}`)
        .join(", "),
      formatBare(card.diversity.distinct2),
      formatWhole(card.tokens.written),
    ]),
  );
  const head = [
    "arm",
    "written by",
    "attempts",
    "pairs",
    "refused by",
    "answers",
    "distinct-2",
    "tokens written",
  ];
  return paperTable(`Synthetic data, ${measured.plan.model}`, head, rows, 2);
}
