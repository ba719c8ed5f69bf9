// The trained opponents of Limit Hold'em: how each is trained, and statistics of how each plays.

import { randomFor } from "../../core/random.js";
import { dealOf, episode, type Player } from "../game.js";
import type { PokerView } from "../poker.js";
import { holdem } from "../variants.js";
import type { Grain } from "./abstraction.js";
import type { SolveOptions } from "./solve.js";

/** A trained opponent: its grain and its training options. */
export interface Style {
  readonly grain: Grain;
  readonly training: Pick<SolveOptions, "hands" | "loss" | "perRaise">;
}

/**
 * `equilibrium` values chips alone; it is at best an equilibrium of its buckets, and in the real game loses to a local best response
 * (docs/games.md). `aggressive` weighs a lost chip 0.8 and values each own raise as 0.3 big blinds; `conservative` weighs a lost chip 1.3
 * and penalizes each raise by as much.
 */
export const styles = {
  equilibrium: { grain: { early: 10, river: 20 }, training: { hands: 3_000_000 } },
  aggressive: {
    grain: { early: 6, river: 10 },
    training: { hands: 600_000, loss: 0.8, perRaise: 0.3 },
  },
  conservative: {
    grain: { early: 6, river: 10 },
    training: { hands: 600_000, loss: 1.3, perRaise: -0.3 },
  },
} satisfies Record<string, Style>;

export type StyleName = keyof typeof styles;

/** How a player plays: the shares of hands in which it voluntarily puts chips in before the flop, and in which it folds. */
export interface Habits {
  readonly entered: number;
  readonly folded: number;
  /** Raises per call. */
  readonly aggression: number;
}

/** A player's habits in hands against itself. */
export function habitsOf(player: Player, hands: number, seed: number): Habits {
  let raises = 0;
  let calls = 0;
  let folds = 0;
  let entered = 0;
  for (let number = 0; number < hands; number++) {
    const random = randomFor(seed, "habits", number);
    const going = episode(holdem, dealOf(holdem, seed, number));
    const inside = new Set<number>();
    for (let step = going.next(); !step.done; ) {
      const { view, seat } = step.value;
      const move = player.act(view, random);
      if (move === "raise") raises++;
      if (move === "call") calls++;
      if (move === "fold") folds++;
      if ((view as PokerView).round === 0 && (move === "raise" || move === "call")) inside.add(seat);
      step = going.next(move);
    }
    entered += inside.size;
  }
  return { entered: entered / (2 * hands), folded: folds / hands, aggression: raises / Math.max(1, calls) };
}
