// A published claim beside what was measured here, and whether its direction holds. It computes the answer and never
// takes it from anybody.

/** One row of a claims table. Shares are of 1, differences likewise: 0.05 is five points of accuracy. */
export interface Claim {
  /** Short name that stays, such as `a1`. */
  id: string;
  /** What is claimed, in one sentence that can be true or false. */
  claim: string;
  /** The paper's figure; null where it has none for this very comparison. */
  published: number | null;
  /** Ours; null where it could not be measured, and then `note` says why. */
  measured: number | null;
  /** Ends of the 95 % interval of `measured`. */
  low: number | null;
  high: number | null;
  /** Whether the interval lies wholly on the claimed side; null where nothing was measured. */
  holds: boolean | null;
  /** Wholly on the other side: the opposite was found. Neither `holds` nor this: not shown either way. */
  opposite: boolean | null;
  /** Samples, or tasks, that `measured` rests on. */
  n: number;
  /** Where the published figure comes from, and what differs here. */
  note: string;
}

/** What a claim says of the figure: that it lies above, or below, a threshold. */
export interface Direction {
  side: "above" | "below";
  threshold: number;
}

export interface Measured {
  mean: number;
  low: number;
  high: number;
  n: number;
}

/**
 * Sets a published figure beside a measured one. `holds` is true only where the whole interval lies on the claimed side,
 * so that a difference which this n cannot show does not count as reproduced.
 *
 * @param measured null where it could not be measured
 */
export function makeClaim(
  words: Pick<Claim, "id" | "claim" | "published" | "note">,
  { side, threshold }: Direction,
  measured: Measured | null,
): Claim {
  if (measured === null || !Number.isFinite(measured.mean)) {
    const none = { measured: null, low: null, high: null, holds: null, opposite: null, n: 0 };
    return { ...words, ...none };
  }
  const { mean, low, high, n } = measured;
  const above = low > threshold;
  const below = high < threshold;
  return {
    ...words,
    measured: mean,
    low,
    high,
    holds: side === "above" ? above : below,
    opposite: side === "above" ? below : above,
    n,
  };
}
