// States of a frozen decoder at several depths, pooled as they are computed, as input to a probe. One pass yields all depths.

import { lax, type numpy as np } from "@jax-js/jax";
import type { Beginning } from "./attention.js";
import type { NetConfig } from "./config.js";
import { hidden, type Weights } from "./decoder.js";

/** Packed rows, and how their states are pooled. */
export type StatesBatch<A = np.Array> = {
  /** [B, T] int32 */
  readonly tokens: A;
  readonly packing: { readonly segments: A; readonly positions: A };
  /** Of each layer below the deepest, what precedes every row. */
  readonly beginning?: readonly Beginning<A>[];
  /** [M, B · T] float32: each token's weight in each of M weighted sums over tokens. */
  readonly pool: A;
};

/**
 * Weighted sums of the states before each of the layers `depths` (ascending; the total number of layers means the last layer's
 * output, before the last norm), [M, width] for each depth. Borrows everything.
 */
export function pooledStates(
  config: NetConfig,
  weights: Weights,
  { tokens, packing, beginning, pool }: StatesBatch,
  depths: readonly number[],
): np.Array[] {
  const pooled: np.Array[] = [];
  let below: { layer: number; states: np.Array } | undefined;
  for (const until of depths) {
    const states = hidden(config, weights, tokens, {
      ...{ packing, until },
      ...(beginning ? { beginning } : {}),
      ...(below ? { from: below } : {}),
    });
    below?.states.dispose();
    below = { layer: until, states };
    pooled.push(
      lax.dot(pool.ref, states.ref.reshape([-1, config.width]), {
        lhsContractingDims: [1],
        rhsContractingDims: [0],
      }),
    );
  }
  below?.states.dispose();
  return pooled;
}

/** Keys and values of tokens [1, P] in each of the layers below `until`, for rows that follow them. Borrows everything. */
export function beginningOf(
  config: NetConfig,
  weights: Weights,
  tokens: np.Array,
  until: number,
): Beginning[] {
  const found: Beginning[] = [];
  const tapKeys = (_: number, { keys, values }: Beginning) =>
    void found.push({ keys: keys.ref, values: values.ref });
  hidden(config, weights, tokens, { until, tapKeys }).dispose();
  return found;
}
