// What finished studies of the ladder and of retrieval say: scores, prices and positions, arm by arm.

import type { Result } from "../../core/record.js";
import { rungs as players } from "../../specializers/index.js";
import { coalition, type ShapleyValue, shapley } from "../../statistics/index.js";
import { noScores, type Scores, scoresOf } from "../figures.js";
import type { FinishedStudy } from "../plans.js";
import { coalitionMembers, coalitionName, type MedpromptPlan } from "./plans.js";

/** One arm of a study: a rung of the ladder, or a way of looking things up. */
export interface MeasuredArm {
  name: string;
  scores: Scores;
  /** Undefined where the study has no such subject. */
  result: Result | undefined;
}

export interface MeasuredTask extends Pick<MedpromptPlan, "model" | "task" | "experiment" | "compared"> {
  /** In the tables' order. */
  arms: MeasuredArm[];
  /** Option keys in the order in which they are listed. */
  keys: string[];
}

/** An arm's scores; none where it was not measured. */
export function on({ arms }: MeasuredTask, arm: string): Scores {
  return arms.find(({ name }) => name === arm)?.scores ?? noScores;
}

export function measuredTask(
  { model, task, experiment, compared, shown }: MedpromptPlan,
  study: FinishedStudy,
): MeasuredTask {
  const arms = shown.map((name) => ({
    name,
    scores: scoresOf(study.rows(name), task),
    result: study.result(name),
  }));
  const seen = arms.flatMap(({ scores }) =>
    [...scores.values()].flatMap((one) => [one.gold, one.prediction]),
  );
  const [card] = study.record.tasks;
  const keys = card?.labels?.map(({ key }) => key) ?? [...new Set(seen)].sort();
  return { model, task, experiment, arms, keys, ...(compared ? { compared } : {}) };
}

/** Each rung's fair share of the whole ladder's gain: every coalition's scores on the samples that all of them have. */
export function creditOf({ task }: MedpromptPlan, study: FinishedStudy): ShapleyValue[] {
  const all = coalitionMembers.map((members) => ({
    members,
    scores: scoresOf(study.rows(coalitionName(members)), task),
  }));
  const shared = [...(all[0]?.scores.keys() ?? [])].filter((id) => all.every(({ scores }) => scores.has(id)));
  if (shared.length === 0) return [];
  const values = all.map(({ members, scores }): [string, number[]] => [
    coalition(players, members),
    shared.map((id) => scores.get(id)?.score as number),
  ]);
  return shapley(players, new Map(values), { seed: 1 });
}
