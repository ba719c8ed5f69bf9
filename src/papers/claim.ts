// A paper's claims beside what was measured here, judged as one family: `holds` is always computed, from the interval and Holm's adjusted
// p.

import { holm } from "../statistics/index.js";
import type { Measured } from "./figures.js";

/** A claim that can be true or false, and what was measured for it. */
export interface Draft {
  /** Short stable name, such as `a1`. */
  id: string;
  /** What is claimed, in one sentence that can be true or false. */
  claim: string;
  /** The paper's figure; null if it has none for exactly this comparison. */
  published: number | null;
  /** Where the published figure comes from, and what differs here. */
  note: string;
  /** The figures' unit, if it differs from that of the paper's other claims; they are then shown unconverted. */
  unit?: string;
  /** The side of the tested value on which the claim puts the figure. */
  side: "above" | "below";
  /** Null where it could not be measured. */
  measured: Measured | null;
}

type Words = [id: string, claim: string, published: number | null, note: string, measured: Measured | null];

/** The claim that the figure lies above what it was tested against. */
export function above(...[id, claim, published, note, measured]: Words): Draft {
  return { id, claim, published, note, side: "above", measured };
}

/** The same claim in a unit of its own. */
export function inUnit(unit: string, draft: Draft): Draft {
  return { ...draft, unit };
}

/** The claim that it lies below. */
export function below(...words: Words): Draft {
  return { ...above(...words), side: "below" };
}

/** One row of a claims table. Shares and differences are fractions of 1: 0.05 is five points of accuracy. */
export interface Claim extends Omit<Draft, "side" | "measured"> {
  /** Null where it could not be measured, and then `note` says why. */
  measured: number | null;
  /** Ends of the 95 % interval of `measured`; null where there is none, as with a single seed. */
  low: number | null;
  high: number | null;
  /** Two-sided, of this comparison alone; null where nothing was measured. */
  p: number | null;
  /** Holm-adjusted over all claims of the paper, unmeasured ones included. */
  pAdjusted: number | null;
  /** Whether the interval lies wholly on the claimed side and pAdjusted < 0.05; null where nothing was measured, or the run has unscored answers. */
  holds: boolean | null;
  /** The same for the other side: the opposite was found. If neither is true, nothing is shown either way. */
  opposite: boolean | null;
  /** Samples, tasks or seeds that `measured` rests on. */
  n: number;
}

/** The level of the whole family. */
const alpha = 0.05;

/**
 * All claims of a paper, judged as one family. Unmeasured claims belong to it, so that a run that stopped early is not judged more
 * leniently than a complete one.
 *
 * @param unscored answers that are missing from the run: if there are any, no claim is judged, since they could decide it
 */
export function judge(drafts: readonly Draft[], unscored = 0): Claim[] {
  const adjusted = holm(drafts.map(({ measured }) => measured?.p ?? Number.NaN));
  return drafts.map(({ side, measured, ...words }, i) => {
    if (measured === null) {
      const none = { measured: null, low: null, high: null, p: null, pAdjusted: null };
      return { ...words, ...none, holds: null, opposite: null, n: 0 };
    }
    const { mean, low, high, p, n, against } = measured;
    const pAdjusted = adjusted[i] as number;
    const above = low > against && pAdjusted < alpha;
    const below = high < against && pAdjusted < alpha;
    return {
      ...words,
      measured: mean,
      low: Number.isFinite(low) ? low : null,
      high: Number.isFinite(high) ? high : null,
      p,
      pAdjusted,
      ...(unscored > 0
        ? { holds: null, opposite: null }
        : { holds: side === "above" ? above : below, opposite: side === "above" ? below : above }),
      n,
    };
  });
}
