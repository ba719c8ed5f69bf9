// What finished studies of the ladder say: scores, prices and positions by rung, read back from the store.

import type { Result } from "../../core/record.js";
import { coalition, type ShapleyValue, shapley } from "../../statistics/index.js";
import { openStudy } from "../../study/open.js";
import { type Scores, scoresOf } from "../figures.js";

/** One arm of a study: a rung of the ladder, or a way of looking things up. */
export interface MeasuredArm {
  name: string;
  scores: Scores;
  /** Undefined where the study has no such subject. */
  result: Result | undefined;
}

export interface MeasuredTask {
  model: string;
  task: string;
  study: string;
  arms: MeasuredArm[];
  /** Option keys in the order in which they are listed. */
  keys: string[];
}

/** @param arms by what stands in tables and by the label of the study's subject */
export function readMeasured(
  store: string,
  { model, task, study }: Pick<MeasuredTask, "model" | "task" | "study">,
  arms: readonly { name: string; label: string }[],
): MeasuredTask {
  const opened = openStudy(store, study);
  try {
    const [card] = opened.record.tasks;
    const measured = arms.map(({ name, label }) => ({
      name,
      scores: scoresOf(opened, label, task),
      result: opened.record.results.find(({ subject }) => subject === label),
    }));
    const seen = measured.flatMap(({ scores }) =>
      [...scores.values()].flatMap((one) => [one.gold, one.prediction]),
    );
    const keys = card?.labels?.map(({ key }) => key) ?? [...new Set(seen)].sort();
    return { model, task, study, arms: measured, keys };
  } finally {
    opened.close();
  }
}

/** Each rung's fair share of the whole ladder's gain: every coalition's scores on the samples that all of them have. */
export function creditOf(
  players: readonly string[],
  coalitions: readonly { members: readonly string[]; scores: Scores }[],
): ShapleyValue[] {
  const [first] = coalitions;
  const shared = [...(first?.scores.keys() ?? [])].filter((id) =>
    coalitions.every(({ scores }) => scores.has(id)),
  );
  if (shared.length === 0) return [];
  const values = new Map(
    coalitions.map(({ members, scores }) => [
      coalition(players, members),
      shared.map((id) => scores.get(id)?.score as number),
    ]),
  );
  return shapley(players, values, { seed: 1 });
}
