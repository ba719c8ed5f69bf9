// Multinomial logistic regression with an L2 penalty, on sparse rows. The same optimum as scikit-learn's
// LogisticRegression(C=c) with the lbfgs solver.

import { multiplyGram } from "./gram.js";
import { lbfgs } from "./lbfgs.js";
import type { SparseRows } from "./tfidf.js";

export interface LogisticModel {
  classes: number;
  columns: number;
  /** `(columns + 1) * classes`, a column's weights for all classes together; the last row is the intercepts. */
  weights: Float64Array | Float32Array;
}

export interface LogisticOptions {
  /** Inverse strength of the penalty: the objective is c · Σ loss + ½ · Σ weight², intercepts not penalized. */
  c: number;
  /** Where to start: the end of a fit on the same rows under a neighbouring penalty saves most of the work. */
  start?: Float64Array;
  /** Inner products of all rows with each other, n by n, if known: fewer steps for few rows of long texts. */
  gram?: Float64Array;
  /** Norm of the mean loss's gradient at the end. 5e-5 gives probabilities well within 1e-3. */
  tolerance?: number;
  maxIterations?: number;
  pause?: () => Promise<void>;
}

export interface LogisticFit extends LogisticModel {
  weights: Float64Array;
  /** For the next fit's `start`. */
  end: Float64Array;
  iterations: number;
  converged: boolean;
}

/**
 * Fits class `labels[i]` to row i. Two classes have one free weight per column, split over two rows of opposite sign:
 * half of the penalty would be lost, so it is doubled and the result is ordinary binary logistic regression.
 *
 * The weights are linear combinations of the rows, Xᵀa (the representer theorem), and so is every step. So L-BFGS
 * optimizes a, which has an entry per row and class in place of one per column and class, together with its image XXᵀa,
 * under the weights' inner product: the steps are those that it would take in the weights themselves.
 */
export async function fitLogistic(
  rows: SparseRows,
  labels: Int32Array,
  classes: number,
  { c, start, gram, tolerance = 5e-5, maxIterations, pause }: LogisticOptions,
): Promise<LogisticFit> {
  const { columns } = rows;
  const n = labels.length;
  const size = n * classes;
  // A vector is a and the intercepts, then their images; the intercepts are their own images.
  const half = size + classes;
  const penalty = (classes === 2 ? 2 : 1) / (c * n);
  const scores = new Float64Array(classes);
  const weights = new Float64Array((columns + 1) * classes);
  const image = gram
    ? (vector: Float64Array) => multiplyGram(gram, vector, n, classes, half)
    : async (vector: Float64Array) => {
        sumRows(rows, vector, classes, weights);
        multiplyRows(rows, weights, classes, vector, half);
      };

  // The mean loss, not the sum, so that one tolerance fits every n.
  const objective = async (x: Float64Array, gradient: Float64Array): Promise<number> => {
    let squares = 0;
    for (let i = 0; i < size; i++) squares += (x[i] as number) * (x[half + i] as number);
    gradient.fill(0, size, half);
    let loss = 0;
    for (let row = 0; row < n; row++) {
      const at = row * classes;
      for (let k = 0; k < classes; k++) scores[k] = (x[half + at + k] as number) + (x[size + k] as number);
      const label = labels[row] as number;
      toLogProbabilities(scores);
      loss -= scores[label] as number;
      for (let k = 0; k < classes; k++) {
        const slope = (Math.exp(scores[k] as number) - (k === label ? 1 : 0)) / n;
        gradient[at + k] = slope + penalty * (x[at + k] as number);
        gradient[size + k] = (gradient[size + k] as number) + slope;
      }
    }
    await image(gradient);
    gradient.copyWithin(half + size, size, half);
    return loss / n + 0.5 * penalty * squares;
  };

  const minimum = await lbfgs(objective, start ?? new Float64Array(2 * half), {
    tolerance,
    product: (a, b) => {
      let sum = 0;
      for (let i = 0; i < half; i++) sum += (a[i] as number) * (b[half + i] as number);
      return sum;
    },
    ...(maxIterations === undefined ? {} : { maxIterations }),
    ...(pause ? { pause } : {}),
  });
  const { x: end, iterations, converged } = minimum;
  sumRows(rows, end, classes, weights);
  weights.set(end.subarray(size, half), columns * classes);
  return { classes, columns, weights, end, iterations, converged };
}

/** Xᵀa, a column's entries for all classes together. */
function sumRows(
  { columns, starts, indices, values }: SparseRows,
  a: Float64Array,
  classes: number,
  out: Float64Array,
): void {
  out.fill(0, 0, columns * classes);
  for (let row = 0; row < starts.length - 1; row++) {
    const from = row * classes;
    const end = starts[row + 1] as number;
    for (let at = starts[row] as number; at < end; at++) {
      const base = (indices[at] as number) * classes;
      const value = values[at] as number;
      for (let k = 0; k < classes; k++)
        out[base + k] = (out[base + k] as number) + value * (a[from + k] as number);
    }
  }
}

/** Xw, written into `out` from `offset` on. */
function multiplyRows(
  { starts, indices, values }: SparseRows,
  w: Float64Array,
  classes: number,
  out: Float64Array,
  offset: number,
): void {
  for (let row = 0; row < starts.length - 1; row++) {
    const to = offset + row * classes;
    const end = starts[row + 1] as number;
    out.fill(0, to, to + classes);
    for (let at = starts[row] as number; at < end; at++) {
      const base = (indices[at] as number) * classes;
      const value = values[at] as number;
      for (let k = 0; k < classes; k++)
        out[to + k] = (out[to + k] as number) + value * (w[base + k] as number);
    }
  }
}

/** Natural-log probability of every class for one row. */
export function logProbabilities(
  model: LogisticModel,
  columns: ArrayLike<number>,
  values: ArrayLike<number>,
): Float64Array {
  const { classes, weights } = model;
  const scores = new Float64Array(classes);
  for (let k = 0; k < classes; k++) scores[k] = weights[model.columns * classes + k] as number;
  for (let at = 0; at < columns.length; at++) {
    const base = (columns[at] as number) * classes;
    for (let k = 0; k < classes; k++) {
      scores[k] = (scores[k] as number) + (values[at] as number) * (weights[base + k] as number);
    }
  }
  toLogProbabilities(scores);
  return scores;
}

/** Subtracts ln Σ exp from every score, in place. */
function toLogProbabilities(scores: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < scores.length; k++) if ((scores[k] as number) > most) most = scores[k] as number;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) sum += Math.exp((scores[k] as number) - most);
  const total = most + Math.log(sum);
  for (let k = 0; k < scores.length; k++) scores[k] = (scores[k] as number) - total;
}
