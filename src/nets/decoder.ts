// A decoder-only transformer of the Llama, Qwen, SmolLM3 or Gemma 3 family as pure functions over a record of weights, meant
// to be traced and compiled.
//
// Ownership (jax-js frees an array when it is used): functions exported here borrow their arguments unless stated otherwise;
// the caller owns what they return.

import { lax, numpy as np } from "@jax-js/jax";
import { type Attend, attentionTo, type Beginning, type Packing } from "./attention.js";
import { isTurned, isWindowed, type NetConfig } from "./config.js";
import { isRouted } from "./experts.js";
import { experts, type Probe, type Routing } from "./moe.js";

/** Weights by GGUF name, float32; matrices are [out, in]. */
export type Weights = Readonly<Record<string, np.Array>>;

/**
 * A change to the model, expressed by its effect on the forward pass. Every method of specializing weights is one of these. The
 * hooks borrow `x` and `tokens`, and consume `y`.
 */
export interface Change {
  /** Weights that replace the model's own, by name; an `output.weight` may have a different number of rows, [classes, width]. */
  readonly weights?: Weights;
  /** After y = W x: `x` is [rows, in], `y` is [rows, out]; the name is W's, `blk.0.attn_q.weight`. */
  readonly linear?: (name: string, x: np.Array, y: np.Array) => np.Array;
  /** After a feed-forward, before Gemma's output norm: `x` is its normalized input; both are [rows, width]. */
  readonly feedForward?: (layer: number, x: np.Array, y: np.Array, config: NetConfig) => np.Array;
  /** After the embedding of tokens [B, T], before Gemma's scale: `y` is [B, T, width]. */
  readonly embed?: (tokens: np.Array, y: np.Array) => np.Array;
}

export interface HiddenOptions {
  /** Flat positions (row · T + column), [N] int32, of the only states needed: saves most of the last layer. */
  readonly at?: np.Array;
  readonly changes?: readonly Change[];
  readonly packing?: Packing;
  /** Of each layer, what precedes every packed row. */
  readonly beginning?: readonly Beginning[];
  /** States [B, T, width] before this layer, in place of the layers below it. */
  readonly from?: { readonly layer: number; readonly states: np.Array };
  /** Stop before this layer: the result is its input, [B, T, width]. */
  readonly until?: number;
  /** Borrows the states before each layer, [B · T, width]. */
  readonly tap?: (layer: number, states: np.Array) => void;
  /** Borrows each layer's keys, not yet rotated, and values, [B, kvHeads, T, headWidth]. */
  readonly tapKeys?: (layer: number, own: Beginning) => void;
  /** Changes to the experts at test time. */
  readonly probe?: Probe;
  /** Receives each expert layer's routing and owns its arrays. */
  readonly onRouting?: (routing: Routing) => void;
}

/** y = x Wᵀ: [rows, in] and [out, in] to [rows, out]. Consumes both. */
export function product(x: np.Array, w: np.Array): np.Array {
  return lax.dot(x, w, { lhsContractingDims: [1], rhsContractingDims: [1] });
}

/**
 * The activation of a feed-forward's gate: SiLU, or GELU in its tanh form. Consumes `x`. Both are x·σ(z). The gradient is
 * written by hand, as y = x·slope + rest with both held fixed: it costs one product and keeps one array, whereas the derived
 * one takes eight and keeps five, and yields ∞·0 where the exponential overflows.
 */
export function activate(config: NetConfig, x: np.Array): np.Array {
  const silu = config.activation === "silu";
  const k = 2 * Math.sqrt(2 / Math.PI);
  const held = lax.stopGradient(x.ref);
  // GELU's ½(1 + tanh u) is σ(2u), with u = √(2/π)·(x + 0.044715·x³).
  const square = silu ? undefined : held.ref.mul(held.ref);
  const z = square ? held.ref.mul(square.ref.mul(0.044715 * k).add(k)) : held.ref;
  const sigma = np.reciprocal(np.exp(z.neg()).add(1));
  // The slope is σ + x·σ·(1 − σ)·z'; `bend` is its second term, negated.
  const outer = square ? held.ref.mul(square.mul(3 * 0.044715 * k).add(k)) : held.ref;
  const bend = outer.mul(sigma.ref.add(-1)).mul(sigma.ref);
  const rest = held.mul(bend.ref);
  return x.mul(sigma.sub(bend)).add(rest);
}

/** x / rms(x) · gain over the last axis. Consumes both. */
function norm(config: NetConfig, x: np.Array, gain: np.Array): np.Array {
  const square = x.ref.mul(x.ref).mean(-1, { keepdims: true });
  return x.mul(np.reciprocal(np.sqrt(square.add(config.normEps)))).mul(gain);
}

/**
 * States after the last norm, [B, T, width], or [N, width] with `at`, of tokens [B, T] int32. Short
 * rows are padded on the right with any token: no position sees a later one, so padding does not affect earlier states.
 */
