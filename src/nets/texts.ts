// Packs texts into rows of one shape, several to a row, each seeing only itself: one compiled program serves all lengths with
// little padding. Also computes the mean of each text's states as one product.

import { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";

/** A text's token ids, and the range (from, to) of them that its vector averages. */
export interface TokenText {
  readonly ids: readonly number[];
  readonly from: number;
  readonly to: number;
}

export interface TextShape {
  readonly rows: number;
  /** Tokens per row. */
  readonly length: number;
  /** Most texts of a block. */
  readonly texts: number;
}

/** A block as tensors: tokens, positions and segments [rows, length] int32, and `pool` [texts, rows · length]. */
export interface TextBlock<T = np.Array> {
  readonly tokens: T;
  readonly positions: T;
  readonly segments: T;
  readonly pool: T;
}

/**
 * Rows of texts, by index: each text goes into the first of the most recent rows with room for it.
 * @param order packs best with texts of similar length next to each other, longest first
 */
export function packRows(texts: readonly TokenText[], order: readonly number[], length: number): number[][] {
  const rows: number[][] = [];
  const room: number[] = [];
  for (const index of order) {
    const need = (texts[index] as TokenText).ids.length;
    if (need > length) throw new RangeError(`A text of ${need} tokens in rows of ${length}.`);
    let at = Math.max(0, rows.length - 16);
    while (at < rows.length && (room[at] as number) < need) at++;
    if (at === rows.length) {
      rows.push([]);
      room.push(length);
    }
    (rows[at] as number[]).push(index);
    room[at] = (room[at] as number) - need;
  }
  return rows;
}

/**
 * Rows as host tensors.
 * @param slot the row of `pool` for a text's mean; its index in the block by default
 * @returns the block, and the texts in the order of their slots
 */
export function packTexts(
  texts: readonly TokenText[],
  rows: readonly (readonly number[])[],
  shape: TextShape,
  slot?: (index: number) => number,
): { block: TextBlock<Tensor>; order: number[] } {
  const size = shape.rows * shape.length;
  const [tokens, positions, segments] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  const pool = new Float32Array(shape.texts * size);
  const order: number[] = [];
  for (const [row, members] of rows.entries()) {
    let at = row * shape.length;
    for (const [i, index] of members.entries()) {
      const { ids, from, to } = texts[index] as TokenText;
      const place = slot ? slot(index) : order.length;
      order[place] = index;
      for (const [position, id] of ids.entries()) {
        tokens[at + position] = id;
        positions[at + position] = position;
        // 0 is padding, and 1 is the segment that decoders share in a row.
        segments[at + position] = i + 2;
        if (position >= from && position < to) pool[place * size + at + position] = 1 / (to - from);
      }
      at += ids.length;
    }
  }
  const dims = [shape.rows, shape.length];
  return {
    block: {
      tokens: new Tensor("int32", tokens, dims),
      positions: new Tensor("int32", positions, dims),
      segments: new Tensor("int32", segments, dims),
      pool: new Tensor("float32", pool, [shape.texts, size]),
    },
    order,
  };
}

/** Means [texts, width] of states [rows · length, width]. Borrows both. */
export function pooled(pool: np.Array, states: np.Array): np.Array {
  return np.matmul(pool.ref, states.ref);
}
