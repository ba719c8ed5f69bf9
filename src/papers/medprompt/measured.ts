// Results of finished studies of the ladder and of retrieval, arm by arm.

import { rungs as players } from "../../specializers/index.js";
import { coalition, type ShapleyValue, shapley } from "../../statistics/index.js";
import { type Scores, scoresOf } from "../figures.js";
import type { FinishedStudy } from "../plans.js";
import { coalitionMembers, coalitionName, type MedpromptPlan } from "./plans.js";

export interface Measured {
  plan: MedpromptPlan;
  study: FinishedStudy;
}

/** An arm's scores; none where it was not measured. */
export function on({ plan, study }: Measured, arm: string): Scores {
  return scoresOf(study.rows(arm), plan.task);
}

/** Option keys in the order in which they are listed. */
export function optionKeys(measured: Measured): string[] {
  const labels = measured.study.record.tasks[0]?.labels;
  if (labels) return labels.map(({ key }) => key);
  const answers = measured.plan.shown.flatMap((arm) => [...on(measured, arm).values()]);
  return [...new Set(answers.flatMap(({ gold, prediction }) => [gold, prediction]))].sort();
}

/** Each rung's fair share of the whole ladder's gain: every coalition's scores on the samples that all of them have. */
export function creditOf(measured: Measured): ShapleyValue[] {
  const all = coalitionMembers.map((members) => ({ members, scores: on(measured, coalitionName(members)) }));
  const shared = [...(all[0]?.scores.keys() ?? [])].filter((id) => all.every(({ scores }) => scores.has(id)));
  if (shared.length === 0) return [];
  const values = all.map(({ members, scores }): [string, number[]] => [
    coalition(players, members),
    shared.map((id) => scores.get(id)?.score as number),
  ]);
  return shapley(players, new Map(values), { seed: 1 });
}
