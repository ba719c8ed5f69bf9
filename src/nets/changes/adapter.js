// A bottleneck adapter beside each feed-forward (parallel adapter: He et al. 2022, "Towards a unified view"; adapters:
// Houlsby et al. 2019). It is gated as the model's own feed-forward is, so that it amounts to a few more neurons there and
// a runtime without adapters can serve it: `widened` joins them to the model's matrices.
import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../../core/random.js";
import { activate, product } from "../decoder.js";

/** The matrices of an adapter, by the part of the model's own that they widen. */
const parts = ["ffn_gate", "ffn_up", "ffn_down"];
const keyOf = (layer, part) => `blk.${layer}.${part}.adapter`;
/**
 * A new adapter that changes nothing yet: for each layer `blk.N.ffn_gate.adapter` and `blk.N.ffn_up.adapter`
 * [size, width], normal with variance 1 / width, and `blk.N.ffn_down.adapter` [width, size], zero.
 *
 * @param size neurons added to each layer; a multiple of 32, so that the widened matrices can be stored as Q8_0
 */
export function initAdapter(config, size, seed) {
  if (!Number.isSafeInteger(size) || size <= 0 || size % 32 !== 0) {
    throw new RangeError(`An adapter's size is a multiple of 32, not ${size}.`);
  }
  const { width } = config;
  const made = {};
  for (let layer = 0; layer < config.layers; layer++) {
    for (const part of ["ffn_gate", "ffn_up"]) {
      const random = randomFor(seed, "adapter", layer, part);
      const data = Float32Array.from({ length: size * width }, () => normal(random) / Math.sqrt(width));
      made[keyOf(layer, part)] = new Tensor("float32", data, [size, width]);
    }
    const down = new Float32Array(width * size);
    made[keyOf(layer, "ffn_down")] = new Tensor("float32", down, [width, size]);
  }
  return made;
}
/** The change that such weights make: down(act(gate x) · up x), added to each feed-forward's result. */
export function adapter(trained) {
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
 * The model's feed-forward matrices with the adapter's neurons joined on, by GGUF name: gate and up [hidden + size, width],
 * down [width, hidden + size]. With these in their place, and a feed-forward length of hidden + size, the plain model
 * computes what the adapted one does.
 *
 * @param own reads one of the model's matrices, row by row
 */
export function widened(config, trained, own) {
  const { width, hidden } = config;
  const made = {};
  for (let layer = 0; layer < config.layers; layer++) {
    for (const part of parts) {
      const added = trained[keyOf(layer, part)];
      if (!added) throw new Error(`The adapter lacks ${keyOf(layer, part)}.`);
      const name = `blk.${layer}.${part}.weight`;
      const mine = own(name);
      const more = added.data;
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
