// Scripted poker players that need no training: random, always calling, always raising, and a rule that a careful beginner would
// follow.

import { categoryOf, handValue } from "./evaluator.js";
import type { Player, View } from "./game.js";
import type { PokerView } from "./poker.js";

/** The first of some moves that is legal. */
function firstOf(view: View, ...moves: string[]): string {
  return moves.find((move) => view.legal.includes(move)) ?? (view.legal[0] as string);
}

/** Any legal move, with equal probability. */
export const random: Player = {
  name: "random",
  act: ({ legal }, draw) => legal[Math.floor(draw() * legal.length)] as string,
  believe: (_, { options }, draw) => options[Math.floor(draw() * options.length)] as string,
};

/** Checks and calls with every hand. */
export const caller: Player = { name: "caller", act: (view) => firstOf(view, "check", "call") };

/** Raises whenever it may. */
export const raiser: Player = { name: "raiser", act: (view) => firstOf(view, "raise", "call", "check") };

/** Raises with a good hand, calls with a fair one, otherwise checks or folds. */
export const pokerRule: Player = {
  name: "rule",
  act(view) {
    const good = goodness(view as PokerView);
    if (good >= 2) return firstOf(view, "raise", "call", "check");
    if (good === 1) return firstOf(view, "check", "call");
    return firstOf(view, "check", "fold");
  },
  believe: (view, { options }) => {
    if (!options.includes("yes")) return options.at(-1) as string;
    return goodness(view as PokerView) >= 2 ? "no" : "yes";
  },
};

/** 0 weak, 1 fair, 2 good. */
function goodness({ game, hand, board }: PokerView): 0 | 1 | 2 {
  if (game === "kuhn") return hand[0] as 0 | 1 | 2;
  if (game === "leduc") {
    const rank = (hand[0] as number) >> 1;
    const paired = board.length > 0 && (board[0] as number) >> 1 === rank;
    return paired || (rank === 2 && board.length === 0) ? 2 : rank >= 1 ? 1 : 0;
  }
  const [high, low] = [(hand[0] as number) >> 2, (hand[1] as number) >> 2].sort((a, b) => b - a) as [
    number,
    number,
  ];
  if (board.length === 0) {
    // Before the flop, pairs of eights and above and high cards together are good.
    if (high === low) return high >= 6 ? 2 : 1;
    return high + low >= 21 ? 2 : high + low >= 15 || high === 12 ? 1 : 0;
  }
  const own = handValue([...hand, ...board]);
  const category = categoryOf(own);
  if (category >= 2) return 2;
  const best = Math.max(...board.map((card) => card >> 2));
  // A pair of the board's highest card, or a higher pair.
  if (category === 1) return high === best || low === best || (high === low && high > best) ? 2 : 1;
  return high > best && board.length < 5 ? 1 : 0;
}
