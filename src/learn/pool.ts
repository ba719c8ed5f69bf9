// A log-linear pool of forecasters (Genest and Zidek 1986, "Combining Probability Distributions", eq. 3.1; Hinton's product
// of experts with a weight each): p(o) is proportional to the product of the members' p(o), each to the power of its weight.
// The loss is convex in the weights. The pool sees only forecasts, not members.

import { lbfgs } from "./lbfgs.js";

/** One member's forecast for one sample: natural-log probabilities of its options, in the sample's order. */
export type Forecast = readonly number[];

/** One sample: each member's forecast, and the right option's place. */
export interface Pooled {
  forecasts: readonly Forecast[];
  right: number;
}

/** Least log-probability that a member may give: a member that rules out the right option would outvote all others. */
const least = Math.log(1e-6);

/**
 * A member's scores as log-probabilities of the options; absent options get the least, and without any scores all are
 * equal.
 * @param scores natural-log scores by key, not normalized
 */
export function forecastOf(
  keys: readonly string[],
  scores: Readonly<Record<string, number>> | undefined,
): number[] {
  // A label may be called `constructor`.
  const given = keys.map((key) =>
    scores && Object.hasOwn(scores, key) ? (scores[key] as number) : Number.NEGATIVE_INFINITY,
  );
  const known = given.filter((score) => score > Number.NEGATIVE_INFINITY);
  if (known.length === 0) return keys.map(() => -Math.log(keys.length));
  const total = logSum(known);
  return given.map((score) => Math.max(least, score - total));
}

/** Log-probabilities of the pool. */
export function pool(forecasts: readonly Forecast[], weights: readonly number[]): number[] {
  const options = forecasts[0]?.length ?? 0;
  const sums = Array.from({ length: options }, (_, o) =>
    forecasts.reduce((sum, forecast, m) => sum + (weights[m] as number) * (forecast[o] as number), 0),
  );
  const total = logSum(sums);
  return sums.map((sum) => sum - total);
}

/** The pool's log-loss on each sample, in nats. */
export function poolLosses(samples: readonly Pooled[], weights: readonly number[]): Float64Array {
  return Float64Array.from(samples, ({ forecasts, right }) => -(pool(forecasts, weights)[right] as number));
}

/** Weights with the least mean loss plus `penalty` / 2 · Σ (weight − 1 / members)², which keeps them finite. */
export async function fitPool(samples: readonly Pooled[], penalty = 1e-3): Promise<number[]> {
  const members = samples[0]?.forecasts.length ?? 0;
  const usual = 1 / Math.max(1, members);
  // A stack fits hundreds of pools, so the objective allocates nothing.
  const logProbs = new Float64Array(
    samples.reduce((most, { forecasts }) => Math.max(most, forecasts[0]?.length ?? 0), 0),
  );
  const objective = (weights: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    let loss = 0;
    for (const { forecasts, right } of samples) {
      const options = forecasts[0]?.length ?? 0;
      let most = Number.NEGATIVE_INFINITY;
      for (let o = 0; o < options; o++) {
        let sum = 0;
        for (let m = 0; m < members; m++) sum += (weights[m] as number) * (forecasts[m]?.[o] as number);
        logProbs[o] = sum;
        if (sum > most) most = sum;
      }
      let mass = 0;
      for (let o = 0; o < options; o++) mass += Math.exp((logProbs[o] as number) - most);
      const total = most + Math.log(mass);
      for (let o = 0; o < options; o++) logProbs[o] = (logProbs[o] as number) - total;
      loss -= logProbs[right] as number;
      for (let o = 0; o < options; o++) logProbs[o] = Math.exp(logProbs[o] as number);
      for (let m = 0; m < members; m++) {
        const forecast = forecasts[m] as Forecast;
        let expected = 0;
        for (let o = 0; o < options; o++) expected += (logProbs[o] as number) * (forecast[o] as number);
        gradient[m] = (gradient[m] as number) + expected - (forecast[right] as number);
      }
    }
    let value = loss / samples.length;
    for (const [m, weight] of weights.entries()) {
      const away = weight - usual;
      value += 0.5 * penalty * away * away;
      gradient[m] = (gradient[m] as number) / samples.length + penalty * away;
    }
    return value;
  };
  const { x } = await lbfgs(objective, new Float64Array(members).fill(usual), { tolerance: 1e-6 });
  return [...x];
}

/** Loss of each sample under weights that were fitted on the other folds. */
export async function crossFitted(samples: readonly Pooled[], foldOf: Int32Array): Promise<Float64Array> {
  const losses = new Float64Array(samples.length);
  for (const fold of new Set(foldOf)) {
    const weights = await fitPool(samples.filter((_, i) => foldOf[i] !== fold));
    for (const [i, sample] of samples.entries()) {
      if (foldOf[i] === fold) losses[i] = poolLosses([sample], weights)[0] as number;
    }
  }
  return losses;
}

function logSum(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}
