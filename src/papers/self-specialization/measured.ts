// Results of a finished study, arm by arm and set by set.

import type { Score, Scores } from "../figures.js";
import { noScores, scoresOf, within } from "../figures.js";
import type { FinishedStudy } from "../plans.js";
import type { SelfPlan } from "./plans.js";
import { type ArmName, medKeys, yesNo } from "./settings.js";

export interface Measured {
  plan: SelfPlan;
  study: FinishedStudy;
}

export const domainSets: readonly string[] = [...medKeys, "bioasq_factoid"];
export const withoutYesNo: readonly string[] = domainSets.filter((set) => !yesNo.includes(set));
export const outsideSets: readonly string[] = ["law", "general"];

const known = new WeakMap<FinishedStudy, Map<string, Scores>>();

/** An arm's scores on some sets; none if it was not measured. */
export function on({ plan, study }: Measured, arm: ArmName, sets: readonly string[] = domainSets): Scores {
  if (!Object.hasOwn(plan.arms, arm)) return noScores;
  const read = known.get(study) ?? new Map<string, Scores>();
  known.set(study, read);
  const all = read.get(arm) ?? scoresOf(study.rows(arm));
  read.set(arm, all);
  return within(all, sets);
}

/** How often each answer was chosen and how often it is right, by option key, most often right first. */
export function priors(scores: Scores): { key: string; chosen: number; right: number }[] {
  const keys = new Map<string, { chosen: number; right: number }>();
  const at = (key: string) => {
    const found = keys.get(key) ?? { chosen: 0, right: 0 };
    keys.set(key, found);
    return found;
  };
  for (const { gold, prediction } of scores.values() as Iterable<Score>) {
    at(gold).right += 1 / scores.size;
    if (prediction !== "") at(prediction).chosen += 1 / scores.size;
  }
  return [...keys]
    .map(([key, counts]) => ({ key, ...counts }))
    .sort((a, b) => b.right - a.right || (a.key < b.key ? -1 : 1));
}
