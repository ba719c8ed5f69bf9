// Multinomial logistic regression with an L2 penalty, on sparse rows. The same optimum as scikit-learn's
// LogisticRegression(C=c) with the lbfgs solver.

import { lbfgs } from "./lbfgs.js";

/** A matrix by rows: row i has columns indices[starts[i] .. starts[i + 1]] with the values beside them. */
export interface SparseRows {
  columns: number;
  starts: Int32Array;
  indices: Int32Array;
  values: Float64Array;
}

export interface LogisticModel {
  classes: number;
  columns: number;
  /** `(columns + 1) * classes`, a column's weights for all classes together; the last row is the intercepts. */
  weights: Float64Array | Float32Array;
}

export interface LogisticOptions {
  /** Inverse strength of the penalty: minimised is c · Σ loss + ½ · Σ weight², intercepts not penalised. */
  c: number;
  /** Weights to start from: those of the next stronger penalty save most of the work. */
  start?: Float64Array;
  /** Largest component of the mean loss's gradient at the end. 1e-5 gives probabilities well within 1e-3. */
  tolerance?: number;
  maxIterations?: number;
  pause?: () => Promise<void>;
}

/**
 * Fits class `labels[i]` to row i.
 * Two classes have one free weight a column, split over two rows of opposite sign: half of the penalty would be lost, so
 * it is doubled and the result is ordinary binary logistic regression.
 */
export async function fitLogistic(
  rows: SparseRows,
  labels: Int32Array,
  classes: number,
  { c, start, tolerance = 1e-5, maxIterations, pause }: LogisticOptions,
): Promise<LogisticModel & { weights: Float64Array; iterations: number; converged: boolean }> {
  const { columns, starts, indices, values } = rows;
  const n = labels.length;
  const size = (columns + 1) * classes;
  const bias = columns * classes;
  const penalty = (classes === 2 ? 2 : 1) / (c * n);
  const scores = new Float64Array(classes);

  // The mean loss, not the sum, so that one tolerance fits every n.
  const objective = (w: Float64Array, gradient: Float64Array): number => {
    let squares = 0;
    for (let i = 0; i < bias; i++) {
      const weight = w[i] as number;
      squares += weight * weight;
      gradient[i] = penalty * weight;
    }
    gradient.fill(0, bias);
    let loss = 0;
    for (let row = 0; row < n; row++) {
      const from = starts[row] as number;
      const to = starts[row + 1] as number;
      for (let k = 0; k < classes; k++) scores[k] = w[bias + k] as number;
      for (let at = from; at < to; at++) {
        const base = (indices[at] as number) * classes;
        const value = values[at] as number;
        for (let k = 0; k < classes; k++) scores[k] = (scores[k] as number) + value * (w[base + k] as number);
      }
      const label = labels[row] as number;
      toLogProbabilities(scores);
      loss -= scores[label] as number;
      // From here on `scores` is the loss's derivative by each class's score.
      for (let k = 0; k < classes; k++) {
        const slope = (Math.exp(scores[k] as number) - (k === label ? 1 : 0)) / n;
        scores[k] = slope;
        gradient[bias + k] = (gradient[bias + k] as number) + slope;
      }
      for (let at = from; at < to; at++) {
        const base = (indices[at] as number) * classes;
        const value = values[at] as number;
        for (let k = 0; k < classes; k++) {
          gradient[base + k] = (gradient[base + k] as number) + value * (scores[k] as number);
        }
      }
    }
    return loss / n + 0.5 * penalty * squares;
  };

  const minimum = await lbfgs(objective, start ?? new Float64Array(size), {
    tolerance,
    ...(maxIterations === undefined ? {} : { maxIterations }),
    ...(pause ? { pause } : {}),
  });
  const { x: weights, iterations, converged } = minimum;
  return { classes, columns, weights, iterations, converged };
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

/** Takes ln Σ exp off every score, in place. */
function toLogProbabilities(scores: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < scores.length; k++) if ((scores[k] as number) > most) most = scores[k] as number;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) sum += Math.exp((scores[k] as number) - most);
  const total = most + Math.log(sum);
  for (let k = 0; k < scores.length; k++) scores[k] = (scores[k] as number) - total;
}
