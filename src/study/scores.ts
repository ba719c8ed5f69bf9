// Scores of several systems side by side: the input of one task's comparisons and estimates.

import type { SystemScores } from "../statistics/index.js";

/** One sample's score. `null` is unscored: it is not compared, but counted. Any other fields are for an aggregate to read. */
export interface ScoredSample {
  sample: string;
  score: number | null;
  group?: string;
  /** The training seed, if the system was trained with several: seeds then count in the variance. */
  seed?: number;
  /** The sample's weight in the mean (tokens, bytes); by default 1. */
  weight?: number;
}

export interface System<Row extends ScoredSample = ScoredSample> {
  name: string;
  /** True where every score is 0 or 1. */
  binary: boolean;
  scores: readonly Row[];
}

/** Scores of several systems, sample by sample. */
export interface ScoreTable {
  task: string;
  /** Per system one score per sample, or one such list per training seed; NaN is unscored. */
  scores: ReadonlyMap<string, SystemScores>;
  /** Per sample the number of its group, from 0; null if every sample is its own group. */
  groups: Int32Array | null;
  /** Per system each sample's weight, NaN where it has no score; undefined if all weigh the same. */
  weights?: ReadonlyMap<string, ArrayLike<number>>;
  /** The task's figure if it is not a mean: that of one system and seed (by position) on the given samples, all of which it scored. */
  aggregate?: (system: string, seed: number, samples: Int32Array) => number;
  /** Ends of a score's scale, infinite where it has none. Default [0, 1]. */
  range?: readonly [number, number];
}

export interface TableInput<Row extends ScoredSample = ScoredSample> {
  task: string;
  systems: readonly System<Row>[];
  aggregate?: ((rows: readonly Row[]) => number) | undefined;
  range?: readonly [number, number] | undefined;
}

/**
 * Systems side by side: the samples that any of them has, in the order of their names. If a system scored a sample more
 * than once under one seed (or without any), its mean counts there; an aggregate gets the last.
 */
export function tabled<Row extends ScoredSample>({
  task,
  systems,
  aggregate,
  range,
}: TableInput<Row>): ScoreTable {
  const names = new Set<string>();
  const groupOf = new Map<string, string>();
  let weighted = false;
  for (const { scores } of systems) {
    for (const { sample, group, weight } of scores) {
      names.add(sample);
      if (group !== undefined && !groupOf.has(sample)) groupOf.set(sample, group);
      if (weight !== undefined && weight !== 1) weighted = true;
    }
  }
  const samples = [...names].sort();
  const at = new Map(samples.map((sample, i) => [sample, i]));
  const columns = new Map(systems.map((system) => [system.name, columnsOf(system, at)]));
  const weights = systems.map(({ name, scores }): [string, Float64Array] => {
    const column = new Float64Array(samples.length).fill(Number.NaN);
    for (const { sample, score, weight = 1 } of scores) if (score !== null) column[at.get(sample)!] = weight;
    return [name, column];
  });
  return {
    task,
    scores: new Map([...columns].map(([name, seeds]) => [name, seeds.map(({ scores }) => scores)])),
    groups: groupOf.size === 0 ? null : groupNumbers(samples, groupOf),
    ...(weighted ? { weights: new Map(weights) } : {}),
    ...(range ? { range } : {}),
    ...(aggregate
      ? {
          aggregate: (system, seed, chosen) => {
            const rows = columns.get(system)![seed]!.rows;
            return aggregate(Array.from(chosen, (i) => rows[i]!));
          },
        }
      : {}),
  };
}

/** A system's scores and rows, one list per seed. */
function columnsOf<Row extends ScoredSample>(
  { name, binary, scores }: System<Row>,
  at: ReadonlyMap<string, number>,
): { scores: Float64Array; rows: (Row | undefined)[] }[] {
  const seeds = new Map([...new Set(scores.map(({ seed }) => seed))].map((seed, k) => [seed, k]));
  const lists = Array.from({ length: Math.max(1, seeds.size) }, () => ({
    sums: new Float64Array(at.size),
    counts: new Uint32Array(at.size),
    rows: new Array<Row | undefined>(at.size),
  }));
  for (const row of scores) {
    const { sample, score, seed } = row;
    if (score === null) continue;
    if (!(binary ? score === 0 || score === 1 : Number.isFinite(score)))
      throw new RangeError(
        `${name}, sample ${sample}: ${score} is not a ${binary ? "0 or 1" : "finite score"}`,
      );
    const list = lists[seeds.get(seed)!]!;
    const i = at.get(sample)!;
    list.sums[i]! += score;
    list.counts[i]!++;
    list.rows[i] = row;
  }
  return lists.map(({ sums, counts, rows }) => ({
    scores: sums.map((sum, i) => (counts[i] === 0 ? Number.NaN : sum / counts[i]!)),
    rows,
  }));
}

/** Per sample the number of its group; a sample without one is a group of its own. */
function groupNumbers(samples: readonly string[], groupOf: ReadonlyMap<string, string>): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(samples, (sample) => {
    const group = groupOf.get(sample);
    const key = group === undefined ? `sample ${sample}` : `group ${group}`;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
}
