// States of a frozen decoder at several depths. One pass yields all depths.

import type { numpy as np } from "@jax-js/jax";
import type { Beginning, Packing } from "./attention.js";
import type { NetConfig } from "./config.js";
import { hidden, type Weights } from "./decoder.js";

/** Packed rows [B, T] int32, and of each layer below the deepest what precedes every row. */
export type StatesBatch<A = np.Array> = {
  readonly tokens: A;
  readonly packing: { readonly segments: A; readonly positions: A };
  readonly beginning?: readonly Beginning<A>[];
};

/**
 * The states before each of the layers `depths` (ascending; the total number of layers means the last layer's output, before the
 * last norm), [B, T, width] for each depth. Borrows everything.
 */
export function statesBefore(
  config: NetConfig,
  weights: Weights,
  { tokens, packing, beginning }: StatesBatch,
  depths: readonly number[],
): np.Array[] {
  return ascending(config, weights, tokens, depths, { packing, ...(beginning ? { beginning } : {}) });
}

/**
 * The same of a beginning [1, P], and its keys and values in each layer below the deepest, for rows that follow it. Borrows
 * everything.
 */
export function beginningOf(
  config: NetConfig,
  weights: Weights,
  tokens: np.Array,
  depths: readonly number[],
): { states: np.Array[]; layers: Beginning[] } {
  const layers: Beginning[] = [];
  const tapKeys = (_: number, { keys, values }: Beginning) =>
    void layers.push({ keys: keys.ref, values: values.ref });
  return { states: ascending(config, weights, tokens, depths, { tapKeys }), layers };
}

function ascending(
  config: NetConfig,
  weights: Weights,
  tokens: np.Array,
  depths: readonly number[],
  options: {
    packing?: Packing;
    beginning?: readonly Beginning[];
    tapKeys?: (layer: number, own: Beginning) => void;
  },
): np.Array[] {
  const found: np.Array[] = [];
  for (const [i, until] of depths.entries()) {
    const below = found[i - 1];
    const from = below ? { from: { layer: depths[i - 1] as number, states: below } } : {};
    found.push(hidden(config, weights, tokens, { ...options, ...from, until }));
  }
  return found;
}
