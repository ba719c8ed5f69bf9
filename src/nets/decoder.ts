// A decoder-only transformer of the Llama or Gemma 3 family as pure functions over a record of weights, made to be traced
// and compiled. It loads nothing and trains nothing.
//
// Ownership (jax-js frees an array when it is used): functions exported here borrow what they are given and never
// consume it; what they return is the caller's.

import { lax, numpy as np } from "@jax-js/jax";
import { isWindowed, type NetConfig } from "./config.js";

/** Weights by GGUF name, float32; matrices are [out, in]. */
export type Weights = Readonly<Record<string, np.Array>>;

/**
 * A change to the model, as what it does to the forward. Every way to specialise weights is one of these. The hooks
 * borrow `x` and `tokens`, and consume `y`.
 */
export interface Change {
  /** Weights that stand in for the model's own, by name. */
  readonly weights?: Weights;
  /** After y = W x: `x` is [rows, in], `y` is [rows, out]; the name is W's, `blk.0.attn_q.weight`. */
  readonly linear?: (name: string, x: np.Array, y: np.Array) => np.Array;
  /** After a feed-forward, before Gemma's norm behind it: `x` is what went in, normalised; both are [rows, width]. */
  readonly feedForward?: (layer: number, x: np.Array, y: np.Array, config: NetConfig) => np.Array;
  /** After the embedding of tokens [B, T], before Gemma's scale: `y` is [B, T, width]. */
  readonly embed?: (tokens: np.Array, y: np.Array) => np.Array;
}

/** The segment that every other one of its row sees: a beginning that several sequences share. */
export const commonSegment = 1;

/**
 * Sequences that share a row: tokens see their own segment and the common one, and positions are given. Both [B, T] int32.
 * Segment 0 is padding.
 */
export interface Packing {
  readonly segments: np.Array;
  readonly positions: np.Array;
}

export interface HiddenOptions {
  /** Flat positions (row · T + column), [N] int32, whose states alone are wanted: saves most of the last layer. */
  readonly at?: np.Array;
  readonly changes?: readonly Change[];
  readonly packing?: Packing;
  /** States [B, T, width] before this layer, in place of what lies below it. */
  readonly from?: { readonly layer: number; readonly states: np.Array };
  /** Stop before this layer: the result is its input, [B, T, width]. */
  readonly until?: number;
}

/** Added to the score of a position that may not be seen: exp of it is 0 in float32. */
const unseen = -1e9;

/** y = x Wᵀ: [rows, in] and [out, in] to [rows, out]. Consumes both. */
export function product(x: np.Array, w: np.Array): np.Array {
  return lax.dot(x, w, { lhsContractingDims: [1], rhsContractingDims: [1] });
}

/**
 * The gate of a feed-forward: SiLU, or GELU by its tanh form. Consumes `x`. Both are x·σ(z). The way back is given by hand,
 * as y = x·slope + rest with both held fixed: it costs one product and keeps one array, where the derived one takes eight
 * and keeps five, and meets ∞·0 where the exponential overflows.
 */