export function hidden(
  config: NetConfig,
  weights: Weights,
  tokens: np.Array,
  { changes = [], packing, beginning, at, from, until, tap, tapKeys, probe, onRouting }: HiddenOptions = {},
): np.Array {
  const [batch, length] = tokens.shape as [number, number];
  const { width, heads, kvHeads, headWidth } = config;
  const rows = batch * length;
  const net = changed(config, weights, changes);
  const attendTo = new Map<string, Attend>();
  const attentionOf = (layer: number): Attend => {
    const kind = { windowed: isWindowed(config, layer), turned: isTurned(config, layer) };
    const key = JSON.stringify(kind);
    const attend =
      attendTo.get(key) ?? attentionTo(config, length, kind, packing, beginning?.[0]?.keys.shape[2]);
    attendTo.set(key, attend);
    return attend;
  };

  let x = (from ? from.states.ref : embedded(config, net, tokens, changes)).reshape([rows, width]);
  for (let layer = from?.layer ?? 0; layer < (until ?? config.layers); layer++) {
    tap?.(layer, x);
    const name = (part: string) => `blk.${layer}.${part}.weight`;
    const normed = (input: np.Array, part: string) => norm(config, input, net.weight(name(part)));
    const same = (input: np.Array) => input;
    const inner = config.queryNorms ? normed : same;
    const after = config.outputNorms ? normed : same;
    /** [rows, count · headWidth] to [B, count, T, headWidth] */
    const split = (y: np.Array, count: number) =>
      y.reshape([batch, length, count, headWidth]).transpose([0, 2, 1, 3]);

    const a = normed(x.ref, "attn_norm");
    const q = inner(split(net.linear(name("attn_q"), a), heads), "attn_q_norm");
    const k = inner(split(net.linear(name("attn_k"), a), kvHeads), "attn_k_norm");
    const v = split(net.linear(name("attn_v"), a), kvHeads);
    a.dispose();
    tapKeys?.(layer, { keys: k, values: v });
    let seen = attentionOf(layer)(q, k, v, beginning?.[layer])
      .transpose([0, 2, 1, 3])
      .reshape([rows, heads * headWidth]);
    if (at && layer === config.layers - 1) {
      seen = np.take(seen, at.ref, 0);
      x = np.take(x, at.ref, 0);
    }
    x = x.add(after(net.linear(name("attn_output"), seen), "post_attention_norm"));
    seen.dispose();

    const f = normed(x.ref, "ffn_norm");
    let y: np.Array;
    if (isRouted(config.experts, layer)) {
      const read = tokens.ref.reshape([rows]);
      const own = at && layer === config.layers - 1 ? np.take(read, at.ref, 0) : read;
      const inside = { ...net, activate: (z: np.Array) => activate(config, z) };
      const found = experts(config, inside, layer, f, own, probe);
      own.dispose();
      y = found.y;
      if (onRouting) onRouting(found.routing);
      else disposeRouting(found.routing);
    } else {
      const gate = activate(config, net.linear(name("ffn_gate"), f));
      const neurons = gate.mul(net.linear(name("ffn_up"), f));
      y = net.linear(name("ffn_down"), neurons);
      neurons.dispose();
    }
    for (const { feedForward } of changes) if (feedForward) y = feedForward(layer, f, y, config);
    f.dispose();
    x = x.add(after(y, "post_ffw_norm"));
  }
  for (const attend of attendTo.values()) attend.dispose();
  if (until !== undefined) return x.reshape([batch, length, width]);
  const last = norm(config, x, net.weight("output_norm.weight"));
  return at ? last : last.reshape([batch, length, width]);
}

export function disposeRouting({ ids, load, scores, input }: Routing): void {
  ids.dispose();
  input.dispose();
  load.dispose();
  scores?.dispose();
}

/** The first layer's input states, [B, T, width]. */
function embedded(
  config: NetConfig,
  net: ReturnType<typeof changed>,
  tokens: np.Array,
  changes: readonly Change[],
): np.Array {
  // Tokens that only a change knows are beyond the table, and reading a row beyond it is an error.
  const known = changes.some(({ embed }) => embed)
    ? np.where(tokens.ref.less(config.vocab), tokens.ref, 0)
    : tokens.ref;
  let x = np.take(net.weight("token_embd.weight"), known, 0);
  for (const { embed } of changes) if (embed) x = embed(tokens, x);
  return config.embeddingScale === 1 ? x : x.mul(config.embeddingScale);
}

/** Logits [N, vocab] of states [N, width], as `hidden` returns them with `at`. */
export function logitsOf(
  config: NetConfig,
  weights: Weights,
  states: np.Array,
  changes: readonly Change[] = [],
): np.Array {
  return changed(config, weights, changes).linear(outputName(config, changes), states);
}

/** Logits [N, vocab] at flat positions, [N] int32, of states [B, T, width]. */
export function logitsAt(
  config: NetConfig,
  weights: Weights,
  states: np.Array,
  positions: np.Array,
  changes: readonly Change[] = [],
): np.Array {
  const chosen = np.take(states.ref.reshape([-1, config.width]), positions.ref, 0);
  const logits = logitsOf(config, weights, chosen, changes);
  chosen.dispose();
  return logits;
}

/** The name of the matrix that maps states to logits. */
function outputName(config: NetConfig, changes: readonly Change[]): string {
  const given = changes.some((change) => change.weights?.["output.weight"]);
  return config.tied && !given ? "token_embd.weight" : "output.weight";
}

/** The model under its changes: a weight by name (a new reference), and a product with everything that changes add to it. */
function changed(config: NetConfig, weights: Weights, changes: readonly Change[]) {
  const weight = (name: string): np.Array => {
    const owner = changes.findLast((change) => change.weights?.[name] !== undefined)?.weights ?? weights;
    const found = owner[name];
    if (!found) throw new Error(`The weights lack ${name}.`);
    return found.ref;
  };
  return {
    weight,
    linear(name: string, x: np.Array): np.Array {
      let y = product(x.ref, weight(name));
      const part = name.split(".").at(-2) as string;
      if (config.biases.includes(part)) y = y.add(weight(name.replace(/weight$/, "bias")));
      for (const { linear } of changes) if (linear) y = linear(name, x, y);
      return y;
    },
  };
}
