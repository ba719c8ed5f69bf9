// Compares systems on the same samples: pairs, the family they form, and which systems are shown to differ.
// Where the scores come from (a study's journal, a file of predictions) is up to the caller.

import { directionOf, type Metric } from "../core/metric.js";
import type { Comparison } from "../core/record.js";
import {
  type Difference,
  holm,
  holmLevels,
  type Interval,
  meanInterval,
  pairedDifference,
} from "../statistics/index.js";
import { letterGroups, letterName } from "./letters.js";
import { type ScoredSample, type ScoreTable, type TableInput, tabled } from "./scores.js";
import { differenceBounds, picked, sidesOf } from "./sides.js";

export type { ScoredSample, ScoreTable, System } from "./scores.js";

export interface PairedComparison extends Comparison {
  /** Samples that one or both of the two left unscored; `n` counts only those that both scored. */
  dropped: number;
  /** The range of delta over all possible scores for what is unscored; infinite where the scale has no end. */
  bounds: [number, number];
}

/** A comparison before its family is known, which determines the level at which it is tested. */
export interface Unadjusted
  extends Omit<PairedComparison, "pAdjusted" | "detectable">,
    Pick<Difference, "detectableAt"> {}

/** With more pairs than this, each is resampled less often: coverage was also measured with 999 resamples. */
const manyPairs = 1000;

type Pair = readonly [a: string, b: string];

/**
 * Compares pairs of systems on the samples that both scored. The result is for `adjustFamily`.
 * Samples are taken in the order of their names, so that a pair's p depends neither on which of the two comes first nor on
 * the order in which they were answered. Training seeds of the scores count in the variance; see `pairedDifference`.
 *
 * @throws HoneError when a pair names an unknown system
 */
export function compareScores<Row extends ScoredSample>(
  input: TableInput<Row> & { pairs: readonly Pair[]; seed: number },
): Unadjusted[] {
  return comparePairs(tabled(input), input.pairs, input.seed);
}

/** The same for scores that are already side by side. */
export function comparePairs(table: ScoreTable, pairs: readonly Pair[], seed: number): Unadjusted[] {
  const { scoredBy, sideOf } = sidesOf(table, seed);
  const { groups, range = [0, 1] } = table;
  return pairs.map(([a, b]) => {
    const [first, second] = [scoredBy(a), scoredBy(b)];
    const n = first.length;
    const both = new Int32Array(n);
    let kept = 0;
    for (let i = 0; i < n; i++) if (first[i]! & second[i]!) both[kept++] = i;
    const chosen = both.subarray(0, kept);
    const left = sideOf(a, chosen, b);
    const right = sideOf(b, chosen, a);
    const defined = left !== null && right !== null;
    const { method: _, ...difference } = pairedDifference(
      defined ? left.scores : [],
      defined ? right.scores : [],
      {
        seed,
        range,
        ...(pairs.length > manyPairs ? { resamples: 1000 } : {}),
        ...(defined && groups && left.perSample ? { groups: picked(groups, chosen) } : {}),
        ...(defined && left.weights ? { weights: left.weights } : {}),
      },
    );
    const bounds = differenceBounds(table, a, b, difference.delta);
    return { a, b, task: table.task, ...difference, n: kept, dropped: n - kept, bounds };
  });
}

/**
 * The figure of one system on all samples that it scored, with its interval: the (weighted) mean or the task's aggregate, the
 * mean over its training seeds if it has several. Uses the same table as the comparisons.
 */
export function estimateIn(table: ScoreTable, system: string, seed: number): Interval {
  const { scoredBy, sideOf } = sidesOf(table, seed);
  const scored = scoredBy(system);
  const chosen = Int32Array.from(scored.keys()).filter((i) => scored[i] === 1);
  const { groups, range = [0, 1] } = table;
  const side = sideOf(system, chosen, system);
  const interval = meanInterval(side?.scores ?? [], {
    seed,
    range,
    ...(groups && side?.perSample ? { groups: picked(groups, chosen) } : {}),
    ...(side?.weights ? { weights: side.weights } : {}),
  });
  return { ...interval, n: chosen.length };
}

/**
 * The comparisons as one family: `pAdjusted` by Holm's procedure over all of them, and what each could have shown at the
 * level at which that procedure tests it. A difference that is not shown is therefore always smaller than its `detectable`.
 */
export function adjustFamily(family: readonly Unadjusted[], alpha = 0.05): PairedComparison[] {
  const ps = family.map(({ p }) => p);
  const adjusted = holm(ps);
  const levels = holmLevels(ps, alpha);
  return family.map(({ detectableAt, ...comparison }, i) => ({
    ...comparison,
    pAdjusted: adjusted[i]!,
    detectable: detectableAt(levels[i]!),
  }));
}

/** Every unordered pair, in the order given. */
export function allPairs(names: readonly string[]): [string, string][] {
  return names.flatMap((a, i) => names.slice(i + 1).map((b): [string, string] => [a, b]));
}

export interface Rank {
  subject: string;
  mean: number;
  /** Compact letter display: subjects that share a letter are not shown to differ. */
  letters: string;
}

/**
 * Ranks the subjects of one task by mean and gives each its letters. Two subjects share a letter exactly when no comparison
 * shows them to differ (pAdjusted < alpha); a pair that was never compared is not shown to differ. Comparisons of other
 * tasks are ignored. NaN means come last.
 */
export function rank(
  results: readonly { subject: string; task: string; mean: number }[],
  comparisons: readonly Comparison[],
  { task, better = "higher", alpha = 0.05 }: { task: string; better?: Metric["better"]; alpha?: number },
): Rank[] {
  const value = ({ mean }: { mean: number }): number =>
    Number.isNaN(mean) ? Number.NEGATIVE_INFINITY : directionOf({ better }) * mean;
  const ranked = results
    .filter((result) => result.task === task)
    .toSorted((a, b) => (value(a) === value(b) ? 0 : value(b) - value(a)));
  const order = new Map(ranked.map(({ subject }, i) => [subject, i]));
  const n = ranked.length;
  const shown = new Uint8Array(n * n);
  for (const { a, b, task: where, pAdjusted } of comparisons) {
    const i = order.get(a);
    const j = order.get(b);
    if (where !== task || i === undefined || j === undefined || !(pAdjusted < alpha)) continue;
    shown[i * n + j] = shown[j * n + i] = 1;
  }
  const letters = ranked.map(() => "");
  letterGroups(n, (i, j) => shown[i * n + j] === 1).forEach((members, k) => {
    for (const member of members) letters[member] += letterName(k);
  });
  return ranked.map(({ subject, mean }, i) => ({ subject, mean, letters: letters[i]! }));
}
