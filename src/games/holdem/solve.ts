// Strategies for Limit Hold'em by self-play: external-sampling Monte Carlo CFR (Lanctot et al. 2009) with linear weights (Brown
// and Sandholm 2019) on the card abstraction. With one side held fixed the same procedure finds a best response to it.

import { type Random, randomFor } from "../../core/random.js";
import { dealOf } from "../game.js";
import { holdem } from "../variants.js";
import { bucketOf, bucketsIn, featuresOf, type Grain } from "./abstraction.js";
import { type BettingTree, bettingTree, width } from "./tree.js";

/** Deals as a solver needs them: both seats' buckets in four rounds, and who wins the showdown. */
export interface Pool {
  readonly grain: Grain;
  readonly count: number;
  /** By deal * 8 + seat * 4 + round. */
  readonly buckets: Uint8Array;
  /** By deal: 1, 0 or -1 for seat 0. */
  readonly winner: Int8Array;
}

/** Samples deals and puts them into buckets, for several grains at once. */
export function drawPools(count: number, seed: number, grains: readonly Grain[]): Pool[] {
  const winner = new Int8Array(count);
  const pools = grains.map((grain) => ({ grain, count, buckets: new Uint8Array(count * 8), winner }));
  for (let number = 0; number < count; number++) {
    const deal = dealOf(holdem, seed, number);
    for (const seat of [0, 1]) {
      const hand = deal.hands[seat] as readonly number[];
      for (const [round, open] of [0, 3, 4, 5].entries()) {
        const features = featuresOf(round, hand, deal.board.slice(0, open));
        for (const { buckets, grain } of pools)
          buckets[number * 8 + seat * 4 + round] = bucketOf(round, features, grain);
      }
    }
    winner[number] = Math.sign(holdem.payoffs({ ...holdem.start(deal), round: 4 })[0] as number);
  }
  return pools;
}

/** Move probabilities by decision and bucket. */
export interface Table {
  readonly grain: Grain;
  /** By decision: index of its first bucket. */
  readonly base: Int32Array;
  /** By (base + bucket) * 3 + move. */
  readonly chances: Float32Array;
}

/** Index of each decision's first bucket, and the total number of rows. */
export function rowsOf(tree: BettingTree, grain: Grain): { base: Int32Array; rows: number } {
  let rows = 0;
  const base = Int32Array.from(tree.round, (round) => {
    const at = rows;
    rows += bucketsIn(round, grain);
    return at;
  });
  return { base, rows };
}

export interface SolveOptions {
  /** Number of hands that are traversed, each once per seat. */
  hands: number;
  seed: number;
  /** Weight of a lost chip relative to a won one: 1 for an equilibrium, less for a player who minds losing less. */
  loss?: number;
  /** Bonus for each own raise, in big blinds: positive for a taste for raising, negative for an aversion. */
  perRaise?: number;
  /** A fixed strategy to find a best response to. Its pool holds the same deals in its own grain. */
  against?: { table: Table; pool: Pool };
  onProgress?: (done: number) => void;
}