export function activate(config: NetConfig, x: np.Array): np.Array {
  const silu = config.activation === "silu";
  const k = 2 * Math.sqrt(2 / Math.PI);
  const held = lax.stopGradient(x.ref);
  // GELU's ½(1 + tanh u) is σ(2u), with u = √(2/π)·(x + 0.044715·x³).
  const square = silu ? undefined : held.ref.mul(held.ref);
  const z = square ? held.ref.mul(square.ref.mul(0.044715 * k).add(k)) : held.ref;
  const sigma = np.reciprocal(np.exp(z.neg()).add(1));
  // The slope is σ + x·σ·(1 − σ)·z'; `bend` is its second term, negative.
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
 * rows are padded on the right with any token: no position sees a later one, so padding changes nothing before it.
 */
export function hidden(
  config: NetConfig,
  weights: Weights,
  tokens: np.Array,
  { changes = [], packing, at, from, until }: HiddenOptions = {},
): np.Array {
  const [batch, length] = tokens.shape as [number, number];
  const { width, heads, kvHeads, headWidth } = config;
  const rows = batch * length;
  const net = changed(weights, changes);
  const attendTo = [false, true].map((windowed) => {
    const used = Array.from({ length: config.layers }, (_, i) => isWindowed(config, i)).includes(windowed);
    return used ? attentionTo(config, length, windowed, packing) : undefined;
  });

  let x = (from ? from.states.ref : embedded(config, net, tokens, changes)).reshape([rows, width]);
  for (let layer = from?.layer ?? 0; layer < (until ?? config.layers); layer++) {
    const name = (part: string) => `blk.${layer}.${part}.weight`;
    const normed = (input: np.Array, part: string) => norm(config, input, net.weight(name(part)));
    const inner = config.innerNorms ? normed : (input: np.Array) => input;
    /** [rows, count · headWidth] to [B, count, T, headWidth] */
    const split = (y: np.Array, count: number) =>
      y.reshape([batch, length, count, headWidth]).transpose([0, 2, 1, 3]);

    const a = normed(x.ref, "attn_norm");
    const q = inner(split(net.linear(name("attn_q"), a), heads), "attn_q_norm");
    const k = inner(split(net.linear(name("attn_k"), a), kvHeads), "attn_k_norm");
    const v = split(net.linear(name("attn_v"), a), kvHeads);
    a.dispose();
    const attend = attendTo[isWindowed(config, layer) ? 1 : 0] as Attend;
    let seen = attend(q, k, v)
      .transpose([0, 2, 1, 3])
      .reshape([rows, heads * headWidth]);
    if (at && layer === config.layers - 1) {
      seen = np.take(seen, at.ref, 0);
      x = np.take(x, at.ref, 0);
    }
    x = x.add(inner(net.linear(name("attn_output"), seen), "post_attention_norm"));
    seen.dispose();

    const f = normed(x.ref, "ffn_norm");
    const gate = activate(config, net.linear(name("ffn_gate"), f));
    const neurons = gate.mul(net.linear(name("ffn_up"), f));
    let y = net.linear(name("ffn_down"), neurons);
    neurons.dispose();
    for (const { feedForward } of changes) if (feedForward) y = feedForward(layer, f, y, config);
    f.dispose();
    x = x.add(inner(y, "post_ffw_norm"));
  }
  for (const attend of attendTo) attend?.dispose();
  if (until !== undefined) return x.reshape([batch, length, width]);
  const last = norm(config, x, net.weight("output_norm.weight"));
  return at ? last : last.reshape([batch, length, width]);
}

/** The states that the first layer is given, [B, T, width]. */
function embedded(
  config: NetConfig,
  net: ReturnType<typeof changed>,
  tokens: np.Array,
  changes: readonly Change[],
): np.Array {
  // Tokens that only a change knows are beyond the table, and a row beyond it may not be asked for.
  const known = changes.some(({ embed }) => embed)
    ? np.where(tokens.ref.less(config.vocab), tokens.ref, 0)
    : tokens.ref;
  let x = np.take(net.weight("token_embd.weight"), known, 0);
  for (const { embed } of changes) if (embed) x = embed(tokens, x);
  return config.embeddingScale === 1 ? x : x.mul(config.embeddingScale);
}

/** Logits [N, vocab] of states [N, width], as `hidden` gives them with `at`. */
export function logitsOf(
  config: NetConfig,
  weights: Weights,
  states: np.Array,
  changes: readonly Change[] = [],
): np.Array {
  return changed(weights, changes).linear(outputName(config), states);
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

/** The name of the matrix that makes logits of states. */
function outputName(config: NetConfig): string {
  return config.tied ? "token_embd.weight" : "output.weight";
}

/** The model under its changes: a weight by name (a fresh reference), and a product with all that is added to it. */
function changed(weights: Weights, changes: readonly Change[]) {
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
      for (const { linear } of changes) if (linear) y = linear(name, x, y);
      return y;
    },
  };
}

interface Attend {
  /** Queries [B, heads, T, headWidth], keys and values [B, kvHeads, T, headWidth], to [B, heads, T, headWidth]. */
  (q: np.Array, k: np.Array, v: np.Array): np.Array;
  dispose(): void;
}

