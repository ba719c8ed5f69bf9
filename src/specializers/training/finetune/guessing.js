// What guessing costs: the loss of a model that has learnt how often each answer occurs and nothing else.
/** A loss is better than guessing below this share of it. */
const margin = 0.95;
/**
 * Mean -log p of dev's right answers, in nats, where p is how often train has that answer (one added to each); of samples with
 * options of their own, where every option is as likely as another. Undefined where answers are written, not chosen.
 */
export function guessingLoss({ task, train, dev }) {
  if (dev.length === 0) return undefined;
  const counts = new Map();
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
export function learntBelow(guessing) {
  return margin * guessing;
}
