// Chooses features and penalty of logistic regression by cross-validation on train.
//
// The criterion is the log-loss of the samples that were held out. It is smooth in the penalty, so that a few hundred
// samples rank the grid; accuracy moves in whole samples, ties, and rewards luck. Words are counted and weighted over
// all of train, once: that reads held-out texts, but no labels.

import { setImmediate } from "node:timers/promises";
import { foldsOf } from "./folds.js";
import { gramOf } from "./gram.js";
import { fitLogistic, type LogisticModel, logProbabilities } from "./logistic.js";
import { type Row, toSparseRows } from "./tfidf.js";

/** Inverse penalties, the strongest penalty first. */
const penaltyGrid = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000] as const;
/** Where the search begins: it moves to weaker penalties and, if the first of those is worse, to stronger ones. */
const middle = penaltyGrid.indexOf(3);

/** One way to read the training set. */
export interface Features {
  name: string;
  rows: readonly Row[];
  columns: number;
  /** The blocks that stand side by side in it, with as many rows; absent if it is one. */
  blocks?: readonly Features[];
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

/** How it was chosen, for the report. `loss` is in nats per sample, on the `n` samples that were held out. */
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

/** Nats by which the grid's fits may miss their minimum, and below which a difference counts as none. */
const enough = 1e-3;
/** Fewer rows than this cannot be cross-validated: a part would hold hardly any samples. */
const leastRows = 20;
/** This many held-out samples rank the grid; of a larger training set not every part is held out. */
const enoughHeld = 1000;

/** Chooses features and penalty, then fits them on all of train. */
export async function choosePenalty(
  { candidates, targets, classes, groups, folds }: Training,
  { signal, progress }: Watch,
): Promise<{ chosen: ChosenPenalty; model: LogisticModel }> {
  const first = candidates[0] as Features;
  const foldOf = foldsOf(targets, groups, folds);
  const parts = partsOf(foldOf, folds, targets.length);
  const steps = candidates.length * penaltyGrid.length + 1;
  // Computations between awaits are long: yield to other work, and stop when aborted.
  const pause = async () => {
    await setImmediate();
    signal.throwIfAborted();
  };

  const known = new Map<Features, Float64Array>();
  const grid: ChosenPenalty["grid"] = [];
  let n = 0;
  let done = 0;
  for (const features of parts.length > 0 ? candidates : []) {
    const { name, rows, columns } = features;
    await pause();
    const products = productsOf(features, known);
    const held = parts.map(({ train, held }) => ({
      train: toSparseRows(
        train.map((at) => rows[at] as Row),
        columns,
      ),
      targets: Int32Array.from(train, (at) => targets[at] as number),
      held: held.map((at) => ({ row: rows[at] as Row, target: targets[at] as number })),
      ...(products ? { gram: among(products, targets.length, train) } : {}),
      start: undefined as Float64Array | undefined,
    }));
    const evaluate = async (g: number): Promise<number> => {
      const c = penaltyGrid[g] as number;
      let loss = 0;
      let right = 0;
      n = 0;
      for (const part of held) {
        // Starting where the neighbouring penalty ended saves most of the work.
        const model = await fitLogistic(part.train, part.targets, classes, {
          c,
          // The objective's curvature is at least 1 / (c · n), so a gradient g leaves at most g² · c · n / 2 to be
          // gained.
          tolerance: Math.sqrt((2 * enough) / (c * part.targets.length)),
          pause,
          ...(part.gram ? { gram: part.gram } : {}),
          ...(part.start ? { start: part.start } : {}),
        });
        part.start = model.end;
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
      // No held-out class was trained on: that says nothing about any penalty.
      if (n === 0) return Number.POSITIVE_INFINITY;
      grid.push({ features: name, c, loss: loss / n, accuracy: right / n });
      progress(Math.min(++done, steps - 1), steps, `${name}, c = ${c}`);
      return loss / n;
    };
    // The loss has a single minimum: once it rises, the search stops.
    const first = await evaluate(middle);
    let least = first;
    for (const step of [1, -1]) {
      if (better(least, first)) break;
      for (let g = middle + step; g >= 0 && g < penaltyGrid.length; g += step) {
        const loss = await evaluate(g);
        if (!better(loss, least)) break;
        least = loss;
      }
    }
  }

  const best = grid.reduce<ChosenPenalty["grid"][number] | undefined>(
    (a, b) => (a && !better(b.loss, a.loss) ? a : b),
    undefined,
  );
  const { features = first.name, c = 1 } = best ?? {};
  const used = candidates.find(({ name }) => name === features) as Features;
  const matrix = toSparseRows(used.rows, used.columns);
  const gram = productsOf(used, known);
  const model = await fitLogistic(matrix, targets, classes, { c, pause, ...(gram ? { gram } : {}) });
  progress(steps, steps, `${features}, c = ${c} chosen`);
  return { chosen: { features, c, by: best ? "cross-validation" : "default", n, grid }, model };
}

function better(loss: number, than: number): boolean {
  return loss < than - enough;
}

/** The rows' inner products, if a fit with them is faster than with the rows: n² sequential steps against scattered accesses. */
function productsOf(features: Features, known: Map<Features, Float64Array>): Float64Array | undefined {
  const n = features.rows.length;
  const entries = features.rows.reduce((sum, { values }) => sum + values.length, 0);
  return n <= 3000 && n * n < 50 * entries ? grammed(features, known) : undefined;
}

/** The inner products of rows made of blocks are the sums of the blocks', each of which is computed once. */
function grammed(features: Features, known: Map<Features, Float64Array>): Float64Array {
  const { blocks, rows, columns } = features;
  let gram = known.get(features);
  if (!gram && blocks) {
    gram = new Float64Array(rows.length ** 2);
    for (const block of blocks) {
      const own = grammed(block, known);
      for (let i = 0; i < gram.length; i++) gram[i] = (gram[i] as number) + (own[i] as number);
    }
  }
  gram ??= gramOf(toSparseRows(rows, columns));
  known.set(features, gram);
  return gram;
}

/** The products of some of the rows with each other. */
function among(products: Float64Array, n: number, indices: readonly number[]): Float64Array {
  const size = indices.length;
  const out = new Float64Array(size * size);
  for (const [i, row] of indices.entries())
    for (const [j, other] of indices.entries()) out[i * size + j] = products[row * n + other] as number;
  return out;
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
