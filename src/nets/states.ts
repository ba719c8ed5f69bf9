// States of a frozen decoder at several depths, pooled as they are computed, as input to a probe. One pass yields all depths.

import { lax, type numpy as np } from "@jax-js/jax";
import type { NetConfig } from "./config.js";
import { hidden, type Weights } from "./decoder.js";

/** Packed rows, and how their states are pooled. */
export type StatesBatch<A = np.Array> = {
  /** [B, T] int32 */
  readonly tokens: A;
  readonly packing: { readonly segments: A; readonly positions: A };
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
  { tokens, packing, pool }: StatesBatch,
  depths: readonly number[],
): np.Array[] {
  const pooled: np.Array[] = [];
  let below: { layer: number; states: np.Array } | undefined;
  for (const until of depths) {
    const states = hidden(config, weights, tokens, { packing, until, ...(below ? { from: below } : {}) });
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
