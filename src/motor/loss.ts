// The two losses of the bilateral controllers, and which parameters each of them trains. Dominant: mean error and an activity
// regularizer; non-dominant: squared error and the cost of excitation (Rinaldo et al. 2024 and their code).

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { HoneError } from "../core/errors.js";
import { isShared } from "./controller.js";
import type { Episode } from "./episode.js";

/** Weights of a loss's terms. */
export interface LossWeights {
  /** On the mean square of excitations. */
  readonly excitation: number;
  /** On the mean distance along x and y, in m. */
  readonly position: number;
  /** On ten times the mean squared distance along x and y. */
  readonly square: number;
  /** On the regularizer of each hidden layer of each hemisphere. */
  readonly activity: number;
}

/** Loss 0 of the published code: by the paper's convention, the loss of the dominant (left) hemisphere. */
export const dominantLoss: LossWeights = { excitation: 0, position: 5, square: 0, activity: 0.02 };
/** Loss 1 of the published code. */
export const nonDominantLoss: LossWeights = { excitation: 2, position: 0, square: 5, activity: 0 };
/** The loss for all parameters without specialization: the mean of the two. */
export const commonLoss: LossWeights = { excitation: 1, position: 2.5, square: 2.5, activity: 0.01 };

export const lossTerms = ["excitation", "position", "square", "activity"] as const;

/**
 * What the activity regularizer reads. `asIntended`: the hidden layers. `asPublished`: what the published program applied it
 * to because it paired losses and outputs in the order of their names: joints and muscle state, and with two hemispheres
 * also proprioception and vision. The muscle state contains forces in N, so it outweighs everything else.
 */
export type Activity = "asIntended" | "asPublished";

/** mean(x²) + 0.05 mean((Δx / dt)²) for each seed, [S], of a history [T, rows, S·B] or [T, S, ...]. */
function regularity(history: JaxArray, seeds: number, dt: number, seedAxis: 1 | 2): JaxArray {
  const steps = history.shape[0] as number;
  const mean = (x: JaxArray) => meanBySeed(np.square(x), seeds, seedAxis);
  const change = history.ref.slice([1, steps]).add(history.ref.slice([0, steps - 1]).neg());
  return mean(history).add(mean(change).mul(0.05 / dt ** 2));
}

/** Means over all axes but the seeds, [S]; seeds are axis 1, or the outer part of the last axis of [T, rows, S·B]. */
function meanBySeed(x: JaxArray, seeds: number, seedAxis: 1 | 2): JaxArray {
  if (seedAxis === 1) {
    const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
    return np.mean(x, others);
  }
  const [steps, rows] = x.shape as [number, number];
  return np.mean(x.reshape([steps, rows, seeds, -1]), [0, 1, 3]);
}

/**
 * The losses of an episode, [S], with weights per seed ([S] each); [K, S] for K losses if the weights are [K, S]. Consumes the
 * episode.
 *
 * @throws HoneError for `asPublished` without the plant's states, or for a number of layers other than two, whose pairing is unknown
 */
export function motorLoss(
  episode: Episode,
  weights: Readonly<Record<(typeof lossTerms)[number], JaxArray>>,
  seeds: number,
  dt: number,
  activity: Activity,
): JaxArray {
  const { hands, excitations, target } = episode;
  const regularizer =
    activity === "asIntended" ? intended(episode, seeds, dt) : published(episode, seeds, dt);
  const error = hands.add(target.neg());
  const terms = {
    position: meanBySeed(np.abs(error.ref), seeds, 2),
    square: meanBySeed(np.square(error), seeds, 2).mul(10),
    excitation: meanBySeed(np.square(excitations), seeds, 2),
    activity: regularizer,
  };
  return lossTerms.map((term) => weights[term].ref.mul(terms[term])).reduce((sum, term) => sum.add(term));
}

/** Summed over layers and hemispheres. */
function intended({ hidden }: Episode, seeds: number, dt: number): JaxArray {
  const each = hidden.map((layer) => {
    const hemispheres = layer.shape[2] as number;
    return regularity(layer, seeds, dt, 1).mul(hemispheres);
  });
  return each.reduce((sum, one) => sum.add(one));
}

function published({ hidden, body, hands }: Episode, seeds: number, dt: number): JaxArray {
  if (!body || hidden.length !== 2) {
    throw new HoneError({
      what: "The regularizer cannot be applied as published",
      why: body
        ? `the published pairing is known for 2 hidden layers, not for ${hidden.length}`
        : "the episode was unrolled without the plant's states",
      next: body ? "Take layers: 2, or activity: asIntended." : "Unroll it with body: true.",
      kind: "usage",
    });
  }
  const hemispheres = (hidden[0] as JaxArray).shape[2] as number;
  for (const layer of hidden) layer.dispose();
  const { joints, muscles, fibres } = body;
  const paired = hemispheres === 2 ? [joints, muscles, fibres, hands.ref] : [joints, muscles];
  if (hemispheres === 1) fibres.dispose();
  return paired.map((history) => regularity(history, seeds, dt, 2)).reduce((sum, one) => sum.add(one));
}

/** Which losses train which parameters, for each of S seeds; K losses, each with its weights. */
export interface Routing {
  [key: string]: JaxArray | Record<(typeof lossTerms)[number], JaxArray>;
  /** [K, S] each. */
  weights: Record<(typeof lossTerms)[number], JaxArray>;
  /** The share of each loss's gradient that the parameters of each hemisphere get: [K, S, hemispheres]. */
  hemispheres: JaxArray;
  /** The share that shared parameters get: [K, S]. */
  shared: JaxArray;
}

/** A parameter's gradient from those of the losses, [K, S, ...]: their sum weighted by its shares. Consumes the gradients. */
export function routed(name: string, gradients: JaxArray, { hemispheres, shared }: Routing): JaxArray {
  const share = isShared(name) ? shared : hemispheres;
  const dims = share.shape.concat(gradients.shape.slice(share.shape.length).map(() => 1));
  return gradients.mul(share.ref.reshape(dims)).sum(0);
}
