// Seeded-hash splits. Every row (or group) has a number in [0, 1) that depends only on the seed and its id, and all
// choices follow that number, so a million rows need only a few typed arrays and the file's order does not matter; only
// between labels with equal claims to a row or a group, the label that comes first in the file counts.
//
// Plain and grouped splits by fractions compare the number with fixed thresholds: adding rows never moves another row.
// Splits by counts and stratified splits need exact sizes, so they take rows in order of their number: adding rows can
// move only the rows nearest to a boundary.

import { createHash } from "node:crypto";
import type { SplitName } from "../core/sample.js";

/** Fractions or numbers of rows, by split. */
export interface Shares {
  train: number;
  dev: number;
  test: number;
}

/** How many rows each split gets. */
export interface SplitPlan {
  /** Fractions of the whole, with sum 1. Exactly one of `fractions` and `counts` is given. */
  fractions?: Shares;
  /** Numbers of rows. Without `train`, train takes the rest. */
  counts?: { train?: number; dev: number; test: number };
}

/** The inputs that decide each row's split. */
export interface SplitRows {
  /** Per row, {@link unitHash} of its id or its group's name. */
  hashes: Float64Array;
  /** If true, rows with equal hashes are one group and stay together. */
  grouped?: boolean;
  /** Per row, the code of its label; each label is then split in the same proportions. */
  strata?: Int32Array;
}

/** The splits, indexed by the codes that {@link assignSplits} returns. */
export const parts: readonly SplitName[] = ["train", "dev", "test"];
/** Code of a row that is in no split (only with `counts`). */
export const unused = 255;

const train = 0;
const dev = 1;
const test = 2;

/** A number in [0, 1) with 53 bits from the seed and the key. Among a million keys, two are equal with probability 6e-5. */
export function unitHash(seed: number, ...key: string[]): number {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...key]))
    .digest();
  return (digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11)) / 2 ** 53;
}

/** Integers in the proportions of `shares` that sum to `total`: floors, then one more to the largest remainders. */
export function largestRemainder(shares: readonly number[], total: number): number[] {
  const sum = shares.reduce((a, b) => a + b, 0);
  if (sum <= 0) return shares.map(() => 0);
  const exact = shares.map((share) => (share / sum) * total);
  const out = exact.map(Math.floor);
  let left = total - out.reduce((a, b) => a + b, 0);
  const order = exact.map((_, i) => i).sort((a, b) => exact[b]! - out[b]! - (exact[a]! - out[a]!) || b - a);
  for (let i = 0; left > 0; i = (i + 1) % order.length, left--) out[order[i]!]!++;
  return out;
}

/** Per row 0 (train), 1 (dev), 2 (test) or {@link unused}. */
export function assignSplits(rows: SplitRows, plan: SplitPlan): Uint8Array {
  const { hashes, strata } = rows;
  const out = new Uint8Array(hashes.length);
  const { fractions, counts } = plan;
  if (fractions && !strata) {
    const toDev = fractions.test + fractions.dev;
    for (let i = 0; i < out.length; i++) {
      const u = hashes[i]!;
      out[i] = u < fractions.test ? test : u < toDev ? dev : train;
    }
    return out;
  }
  const units = unitsInOrder(rows);
  const sizes = new Map<number, number>();
  for (let u = 0; u < units.stratum.length; u++) {
    const code = units.stratum[u]!;
    sizes.set(code, (sizes.get(code) ?? 0) + units.from[u + 1]! - units.from[u]!);
  }
  const codes = [...sizes.keys()].sort((a, b) => a - b);
  const targets = targetsPerStratum(
    codes.map((code) => sizes.get(code)!),
    fractions,
    counts,
  );
  const rest = fractions || counts?.train === undefined ? train : unused;
  const taken = new Map(codes.map((code, k) => [code, { target: targets[k]!, taken: [0, 0, 0] }]));
  for (let u = 0; u < units.stratum.length; u++) {
    const from = units.from[u]!;
    const to = units.from[u + 1]!;
    const state = taken.get(units.stratum[u]!)!;
    const part = place(to - from, state.target, state.taken, fractions !== undefined, rest);
    if (part !== unused) state.taken[part]! += to - from;
    for (let i = from; i < to; i++) out[units.rows[i]!] = part;
  }
  return out;
}

