// A lower bound on what a table of Limit Hold'em loses: the local best response (Lisý and Bowling 2017, arXiv 1612.07547). It
// knows the table, infers from the observed moves how probable every hand of its opponent is, and takes the move that is best if
// both players only check and call from there on. It plays real cards, not buckets. What it wins is won by the rules, so it is a
// lower bound of the exploitability; it looks only one move ahead, so it may lie far below it.

import { type Random, randomFor } from "../../core/random.js";
import type { Card } from "../cards.js";
import { maskValue } from "../evaluator.js";
import { dealOf } from "../game.js";
import type { PokerState } from "../poker.js";
import { holdem } from "../variants.js";
import { bucketOf, drawOf, type Grain, preflopKind } from "./abstraction.js";
import type { Table } from "./solve.js";
import { bettingTree, width } from "./tree.js";

/** All 1,326 hands. */
const hands: readonly (readonly [Card, Card])[] = Array.from({ length: 52 }, (_, a) =>
  Array.from({ length: a }, (_, b): [Card, Card] => [a, b]),
).flat();

/** Boards that are sampled if there are too many to enumerate. */
const sampled = 150;
const opens = [0, 3, 4, 5] as const;
const unit = 2;

const clash = ([a, b]: readonly [Card, Card], cards: readonly Card[]) =>
  cards.includes(a) || cards.includes(b);

/** The value of every hand on three to five board cards; -1 if a card of the hand is on the board. */
function valuesOn(board: readonly Card[]): Float64Array {
  const suits = [0, 0, 0, 0];
  for (const card of board) suits[card & 3] = (suits[card & 3] as number) | (1 << (card >> 2));
  const values = new Float64Array(hands.length).fill(-1);
  for (const [i, [a, b]] of hands.entries()) {
    if (clash([a, b], board)) continue;
    const masks = suits.slice();
    masks[a & 3] = (masks[a & 3] as number) | (1 << (a >> 2));
    masks[b & 3] = (masks[b & 3] as number) | (1 << (b >> 2));
    values[i] = maskValue(...(masks as [number, number, number, number]));
  }
  return values;
}

/** `handStrength` of every hand on a board, from a single sort. */
export function allStrengths(board: readonly Card[]): Float64Array {
  const values = valuesOn(board);
  const order = hands.flatMap((_, i) => (values[i] === -1 ? [] : [i]));
  order.sort((i, j) => (values[i] as number) - (values[j] as number));
  const strengths = new Float64Array(hands.length);
  // Counts of weaker hands, in total and by card: the opponent cannot hold a hand that shares a card.
  let below = 0;
  const belowWith = new Float64Array(52);
  const left = 50 - board.length;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++;
    const group = order.slice(from, to);
    const groupWith = new Float64Array(52);
    for (const i of group)
      for (const card of hands[i] as [Card, Card]) groupWith[card] = (groupWith[card] as number) + 1;
    for (const i of group) {
      const [a, b] = hands[i] as [Card, Card];
      const worse = below - (belowWith[a] as number) - (belowWith[b] as number);
      const same = group.length - (groupWith[a] as number) - (groupWith[b] as number) + 1;
      strengths[i] = (2 * worse + same) / (left * (left - 1));
    }
    below += group.length;
    for (let card = 0; card < 52; card++)
      belowWith[card] = (belowWith[card] as number) + (groupWith[card] as number);
    from = to;
  }
  return strengths;
}

/** The bucket of every hand in a round. */
function allBuckets(round: number, board: readonly Card[], grain: Grain): Int32Array {
  if (round === 0) return Int32Array.from(hands, preflopKind);
  const strengths = allStrengths(board);
  return Int32Array.from(hands, (hand, i) => {
    if (clash(hand, board)) return 0;
    const draw = round === 3 ? 0 : drawOf(hand, board);
    return bucketOf(round, { kind: 0, strength: strengths[i] as number, draw }, grain);
  });
}

/**
 * How often a hand wins against every other one if nobody folds, ties counted half: over all rivers on the turn, over sampled
 * boards before.
 */
function equities(own: readonly [Card, Card], board: readonly Card[], random: Random): Float64Array {
  const rest = Array.from({ length: 52 }, (_, card) => card).filter(
    (card) => !own.includes(card) && !board.includes(card),
  );
  const missing = 5 - board.length;
  const drawn = () => {
    const cards = rest.slice();
    return Array.from(
      { length: missing },
      () => cards.splice(Math.floor(random() * cards.length), 1)[0] as Card,
    );
  };
  const ends =
    missing === 0
      ? [[]]
      : missing === 1
        ? rest.map((card) => [card])
        : Array.from({ length: sampled }, drawn);
  const sums = new Float64Array(hands.length);
  const counts = new Float64Array(hands.length);
  const at = hands.findIndex(([a, b]) => own.includes(a) && own.includes(b));
  for (const end of ends) {
    const values = valuesOn([...board, ...end]);
    const mine = values[at] as number;
    for (let i = 0; i < hands.length; i++) {
      const theirs = values[i] as number;
      if (theirs === -1) continue;
      counts[i] = (counts[i] as number) + 1;
      sums[i] = (sums[i] as number) + (mine > theirs ? 1 : mine === theirs ? 0.5 : 0);
    }
  }
  return sums.map((sum, i) => (counts[i] ? sum / (counts[i] as number) : 0.5));
}

