// The two losses of the bilateral controllers, and which parameters answer to which. Dominant: mean error and a regulariser of
// activity; non-dominant: squared error and the cost of excitation (Rinaldo et al. 2024 and their code).
import { numpy as np } from "@jax-js/jax";
import { HoneError } from "../core/errors.js";
import { isShared } from "./controller.js";
/** Loss 0 of the published code, by the paper's convention that of the dominant (left) hemisphere. */
export const dominantLoss = { excitation: 0, position: 5, square: 0, activity: 0.02 };
/** Loss 1 of the published code. */
export const nonDominantLoss = { excitation: 2, position: 0, square: 5, activity: 0 };
/** What all parameters answer to without specialization: the mean of the two. */
export const commonLoss = { excitation: 1, position: 2.5, square: 2.5, activity: 0.01 };
export const lossTerms = ["excitation", "position", "square", "activity"];
/** mean(x²) + 0.05 mean((Δx / dt)²) for each seed, [S], of a history [T, rows, S·B] or [T, S, ...]. */
function regularity(history, seeds, dt, seedAxis) {
  const steps = history.shape[0];
  const mean = (x) => meanBySeed(np.square(x), seeds, seedAxis);
  const change = history.ref.slice([1, steps]).add(history.ref.slice([0, steps - 1]).neg());
  return mean(history).add(mean(change).mul(0.05 / dt ** 2));
}
/** Means over all but the seeds, [S]; seeds are the axis named, or the beginning of the last of [T, rows, S·B]. */
function meanBySeed(x, seeds, seedAxis) {
  if (seedAxis === 1) {
    const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
    return np.mean(x, others);
  }
  const [steps, rows] = x.shape;
  return np.mean(x.reshape([steps, rows, seeds, -1]), [0, 1, 3]);
}
/**
 * The losses of an episode, [S], under weights that each seed has of its own ([S] each); [K, S] for K losses, where weights are
 * [K, S]. Uses the episode up.
 *
 * @throws HoneError for `asPublished` without the plant's states, or with other than two layers, whose pairing is not known
 */
export function motorLoss(episode, weights, seeds, dt, activity) {
  const { hands, excitations, target } = episode;
  const regulariser =
    activity === "asIntended" ? intended(episode, seeds, dt) : published(episode, seeds, dt);
  const error = hands.add(target.neg());
  const terms = {
    position: meanBySeed(np.abs(error.ref), seeds, 2),
    square: meanBySeed(np.square(error), seeds, 2).mul(10),
    excitation: meanBySeed(np.square(excitations), seeds, 2),
    activity: regulariser,
  };
  return lossTerms.map((term) => weights[term].ref.mul(terms[term])).reduce((sum, term) => sum.add(term));
}
/** Summed over layers and hemispheres. */
function intended({ hidden }, seeds, dt) {
  const each = hidden.map((layer) => {
    const hemispheres = layer.shape[2];
    return regularity(layer, seeds, dt, 1).mul(hemispheres);
  });
  return each.reduce((sum, one) => sum.add(one));
}
function published({ hidden, body, hands }, seeds, dt) {
  if (!body || hidden.length !== 2) {
    throw new HoneError({
      what: "The regulariser cannot be applied as published",
      why: body
        ? `the published pairing is known for 2 hidden layers, not for ${hidden.length}`
        : "the episode was unrolled without the plant's states",
      next: body ? "Take layers: 2, or activity: asIntended." : "Unroll it with body: true.",
      kind: "usage",
    });
  }
  const hemispheres = hidden[0].shape[2];
  for (const layer of hidden) layer.dispose();
  const { joints, muscles, fibres } = body;
  const paired = hemispheres === 2 ? [joints, muscles, fibres, hands.ref] : [joints, muscles];
  if (hemispheres === 1) fibres.dispose();
  return paired.map((history) => regularity(history, seeds, dt, 2)).reduce((sum, one) => sum.add(one));
}
/** What a parameter learns from gradients [K, S, ...] of the losses: their sum, each times its share. Uses the gradients up. */
export function routed(name, gradients, { hemispheres, shared }) {
  const share = isShared(name) ? shared : hemispheres;
  const dims = share.shape.concat(gradients.shape.slice(share.shape.length).map(() => 1));
  return gradients.mul(share.ref.reshape(dims)).sum(0);
}
