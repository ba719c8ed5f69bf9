// Systems against each other on the same samples: pairs, the family they form, and who is shown to differ from whom.
// Where the scores come from (a study's journal, a file of predictions) is the caller's business.

import { HoneError } from "../core/errors.js";
import type { Comparison } from "../core/record.js";
import { directionOf } from "../core/task.js";
import { type Group, holm, pairedDifference } from "./statistics/index.js";

/** One sample's score. `null` is unscored: it is not compared, and it is counted. Higher is better. */
export interface ScoredSample {
  sample: string;
  score: number | null;
  group?: string;
}

export interface System {
  name: string;
  /** True where every score is 0 or 1. */
  binary: boolean;
  scores: readonly ScoredSample[];
}

export interface PairedComparison extends Comparison {
  /** Samples that one or both of the two left unscored; `n` counts only those that both scored. */
  dropped: number;
  /** The least and the greatest delta that any scores in [0, 1] for the dropped samples could have made. */
  bounds: [number, number];
}

/**
 * Compares pairs of systems on the samples that both scored. p-values are not yet adjusted: see `adjustFamily`.
 * A sample scored more than once by one system (several seeds) counts once, with its mean.
 *
 * @throws HoneError when a pair names a system that is not there
 */
export function compareScores(input: {
  task: string;
  systems: readonly System[];
  pairs: readonly (readonly [string, string])[];
  seed: number;
}): PairedComparison[] {
  const systems = new Map(input.systems.map((system) => [system.name, gather(system)]));
  const find = (name: string): Gathered => {
    const found = systems.get(name);
    if (found) return found;
    throw new HoneError({
      what: `Cannot compare ${JSON.stringify(name)}: there is no such system.`,
      where: input.task,
      next: `Name one of ${[...systems.keys()].join(", ")}.`,
      kind: "usage",
    });
  };
  return input.pairs.map(([a, b]) => {
    const pair = paired(find(a), find(b));
    const { method: _, ...difference } = pairedDifference(pair.a, pair.b, {
      seed: input.seed,
      ...(pair.groups ? { groups: pair.groups } : {}),
    });
    return {
      a,
      b,
      task: input.task,
      ...difference,
      pAdjusted: difference.p,
      dropped: pair.dropped,
      bounds: pair.bounds,
    };
  });
}

/** The same comparisons with `pAdjusted` set by Holm's procedure over all of them: they are one family. */
export function adjustFamily<T extends Comparison>(comparisons: readonly T[]): T[] {
  const adjusted = holm(comparisons.map(({ p }) => p));
  return comparisons.map((comparison, i) => ({ ...comparison, pAdjusted: adjusted[i]! }));
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
 * Ranks the subjects of one task by mean and gives each its letters (compact letter display, Piepho 2004: insert and
 * absorb). Two subjects share a letter exactly when no comparison shows them to differ (pAdjusted < alpha); a pair that
 * was never compared is not shown to differ. Comparisons of other tasks are left aside. NaN means come last.
 */
export function rank(
  results: readonly { subject: string; task: string; metric: string; mean: number }[],
  comparisons: readonly Comparison[],
  { task, alpha = 0.05 }: { task: string; alpha?: number },
): Rank[] {
  const value = ({ mean, metric }: { mean: number; metric: string }): number =>
    Number.isNaN(mean) ? Number.NEGATIVE_INFINITY : directionOf(metric) * mean;
  const ranked = results
    .filter((result) => result.task === task)
    .toSorted((a, b) => (value(a) === value(b) ? 0 : value(b) - value(a)));
  const order = new Map(ranked.map(({ subject }, i) => [subject, i]));
  let columns: Set<number>[] = [new Set(order.values())];
  for (const { a, b, task: where, pAdjusted } of comparisons) {
    const i = order.get(a);
    const j = order.get(b);
    if (where !== task || i === undefined || j === undefined || i === j || !(pAdjusted < alpha)) continue;
    const split = columns.flatMap((column) =>
      column.has(i) && column.has(j) ? [without(column, i), without(column, j)] : [column],
    );
    columns = split.filter(
      (column, k) =>
        !split.some((other, m) => m !== k && isWithin(column, other) && (column.size < other.size || m < k)),
    );
  }
  const first = (column: Set<number>): number => Math.min(...column);
  const sorted = columns.toSorted((a, b) => first(a) - first(b) || Math.max(...a) - Math.max(...b));
  return ranked.map(({ subject, mean }, i) => ({
    subject,
    mean,
    letters: sorted.map((column, k) => (column.has(i) ? letter(k) : "")).join(""),
  }));
}

/** a, b, … z, then a1, b1, … */
function letter(k: number): string {
  const round = Math.floor(k / 26);
  return String.fromCharCode(97 + (k % 26)) + (round > 0 ? String(round) : "");
}

function without(column: Set<number>, member: number): Set<number> {
  const rest = new Set(column);
  rest.delete(member);
  return rest;
}

function isWithin(column: Set<number>, other: Set<number>): boolean {
  for (const member of column) if (!other.has(member)) return false;
  return true;
}

type Gathered = Map<string, { score: number | null; group: Group }>;

function gather({ name, binary, scores }: System): Gathered {
  const seen = new Map<string, { sum: number; count: number; group: Group }>();
  for (const { sample, score, group } of scores) {
    if (score !== null && !(binary ? score === 0 || score === 1 : Number.isFinite(score)))
      throw new RangeError(
        `${name}, sample ${sample}: ${score} is not a ${binary ? "0 or 1" : "finite score"}`,
      );
    const entry = seen.get(sample) ?? { sum: 0, count: 0, group };
    if (score !== null) {
      entry.sum += score;
      entry.count++;
    }
    seen.set(sample, entry);
  }
  const gathered: Gathered = new Map();
  for (const [sample, { sum, count, group }] of seen)
    gathered.set(sample, { score: count === 0 ? null : sum / count, group });
  return gathered;
}

function paired(first: Gathered, second: Gathered) {
  const a: number[] = [];
  const b: number[] = [];
  const groups: Group[] = [];
  let dropped = 0;
  let low = 0;
  let high = 0;
  for (const sample of new Set([...first.keys(), ...second.keys()])) {
    const x = first.get(sample);
    const y = second.get(sample);
    const left = x?.score ?? null;
    const right = y?.score ?? null;
    low += (left ?? 0) - (right ?? 1);
    high += (left ?? 1) - (right ?? 0);
    if (left === null || right === null) {
      dropped++;
      continue;
    }
    a.push(left);
    b.push(right);
    groups.push(x?.group ?? y?.group);
  }
  const all = a.length + dropped;
  const bounds: [number, number] = all === 0 ? [-1, 1] : [low / all, high / all];
  return { a, b, groups: groups.some((group) => group !== undefined) ? groups : undefined, dropped, bounds };
}