/** One seat's move probabilities at a decision, given the opponent's inferred range. */
type Policy = (node: number, state: PokerState, range: Float64Array) => readonly number[];

/**
 * What the local best response wins from a table on one deal, in big blinds, as the mean over both seats, minus what the table
 * wins from itself with the same cards: that is 0 in expectation over deals and removes most of the luck. The opponent has no
 * fixed hand: all of its possible hands and moves are enumerated.
 */
export function localResponse(table: Table, seed: number, number: number): number {
  const { base, chances, grain } = table;
  const tree = bettingTree();
  const { hands: dealt, board } = dealOf(holdem, seed, number);
  const boards = opens.map((open) => board.slice(0, open));
  const buckets = boards.map((open, round) => allBuckets(round, open, grain));
  const rowOf = (node: number, hand: number) =>
    ((base[node] as number) + ((buckets[tree.round[node] as number] as Int32Array)[hand] as number)) * width;
  let difference = 0;
  for (const seat of [0, 1] as const) {
    const own = dealt[seat] as readonly [Card, Card];
    const at = hands.findIndex(([a, b]) => own.includes(a) && own.includes(b));
    const random = randomFor(seed, "local", number, seat);
    const wins = boards.map((open) => equities(own, open, random));
    /** Hands that the opponent may hold given the open cards of a round; the last entry, given all cards. */
    const possible = boards.map((open) =>
      Float64Array.from(hands, (hand) => (clash(hand, own) || clash(hand, open) ? 0 : 1)),
    );
    const last = possible[3] as Float64Array;
    /** The range after each move of the opponent. */
    const after = (node: number, move: number, range: Float64Array) =>
      range.map((weight, hand) =>
        weight === 0 ? 0 : weight * (chances[rowOf(node, hand) + move] as number),
      );
    const local: Policy = (node, state, range) => {
      const pot = state.chips[0] + state.chips[1];
      const asked = state.chips[(1 - seat) as 0 | 1] - state.chips[seat];
      const round = tree.round[node] as 0;
      const open = possible[round] as Float64Array;
      const share = (of: Float64Array) => shareOf(of, open, wins[round] as Float64Array);
      const worth = (tree.moves[node] as readonly string[]).map((move) => {
        if (move === "fold") return 0;
        if (move !== "raise") return share(range) * (pot + asked) - asked;
        const raised = holdem.act(state, move);
        const bet = raised.chips[seat] - state.chips[(1 - seat) as 0 | 1];
        const folding = after(tree.byHistory.get(raised.history) as number, 0, range);
        const folds = sumOf(folding, open) / sumOf(range, open);
        if (folds > 1 - 1e-9) return pot;
        const stays = share(range.map((weight, hand) => weight - (folding[hand] as number)));
        return folds * pot + (1 - folds) * (stays * (pot + asked + 2 * bet) - asked - bet);
      });
      const best = worth.indexOf(Math.max(...worth));
      return worth.map((_, move) => (move === best ? 1 : 0));
    };
    const asTable: Policy = (node) => {
      const row = rowOf(node, at);
      return (tree.moves[node] as readonly string[]).map((_, move) => chances[row + move] as number);
    };
    /** Payoffs in chips, summed over the opponent's hands, weighted. */
    const walk = (state: PokerState, range: Float64Array, policy: Policy): number => {
      if (holdem.turn(state) < 0) {
        const reach = sumOf(range, last);
        if (state.folded === seat) return -state.chips[seat] * reach;
        if (state.folded >= 0) return state.chips[(1 - seat) as 0 | 1] * reach;
        return (2 * shareOf(range, last, wins[3] as Float64Array) - 1) * state.chips[seat] * reach;
      }
      const node = tree.byHistory.get(state.history) as number;
      const moves = tree.moves[node] as readonly string[];
      if (state.turn === seat)
        return policy(node, state, range).reduce(
          (sum, chance, move) =>
            chance === 0 ? sum : sum + chance * walk(holdem.act(state, moves[move] as string), range, policy),
          0,
        );
      return moves.reduce((sum, move, i) => {
        const left = after(node, i, range);
        return sumOf(left, last) === 0 ? sum : sum + walk(holdem.act(state, move), left, policy);
      }, 0);
    };
    const start = holdem.start({ hands: [], board });
    const all = possible[0] as Float64Array;
    difference += (walk(start, all, local) - walk(start, all, asTable)) / sumOf(all, last);
  }
  return difference / (2 * unit);
}

/** The total weight of the possible hands. */
function sumOf(range: Float64Array, possible: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < range.length; i++) sum += (range[i] as number) * (possible[i] as number);
  return sum;
}

/** The share of the pot that is won against a range. */
function shareOf(range: Float64Array, possible: Float64Array, wins: Float64Array): number {
  let sum = 0;
  let won = 0;
  for (let i = 0; i < range.length; i++) {
    const weight = (range[i] as number) * (possible[i] as number);
    sum += weight;
    won += weight * (wins[i] as number);
  }
  return sum > 0 ? won / sum : 0.5;
}