/**
 * The first of test, dev and train that still has room, else `rest`. A large group may overshoot a fraction by up to half of its
 * size, but never a count.
 */
function place(
  weight: number,
  target: readonly number[],
  taken: readonly number[],
  overshoot: boolean,
  rest: number,
): number {
  for (const part of [test, dev, train]) {
    const room = target[part]! - taken[part]!;
    if (weight <= room || (overshoot && room >= weight / 2 && room > 0)) return part;
  }
  return rest;
}

function targetsPerStratum(sizes: number[], fractions?: Shares, counts?: SplitPlan["counts"]): number[][] {
  if (fractions)
    return sizes.map((n) => largestRemainder([fractions.train, fractions.dev, fractions.test], n));
  const total = sizes.reduce((a, b) => a + b, 0);
  const wanted = counts ?? { dev: 0, test: 0 };
  const forTest = largestRemainder(sizes, Math.min(total, wanted.test));
  const afterTest = sizes.map((n, i) => n - forTest[i]!);
  const forDev = largestRemainder(afterTest, Math.min(total - sum(forTest), wanted.dev));
  const afterDev = afterTest.map((n, i) => n - forDev[i]!);
  const rest = sum(afterDev);
  const forTrain = largestRemainder(afterDev, Math.min(rest, wanted.train ?? rest));
  return sizes.map((_, i) => [forTrain[i]!, forDev[i]!, forTest[i]!]);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

interface Units {
  /** Row indices, unit by unit, in order of their hashes. */
  rows: Uint32Array;
  /** Unit u owns rows[from[u]] up to rows[from[u + 1]]. */
  from: Uint32Array;
  /** Per unit, its rows' most frequent stratum. */
  stratum: Int32Array;
}

function unitsInOrder({ hashes, grouped, strata }: SplitRows): Units {
  const n = hashes.length;
  const rows = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => hashes[a]! - hashes[b]! || a - b);
  const starts = new Uint32Array(n + 1);
  let units = 0;
  for (let i = 0; i < n; i++) {
    if (i === 0 || !grouped || hashes[rows[i]!] !== hashes[rows[i - 1]!]) starts[units++] = i;
  }
  starts[units] = n;
  const from = starts.subarray(0, units + 1);
  const stratum = new Int32Array(units);
  if (strata) {
    const votes = new Map<number, number>();
    for (let u = 0; u < stratum.length; u++) {
      votes.clear();
      let best = -1;
      for (let i = from[u]!; i < from[u + 1]!; i++) {
        const s = strata[rows[i]!]!;
        votes.set(s, (votes.get(s) ?? 0) + 1);
      }
      for (const [s, count] of votes) {
        const lead = best < 0 ? 1 : count - votes.get(best)!;
        if (lead > 0 || (lead === 0 && s < best)) best = s;
      }
      stratum[u] = best;
    }
  }
  return { rows, from, stratum };
}

/**
 * At most `limit` of the rows, the first by hash, in their original order; with strata, in the strata's proportions.
 * `indices` selects the rows to cap.
 */
export function capByHash(
  indices: readonly number[],
  hashes: Float64Array,
  limit: number,
  strata?: Int32Array,
): number[] {
  if (indices.length <= limit) return [...indices];
  const chosen = Float64Array.from(indices, (i) => hashes[i]!);
  const codes = strata && Int32Array.from(indices, (i) => strata[i]!);
  const assigned = assignSplits(
    { hashes: chosen, ...(codes ? { strata: codes } : {}) },
    { counts: { train: 0, dev: 0, test: limit } },
  );
  return indices.filter((_, i) => assigned[i] === test);
}

/** Codes 0, 1, … for names in order of first appearance. */
export function codesOf(names: Iterable<string>): { codes: Int32Array; names: string[] } {
  const known = new Map<string, number>();
  const codes = Array.from(names, (name) => {
    const code = known.get(name) ?? known.size;
    known.set(name, code);
    return code;
  });
  return { codes: Int32Array.from(codes), names: [...known.keys()] };
}
