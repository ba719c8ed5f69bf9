// Which features and how strong a penalty logistic regression is given: chosen by cross-validation on train.
//
// The criterion is the log-loss of the samples that were held out. It is smooth in the penalty, so that a few hundred
// samples order the grid; accuracy moves in whole samples, ties, and takes luck for merit. Words count and are weighted
// over all of train, once: that reads held-out texts, but no label.

import { setImmediate } from "node:timers/promises";
import { foldsOf } from "./folds.js";
import { isometric } from "./isometric.js";
import { fitLogistic, type LogisticModel, logProbabilities } from "./logistic.js";
import { type Row, toSparseRows } from "./tfidf.js";

/** Inverse penalties, the strongest penalty first. */
export const penaltyGrid = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000] as const;

/** One way to read the training set. */
export interface Features {
  name: string;
  rows: readonly Row[];
  columns: number;
}

export interface Training {
  /** The simplest first; it wins ties. */
  candidates: readonly Features[];
  /** Class of each row. */
  targets: Int32Array;
  classes: number;
  /** Samples of one group are held out together. */
  groups: readonly (string | undefined)[];
  folds: number;
}

/** How it was chosen, for the report. `loss` is in nats a sample, on the `n` samples that were held out. */
export type ChosenPenalty = {
  features: string;
  c: number;
  by: "cross-validation" | "default";
  n: number;
  grid: { features: string; c: number; loss: number; accuracy: number }[];
};

interface Watch {
  signal: AbortSignal;
  progress: (done: number, total: number, note?: string) => void;
}

/** Enough to order the grid; the chosen fit is then finished to the usual tolerance. */
const roughly = 1e-4;
/** Fewer rows than this cannot be cross-validated: a part would hold hardly a sample. */
const leastRows = 20;
/** So many held-out samples order the grid; of a larger training set not every part is held out. */
const enoughHeld = 2000;

/** Chooses features and penalty, then fits them on all of train. */
export async function choosePenalty(
  { candidates, targets, classes, groups, folds }: Training,
  { signal, progress }: Watch,
): Promise<{ chosen: ChosenPenalty; model: LogisticModel }> {
  const first = candidates[0] as Features;
  const foldOf = foldsOf(targets, groups, folds);
  const parts = partsOf(foldOf, folds, targets.length);
  const steps = candidates.length * penaltyGrid.length + 1;
  // Long sums between awaits: let others run, and stop when asked to.
  const pause = async () => {
    await setImmediate();
    signal.throwIfAborted();
  };

  const grid: ChosenPenalty["grid"] = [];
  let n = 0;
  for (const [i, { name, rows, columns }] of parts.length > 0 ? candidates.entries() : []) {
    await pause();
    const short = isometric(rows, columns);
    const held = parts.map(({ train, held }) => ({
      train: toSparseRows(
        train.map((at) => short.rows[at] as Row),
        short.columns,
      ),
      targets: Int32Array.from(train, (at) => targets[at] as number),
      held: held.map((at) => ({ row: short.rows[at] as Row, target: targets[at] as number })),
      weights: undefined as Float64Array | undefined,
    }));
    let least = Number.POSITIVE_INFINITY;
    for (const [g, c] of penaltyGrid.entries()) {
      let loss = 0;
      let right = 0;
      n = 0;
      for (const part of held) {
        // The weights under the next stronger penalty are most of the way.
        const model = await fitLogistic(part.train, part.targets, classes, {
          c,
          tolerance: roughly,
          pause,
          ...(part.weights ? { start: part.weights } : {}),
        });
        part.weights = model.weights;
        const known = new Set(part.targets);
        for (const { row, target } of part.held) {
          // A class that the part was not trained on says nothing about the penalty.
          if (!known.has(target)) continue;
          const scores = logProbabilities(model, row.columns, row.values);
          loss -= scores[target] as number;
          if (scores.indexOf(Math.max(...scores)) === target) right++;
          n++;
        }
      }
      grid.push({ features: name, c, loss: loss / n, accuracy: right / n });
      progress(i * penaltyGrid.length + g + 1, steps, `${name}, c = ${c}`);
      // The loss has one valley: once it rises, weaker penalties only overfit more.
      if (loss / n > least) break;
      least = loss / n;
    }
  }

  const best = grid.reduce<ChosenPenalty["grid"][number] | undefined>(
    (a, b) => (a && a.loss <= b.loss ? a : b),
    undefined,
  );
  const { features = first.name, c = 1 } = best ?? {};
  const { rows, columns } = candidates.find(({ name }) => name === features) as Features;
  const model = await fitLogistic(toSparseRows(rows, columns), targets, classes, { c, pause });
  progress(steps, steps, `${features}, c = ${c} chosen`);
  return { chosen: { features, c, by: best ? "cross-validation" : "default", n, grid }, model };
}

/** Indices of what is trained on and what is held out, part by part. */
function partsOf(foldOf: Int32Array, folds: number, size: number): { train: number[]; held: number[] }[] {
  if (size < leastRows) return [];
  const all = [...foldOf.keys()];
  const parts = Array.from({ length: folds }, (_, fold) => ({
    train: all.filter((i) => foldOf[i] !== fold),
    held: all.filter((i) => foldOf[i] === fold),
  })).filter(({ train, held }) => train.length > 0 && held.length > 0);
  let before = 0;
  return parts.filter(({ held }) => {
    const wanted = before < enoughHeld;
    before += held.length;
    return wanted;
  });
}