/** Attention with rotary positions (Su et al. 2021) and a causal mask, all that depends on positions made once. */
function attentionTo(config: NetConfig, length: number, windowed: boolean, packing?: Packing): Attend {
  const { headWidth, heads, kvHeads } = config;
  const base = windowed ? config.rope.windowBase : config.rope.base;
  const angles = rotaryAngles(config, length, base);
  const table = (of: (angle: number) => number, scale = 1) => {
    const flat = np.array(
      Float32Array.from(angles, (angle) => of(angle) * scale),
      {
        shape: [length, headWidth],
      },
    );
    if (!packing) return flat;
    const at = np.take(flat, packing.positions.ref, 0);
    return at.reshape([at.shape[0] as number, 1, length, headWidth]);
  };
  // The scale of the scores is put into the queries' tables, where it costs nothing.
  const scale = 1 / Math.sqrt(headWidth);
  const forQueries = { cos: table(Math.cos, scale), sin: table(Math.sin, scale) };
  const forKeys = { cos: table(Math.cos), sin: table(Math.sin) };
  const swap = np.array(quarterTurn(config), { shape: [headWidth, headWidth] });
  const mask = seenBias(config, length, windowed, packing);

  const rotate = (x: np.Array, { cos, sin }: typeof forKeys): np.Array => {
    const turned = np.matmul(x.ref.reshape([-1, headWidth]), swap.ref).reshape(x.shape);
    return x.mul(cos.ref).add(turned.mul(sin.ref));
  };
  const attend = (q: np.Array, k: np.Array, v: np.Array): np.Array => {
    const groups = (q.shape[0] as number) * kvHeads;
    const shape = q.shape;
    // Query heads of one group stand under each other, so keys and values need not be repeated.
    const queries = rotate(q, forQueries).reshape([groups, -1, headWidth]);
    const keys = rotate(k, forKeys).reshape([groups, length, headWidth]);
    const values = v.reshape([groups, length, headWidth]);
    const scores = batchedDot(queries, keys, 2)
      .reshape([-1, heads, length, length])
      .add(mask.ref)
      .reshape([groups, -1, length]);
    const most = lax.stopGradient(scores.ref.max(-1, { keepdims: true }));
    const weights = np.exp(scores.sub(most));
    const total = weights.ref.sum(-1, { keepdims: true });
    // Divided after the product: a row of the result is shorter than a row of scores.
    return batchedDot(weights, values, 1).div(total).reshape(shape);
  };
  const held = [...Object.values(forQueries), ...Object.values(forKeys), swap, mask];
  return Object.assign(attend, { dispose: () => held.forEach((array) => void array.dispose()) });
}

/** [G, m, n] and [G, …] summed over n, which is the given axis of the second. Consumes both. (`np.einsum` needs Node 22.) */
function batchedDot(x: np.Array, y: np.Array, axis: 1 | 2): np.Array {
  const dims = { lhsBatchDims: [0], rhsBatchDims: [0], lhsContractingDims: [2], rhsContractingDims: [axis] };
  return lax.dot(x, y, dims);
}

/** Angles [T, headWidth] of each number of a head at each position. */
function rotaryAngles(config: NetConfig, length: number, base: number): Float64Array {
  const { headWidth } = config;
  const angles = new Float64Array(length * headWidth);
  for (let at = 0; at < length; at++) {
    for (let i = 0; i < headWidth; i++) {
      const pair = config.rope.pairs === "neighbours" ? i >> 1 : i % (headWidth / 2);
      angles[at * headWidth + i] = at * base ** ((-2 * pair) / headWidth);
    }
  }
  return angles;
}

/** The matrix R of x R = x turned by 90° in each pair, (a, b) to (-b, a): one small product instead of cuts and joins. */
function quarterTurn(config: NetConfig): Float32Array {
  const { headWidth: n } = config;
  const turn = new Float32Array(n * n);
  for (let pair = 0; pair < n / 2; pair++) {
    const [a, b] = config.rope.pairs === "neighbours" ? [2 * pair, 2 * pair + 1] : [pair, pair + n / 2];
    turn[b * n + a] = -1;
    turn[a * n + b] = 1;
  }
  return turn;
}

/** 0 where a query may look, else `unseen`: [T, T], or [B, 1, T, T] with packing. */
function seenBias(config: NetConfig, length: number, windowed: boolean, packing?: Packing): np.Array {
  const window = windowed && config.window ? config.window.tokens : length;
  // In a packed row places are no distances; positions are.
  const reach = packing ? length : window;
  const bias = new Float32Array(length * length);
  for (let query = 0; query < length; query++) {
    for (let key = 0; key < length; key++) {
      bias[query * length + key] = key <= query && query - key < reach ? 0 : unseen;
    }
  }
  const causal = np.array(bias, { shape: [length, length] });
  if (!packing) return causal;
  const batch = packing.segments.shape[0] as number;
  const own = packing.segments.ref.reshape([batch, 1, length, 1]);
  const other = packing.segments.ref.reshape([batch, 1, 1, length]);
  const common = np.where(other.ref.equal(commonSegment), 0, unseen);
  const seen = causal.add(np.where(own.equal(other), 0, common));
  if (window >= length) return seen;
  const from = packing.positions.ref.reshape([batch, 1, length, 1]);
  const to = packing.positions.ref.reshape([batch, 1, 1, length]);
  return seen.add(np.where(from.sub(to).less(window), 0, unseen));
}
