// Multinomial logistic regression with an L2 penalty, on sparse rows. The same optimum as scikit-learn's
// LogisticRegression(C=c) with the lbfgs solver.
import { lbfgs } from "./lbfgs.js";
/**
 * Fits class `labels[i]` to row i.
 * Two classes have one free weight a column, split over two rows of opposite sign: half of the penalty would be lost, so
 * it is doubled and the result is ordinary binary logistic regression.
 */
export async function fitLogistic(
  rows,
  labels,
  classes,
  { c, start, tolerance = 1e-5, maxIterations, pause },
) {
  const { columns, starts, indices, values } = rows;
  const n = labels.length;
  const size = (columns + 1) * classes;
  const bias = columns * classes;
  const penalty = (classes === 2 ? 2 : 1) / (c * n);
  const scores = new Float64Array(classes);
  // The mean loss, not the sum, so that one tolerance fits every n.
  const objective = (w, gradient) => {
    let squares = 0;
    for (let i = 0; i < bias; i++) {
      const weight = w[i];
      squares += weight * weight;
      gradient[i] = penalty * weight;
    }
    gradient.fill(0, bias);
    let loss = 0;
    for (let row = 0; row < n; row++) {
      const from = starts[row];
      const to = starts[row + 1];
      for (let k = 0; k < classes; k++) scores[k] = w[bias + k];
      for (let at = from; at < to; at++) {
        const base = indices[at] * classes;
        const value = values[at];
        for (let k = 0; k < classes; k++) scores[k] = scores[k] + value * w[base + k];
      }
      const label = labels[row];
      toLogProbabilities(scores);
      loss -= scores[label];
      // From here on `scores` is the loss's derivative by each class's score.
      for (let k = 0; k < classes; k++) {
        const slope = (Math.exp(scores[k]) - (k === label ? 1 : 0)) / n;
        scores[k] = slope;
        gradient[bias + k] = gradient[bias + k] + slope;
      }
      for (let at = from; at < to; at++) {
        const base = indices[at] * classes;
        const value = values[at];
        for (let k = 0; k < classes; k++) {
          gradient[base + k] = gradient[base + k] + value * scores[k];
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
export function logProbabilities(model, columns, values) {
  const { classes, weights } = model;
  const scores = new Float64Array(classes);
  for (let k = 0; k < classes; k++) scores[k] = weights[model.columns * classes + k];
  for (let at = 0; at < columns.length; at++) {
    const base = columns[at] * classes;
    for (let k = 0; k < classes; k++) {
      scores[k] = scores[k] + values[at] * weights[base + k];
    }
  }
  toLogProbabilities(scores);
  return scores;
}
/** Takes ln Σ exp off every score, in place. */
function toLogProbabilities(scores) {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < scores.length; k++) if (scores[k] > most) most = scores[k];
  let sum = 0;
  for (let k = 0; k < scores.length; k++) sum += Math.exp(scores[k] - most);
  const total = most + Math.log(sum);
  for (let k = 0; k < scores.length; k++) scores[k] = scores[k] - total;
}
