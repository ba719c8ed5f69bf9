// Accuracy at the natural mix of classes: Lawma balances each task by subsampling its majority class, and the remaining
// answers of that class then stand for those removed.

import { average, difference, type Measured, type Scores } from "../figures.js";

export interface Answered {
  right: number;
  gold: string;
}

/**
 * Weights with mean 1 that undo the balancing.
 * @param keep the share of the majority class that balancing left in test
 */
function naturalWeights(rows: readonly Answered[], majority: string, keep: number): number[] {
  const weights = rows.map(({ gold }) => (gold === majority ? 1 / keep : 1));
  const mean = average(weights);
  return weights.map((weight) => weight / mean);
}

export function atNaturalMix(rows: readonly Answered[], majority: string, keep: number): number {
  const weights = naturalWeights(rows, majority, keep);
  return average(rows.map(({ right }, i) => right * (weights[i] as number)));
}

export interface CodedTask {
  task: string;
  rows: readonly (Answered & { id: string })[];
  majority: string;
  keep: number;
  /** Rate at which two coders agree. */
  coders: number;
}

/** Accuracy at the natural mix minus the coders' agreement, mean over tasks; null if there is no task. */
export function ceilingGap(tasks: readonly CodedTask[]): Measured | null {
  // Each answer's distance from the coders' agreement, weighted: the mean of these is the weighted mean's distance.
  const gap = tasks.flatMap(({ task, rows, majority, keep, coders }) => {
    const weights = naturalWeights(rows, majority, keep);
    return rows.map(({ right, gold, id }, i) => {
      const score = (right - coders) * (weights[i] as number);
      return [`${task}/${id}`, { task, caseId: id, score, gold, prediction: "" }] as const;
    });
  });
  const none: Scores = new Map(gap.map(([id, one]) => [id, { ...one, score: 0 }]));
  return difference(new Map(gap), none);
}
