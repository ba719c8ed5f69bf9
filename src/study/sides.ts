// One system's side of a comparison: the values whose mean is its figure on the chosen samples. They are its scores, with
// their weights and seeds; or, if the figure is not a mean, pseudo-values.

import { HoneError } from "../core/errors.js";
import { columnsOf, linearized, type SystemScores } from "../statistics/index.js";
import type { ScoreTable } from "./scores.js";

export interface Side {
  scores: SystemScores;
  weights?: Float64Array;
  /** False if `scores` has one value per unit: pseudo-values, which already account for groups. */
  perSample: boolean;
}

export interface Sides {
  /** Per sample 1 if the system has a score, under any seed. */
  scoredBy: (system: string) => Uint8Array;
  /** Null where the figure is not defined on these samples, or would not be without some of them. */
  sideOf: (system: string, chosen: Int32Array, other: string) => Side | null;
}

/** The sides of the table's systems; what was computed for one pair is reused for the next. */
export function sidesOf(table: ScoreTable, seed: number): Sides {
  const masks = new Map<string, Uint8Array>();
  const known = new Map<string, Side | null>();
  const pseudo = (system: string, chosen: Int32Array): Side | null => {
    const groups = table.groups ? picked(table.groups, chosen) : undefined;
    const columns: Float64Array[] = [];
    for (const [k, column] of columnsIn(table, system).entries()) {
      if (chosen.every((i) => Number.isNaN(column[i]!))) continue;
      const figure = table.aggregate ?? ((name, _, samples) => weightedMean(table, name, column, samples));
      const { values } = linearized(
        (places) =>
          figure(
            system,
            k,
            places.map((place) => chosen[place]!).filter((i) => !Number.isNaN(column[i]!)),
          ),
        chosen.length,
        { groups, seed },
      );
      if (!values) return null;
      columns.push(values);
    }
    return columns.length === 0 ? null : { scores: columns, perSample: false };
  };
  return {
    scoredBy(system) {
      const mask = masks.get(system) ?? maskOf(columnsIn(table, system));
      masks.set(system, mask);
      return mask;
    },
    sideOf(system, chosen, other) {
      const weights = table.weights?.get(system);
      const others = table.weights?.get(other);
      const shared = !weights || !others || chosen.every((i) => weights[i] === others[i]);
      if (!table.aggregate && shared)
        return {
          scores: columnsIn(table, system).map((column) => picked(column, chosen)),
          ...(weights ? { weights: picked(weights, chosen) } : {}),
          perSample: true,
        };
      const key = JSON.stringify([system, chosen.length === maskLength(table) ? "all" : chosen.join()]);
      if (!known.has(key)) known.set(key, pseudo(system, chosen));
      return known.get(key) ?? null;
    },
  };
}

/** A system's scores, one list per seed. */
function columnsIn({ scores, task }: ScoreTable, system: string): readonly ArrayLike<number>[] {
  const found = scores.get(system);
  if (found) return columnsOf(found);
  throw new HoneError({
    what: `Cannot compare ${JSON.stringify(system)}: there is no such system.`,
    where: task,
    next: `Name one of ${[...scores.keys()].join(", ")}.`,
    kind: "usage",
  });
}

function maskOf(columns: readonly ArrayLike<number>[]): Uint8Array {
  const mask = new Uint8Array(columns[0]!.length);
  for (const column of columns)
    for (let i = 0; i < mask.length; i++) if (!Number.isNaN(column[i]!)) mask[i] = 1;
  return mask;
}

const maskLength = ({ scores }: ScoreTable): number => {
  const [first] = scores.values();
  return first ? columnsOf(first)[0]!.length : 0;
};

/** Σ w y / Σ w, each system with its own weights: bits per byte where tokenizers count differently, for instance. */
function weightedMean(
  table: ScoreTable,
  system: string,
  column: ArrayLike<number>,
  samples: Int32Array,
): number {
  const weights = table.weights!.get(system)!;
  let sum = 0;
  let total = 0;
  for (const i of samples) {
    sum += weights[i]! * column[i]!;
    total += weights[i]!;
  }
  return sum / total;
}

/** The entries at these positions. */
export function picked(values: Int32Array, at: Int32Array): Int32Array;
export function picked(values: ArrayLike<number>, at: Int32Array): Float64Array;
export function picked(values: ArrayLike<number>, at: Int32Array): Float64Array | Int32Array {
  const out = values instanceof Int32Array ? new Int32Array(at.length) : new Float64Array(at.length);
  for (let i = 0; i < at.length; i++) out[i] = values[at[i]!]!;
  return out;
}

/**
 * The least and the greatest difference that any scores on the scale could have made of what is unscored, leaving seeds aside
 * (Manski 1990). For an aggregate, or if the weight of an unscored sample is unknown: the whole scale of a difference.
 */
export function differenceBounds(table: ScoreTable, a: string, b: string, delta: number): [number, number] {
  const [least, most] = table.range ?? [0, 1];
  const whole: [number, number] = [least - most, most - least];
  const [left, right] = [columnsIn(table, a), columnsIn(table, b)];
  const n = left[0]!.length;
  const weights = table.weights ? sharedWeights(table.weights.get(a)!, table.weights.get(b)!) : undefined;
  if (n === 0) return whole;
  if (table.aggregate || weights === null) {
    const open = [...left, ...right].some((column) => Array.prototype.some.call(column, Number.isNaN));
    return open || Number.isNaN(delta) ? whole : [delta, delta];
  }
  let [low, high, total] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const weight = weights ? weights[i]! : 1;
    if (weight === 0) continue;
    low += weight * (filled(left, i, least) - filled(right, i, most));
    high += weight * (filled(left, i, most) - filled(right, i, least));
    total += weight;
  }
  return [low / total, high / total];
}

/** A sample's mean over seeds, with `value` in place of what is unscored. */
function filled(columns: readonly ArrayLike<number>[], i: number, value: number): number {
  if (columns.length === 1) return Number.isNaN(columns[0]![i]!) ? value : columns[0]![i]!;
  let sum = 0;
  for (const column of columns) sum += Number.isNaN(column[i]!) ? value : column[i]!;
  return sum / columns.length;
}

/** Each sample's weight, from a system that scored it; null if they differ or neither did. */
function sharedWeights(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array | null {
  const weights = Float64Array.from(a, (weight, i) => (Number.isNaN(weight) ? b[i]! : weight));
  const shared = weights.every(
    (weight, i) => weight === b[i] || (Number.isNaN(b[i]!) && !Number.isNaN(weight)),
  );
  return shared ? weights : null;
}
