// The loss of guessing: that of a model that has learnt only how often each answer occurs.

import type { Given } from "../../../core/specializer.js";

/** A loss below this share of guessing's is better than guessing. */
const margin = 0.95;

/**
 * Mean -log p of dev's right answers, in nats, where p is the answer's frequency in train (add-one smoothed), or uniform over
 * the options if samples have options of their own. Undefined where answers are written, not chosen.
 */
export function guessingLoss({
  task,
  train,
  dev,
}: Pick<Given, "task" | "train" | "dev">): number | undefined {
  if (dev.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const sample of train) {
    const { answer } = task.demonstration(sample);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  let sum = 0;
  for (const sample of dev) {
    const { options, ownOptions } = task.query(sample);
    if (!options) return undefined;
    const count = counts.get(task.demonstration(sample).answer) ?? 0;
    sum -= Math.log(ownOptions ? 1 / options.length : (count + 1) / (train.length + options.length));
  }
  return sum / dev.length;
}

/** The loss below which a training has begun to learn. */
export function learntBelow(guessing: number): number {
  return margin * guessing;
}
