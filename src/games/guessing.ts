// Number Guessing (EgoSocialArena): ten rounds, in each of which both players guess the other's number and choose their own,
// without seeing the other's choice before the round is over. The score is the share of right guesses.

import { type Random, randomFor } from "../core/random.js";
import type { Game, Player, View } from "./game.js";

const guessingRounds = 10;
const least = 1;
const most = 100;

/** A seat's own random number, from which a scripted player draws its habits. No other seat sees it. */
export interface GuessingDeal {
  readonly habits: readonly [number, number];
}

export interface GuessingState {
  readonly deal: GuessingDeal;
  /** By seat, by round. */
  readonly guesses: readonly (readonly number[])[];
  readonly numbers: readonly (readonly number[])[];
}

export interface GuessingView extends View {
  /** What is to be decided now: a guess at the other's number, or one's own number. */
  readonly asked: "guess" | "number";
  readonly round: number;
  /** Own guesses and numbers so far, including this round's. */
  readonly guesses: readonly number[];
  readonly own: readonly number[];
  /** The other's numbers in finished rounds. */
  readonly other: readonly number[];
  readonly habit: number;
}

const moves = Array.from({ length: most - least + 1 }, (_, i) => String(i + least));

/** The seat that moves next: seat 0 guesses and chooses, then seat 1 does. */
function turnOf({ numbers: [mine = [], theirs = []] }: GuessingState): number {
  if (mine.length > theirs.length) return 1;
  return mine.length < guessingRounds ? 0 : -1;
}

export const guessing: Game<GuessingState, GuessingDeal> = {
  name: "guessing",
  title: "Number Guessing",
  seats: 2,
  unit: "hits",
  range: [0, 1],
  moves,
  rules:
    "Number Guessing. You play ten rounds against player 1. In every round each of you chooses a whole number from 1 to 100, and neither sees the other's before both have chosen. Before you choose, you guess which number player 1 will choose. What counts is how often your guess is exactly right.",
  deal: (random) => ({ habits: [Math.floor(random() * 2 ** 31), Math.floor(random() * 2 ** 31)] }),
  start: (deal) => ({ deal, guesses: [[], []], numbers: [[], []] }),
  turn: turnOf,
  legal: () => moves,
  act(state, move) {
    const seat = turnOf(state);
    const put = (lists: GuessingState["guesses"]) =>
      lists.map((list, i) => (i === seat ? [...list, Number(move)] : list));
    const guessed = (state.guesses[seat]?.length ?? 0) > (state.numbers[seat]?.length ?? 0);
    return guessed ? { ...state, numbers: put(state.numbers) } : { ...state, guesses: put(state.guesses) };
  },
  payoffs: ({ guesses, numbers }) =>
    [0, 1].map(
      (seat) =>
        (guesses[seat] ?? []).filter((guess, i) => guess === numbers[1 - seat]?.[i]).length / guessingRounds,
    ),
  view(state, seat): GuessingView {
    const own = state.numbers[seat] ?? [];
    const guesses = state.guesses[seat] ?? [];
    const rounds = Math.min(own.length, state.numbers[1 - seat]?.length ?? 0);
    return {
      game: "guessing",
      seat,
      legal: turnOf(state) === seat ? moves : [],
      asked: guesses.length > own.length ? "number" : "guess",
      round: Math.min(guessingRounds, own.length + 1),
      guesses,
      own,
      other: (state.numbers[1 - seat] ?? []).slice(0, rounds),
      habit: state.deal.habits[seat as 0 | 1],
    };
  },
  beliefs: () => [],
  safest: () => "50",
  describe(view) {
    const { asked, round, own, other, guesses } = view as GuessingView;
    // What the guess prompt already said is not repeated: both are in one conversation.
    if (asked === "number")
      return `Round ${round}. You guessed that player 1 will choose ${guesses.at(-1)}. Now choose your own number.`;
    const past = other.map((number, i) => `Round ${i + 1}: player 1 chose ${number}, you chose ${own[i]}.`);
    return [...past, `Round ${round}. Guess the number that player 1 will choose.`].join("\n");
  },
  tell({ numbers, guesses }) {
    const [mine = [], theirs = []] = numbers;
    const rounds = Math.min(mine.length, theirs.length);
    const last = rounds - 1;
    if (rounds === 0) return "no round played";
    return `round ${rounds}: numbers ${mine[last]} and ${theirs[last]}, player 0 guessed ${guesses[0]?.[last]}`;
  },
  outcome(state, seat) {
    const hits = this.payoffs(state).map(
      (share, i) => `${i === seat ? "you" : `player ${i}`} ${Math.round(share * guessingRounds)}`,
    );
    return `Right guesses: ${hits.join(", ")} of ${guessingRounds}.`;
  },
};

