// The betting tree of Limit Hold'em without cards: every possible decision, as flat arrays for a solver. Folding is left out
// where checking is free.

import type { PokerState } from "../poker.js";
import { holdem } from "../variants.js";

/** Most moves at a decision: fold, check or call, raise. */
export const width = 3;

/** Decisions by number; those of a round are not contiguous. */
export interface BettingTree {
  /** By decision: the seat to move, and the round. */
  readonly seat: Uint8Array;
  readonly round: Uint8Array;
  /** By decision: its moves, and the history before it. */
  readonly moves: readonly (readonly string[])[];
  readonly histories: readonly string[];
  readonly byHistory: ReadonlyMap<string, number>;
  /** By decision * 3 + move: the next decision, or -1 minus the terminal node's number; 0 if there is no such move. */
  readonly next: Int32Array;
  /** By terminal node: what seat 0 wins by the fold, in big blinds, NaN for a showdown; and what each seat has put in. */
  readonly folded: Float64Array;
  readonly stake: Float64Array;
}

let made: BettingTree | undefined;

/** The tree, built once. */
export function bettingTree(): BettingTree {
  made ??= write();
  return made;
}

function write(): BettingTree {
  const seat: number[] = [];
  const round: number[] = [];
  const moves: string[][] = [];
  const histories: string[] = [];
  const next: number[] = [];
  const folded: number[] = [];
  const stake: number[] = [];
  const unit = 2;
  const grow = (state: PokerState): number => {
    if (holdem.turn(state) < 0) {
      const least = Math.min(...state.chips) / unit;
      folded.push(state.folded < 0 ? Number.NaN : state.folded === 0 ? -least : least);
      stake.push(least);
      return -folded.length;
    }
    const at = seat.length;
    const legal = holdem.legal(state);
    const kept = legal.includes("check") ? legal.filter((move) => move !== "fold") : [...legal];
    seat.push(state.turn);
    round.push(state.round);
    moves.push(kept);
    histories.push(state.history);
    next.push(0, 0, 0);
    for (const [i, move] of kept.entries()) next[at * width + i] = grow(holdem.act(state, move));
    return at;
  };
  grow(holdem.start({ hands: [[], []], board: [] }));
  return {
    seat: Uint8Array.from(seat),
    round: Uint8Array.from(round),
    moves,
    histories,
    byHistory: new Map(histories.map((history, i) => [history, i])),
    next: Int32Array.from(next),
    folded: Float64Array.from(folded),
    stake: Float64Array.from(stake),
  };
}
