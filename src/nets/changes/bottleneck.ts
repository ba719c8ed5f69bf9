// Bottleneck adapters after each feed-forward (Pfeiffer et al. 2020, MAD-X, arXiv 2005.00052: one per layer, ReLU, before the
// residual; no biases here). They are in series with the layer, so no runtime without adapter support can serve them.

import { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../../core/random.js";
import { type Change, product } from "../decoder.js";

/** The products followed by adapters: the last of each feed-forward, in BERT and in decoders. */
const behind = /^(encoder\.layer\.\d+\.output\.dense|blk\.\d+\.ffn_down)\.weight$/;

/**
 * Adapters that do not change the model yet: after each such matrix [width, in], `NAME.down` [width / reduction, width], normal with
 * variance 1 / width, and `NAME.up` [width, width / reduction], zero.
 */
export function initBottleneck(
  shapes: ReadonlyMap<string, readonly number[]>,
  names: readonly string[],
  reduction: number,
  seed: number,
): Record<string, Tensor> {
  const made: Record<string, Tensor> = {};
  for (const name of names.filter((one) => behind.test(one))) {
    const [width] = shapes.get(name) as [number, number];
    const size = Math.max(1, Math.round(width / reduction));
    const random = randomFor(seed, "bottleneck", name);
    const down = Float32Array.from({ length: size * width }, () => normal(random) / Math.sqrt(width));
    made[`${name}.down`] = new Tensor("float32", down, [size, width]);
    made[`${name}.up`] = new Tensor("float32", new Float32Array(width * size), [width, size]);
  }
  return made;
}

/** The change by such arrays: y + up · relu(down · y) in place of y. */
export function bottleneck(trained: Readonly<Record<string, np.Array>>): Change {
  return {
    linear(name, _x, y) {
      const [down, up] = [trained[`${name}.down`], trained[`${name}.up`]];
      if (!down || !up) return y;
      const inner = np.maximum(product(y.ref, down.ref), 0);
      return y.add(product(inner, up.ref));
    },
  };
}
