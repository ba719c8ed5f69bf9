// Card abstraction for Limit Hold'em: hands are put into buckets. Before the flop there are 169 kinds of hands; on flop and turn
// a bucket is the strength against a random hand and the draw; on the river the strength alone.

import type { Card } from "../cards.js";
import { maskValue } from "../evaluator.js";

/** How fine the buckets are: steps of hand strength on flop and turn, and on the river. */
export interface Grain {
  readonly early: number;
  readonly river: number;
}

/** Kinds of draws on flop and turn: none, four to an inside straight, four to a flush or an open straight. */
const draws = 3;

/** Number of buckets in a round, from 0 before the flop to 3 on the river. */
export function bucketsIn(round: number, { early, river }: Grain): number {
  return round === 0 ? 169 : round === 3 ? river : early * draws;
}

/** Cards as one rank mask per suit. */
function masksOf(cards: readonly Card[]): [number, number, number, number] {
  const masks: [number, number, number, number] = [0, 0, 0, 0];
  for (const card of cards) masks[(card & 3) as 0] |= 1 << (card >> 2);
  return masks;
}

/** The kind of a hand before the flop, 0 to 168: pairs on the diagonal, suited above it, others below. */
export function preflopKind([a, b]: readonly Card[]): number {
  const high = Math.max((a as Card) >> 2, (b as Card) >> 2);
  const low = Math.min((a as Card) >> 2, (b as Card) >> 2);
  const suited = ((a as Card) & 3) === ((b as Card) & 3);
  return suited ? high * 13 + low : low * 13 + high;
}

/**
 * The probability that a hand beats a random one on the current board, ties counted half: from 0 to 1, exact.
 * @param board three to five cards
 */
export function handStrength(hand: readonly Card[], board: readonly Card[]): number {
  const [b0, b1, b2, b3] = masksOf(board);
  const [h0, h1, h2, h3] = masksOf(hand);
  const own = maskValue(b0 | h0, b1 | h1, b2 | h2, b3 | h3);
  const rest: number[] = [];
  for (let card = 0; card < 52; card++) if (!hand.includes(card) && !board.includes(card)) rest.push(card);
  let twice = 0;
  for (let i = 1; i < rest.length; i++) {
    const first = rest[i] as number;
    const bit = 1 << (first >> 2);
    const suit = first & 3;
    const f0 = suit === 0 ? b0 | bit : b0;
    const f1 = suit === 1 ? b1 | bit : b1;
    const f2 = suit === 2 ? b2 | bit : b2;
    const f3 = suit === 3 ? b3 | bit : b3;
    for (let j = 0; j < i; j++) {
      const second = rest[j] as number;
      const two = 1 << (second >> 2);
      const at = second & 3;
      const other =
        at === 0
          ? maskValue(f0 | two, f1, f2, f3)
          : at === 1
            ? maskValue(f0, f1 | two, f2, f3)
            : at === 2
              ? maskValue(f0, f1, f2 | two, f3)
              : maskValue(f0, f1, f2, f3 | two);
      twice += own > other ? 2 : own === other ? 1 : 0;
    }
  }
  return twice / (rest.length * (rest.length - 1));
}

/** 0 none, 1 four to an inside straight, 2 four to a flush or an open straight; draws of the board alone do not count. */
export function drawOf(hand: readonly Card[], board: readonly Card[]): 0 | 1 | 2 {
  const all = masksOf([...hand, ...board]);
  const shared = masksOf(board);
  const bits = (mask: number) => mask.toString(2).replaceAll("0", "").length;
  if (all.some((mask, suit) => bits(mask) === 4 && bits(shared[suit as 0]) < 4)) return 2;
  // An ace also ranks below the deuce.
  const low = (mask: number) => (mask << 1) | (mask >> 12);
  const mine = low(all[0] | all[1] | all[2] | all[3]);
  const theirs = low(shared[0] | shared[1] | shared[2] | shared[3]);
  let outs = 0;
  for (let rank = 1; rank < 14; rank++) {
    const completes = (mask: number) => hasStraight(mask | (1 << rank) | (rank === 13 ? 1 : 0));
    if (!hasStraight(mine) && completes(mine) && !completes(theirs)) outs++;
  }
  return outs >= 2 ? 2 : outs === 1 ? 1 : 0;
}

function hasStraight(mask: number): boolean {
  return (mask & (mask >> 1) & (mask >> 2) & (mask >> 3) & (mask >> 4)) !== 0;
}

/** What determines a hand's bucket, independent of the grain. */
export interface Features {
  readonly kind: number;
  readonly strength: number;
  readonly draw: number;
}

/** @param board the open board cards in the round */
export function featuresOf(round: number, hand: readonly Card[], board: readonly Card[]): Features {
  if (round === 0) return { kind: preflopKind(hand), strength: 0, draw: 0 };
  return { kind: 0, strength: handStrength(hand, board), draw: round === 3 ? 0 : drawOf(hand, board) };
}

/** The bucket of a hand in a round. */
export function bucketOf(round: number, { kind, strength, draw }: Features, grain: Grain): number {
  if (round === 0) return kind;
  const step = (steps: number) => Math.min(steps - 1, Math.floor(strength * steps));
  return round === 3 ? step(grain.river) : step(grain.early) * draws + draw;
}