/** A player that chooses by its own rule and guesses that the other will choose the same. */
function byRule(name: string, number: (view: GuessingView, habit: Random) => number): Player {
  return {
    name,
    act: (view) => {
      const seen = view as GuessingView;
      const chosen = Math.floor(number(seen, randomFor(seen.habit, "habit")));
      return String(Math.min(most, Math.max(least, chosen)));
    },
  };
}

/** The round that is being chosen for, from 0. */
const roundOf = ({ round }: GuessingView) => round - 1;

function meanOfLast({ own, other }: GuessingView): number {
  const round = other.length - 1;
  return ((own[round] ?? 50) + (other[round] ?? 50)) / 2;
}

const even = (random: Random, from: number, to: number) => from + Math.floor(random() * (to - from + 1));

/** Level 1 as published: always 50. */
export const level1 = byRule("level1", () => 50);
/** Level 2 as published: 50, 45, 40, … 5. */
export const level2 = byRule("level2", (view) => 50 - 5 * roundOf(view));
/** Level 3 as published: 50, then 0.8 times the mean of both players' previous numbers, rounded down. */
export const level3 = byRule("level3", (view) => (roundOf(view) === 0 ? 50 : 0.8 * meanOfLast(view)));

/** The three levels with parameters that vary by deal: a constant, a start and a step, a start and a factor. */
export const varied: readonly Player[] = [
  byRule("constant", (_, habit) => even(habit, 11, 90)),
  byRule("steps", (view, habit) => {
    const step = even(habit, 2, 9) * (habit() < 0.5 ? 1 : -1);
    const start = step > 0 ? even(habit, 1, 10) : even(habit, 91, 100);
    return start + step * roundOf(view);
  }),
  byRule("factor", (view, habit) => {
    const factor = even(habit, 60, 95) / 100;
    const start = even(habit, 30, 90);
    return roundOf(view) === 0 ? start : factor * meanOfLast(view);
  }),
];

/**
 * k-level reasoning in the 0.8-mean game: level 0 repeats the mean of the last round (50 before it), level k chooses 0.8 times
 * what it expects of level k - 1. Its k is 1 to 3, drawn with the deal.
 */
export const kLevel = byRule("kLevel", (view, habit) => {
  const k = even(habit, 1, 3);
  return meanOfLast(view) * 0.8 ** k;
});

/** Extrapolates the other's last change, and chooses 0.8 times the mean of that and its own last number. */
export const learning = byRule("learning", (view) => {
  const expected = extrapolated(view.other);
  return 0.8 * ((expected + (view.own[roundOf(view) - 1] ?? 50)) / 2);
});

function extrapolated(numbers: readonly number[]): number {
  const last = numbers.at(-1) ?? 50;
  const before = numbers.at(-2) ?? last;
  return Math.min(most, Math.max(least, 2 * last - before));
}

/**
 * Infers the other's rule: takes the first rule that explains every number so far (a constant, 0.8 of the last mean, steps,
 * another factor of the last mean from 0.5 to 1), and guesses what it predicts next. Its first guess is 50.
 */
export const inferring: Player = {
  name: "optimal",
  act(view) {
    const seen = view as GuessingView;
    if (seen.asked === "number") return "50";
    return String(Math.min(most, Math.max(least, inferNext(seen))));
  },
};

function inferNext({ own, other }: GuessingView): number {
  const rounds = other.length;
  if (rounds === 0) return 50;
  const means = other.map((number, i) => ((own[i] as number) + number) / 2);
  const clamp = (value: number) => Math.min(most, Math.max(least, Math.floor(value)));
  // A single number is no evidence for any rule; repeating it is the simplest guess.
  if (rounds === 1) return other[0] as number;
  const step = (other[1] as number) - (other[0] as number);
  const byFactor = (factor: number) => (round: number) => clamp(factor * (means[round - 1] as number));
  const factors = Array.from({ length: 51 }, (_, i) => (100 - i) / 100);
  const fitting = factors.filter((factor) =>
    other.every((number, i) => i === 0 || number === byFactor(factor)(i)),
  );
  const rules: ((round: number) => number)[] = [
    () => other[0] as number,
    byFactor(0.8),
    (round) => clamp((other[0] as number) + step * round),
    // If several factors fit, the middle one.
    ...fitting.slice(fitting.length >> 1).map(byFactor),
  ];
  const rule = rules.find((one) => other.every((number, i) => i === 0 || one(i) === number));
  return rule ? rule(rounds) : extrapolated(other);
}

/** Plays a list of published guesses; its own number is always 50. For reproducing published rows. */
export function replayed(name: string, guesses: readonly number[]): Player {
  return {
    name,
    act(view) {
      const { asked, round } = view as GuessingView;
      return asked === "guess" ? String(guesses[round - 1]) : "50";
    },
  };
}
