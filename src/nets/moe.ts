// Mixture-of-experts feed-forwards, where each token is sent to a few of many experts: GShard's top-2, Switch's top-1, hash
// layers, and DeepSeekMoE's fine-grained routed experts plus shared ones. Equation numbers are those of Dai et al. 2024,
// DeepSeekMoE (arXiv 2401.06066). Tokens are sorted by expert and each expert multiplies only its own rows (tensor/grouped.ts):
// no token is dropped, and only activated experts cost work.
//
// Ownership as in decoder.ts: arguments are borrowed, the caller owns what is returned.

import { lax, numpy as np } from "@jax-js/jax";
import { randomFor } from "../core/random.js";
import type { NetConfig } from "./config.js";
import type { ExpertConfig } from "./experts.js";

/** How the tokens of one layer were sent to its routed experts. E experts, T tokens, K experts per token. */
export interface Routing {
  readonly layer: number;
  /** [T, K] int32: the experts of each token, highest-ranked first. */
  readonly ids: np.Array;
  /** [E] float32: tokens sent to each expert. */
  readonly load: np.Array;
  /** [T, E] float32: s of eq. 5; absent with hash routing. */
  readonly scores?: np.Array;
  /** [T, width]: the experts' input. */
  readonly input: np.Array;
}

/** Changes at test time, to measure what experts contribute (section 4.5). */
export interface Probe {
  /** How many of the highest-scoring routed experts each token may not use; the next ones take their place. */
  readonly masked?: number;
  /** False switches the shared experts off. */
  readonly shared?: boolean;
  /** Routed experts per token, in place of the net's own number. */
  readonly chosen?: number;
}

/** The decoder's functions needed here: weights by name, a layer's product, the activation. */
export interface Inside {
  weight(name: string): np.Array;
  linear(name: string, x: np.Array): np.Array;
  activate(x: np.Array): np.Array;
}

/**
 * The output of a layer's experts for x [T, width], without the residual: eq. 9 without its last term.
 *
 * @param tokens [T] int32, used by hash routing
 */
export function experts(
  config: NetConfig,
  net: Inside,
  layer: number,
  x: np.Array,
  tokens: np.Array,
  probe: Probe = {},
): { y: np.Array; routing: Routing } {
  const settings = config.experts as ExpertConfig;
  const [rows, width] = x.shape as [number, number];
  const chosen = probe.chosen ?? settings.chosen;
  const name = (part: string) => `blk.${layer}.${part}`;
  const { ids, scores, gates } = route(settings, net, layer, x, tokens, { ...probe, chosen });

  const flat = ids.ref.reshape([rows * chosen]);
  const sorted = np.sort(flat.ref);
  const order = np.argsort(flat);
  const inverse = np.argsort(order.ref);
  const range = np.arange(settings.routed).astype(np.int32).reshape([1, -1]);
  const load = sorted.ref.reshape([-1, 1]).equal(range).astype(np.float32).sum(0);

  const repeated = np.broadcastTo(x.ref.reshape([rows, 1, width]), [rows, chosen, width]);
  const own = np.take(repeated.reshape([rows * chosen, width]), order, 0);
  const gate = net.activate(chosenProduct(own.ref, net.weight(name("ffn_gate_exps.weight")), sorted.ref));
  const neurons = gate.mul(chosenProduct(own, net.weight(name("ffn_up_exps.weight")), sorted.ref));
  const out = chosenProduct(neurons, net.weight(name("ffn_down_exps.weight")), sorted);
  const back = np.take(out, inverse, 0).reshape([rows, chosen, width]);
  let y = (gates ? back.mul(gates.reshape([rows, chosen, 1])) : back).sum(1);

  if (settings.shared > 0 && probe.shared !== false) {
    const gate = net.activate(net.linear(name("ffn_gate_shexp.weight"), x));
    const neurons = gate.mul(net.linear(name("ffn_up_shexp.weight"), x));
    y = y.add(net.linear(name("ffn_down_shexp.weight"), neurons));
    neurons.dispose();
  }
  return { y, routing: { layer, ids, load, input: x.ref, ...(scores ? { scores } : {}) } };
}

/** y[m] = W[id[m]] x[m] for ascending ids [M], x [M, in] and W [E, out, in]: [M, out]. Consumes all three. */
function chosenProduct(x: np.Array, w: np.Array, ids: np.Array): np.Array {
  return lax.dot(x, np.take(w, ids, 0), {
    lhsBatchDims: [0],
    rhsBatchDims: [0],
    lhsContractingDims: [1],
    rhsContractingDims: [2],
  });
}

