// How strongly logistic regression is held back: every strength of a grid is fitted on train, and the one that gets most
// of dev right is taken. Where there is no dev, five parts of train stand in for it in turn.

import { setImmediate } from "node:timers/promises";
import { fitLogistic, type LogisticModel, logProbabilities } from "./logistic.js";
import { toSparseRows } from "./tfidf.js";

/** Inverse penalties, the strongest penalty first; it wins ties. */
export const penaltyGrid = [0.1, 1, 10, 100, 1000] as const;

export type Row = { columns: number[]; values: number[] };

export interface Labelled {
  rows: readonly Row[];
  /** Class of each row; -1 for a class that train does not have. */
  targets: ArrayLike<number>;
}

export interface Training extends Labelled {
  targets: Int32Array;
  classes: number;
  columns: number;
}

/** How the penalty was chosen, for the report. `score` is accuracy on `n` samples. */
export type ChosenPenalty = {
  c: number;
  by: "dev" | "cross-validation" | "default";
  n: number;
  grid: { c: number; score: number }[];
};

interface Watch {
  signal: AbortSignal;
  progress: (done: number, total: number, note?: string) => void;
}

/** Enough to order the grid; the chosen fit is then finished to the usual tolerance. */
const roughly = 1e-4;

export async function choosePenalty(
  train: Training,
  dev: Labelled,
  { signal, progress }: Watch,
): Promise<{ chosen: ChosenPenalty; model: LogisticModel }> {
  const parts = dev.rows.length > 0 ? [{ train, held: dev }] : foldsOf(train);
  const steps = parts.length * penaltyGrid.length + 1;
  let done = 0;
  // Long sums between awaits: let others run, and stop when asked to.
  const pause = async () => {
    await setImmediate();
    signal.throwIfAborted();
  };

  const right: number[] = penaltyGrid.map(() => 0);
  const starts: Float64Array[] = [];
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
      right[g] = (right[g] as number) + countRight(model, part.held);
      progress(++done, steps, `c = ${c}`);
    }
  }

  const best = right.indexOf(Math.max(...right));
  const c = parts.length > 0 ? (penaltyGrid[best] as number) : 1;
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
      grid:
        parts.length > 0
          ? penaltyGrid.map((value, g) => ({ c: value, score: (right[g] as number) / n }))
          : [],
    },
    model,
  };
}

function countRight(model: LogisticModel, { rows, targets }: Labelled): number {
  return rows.filter((row, i) => {
    const scores = logProbabilities(model, row.columns, row.values);
    return scores.indexOf(Math.max(...scores)) === targets[i];
  }).length;
}

/**
 * Five parts, each with its share of every class. None where train has fewer than twenty rows: a part would hold hardly
 * a sample, and the default does no worse than a choice by chance.
 */
function foldsOf(train: Training, count = 5): { train: Training; held: Labelled }[] {
  const { rows, targets } = train;
  if (rows.length < 4 * count) return [];
  const order = [...targets.keys()].sort((a, b) => (targets[a] as number) - (targets[b] as number) || a - b);
  const take = (indices: readonly number[]) => ({
    rows: indices.map((i) => rows[i] as Row),
    targets: Int32Array.from(indices, (i) => targets[i] as number),
  });
  return Array.from({ length: count }, (_, fold) => ({
    train: { ...train, ...take(order.filter((_, i) => i % count !== fold)) },
    held: take(order.filter((_, i) => i % count === fold)),
  }));
}
