// Builds a decoder from scratch: its config for a kind of feed-forward, and its initial weights.

import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import { normal, randomFor } from "../core/random.js";
import { type NetConfig, tensorShapes } from "./config.js";
import { type ExpertConfig, isRouted } from "./experts.js";

/** The sizes that all nets of a comparison share. */
export interface Skeleton {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Neurons of a standard feed-forward. */
  readonly hidden: number;
  readonly context: number;
  readonly vocab: number;
}

/** The kind of a net's feed-forwards, in the paper's notation (Dai et al. 2024, sections 2 and 3). */
export type FeedForward =
  | { readonly kind: "dense" /** Times the standard number of neurons. */; readonly times?: number }
  | {
      readonly kind: "switch" | "gshard" | "hash" | "deepseekmoe";
      /** N: experts as large as a standard feed-forward. */
      readonly experts?: number;
      /** K: how many of them a token activates; 1 for switch and hash, 2 for gshard. */
      readonly active?: number;
      /** m: the number of segments that each of them is cut into. */
      readonly segments?: number;
      /** Ks: how many of the fine-grained experts are shared. */
      readonly shared?: number;
      /** Neurons of an expert before cutting, as a multiple of a standard feed-forward. */
      readonly size?: number;
      /** Number of first layers that stay dense. */
      readonly dense?: number;
      /** Whether a bias balances the load. */
      readonly lossFree?: boolean;
      readonly affinity?: "softmax" | "sigmoid";
    };

const usual = {
  switch: { active: 1, segments: 1, shared: 0 },
  hash: { active: 1, segments: 1, shared: 0 },
  gshard: { active: 2, segments: 1, shared: 0 },
  deepseekmoe: { active: 2, segments: 4, shared: 1 },
} as const;

/** The decoder with these sizes and feed-forwards. @throws HoneError if they are incompatible */
export function buildNet(skeleton: Skeleton, feedForward: FeedForward): NetConfig {
  const { width, heads, hidden, vocab } = skeleton;
  const wrong = (why: string) =>
    new HoneError({
      what: "This net is impossible",
      where: JSON.stringify({ ...skeleton, ...feedForward }),
      why,
      next: "Change these sizes.",
      kind: "usage",
    });
  if (width % heads !== 0 || (width / heads) % 2 !== 0)
    throw wrong(`a width of ${width} does not give each of ${heads} heads an even number`);
  const base: NetConfig = {
    architecture: "llama",
    layers: skeleton.layers,
    width,
    heads,
    kvHeads: heads,
    headWidth: width / heads,
    hidden: feedForward.kind === "dense" ? Math.round(hidden * (feedForward.times ?? 1)) : hidden,
    vocab,
    context: skeleton.context,
    normEps: 1e-6,
    rope: { pairs: "neighbours", base: 10_000, windowBase: 10_000 },
    embeddingScale: 1,
    activation: "silu",
    queryNorms: false,
    outputNorms: false,
    biases: [],
    tied: false,
  };
  if (feedForward.kind === "dense") return base;
  const { kind, experts: n = 16, size = 1, dense = 0, lossFree = false } = feedForward;
  const { active, segments, shared } = { ...usual[kind], ...defined(feedForward) };
  const neurons = (hidden * size) / segments;
  const experts: ExpertConfig = {
    routing: kind === "hash" ? "hash" : "top",
    routed: n * segments - shared,
    chosen: active * segments - shared,
    shared,
    neurons,
    dense,
    affinity: feedForward.affinity ?? "softmax",
    normalize: false,
    scale: 1,
    bias: lossFree,
    vocab,
  };
  if (!Number.isInteger(neurons))
    throw wrong(`${hidden} neurons times ${size} cannot be divided by ${segments}`);
  if (experts.chosen < 1 || experts.chosen > experts.routed)
    throw wrong(`${experts.chosen} of ${experts.routed} routed experts cannot be chosen`);
  if (kind === "hash" && (experts.chosen !== 1 || lossFree))
    throw wrong("a hash layer sends a token to one expert, and has no load to balance");
  if (dense >= skeleton.layers) throw wrong("no layer is left for experts");
  return { ...base, architecture: "deepseek", experts };
}

function defined<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** Initial weights: matrices normal with `std`, gains 1, load-balancing biases 0. The seed fixes every number. */
export function initWeights(config: NetConfig, seed: number, std = 0.02): Record<string, Tensor> {
  const made: Record<string, Tensor> = {};
  for (const [name, shape] of tensorShapes(config)) {
    const random = randomFor(seed, "net", name);
    const size = shape.reduce((a, b) => a * b, 1);
    const flat = shape.length === 1;
    const fill = name.endsWith(".bias") ? 0 : 1;
    const data = Float32Array.from({ length: size }, () => (flat ? fill : std * normal(random)));
    made[name] = new Tensor("float32", data, [...shape]);
  }
  return made;
}

/** Parameters of a net: all, and those that a token activates. */
export function countParameters(config: NetConfig): { total: number; active: number } {
  let total = 0;
  let active = 0;
  for (const [name, shape] of tensorShapes(config)) {
    const size = shape.reduce((a, b) => a * b, 1);
    total += size;
    const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? Number.NaN);
    const routed = name.includes("_exps.") && isRouted(config.experts, layer);
    active += routed ? (size * (config.experts?.chosen ?? 0)) / (config.experts?.routed ?? 1) : size;
  }
  return { total, active };
}
