// Attention over packed or plain rows: rotary positions, causal and sliding masks, and query heads that share keys. Like the
// decoder it borrows its arguments, but it consumes queries, keys and values.

import { lax, numpy as np } from "@jax-js/jax";
import type { NetConfig } from "./config.js";

/** The segment that every other one in its row sees: a prefix shared by several sequences. */
export const commonSegment = 1;

/**
 * Sequences that share a row: tokens see their own segment and the common one; positions are explicit. Both [B, T] int32.
 * Segment 0 is padding.
 */
export interface Packing {
  readonly segments: np.Array;
  readonly positions: np.Array;
}

/**
 * One layer's keys, not yet rotated, and values of tokens that precede every row: [1, kvHeads, P, headWidth] each, at positions
 * 0 to P - 1. Evaluated once, they stand for a beginning that would otherwise be part of each row.
 */
export type Beginning<A = np.Array> = {
  readonly keys: A;
  readonly values: A;
};

/** Added to the score of a masked position: its exp is 0 in float32. */
const unseen = -1e9;

export interface Attend {
  /**
   * Queries [B, heads, T, headWidth], keys and values [B, kvHeads, T, headWidth], to [B, heads, T, headWidth]; borrows the
   * layer's beginning.
   */
  (q: np.Array, k: np.Array, v: np.Array, beginning?: Beginning): np.Array;
  dispose(): void;
}

/**
 * Attention with rotary positions (Su et al. 2021), or none, and a causal mask; everything that depends on positions is computed
 * once. Packed rows may follow a beginning of `before` tokens.
 */
export function attentionTo(
  config: NetConfig,
  length: number,
  { windowed, turned }: { windowed: boolean; turned: boolean },
  packing?: Packing,
  before = 0,
): Attend {
  if (before > 0 && !packing) throw new Error("Only packed rows have positions that follow a beginning.");
  const { headWidth, heads, kvHeads } = config;
  const base = windowed ? config.rope.windowBase : config.rope.base;
  const all = before + length;
  const angles = rotaryAngles(config, all, base);
  const table = (of: (angle: number) => number, scale = 1) =>
    np.array(
      Float32Array.from(angles, (angle) => of(angle) * scale),
      { shape: [all, headWidth] },
    );
  const placed = (flat: np.Array, positions: np.Array) =>
    np.take(flat, positions, 0).reshape([positions.shape[0] as number, 1, -1, headWidth]);
  const own = (flat: np.Array) => (packing ? placed(flat, packing.positions.ref) : flat);
  const everywhere = (flat: np.Array) =>
    packing && before > 0 ? placed(flat, precededBy(before, packing.positions)) : own(flat);
  // The scale of the scores is folded into the queries' tables, where it costs nothing.
  const scale = 1 / Math.sqrt(headWidth);
  const forQueries = turned
    ? { cos: own(table(Math.cos, scale)), sin: own(table(Math.sin, scale)) }
    : undefined;
  const forKeys = turned ? { cos: everywhere(table(Math.cos)), sin: everywhere(table(Math.sin)) } : undefined;
  const swap = turned ? np.array(quarterTurn(config), { shape: [headWidth, headWidth] }) : undefined;
  const mask = seenBias(config, length, windowed, packing, before);

  const rotate = (x: np.Array, tables: typeof forKeys, otherwise: number): np.Array => {
    if (!tables || !swap) return otherwise === 1 ? x : x.mul(otherwise);
    const crossed = np.matmul(x.ref.reshape([-1, headWidth]), swap.ref).reshape(x.shape);
    return x.mul(tables.cos.ref).add(crossed.mul(tables.sin.ref));
  };
  const attend = (q: np.Array, k: np.Array, v: np.Array, beginning?: Beginning): np.Array => {
    const groups = (q.shape[0] as number) * kvHeads;
    const shape = q.shape;
    // Query heads of one group are stacked along rows, so keys and values need not be repeated.
    const queries = rotate(q, forQueries, scale).reshape([groups, -1, headWidth]);
    const keys = rotate(following(beginning?.keys, k), forKeys, 1).reshape([groups, all, headWidth]);
    const values = following(beginning?.values, v).reshape([groups, all, headWidth]);
    const scores = batchedDot(queries, keys, 2)
      .reshape([-1, heads, length, all])
      .add(mask.ref)
      .reshape([groups, -1, all]);
    const most = lax.stopGradient(scores.ref.max(-1, { keepdims: true }));
    const weights = np.exp(scores.sub(most));
    const total = weights.ref.sum(-1, { keepdims: true });
    // The softmax divides after the product, because a row of the result is shorter than a row of scores.
    return batchedDot(weights, values, 1).div(total).reshape(shape);
  };
  const held = [
    ...Object.values(forQueries ?? {}),
    ...Object.values(forKeys ?? {}),
    ...(swap ? [swap] : []),
    mask,
  ];
  return Object.assign(attend, { dispose: () => held.forEach((array) => void array.dispose()) });
}

