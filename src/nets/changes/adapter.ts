// A bottleneck adapter beside each feed-forward (parallel adapter: He et al. 2022, "Towards a unified view"; adapters:
// Houlsby et al. 2019). It is gated like the model's own feed-forward, so it amounts to a few more neurons there and a runtime
// without adapter support can serve it: `widened` appends them to the model's matrices.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../../core/random.js";
import type { NetConfig } from "../config.js";
import { activate, type Change, product } from "../decoder.js";

/** An adapter's matrices, by the model's matrices that they widen. */
const parts = ["ffn_gate", "ffn_up", "ffn_down"] as const;
type Part = (typeof parts)[number];

const keyOf = (layer: number, part: Part) => `blk.${layer}.${part}.adapter`;

/**
 * A new adapter that does not change the model yet: for each layer `blk.N.ffn_gate.adapter` and `blk.N.ffn_up.adapter`
 * [size, width], normal with variance 1 / width, and `blk.N.ffn_down.adapter` [width, size], zero.
 *
 * @param size neurons added to each layer; a multiple of 32, so that the widened matrices can be stored as Q8_0
 */
export function initAdapter(config: NetConfig, size: number, seed: number): Record<string, Tensor> {
  if (!Number.isSafeInteger(size) || size <= 0 || size % 32 !== 0) {
    throw new RangeError(`An adapter's size is a multiple of 32, not ${size}.`);
  }
  const { width } = config;
  const made: Record<string, Tensor> = {};
  for (let layer = 0; layer < config.layers; layer++) {
    for (const part of ["ffn_gate", "ffn_up"] as const) {
      const random = randomFor(seed, "adapter", layer, part);
      const data = Float32Array.from({ length: size * width }, () => normal(random) / Math.sqrt(width));
      made[keyOf(layer, part)] = new Tensor("float32", data, [size, width]);
    }
    const down = new Float32Array(width * size);
    made[keyOf(layer, "ffn_down")] = new Tensor("float32", down, [width, size]);
  }
  return made;
}

/** The change by such weights: down(act(gate x) · up x), added to each feed-forward's result. */
export function adapter(trained: Readonly<Record<string, np.Array>>): Change {
  return {
    feedForward(layer, x, y, config) {
      const [gate, up, down] = parts.map((part) => trained[keyOf(layer, part)]);
      if (!gate || !up || !down) return y;
      const neurons = activate(config, product(x.ref, gate.ref)).mul(product(x.ref, up.ref));
      return y.add(product(neurons, down.ref));
    },
  };
}

/**
 * The model's feed-forward matrices with the adapter's neurons appended, by GGUF name: gate and up [hidden + size, width],
 * down [width, hidden + size]. With these matrices and a feed-forward length of hidden + size, the plain model computes the
 * same as the adapted one.
 *
 * @param own reads one of the model's matrices, row by row
 */
export function widened(
  config: NetConfig,
  trained: Readonly<Record<string, Tensor>>,
  own: (name: string) => Float32Array,
): Record<string, Tensor> {
  const { width, hidden } = config;
  const made: Record<string, Tensor> = {};
  for (let layer = 0; layer < config.layers; layer++) {
    for (const part of parts) {
      const added = trained[keyOf(layer, part)];
      if (!added) throw new Error(`The adapter lacks ${keyOf(layer, part)}.`);
      const name = `blk.${layer}.${part}.weight`;
      const mine = own(name);
      const more = added.data as Float32Array;
      const size = more.length / width;
      const joined = new Float32Array(mine.length + more.length);
      if (part !== "ffn_down") {
        joined.set(mine);
        joined.set(more, mine.length);
        made[name] = new Tensor("float32", joined, [hidden + size, width]);
        continue;
      }
      for (let row = 0; row < width; row++) {
        const at = row * (hidden + size);
        joined.set(mine.subarray(row * hidden, (row + 1) * hidden), at);
        joined.set(more.subarray(row * size, (row + 1) * size), at + hidden);
      }
      made[name] = new Tensor("float32", joined, [width, hidden + size]);
    }
  }
  return made;
}
