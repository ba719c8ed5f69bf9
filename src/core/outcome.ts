// The result of one subject on one sample, as a study keeps it. Comparisons are made only from these.

import type { Cost } from "./call.js";
import type { SplitName } from "./sample.js";
import type { Grade } from "./task.js";

/** One subject's result on one sample with one seed, as the journal keeps it. */
export interface Outcome {
  /** The subject's id (fingerprint). */
  subject: string;
  /** The task's name and id. */
  task: string;
  split: SplitName;
  sample: string;
  seed: number;
  group?: string;
  eyesOff?: boolean;
  gold: string;
  /** Other answers that are right, too. */
  alsoRight?: readonly string[];
  grade: Grade;
  /** Cost of this answer, as if nothing had been reused. */
  cost: Cost;
  /** Cost of other subjects that the task opened. */
  apart?: Cost;
  /** Journal keys of the calls behind it, in order. */
  calls: readonly string[];
}

/** All answers to an outcome's sample that are right. */
export function rightAnswers({ gold, alsoRight = [] }: Pick<Outcome, "gold" | "alsoRight">): string[] {
  return [gold, ...alsoRight];
}

/** The answer as which a sample counts among the labels: the one chosen where it is right, else the first right one. */
export function countsAs(outcome: Pick<Outcome, "gold" | "alsoRight">, prediction: string | null): string {
  return rightAnswers(outcome).find((answer) => answer === prediction) ?? outcome.gold;
}
