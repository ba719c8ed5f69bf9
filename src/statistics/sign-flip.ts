// The sign-flip permutation test of a mean difference: if neither system is better, each sample's (or whole group's)
// difference is as likely to have either sign. Exact for few non-zero differences, else by seeded draws.

import type { Random } from "../core/random.js";

export interface SignFlipOptions {
  random: Random;
  /** Random sign patterns when there are too many to enumerate. Default 10,000. */
  draws?: number;
}

/** Sums on a grid are counted exactly while that takes at most this many additions (about 50 ms). */
const mostAdditions = 5e7;
/** All sign patterns are enumerated up to this many non-zero differences: 2^16 = 65,536 patterns. */
const mostEnumerated = 16;
/** More non-zero differences than this are merged at random: flipping merged ones together is a subgroup of all flips. */
const mostUnits = 1024;

/**
 * Two-sided p: the share of sign patterns whose |sum| is at least the observed |sum| (Fisher 1935, §21).
 *
 * p is exact where all patterns can be accounted for: up to 16 non-zero sums by enumeration, and sums on a grid (whole
 * numbers, halves, thirds, … as right/wrong scores in groups or averaged seeds give) by convolution. Otherwise p = (k + 1) / (draws + 1), k being the
 * drawn patterns at least as extreme (Phipson and Smyth 2010: never zero, level kept). Where k + 1 ≤ 20 of the first
 * draws, p is taken from ten times as many fresh draws, so that small p survive a correction for many comparisons; as
 * the second set is independent of the first and is used only when the first is small, the level is still kept.
 *
 * @param sums one signed sum per unit: a sample's difference, or a group's summed differences
 */
export function signFlip(sums: ArrayLike<number>, { random, draws = 10_000 }: SignFlipOptions): number {
  let observed = 0;
  let scale = 0;
  const sizes: number[] = [];
  for (let i = 0; i < sums.length; i++) {
    const sum = sums[i]!;
    if (sum === 0) continue;
    observed += sum;
    scale += Math.abs(sum);
    sizes.push(sum);
  }
  if (sizes.length === 0) return 1;
  // Equal sums must count as equal although the order of additions differs.
  const least = Math.abs(observed) - 1e-10 * scale;
  if (sizes.length <= mostEnumerated) return enumerated(sizes, least);
  const exact = onGrid(sizes, observed);
  if (exact !== undefined) return exact;
  const units = mergedSums(sizes, random);
  const p = drawn(units, least, draws, random);
  return p * (draws + 1) > 20 ? p : drawn(units, least, draws * 10, random);
}

/** Share of all 2^k patterns; by symmetry the last sign is held and half of them are visited, in Gray-code order. */
function enumerated(sizes: readonly number[], least: number): number {
  const k = sizes.length;
  const signs = new Int8Array(k).fill(1);
  let sum = sizes.reduce((total, size) => total + size, 0);
  const patterns = 2 ** (k - 1);
  let extreme = Math.abs(sum) >= least ? 1 : 0;
  for (let pattern = 1; pattern < patterns; pattern++) {
    const flip = 31 - Math.clz32(pattern & -pattern);
    signs[flip] = -signs[flip]! as 1 | -1;
    sum += 2 * signs[flip]! * sizes[flip]!;
    if (Math.abs(sum) >= least) extreme++;
  }
  return extreme / patterns;
}

/**
 * Exact p for sums that are multiples of 1/q, q ≤ 12, or undefined. With M = Σ|s| and T the sum of those that come out
 * positive, |S| = |2T - M|; the distribution of T is built one unit at a time.
 */
function onGrid(sizes: readonly number[], observed: number): number | undefined {
  for (let q = 1; q <= 12; q++) {
    if (!sizes.every((size) => Math.abs(size * q - Math.round(size * q)) < 1e-9)) continue;
    const steps = sizes.map((size) => Math.abs(Math.round(size * q))).sort((a, b) => a - b);
    const most = steps.reduce((sum, step) => sum + step, 0);
    if (steps.length * most > mostAdditions) return undefined;
    const chance = new Float64Array(most + 1);
    chance[0] = 1;
    let reached = 0;
    for (const step of steps) {
      reached += step;
      for (let t = reached; t >= step; t--) chance[t] = (chance[t]! + chance[t - step]!) / 2;
      for (let t = Math.min(step - 1, reached); t >= 0; t--) chance[t]! /= 2;
    }
    const last = Math.floor((most - Math.abs(Math.round(observed * q))) / 2);
    let tail = 0;
    for (let t = 0; t <= last; t++) tail += chance[t]!;
    return Math.min(1, 2 * tail);
  }
  return undefined;
}

function drawn(units: Float64Array, least: number, draws: number, random: Random): number {
  const tables = nibbleSums(units);
  const words = tables.length / 128;
  let extreme = 0;
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    for (let word = 0; word < words; word++) {
      const bits = random() * 4294967296;
      const at = word * 128;
      sum +=
        tables[at + (bits & 15)]! +
        tables[at + 16 + ((bits >>> 4) & 15)]! +
        tables[at + 32 + ((bits >>> 8) & 15)]! +
        tables[at + 48 + ((bits >>> 12) & 15)]! +
        tables[at + 64 + ((bits >>> 16) & 15)]! +
        tables[at + 80 + ((bits >>> 20) & 15)]! +
        tables[at + 96 + ((bits >>> 24) & 15)]! +
        tables[at + 112 + ((bits >>> 28) & 15)]!;
    }
    if (Math.abs(sum) >= least) extreme++;
  }
  return (extreme + 1) / (draws + 1);
}

/** Signed sums of four units for each of their 16 sign patterns: one random word then flips 32 units by eight look-ups. */
function nibbleSums(units: Float64Array): Float64Array {
  const tables = new Float64Array(Math.ceil(units.length / 32) * 128);
  for (let start = 0; start * 4 < units.length; start++) {
    for (let pattern = 0; pattern < 16; pattern++) {
      let sum = 0;
      for (let bit = 0; bit < 4; bit++) {
        const size = units[start * 4 + bit] ?? 0;
        sum += (pattern >> bit) & 1 ? size : -size;
      }
      tables[start * 16 + pattern] = sum;
    }
  }
  return tables;
}

/** Non-zero sums dealt in random order into at most `mostUnits`; the observed sum stays the same. */
function mergedSums(sizes: readonly number[], random: Random): Float64Array {
  if (sizes.length <= mostUnits) return Float64Array.from(sizes);
  const order = Float64Array.from(sizes);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  const units = new Float64Array(mostUnits);
  for (let i = 0; i < order.length; i++) units[i % mostUnits]! += order[i]!;
  return units;
}
