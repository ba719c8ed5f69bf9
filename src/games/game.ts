// Defines games and plays episodes of them. All randomness is in the deal, so that every player can be given the same cards; a
// player sees only a view; an illegal move never becomes a state.

import { HoneError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { type Random, randomFor } from "../core/random.js";

/** What one seat may know of a state. Plain data: it goes into queries and transcripts. */
export interface View {
  readonly game: string;
  readonly seat: number;
  /** The seat's legal moves if it is its turn; otherwise empty. */
  readonly legal: readonly string[];
  readonly [more: string]: Json;
}

/** A question about hidden information, with the answer that the engine knows. */
export interface Belief {
  /** What the question is about: "opponent's card", "dealer busts". */
  readonly name: string;
  readonly question: string;
  /** The possible answers. */
  readonly options: readonly string[];
  readonly truth: string;
}

/** The rules of a game, as functions of immutable states. */
export interface Game<State = unknown, Deal = unknown> {
  readonly name: string;
  readonly title: string;
  readonly seats: number;
  /** Unit of payoffs: "bb", "antes", "bets", "hits". */
  readonly unit: string;
  /** Least and most payoff of one seat. */
  readonly range: readonly [least: number, most: number];
  /** Every move of the game, if they can be listed. */
  readonly moves: readonly string[];
  /** The rules in words, for the players. */
  readonly rules: string;
  deal(random: Random): Deal;
  start(deal: Deal): State;
  /** The seat whose turn it is; -1 when the episode is over. */
  turn(state: State): number;
  legal(state: State): readonly string[];
  /** The state after a legal move. Illegal moves are rejected by `episode`, not here. */
  act(state: State, move: string): State;
  /** Payoffs by seat, in the game's unit; only for a finished episode. */
  payoffs(state: State): readonly number[];
  view(state: State, seat: number): View;
  /** Questions about what is hidden from a seat whose turn it is. */
  beliefs(state: State, seat: number): readonly Belief[];
  /** The legal move that risks least: it replaces an illegal move. */
  safest(view: View): string;
  /** A view in words: what has happened and what is to be decided. */
  describe(view: View): string;
  /** A move as it is written in an option: "raise to 6". Defaults to the move itself. */
  moveText?(view: View, move: string): string;
  /** What everyone sees at the end: hands that were shown, who won. Addressed to a seat if one is given. */
  outcome(state: State, seat?: number): string;
  /** One short line on the state of the episode, with all cards open: for replays. */
  tell(state: State): string;
}

/** Chooses moves from views. `random` is the player's own stream, the same against every opponent on the same deal. */
export interface Player {
  readonly name: string;
  act(view: View, random: Random): string;
  /** Its answer to a belief question, if it has one. */
  believe?(view: View, belief: Pick<Belief, "name" | "options">, random: Random): string;
}

/** A decision that an episode waits for. */
export interface Decision {
  readonly seat: number;
  readonly view: View;
  /** Belief questions with their true answers at this moment. */
  beliefs(): readonly Belief[];
}

/** One move of a transcript. */
export interface Move {
  readonly seat: number;
  readonly move: string;
}

/** A finished episode. */
export interface Episode {
  readonly moves: readonly Move[];
  readonly payoffs: readonly number[];
  readonly outcome: string;
  /** The outcome as it is told to a seat. */
  told(seat: number): string;
}

/** Longer episodes end in an error: no game here needs so many moves. */
const maxMoves = 10_000;

/**
 * Plays one episode: yields each decision and receives the move. One generator serves both players that answer at once and
 * models that must be awaited.
 * @throws HoneError for an illegal move
 */
export function* episode<State, Deal>(
  game: Game<State, Deal>,
  deal: Deal,
): Generator<Decision, Episode, string> {
  let state = game.start(deal);
  const moves: Move[] = [];
  for (let seat = game.turn(state); seat >= 0; seat = game.turn(state)) {
    const at = state;
    const move: string = yield {
      seat,
      view: game.view(at, seat),
      beliefs: () => game.beliefs(at, seat),
    };
    const legal = game.legal(at);
    if (!legal.includes(move)) throw illegal(game, seat, move, legal);
    moves.push({ seat, move });
    if (moves.length > maxMoves) throw new Error(`${game.name}: an episode of more than ${maxMoves} moves`);
    state = game.act(at, move);
  }
  const end = state;
  return {
    moves,
    payoffs: game.payoffs(end),
    outcome: game.outcome(end),
    told: (seat) => game.outcome(end, seat),
  };
}

/** Plays one episode between players that answer at once. @param seed together with the seat, seeds each player's own stream */
export function play<State, Deal>(
  game: Game<State, Deal>,
  deal: Deal,
  players: readonly Player[],
  randoms: readonly Random[],
): Episode {
  const going = episode(game, deal);
  let step = going.next();
  while (!step.done) {
    const { seat, view } = step.value;
    step = going.next((players[seat] as Player).act(view, randoms[seat] as Random));
  }
  return step.value;
}

/** The deal with a given number in a series: the same for every player. */
export function dealOf<Deal>(game: Game<unknown, Deal>, seed: number, number: number): Deal {
  return game.deal(randomFor(seed, "deal", game.name, number));
}

/**
 * The first player's payoff on a series of deals, each played once in every seat against the same opponent (duplicate): one
 * value per deal, in the game's unit per episode.
 */
export function duplicate<State, Deal>(
  game: Game<State, Deal>,
  player: Player,
  opponent: Player,
  deals: number,
  seed: number,
): number[] {
  return Array.from({ length: deals }, (_, number) => {
    const deal = dealOf(game as Game<unknown, Deal>, seed, number);
    let sum = 0;
    for (let seat = 0; seat < game.seats; seat++) {
      const players = Array.from({ length: game.seats }, (_, i) => (i === seat ? player : opponent));
      const randoms = players.map((_, i) => randomFor(seed, "player", number, i));
      sum += play(game, deal, players, randoms).payoffs[seat] as number;
    }
    return sum / game.seats;
  });
}

/** One step of a replay: the move, and the state of the episode after it. */
export interface Frame {
  /** -1 before the first move. */
  readonly seat: number;
  readonly move: string;
  readonly tell: string;
}

/** Replays an episode from its deal and its moves. @throws HoneError for moves that do not belong to it */
export function replay<State, Deal>(
  game: Game<State, Deal>,
  deal: Deal,
  moves: readonly string[],
): { frames: Frame[]; outcome: string | undefined } {
  let state = game.start(deal);
  const frames: Frame[] = [{ seat: -1, move: "", tell: game.tell(state) }];
  for (const move of moves) {
    const seat = game.turn(state);
    const legal = seat < 0 ? [] : game.legal(state);
    if (!legal.includes(move)) throw illegal(game, seat, move, legal);
    state = game.act(state, move);
    frames.push({ seat, move, tell: game.tell(state) });
  }
  return { frames, outcome: game.turn(state) < 0 ? game.outcome(state) : undefined };
}

function illegal(game: Pick<Game, "name">, seat: number, move: string, legal: readonly string[]): HoneError {
  const known = legal.length > 8 ? `${legal.slice(0, 3).join(", ")}, … ${legal.at(-1)}` : legal.join(", ");
  return new HoneError({
    what: `"${move.slice(0, 40)}" is not a legal move`,
    where: `${game.name}, seat ${seat}`,
    why: `the legal moves are ${known}`,
    next: "Choose one of them.",
    kind: "usage",
  });
}