/** Solves by self-play on the deals of a pool. @returns the average strategy */
export function solveHoldem(pool: Pool, options: SolveOptions): Table {
  const { hands, seed, loss = 1, perRaise = 0, against, onProgress } = options;
  const tree = bettingTree();
  const { base, rows } = rowsOf(tree, pool.grain);
  const regrets = new Float64Array(rows * width);
  const sums = new Float64Array(rows * width);
  const random: Random = randomFor(seed, "holdem");
  const scratch = new Float64Array(64 * width);
  let weight = 1;
  let hero = 0;
  let deal = 0;

  const rowOf = (node: number): number => {
    const seat = tree.seat[node] as number;
    const bucket = pool.buckets[deal * 8 + seat * 4 + (tree.round[node] as number)] as number;
    return ((base[node] as number) + bucket) * width;
  };
  /** Regret matching into `scratch` at `into`. */
  const match = (row: number, count: number, into: number): void => {
    let total = 0;
    for (let i = 0; i < count; i++) total += Math.max(0, regrets[row + i] as number);
    for (let i = 0; i < count; i++) {
      scratch[into + i] = total > 0 ? Math.max(0, regrets[row + i] as number) / total : 1 / count;
    }
  };
  const end = (number: number): number => {
    const folded = tree.folded[number] as number;
    const seat0 = Number.isNaN(folded)
      ? (pool.winner[deal] as number) * (tree.stake[number] as number)
      : folded;
    const own = hero === 0 ? seat0 : -seat0;
    return own < 0 ? own * loss : own;
  };
  const walk = (node: number, depth: number): number => {
    if (node < 0) return end(-node - 1);
    const count = (tree.moves[node] as readonly string[]).length;
    const seat = tree.seat[node] as number;
    const into = depth * 2 * width;
    if (seat !== hero) {
      let rest = random();
      let move = 0;
      if (against) {
        const { table, pool: theirs } = against;
        const bucket = theirs.buckets[deal * 8 + seat * 4 + (tree.round[node] as number)] as number;
        const row = ((table.base[node] as number) + bucket) * width;
        for (rest -= table.chances[row] as number; rest >= 0 && move < count - 1; ) {
          move++;
          rest -= table.chances[row + move] as number;
        }
      } else {
        const row = rowOf(node);
        match(row, count, into);
        for (let i = 0; i < count; i++)
          sums[row + i] = (sums[row + i] as number) + weight * (scratch[into + i] as number);
        for (rest -= scratch[into] as number; rest >= 0 && move < count - 1; ) {
          move++;
          rest -= scratch[into + move] as number;
        }
      }
      return walk(tree.next[node * width + move] as number, depth + 1);
    }
    const row = rowOf(node);
    match(row, count, into);
    let value = 0;
    for (let i = 0; i < count; i++) {
      const taste = i === count - 1 && perRaise !== 0 && isRaise(tree, node) ? perRaise : 0;
      const worth = walk(tree.next[node * width + i] as number, depth + 1) + taste;
      scratch[into + width + i] = worth;
      value += (scratch[into + i] as number) * worth;
    }
    for (let i = 0; i < count; i++) {
      regrets[row + i] =
        (regrets[row + i] as number) + weight * ((scratch[into + width + i] as number) - value);
      // A best response has no opponent that needs its average strategy; the moves from early training are left out.
      if (against && weight > 0.5)
        sums[row + i] = (sums[row + i] as number) + weight * (scratch[into + i] as number);
    }
    return value;
  };
  for (let hand = 0; hand < hands; hand++) {
    weight = (hand + 1) / hands;
    deal = Math.floor(random() * pool.count);
    for (hero = 0; hero < 2; hero++) walk(0, 0);
    if (hand % 10_000 === 0) onProgress?.(hand);
  }
  return { grain: pool.grain, base, chances: averages(tree, base, rows, pool.grain, sums) };
}

function isRaise(tree: BettingTree, node: number): boolean {
  return (tree.moves[node] as readonly string[]).at(-1) === "raise";
}

function averages(
  tree: BettingTree,
  base: Int32Array,
  rows: number,
  grain: Grain,
  sums: Float64Array,
): Float32Array {
  const chances = new Float32Array(rows * width);
  for (const [node, moves] of tree.moves.entries()) {
    const count = moves.length;
    const buckets = bucketsIn(tree.round[node] as number, grain);
    for (let bucket = 0; bucket < buckets; bucket++) {
      const row = ((base[node] as number) + bucket) * width;
      let total = 0;
      for (let i = 0; i < count; i++) total += sums[row + i] as number;
      // Where no sampled hand arrived, the player checks or calls.
      const quiet = moves.findIndex((move) => move === "check" || move === "call");
      for (let i = 0; i < count; i++) {
        chances[row + i] = total > 0 ? (sums[row + i] as number) / total : i === quiet ? 1 : 0;
      }
    }
  }
  return chances;
}
