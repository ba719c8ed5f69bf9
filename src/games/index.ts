// The games and their scripted players, by name. A new game is one file and one line here.

import { HoneError } from "../core/errors.js";
import { blackjack, dealerRule, optimalBlackjack } from "./blackjack.js";
import { kuhnDeals, leducDeals, type Strategy, solve, strategist, treeOf } from "./cfr.js";
import type { Game, Player } from "./game.js";
import { guessing, inferring, kLevel, learning, level1, level2, level3, varied } from "./guessing.js";
import { type StyleName, styles } from "./holdem/style.js";
import { tablePlayer, unpackTable } from "./holdem/table-player.js";
import { weights } from "./holdem/weights.js";
import { caller, pokerRule, raiser, random } from "./poker-players.js";
import { holdem, kuhn, leduc } from "./variants.js";

/** A game with its scripted and trained players. */
export interface GameEntry {
  readonly game: Game<unknown, unknown>;
  /** By name. Trained players are unpacked or solved on first use. */
  readonly players: Readonly<Record<string, () => Player>>;
  /** The seats that are compared: all, so that each deal is played from both sides, or one if the sides are not symmetric. */
  readonly seats: readonly number[];
  /** The player whose moves serve as training targets: the optimal one, or the nearest to it. */
  readonly teacher: string;
  /** The default opponent; absent if there is none. */
  readonly opponent?: string;
}

function entry<State, Deal>(
  game: Game<State, Deal>,
  players: GameEntry["players"],
  teacher: string,
  opponent?: string,
): GameEntry {
  const plain: Game<unknown, unknown> = game;
  // The player equivalent to always making illegal moves.
  const safest: Player = { name: "safest", act: (view) => game.safest(view) };
  const seats = plain.name === "guessing" ? [0] : Array.from({ length: plain.seats }, (_, seat) => seat);
  return {
    game: plain,
    players: { ...players, ...given(safest) },
    seats,
    teacher,
    ...(opponent === undefined ? {} : { opponent }),
  };
}

const given = (...players: readonly Player[]) =>
  Object.fromEntries(players.map((player) => [player.name, () => player]));

/** An equilibrium of a small game, solved once (in under a second). */
function solved(solution: () => Strategy): () => Player {
  let player: Player | undefined;
  return () => {
    player ??= strategist("equilibrium", solution());
    return player;
  };
}

/** A trained opponent of Limit Hold'em. */
function trained(name: StyleName): () => Player {
  let player: Player | undefined;
  return () => {
    player ??= tablePlayer(name, unpackTable(weights[name], styles[name].grain));
    return player;
  };
}

export const games: Readonly<Record<string, GameEntry>> = {
  guessing: entry(
    guessing,
    given(level1, level2, level3, ...varied, kLevel, learning, inferring, random),
    "optimal",
    "level2",
  ),
  holdem: entry(
    holdem,
    {
      equilibrium: trained("equilibrium"),
      aggressive: trained("aggressive"),
      conservative: trained("conservative"),
      ...given(pokerRule, caller, raiser, random),
    },
    "equilibrium",
    "equilibrium",
  ),
  blackjack: entry(blackjack, given(optimalBlackjack, dealerRule, random), "optimal"),
  kuhn: entry(
    kuhn,
    {
      equilibrium: solved(() => solve(treeOf(kuhn, kuhnDeals), 1000)),
      ...given(pokerRule, caller, raiser, random),
    },
    "equilibrium",
    "equilibrium",
  ),
  leduc: entry(
    leduc,
    {
      equilibrium: solved(() => solve(treeOf(leduc, leducDeals), 300)),
      ...given(pokerRule, caller, raiser, random),
    },
    "equilibrium",
    "equilibrium",
  ),
};

/** The names of all games. */
export const gameNames = Object.keys(games);

/** @throws HoneError if there is no such game */
export function gameEntry(name: string): GameEntry {
  const found = Object.hasOwn(games, name) ? games[name] : undefined;
  if (found) return found;
  throw new HoneError({
    what: `There is no game "${name.slice(0, 40)}"`,
    why: `the games are ${gameNames.join(", ")}`,
    next: "Write one of these.",
    kind: "usage",
  });
}

/** @throws HoneError if the game has no such player */
export function playerOf(game: string, name: string): Player {
  const { players } = gameEntry(game);
  const found = Object.hasOwn(players, name) ? players[name] : undefined;
  if (found) return found();
  throw new HoneError({
    what: `There is no player "${name.slice(0, 40)}" of ${game}`,
    why: `its players are ${Object.keys(players).join(", ")}`,
    next: "Write one of these.",
    kind: "usage",
  });
}

export {
  type BlackjackBelief,
  type BlackjackView,
  blackjack,
  blackjackBelief,
  optimalBlackjack,
  totalOf,
} from "./blackjack.js";
export {
  bestResponse,
  exploitability,
  kuhnDeals,
  leducDeals,
  solve,
  strategist,
  treeOf,
  valueOfStrategies,
} from "./cfr.js";
export {
  type Belief,
  type Decision,
  dealOf,
  duplicate,
  type Episode,
  episode,
  type Frame,
  type Game,
  type Move,
  type Player,
  play,
  replay,
  type View,
} from "./game.js";
export { guessing, inferring, level1, level2, level3, replayed } from "./guessing.js";
export { holdem, kuhn, leduc } from "./variants.js";