/** What precedes every row, [1, heads, P, headWidth], in front of the rows' own, [B, heads, T, headWidth], which it consumes. */
function following(beginning: np.Array | undefined, own: np.Array): np.Array {
  if (!beginning) return own;
  const [rows, ...rest] = own.shape as [number, number, number, number];
  const each = np.broadcastTo(beginning.ref, [rows, rest[0], beginning.shape[2] as number, rest[2]]);
  return np.concatenate([each, own], 2);
}

/** Positions [B, before + T] of a beginning and of the rows that follow it. */
function precededBy(before: number, positions: np.Array): np.Array {
  const rows = positions.shape[0] as number;
  const first = np.array(
    Int32Array.from({ length: before }, (_, at) => at),
    { shape: [1, before] },
  );
  return np.concatenate([np.broadcastTo(first, [rows, before]), positions.ref], 1);
}

/** Product of [G, m, n] and [G, …] summed over n, the given axis of the second. Consumes both. (`np.einsum` needs Node 22.) */
function batchedDot(x: np.Array, y: np.Array, axis: 1 | 2): np.Array {
  const dims = { lhsBatchDims: [0], rhsBatchDims: [0], lhsContractingDims: [2], rhsContractingDims: [axis] };
  return lax.dot(x, y, dims);
}

/** Angles [T, headWidth] of each element of a head at each position. */
function rotaryAngles(config: NetConfig, length: number, base: number): Float64Array {
  const { headWidth, rope } = config;
  const { factors } = rope;
  const angles = new Float64Array(length * headWidth);
  for (let at = 0; at < length; at++) {
    for (let i = 0; i < headWidth; i++) {
      const pair = config.rope.pairs === "neighbours" ? i >> 1 : i % (headWidth / 2);
      angles[at * headWidth + i] = (at * base ** ((-2 * pair) / headWidth)) / (factors?.[pair] ?? 1);
    }
  }
  return angles;
}

/** The matrix R such that x R rotates each pair by 90°, (a, b) to (-b, a): one small product instead of slices and concatenations. */
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

/** The mask: 0 where a query may attend, else `unseen`: [T, T], or [B, 1, T, before + T] with packing. */
function seenBias(
  config: NetConfig,
  length: number,
  windowed: boolean,
  packing: Packing | undefined,
  before: number,
): np.Array {
  const window = windowed && config.window ? config.window.tokens : before + length;
  // In a packed row, distances are between positions, not columns.
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
  const within = causal.add(np.where(own.equal(other), 0, common));
  const seen = before > 0 ? np.concatenate([np.zeros([batch, 1, length, before]), within], 3) : within;
  if (window >= before + length) return seen;
  const from = packing.positions.ref.reshape([batch, 1, length, 1]);
  const positions = before > 0 ? precededBy(before, packing.positions) : packing.positions.ref;
  const to = positions.reshape([batch, 1, 1, before + length]);
  return seen.add(np.where(from.sub(to).less(window), 0, unseen));
}
