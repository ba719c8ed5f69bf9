// Evaluates poker hands of five to seven cards, from four rank masks, one per suit. The only lookup tables have 8192 entries
// each.

import type { Card } from "./cards.js";

/** Categories from the lowest; a hand's value divided by `categoryUnit` is its index here. */
export const categories = [
  "high card",
  "pair",
  "two pair",
  "three of a kind",
  "straight",
  "flush",
  "full house",
  "four of a kind",
  "straight flush",
] as const;

const categoryUnit = 2 ** 26;

const popcount = new Uint8Array(8192);
/** The highest card of the best straight in a rank mask, plus one; 0 if there is none. In the wheel, the five is the highest card. */
const straights = new Uint8Array(8192);
/** The five highest ranks of a mask. */
const topFive = new Uint16Array(8192);
for (let mask = 0; mask < 8192; mask++) {
  popcount[mask] = (popcount[mask >> 1] as number) + (mask & 1);
  if ((mask & 0x100f) === 0x100f) straights[mask] = 4;
  for (let high = 4; high < 13; high++) {
    const run = 0x1f << (high - 4);
    if ((mask & run) === run) straights[mask] = high + 1;
  }
  topFive[mask] = top(mask, 5);
}

/** The `count` highest bits of a mask. */
function top(mask: number, count: number): number {
  let rest = mask;
  for (let extra = (popcount[mask] as number) - count; extra > 0; extra--) rest &= rest - 1;
  return rest;
}

function highest(mask: number): number {
  return 1 << (31 - Math.clz32(mask));
}

/**
 * The value of five to seven cards, given as one rank mask per suit (bit 0 is the deuce): higher is better, and hands that
 * split a pot are equal.
 */
export function maskValue(s0: number, s1: number, s2: number, s3: number): number {
  const ranks = s0 | s1 | s2 | s3;
  const flush =
    (popcount[s0] as number) >= 5
      ? s0
      : (popcount[s1] as number) >= 5
        ? s1
        : (popcount[s2] as number) >= 5
          ? s2
          : (popcount[s3] as number) >= 5
            ? s3
            : 0;
  if (flush !== 0) {
    const straight = straights[flush] as number;
    if (straight > 0) return 8 * categoryUnit + straight;
  }
  // Counts of each rank, bitwise: `odd` holds the ones bits; `two`, `pairs01`, `pairs23` the twos bits.
  const odd01 = s0 ^ s1;
  const pairs01 = s0 & s1;
  const odd23 = s2 ^ s3;
  const pairs23 = s2 & s3;
  const odd = odd01 ^ odd23;
  const quads = pairs01 & pairs23;
  if (quads !== 0) {
    const four = highest(quads);
    return 7 * categoryUnit + four * 8192 + highest(ranks & ~four);
  }
  const trips = odd & (pairs01 | pairs23);
  const pairs = (pairs01 | pairs23 | (odd01 & odd23)) & ~trips;
  if (trips !== 0) {
    const three = highest(trips);
    const full = pairs | (trips & ~three);
    if (full !== 0) return 6 * categoryUnit + three * 8192 + highest(full);
  }
  if (flush !== 0) return 5 * categoryUnit + (topFive[flush] as number);
  const straight = straights[ranks] as number;
  if (straight > 0) return 4 * categoryUnit + straight;
  if (trips !== 0) return 3 * categoryUnit + trips * 8192 + top(ranks & ~trips, 2);
  if (pairs === 0) return topFive[ranks] as number;
  const first = highest(pairs);
  const others = pairs & ~first;
  if (others === 0) return categoryUnit + first * 8192 + top(ranks & ~first, 3);
  const two = first | highest(others);
  return 2 * categoryUnit + two * 8192 + highest(ranks & ~two);
}

/** The value of five to seven cards. */
export function handValue(cards: readonly Card[]): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (const card of cards) {
    const bit = 1 << (card >> 2);
    const suit = card & 3;
    if (suit === 0) s0 |= bit;
    else if (suit === 1) s1 |= bit;
    else if (suit === 2) s2 |= bit;
    else s3 |= bit;
  }
  return maskValue(s0, s1, s2, s3);
}

/** The index in `categories` of a hand's value. */
export function categoryOf(value: number): number {
  return Math.floor(value / categoryUnit);
}
