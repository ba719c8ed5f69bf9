// How strongly logistic regression is held back: every strength of a grid is fitted on train, and the one that gets most
// of dev right is taken. Where there is no dev, five parts of train stand in for it in turn.
import { setImmediate } from "node:timers/promises";
import { fitLogistic, logProbabilities } from "./logistic.js";
import { toSparseRows } from "./tfidf.js";
/** Inverse penalties, the strongest penalty first; it wins ties. */
export const penaltyGrid = [0.1, 1, 10, 100, 1000];
/** Enough to order the grid; the chosen fit is then finished to the usual tolerance. */
const roughly = 1e-4;
export async function choosePenalty(train, dev, { signal, progress }) {
  const parts = dev.rows.length > 0 ? [{ train, held: dev }] : foldsOf(train);
  const steps = parts.length * penaltyGrid.length + 1;
  let done = 0;
  // Long sums between awaits: let others run, and stop when asked to.
  const pause = async () => {
    await setImmediate();
    signal.throwIfAborted();
  };
  const right = penaltyGrid.map(() => 0);
  const starts = [];
  for (const part of parts) {
    const rows = toSparseRows(part.train.rows, train.columns);
    for (const [g, c] of penaltyGrid.entries()) {
      // The weights under the next stronger penalty are most of the way.
      const start = g > 0 ? starts[g - 1] : undefined;
      const model = await fitLogistic(rows, part.train.targets, train.classes, {
        c,
        tolerance: roughly,
        pause,
        ...(start ? { start } : {}),
      });
      starts[g] = model.weights;
      right[g] = right[g] + countRight(model, part.held);
      progress(++done, steps, `c = ${c}`);
    }
  }
  const best = right.indexOf(Math.max(...right));
  const c = parts.length > 0 ? penaltyGrid[best] : 1;
  const start = parts.length > 0 ? starts[best] : undefined;
  const all = toSparseRows(train.rows, train.columns);
  const model = await fitLogistic(all, train.targets, train.classes, {
    c,
    pause,
    ...(start ? { start } : {}),
  });
  progress(steps, steps, `c = ${c} chosen`);
  const n = parts.reduce((sum, { held }) => sum + held.rows.length, 0);
  return {
    chosen: {
      c,
      by: dev.rows.length > 0 ? "dev" : parts.length > 0 ? "cross-validation" : "default",
      n,
      grid: parts.length > 0 ? penaltyGrid.map((value, g) => ({ c: value, score: right[g] / n })) : [],
    },
    model,
  };
}
function countRight(model, { rows, targets }) {
  return rows.filter((row, i) => {
    const scores = logProbabilities(model, row.columns, row.values);
    return scores.indexOf(Math.max(...scores)) === targets[i];
  }).length;
}
/**
 * Five parts, each with its share of every class. None where train has fewer than twenty rows: a part would hold hardly
 * a sample, and the default does no worse than a choice by chance.
 */
function foldsOf(train, count = 5) {
  const { rows, targets } = train;
  if (rows.length < 4 * count) return [];
  const order = [...targets.keys()].sort((a, b) => targets[a] - targets[b] || a - b);
  const take = (indices) => ({
    rows: indices.map((i) => rows[i]),
    targets: Int32Array.from(indices, (i) => targets[i]),
  });
  return Array.from({ length: count }, (_, fold) => ({
    train: { ...train, ...take(order.filter((_, i) => i % count !== fold)) },
    held: take(order.filter((_, i) => i % count === fold)),
  }));
}
