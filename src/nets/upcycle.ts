// Turns a trained dense net into a mixture of experts (Komatsuzaki et al. 2023, Sparse Upcycling, arXiv 2212.05055), fine-grained
// as in He et al. 2024 (Upcycling Large Language Models into Mixture of Experts, arXiv 2410.07524): the feed-forward's neurons
// are cut into m shards, every expert is a copy of one shard, and router rows are drawn once per group of m experts, so that
// choosing as many experts as there are shards activates one whole feed-forward.

import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import { normal, randomFor } from "../core/random.js";
import type { Parameters } from "../tensor/optimizer.js";
import { type NetConfig, tensorShapes } from "./config.js";
import { type ExpertConfig, isRouted } from "./experts.js";

export interface UpcycleOptions {
  readonly seed: number;
  /** Share of each routed expert's neurons that are reinitialized (Nakamura et al. 2025, Drop-Upcycling). */
  readonly reinit: number;
  /** Standard deviation of the router's weights. */
  readonly std?: number;
}

/**
 * The weights of `target` from those of a dense net of the same sizes. Down matrices are divided by the number of whole
 * feed-forwards that are activated, and those of routed experts also by an even gate, so that with even gates the output
 * equals the dense net's.
 *
 * @throws HoneError if the nets are incompatible
 */
export function upcycled(
  dense: NetConfig,
  weights: Parameters,
  target: NetConfig,
  { seed, reinit, std = 0.02 }: UpcycleOptions,
): Parameters {
  const { experts, width } = target;
  const wrong = (why: string) =>
    new HoneError({
      what: "This net cannot be upcycled in this way",
      why,
      next: "Upcycle a dense net, into experts whose neurons divide those of its feed-forwards.",
      kind: "usage",
    });
  if (dense.experts) throw wrong("it has experts already");
  if (!experts) throw wrong("the target is a dense net");
  const shards = dense.hidden / experts.neurons;
  if (!Number.isInteger(shards))
    throw wrong(`${dense.hidden} neurons are not a multiple of an expert's ${experts.neurons}`);
  // The activated experts sum to several whole feed-forwards; this scale turns the sum into their mean.
  const whole = shards / (experts.chosen + experts.shared);
  const scales = { shared: whole, routed: whole / evenGate(experts) };
  const made: Parameters = {};
  for (const [name, shape] of tensorShapes(target)) {
    const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
    const part = name.replace(/^blk\.\d+\./, "");
    const own = /^ffn_(gate|up|down)_(exps|shexp)\.weight$/.exec(part);
    if (!isRouted(experts, layer) || (!own && weights[name])) {
      const same = weights[name];
      if (!same || same.dims.join() !== shape.join())
        throw wrong(`${name} has another shape in the dense net`);
      made[name] = same;
      continue;
    }
    const random = randomFor(seed, "upcycle", name);
    if (part === "ffn_gate_inp.weight") {
      const groups = Array.from({ length: Math.ceil((experts.routed + experts.shared) / shards) }, () =>
        Float32Array.from({ length: width }, () => std * normal(random)),
      );
      const rows = Array.from(
        { length: experts.routed },
        (_, i) => groups[Math.floor((i + experts.shared) / shards)],
      );
      made[name] = new Tensor(
        "float32",
        Float32Array.from(rows.flatMap((row) => [...(row as Float32Array)])),
        [...shape],
      );
      continue;
    }
    if (part === "exp_probs_b.bias") {
      made[name] = new Tensor("float32", new Float32Array(experts.routed), [...shape]);
      continue;
    }
    const [, matrix = "", where] = own ?? [];
    const source = weights[`blk.${layer}.ffn_${matrix}.weight`]?.data as Float32Array;
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const shared = where === "shexp";
    const count = shared ? experts.shared : experts.routed;
    const n = experts.neurons;
    const scale = shared ? scales.shared : scales.routed;
    for (let i = 0; i < count; i++) {
      const shard = (shared ? i : i + experts.shared) % shards;
      for (let neuron = 0; neuron < n; neuron++) {
        const from = shard * n + neuron;
        for (let d = 0; d < width; d++) {
          if (matrix !== "down") data[(i * n + neuron) * width + d] = source[from * width + d] as number;
          else {
            const to = shared ? d * count * n + i * n + neuron : (i * width + d) * n + neuron;
            data[to] = scale * (source[d * dense.hidden + from] as number);
          }
        }
      }
      if (!shared && reinit > 0) redraw(data, { i, n, width, matrix, reinit, seed, layer });
    }
    made[name] = new Tensor("float32", data, [...shape]);
  }
  return made;
}

/** The gate of each chosen expert if the router scores all alike. */
function evenGate({ routing, affinity, normalize, scale, routed, chosen }: ExpertConfig): number {
  if (routing === "hash") return 1;
  const plain = affinity === "sigmoid" ? 1 / 2 : 1 / routed;
  return scale * (normalize ? 1 / chosen : plain);
}

/** Reinitializes some neurons of an expert from a normal with its matrix's mean and deviation; the same neurons in all three matrices. */
function redraw(
  data: Float32Array,
  at: { i: number; n: number; width: number; matrix: string; reinit: number; seed: number; layer: number },
): void {
  const { i, n, width, matrix, reinit, seed, layer } = at;
  const own = data.subarray(i * n * width, (i + 1) * n * width);
  const mean = own.reduce((sum, one) => sum + one, 0) / own.length;
  const deviation = Math.sqrt(own.reduce((sum, one) => sum + (one - mean) ** 2, 0) / own.length);
  const pick = randomFor(seed, "upcycle, neurons", layer, i);
  const random = randomFor(seed, "upcycle, anew", layer, i, matrix);
  for (let neuron = 0; neuron < n; neuron++) {
    if (pick() >= reinit) continue;
    for (let d = 0; d < width; d++)
      own[matrix === "down" ? d * n + neuron : neuron * width + d] = mean + deviation * normal(random);
  }
}