/** The experts of each token, [T, K], and their gates, [T, K] (eq. 10 and 11); hash routing has no gates. */
function route(
  settings: ExpertConfig,
  net: Inside,
  layer: number,
  x: np.Array,
  tokens: np.Array,
  { masked = 0, chosen }: Probe & { chosen: number },
): { ids: np.Array; scores?: np.Array; gates?: np.Array } {
  const { routed } = settings;
  const rows = x.shape[0] as number;
  if (settings.routing === "hash") {
    const table = np.array(hashTable(settings, layer), { shape: [settings.vocab] });
    return { ids: np.take(table, tokens.ref, 0).reshape([rows, 1]) };
  }
  const logits = net.linear(`blk.${layer}.ffn_gate_inp.weight`, x);
  const scores = affinities(settings, logits);
  let wanted = lax.stopGradient(scores.ref);
  // The bias affects which experts are chosen, never the gates (Wang et al. 2024, arXiv 2408.15664, eq. 3).
  if (settings.bias) wanted = wanted.add(lax.stopGradient(net.weight(`blk.${layer}.exp_probs_b.bias`)));
  const best = np.argsort(wanted.neg(), -1).slice([], [0, masked + chosen]);
  const ids = masked > 0 ? best.slice([], [masked, masked + chosen]) : best;
  const place = np
    .arange(rows)
    .astype(np.int32)
    .reshape([rows, 1])
    .mul(routed)
    .add(ids.ref)
    .reshape([rows * chosen]);
  let gates = np.take(scores.ref.reshape([rows * routed]), place, 0).reshape([rows, chosen]);
  if (settings.normalize) gates = gates.ref.div(gates.sum(1, { keepdims: true }).add(1e-20));
  if (settings.scale !== 1) gates = gates.mul(settings.scale);
  return { ids, scores, gates };
}

/** s of eq. 5: a softmax over the routed experts; or each expert's sigmoid (DeepSeek-V3). Consumes the logits [T, E]. */
function affinities({ affinity }: ExpertConfig, logits: np.Array): np.Array {
  if (affinity === "sigmoid") return np.reciprocal(np.exp(logits.neg()).add(1));
  const most = lax.stopGradient(logits.ref.max(-1, { keepdims: true }));
  const powers = np.exp(logits.sub(most));
  const total = powers.ref.sum(-1, { keepdims: true });
  return powers.div(total);
}

/** The expert of each token of the vocabulary in a layer: a fixed random assignment (Roller et al. 2021, random hash). */
export function hashTable({ vocab, routed }: ExpertConfig, layer: number): Int32Array {
  const random = randomFor(0, "hash layer", layer);
  return Int32Array.from({ length: vocab }, () => Math.floor(random() * routed));
}

export interface BalanceOptions {
  /** α₁ of the expert-level loss. */
  readonly experts?: number;
  /** α₂ of the device-level loss, and the number of devices over which a layer's experts are spread, neighbours together. */
  readonly devices?: { readonly count: number; readonly alpha: number };
}

/**
 * The balance losses of one layer (eq. 12 to 17), with T the tokens of the batch. The gradient flows only through P.
 * Borrows the routing.
 */
export function balanceLoss(
  settings: ExpertConfig,
  routing: Pick<Routing, "load" | "scores">,
  options: BalanceOptions,
): np.Array {
  const { routed, chosen } = settings;
  if (!routing.scores) return np.array(0);
  const rows = routing.scores.shape[0] as number;
  const share = lax.stopGradient(routing.load.ref).mul(routed / (chosen * rows)); // eq. 13
  const total = routing.scores.ref;
  const wish = (settings.affinity === "sigmoid" ? normalized(total) : total).mean(0); // eq. 14
  let loss = share.ref
    .mul(wish.ref)
    .sum()
    .mul(options.experts ?? 0); // eq. 12
  if (options.devices) {
    const { count, alpha } = options.devices;
    const own = share.reshape([count, -1]).mean(1); // eq. 16
    loss = loss.add(
      own
        .mul(wish.reshape([count, -1]).sum(1))
        .sum()
        .mul(alpha),
    ); // eq. 15 and 17
  } else {
    share.dispose();
    wish.dispose();
  }
  return loss;
}

function normalized(scores: np.Array): np.Array {
  return scores.ref.div(scores.sum(-1, { keepdims: true }));
}

/**
 * A term of value 0 whose gradient with respect to a layer's bias is each expert's load minus the mean: a step against its
 * sign is loss-free balancing (Wang et al. 2024, algorithm 1). Borrows both.
 */
export function loadError(bias: np.Array, { load }: Pick<Routing, "load">): np.Array {
  const held = lax.stopGradient(load.ref);
  const error = held.ref.sub(held.mean());
  return bias.ref.sub(lax.stopGradient(bias.ref)).mul(error).sum();
}

/** max_i (load_i − mean) / mean (Wang et al. 2024, eq. 4). */
export function maxViolation(load: ArrayLike<number>): number {
  const all = Array.from(load);
  const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
  return (Math.max(...all) - mean) / mean;
}
