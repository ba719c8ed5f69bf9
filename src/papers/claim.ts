// A paper's claims beside what was measured here, judged as one family: `holds` is computed from the interval and from
// Holm's adjusted p, and nobody can write it.

import { holm } from "../statistics/index.js";
import type { Measured } from "./figures.js";

/** A claim that can be true or false, and what was measured for it. */
export interface Draft {
  /** Short name that stays, such as `a1`. */
  id: string;
  /** What is claimed, in one sentence that can be true or false. */
  claim: string;
  /** The paper's figure; null where it has none for this very comparison. */
  published: number | null;
  /** Where the published figure comes from, and what differs here. */
  note: string;
  /** What the figures are in, where they are not what the paper's other claims are in; they are then told as they are. */
  unit?: string;
  /** The side of the value that `measured` was tested against on which the claim puts the figure. */
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

/** One row of a claims table. Shares are of 1, differences likewise: 0.05 is five points of accuracy. */
export interface Claim extends Omit<Draft, "side" | "measured"> {
  /** Null where it could not be measured, and then `note` says why. */
  measured: number | null;
  /** Ends of the 95 % interval of `measured`; null where there is none, as with a single seed. */
  low: number | null;
  high: number | null;
  /** Of this comparison alone, two-sided; null where nothing was measured. */
  p: number | null;
  /** Holm-adjusted over all claims of the paper, those that were not measured among them. */
  pAdjusted: number | null;
  /** Whether the interval lies wholly on the claimed side and pAdjusted < 0.05; null where nothing was measured, or the run has unscored answers. */
  holds: boolean | null;
  /** The same for the other side: the opposite was found. Neither `holds` nor this: not shown either way. */
  opposite: boolean | null;
  /** Samples, tasks or seeds that `measured` rests on. */
  n: number;
}

/** The level of the whole family. */
const alpha = 0.05;

/**
 * All claims of a paper, judged as one family. Those that were not measured belong to it, so that a run which stopped early
 * is not judged more leniently than a whole one.
 *
 * @param unscored answers of the run that are missing: no claim is then judged, for what is missing could decide it
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
