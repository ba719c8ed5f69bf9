// Contrastive losses over a batch of vectors with labels, to be traced: texts of one label are pulled together, all others in the
// batch pushed apart. The losses consume the vectors.

import { lax, numpy as np } from "@jax-js/jax";

export type ContrastKind = "ntxent" | "supcon";

export interface ContrastOptions {
  readonly kind: ContrastKind;
  /** Similarities are divided by it; 0.07 in Green et al. 2023. */
  readonly temperature: number;
  /** k: adjusts similarities by each vector's mean similarity to its k nearest (CSLS, Conneau et al. 2018); 0 disables this. */
  readonly csls: number;
}

/** Scales rows [N, width] to unit length. */
function unitRows(x: np.Array): np.Array {
  const square = x.ref.mul(x.ref).sum(-1, { keepdims: true });
  return x.mul(np.reciprocal(np.sqrt(square.add(1e-12))));
}

/**
 * The loss of vectors [N, width] with labels [N] int32. Labels below 0 mark padding.
 *
 * - `ntxent`: for every pair of one label -log( e^s / (e^s + sum over other labels) ), the mean over pairs (Chen et al. 2020; as in
 *   Green et al. 2023, where a batch may have several positives).
 * - `supcon`: each vector's mean over its positives of -log softmax over all others, the mean over vectors (Khosla et al. 2020).
 */
export function contrastLoss(vectors: np.Array, labels: np.Array, options: ContrastOptions): np.Array {
  const { kind, temperature, csls } = options;
  const n = vectors.shape[0] as number;
  const unit = unitRows(vectors);
  let cosines = lax.dot(unit.ref, unit, { lhsContractingDims: [1], rhsContractingDims: [1] });
  const own = np.array(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    { shape: [n, n] },
  );
  const used = labels.ref.greaterEqual(0).astype(np.float32);
  const both = used.ref.reshape([n, 1]).mul(used.reshape([1, n]));
  const same = labels.ref
    .reshape([n, 1])
    .equal(labels.ref.reshape([1, n]))
    .astype(np.float32);
  const positive = same.ref.mul(both.ref).mul(own.ref.neg().add(1));
  const negative = same.neg().add(1).mul(both.ref);
  if (csls > 0) {
    const near = nearness(cosines.ref, negative.ref, csls);
    cosines = cosines
      .mul(2)
      .sub(near.ref.reshape([n, 1]))
      .sub(near.reshape([1, n]));
  }
  const scores = cosines.div(temperature);
  if (kind === "supcon") {
    negative.dispose();
    const total = logSum(scores.ref, both.mul(own.neg().add(1)));
    const count = positive.ref.sum(-1);
    const each = scores.sub(total).mul(positive).sum(-1).div(np.maximum(count.ref, 1));
    const anchors = count.greater(0).astype(np.float32).sum();
    return each.sum().neg().div(np.maximum(anchors, 1));
  }
  both.dispose();
  own.dispose();
  // -log( e^s / (e^s + e^t) ) is log(1 + e^(t - s)), with t the logarithm of the others' sum.
  const ahead = logSum(scores.ref, negative).sub(scores);
  const most = lax.stopGradient(np.maximum(ahead.ref, 0));
  const each = np.log(np.exp(most.ref.neg()).add(np.exp(ahead.sub(most.ref)))).add(most);
  const count = positive.ref.sum();
  return each.mul(positive).sum().div(np.maximum(count, 1));
}

/** Replaces scores that must not be compared: its exp is 0. */
const out = -1e9;

/** log of the sum of e^score over each row's allowed scores, [N, 1]; about `out` where there are none. Consumes both. */
function logSum(scores: np.Array, allowed: np.Array): np.Array {
  const compared = np.where(allowed.greater(0), scores, out);
  const most = lax.stopGradient(compared.ref.max(-1, { keepdims: true }));
  return np.log(np.exp(compared.sub(most.ref)).sum(-1, { keepdims: true })).add(most);
}

/**
 * Each row's mean over its k largest allowed values, or over all of them where they are fewer (0 where there are none), without
 * gradient, [N]. Consumes both.
 */
function nearness(cosines: np.Array, allowed: np.Array, k: number): np.Array {
  const n = cosines.shape[1] as number;
  const count = np.minimum(allowed.ref.sum(-1), k);
  const left = lax.stopGradient(np.where(allowed.greater(0), cosines, noCosine));
  const most = np.sort(left).slice([], [Math.max(0, n - k), n]);
  const sum = np.where(most.ref.greater(noCosine), most, 0).sum(-1);
  return sum.div(np.maximum(count, 1));
}

/** Below every cosine. */
const noCosine = -2;
