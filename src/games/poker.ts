// Two-handed limit poker as one set of rules: Kuhn, Leduc and Limit Texas Hold'em differ in deck, rounds, stakes and how hands
// are compared. Bets have one size a round, and raises are capped.

import { type Random, shuffled } from "../core/random.js";
import { type Card, draw, nameOf, rankWords, wordsOf } from "./cards.js";
import { categories, categoryOf, handValue } from "./evaluator.js";
import type { Belief, Game, View } from "./game.js";

/** Cards of both seats and the board, all of it drawn before the first move. */
export interface PokerDeal {
  readonly hands: readonly (readonly number[])[];
  readonly board: readonly number[];
}

export interface PokerState {
  readonly deal: PokerDeal;
  /** Chips put in, by seat. */
  readonly chips: readonly [number, number];
  readonly round: number;
  readonly turn: number;
  /** Raises in this round. */
  readonly raises: number;
  /** Moves since the last raise, the raise included; a round is over at two. */
  readonly quiet: number;
  /** The seat that folded; -1 where none has. */
  readonly folded: number;
  /** f, k (check), c, r; rounds apart by "/". */
  readonly history: string;
}

/** A seat's view of a hand of poker. */
export interface PokerView extends View {
  readonly hand: readonly number[];
  /** The cards of the board that lie open. */
  readonly board: readonly number[];
  readonly chips: readonly number[];
  readonly round: number;
  readonly raises: number;
  readonly history: string;
}

interface PokerRules {
  name: string;
  title: string;
  rules: string;
  unit: string;
  /** Chips that make one unit of payoff. */
  unitChips: number;
  /** Chips put in before the first move, by seat. */
  blinds: readonly [number, number];
  rounds: readonly { name: string; open: number; bet: number }[];
  maxRaises: number;
  /** RLCard: folding is always legal, and the seat after the last to move begins the next round. Else seat 0 does. */
  asRlcard: boolean;
  deal: (random: Random) => PokerDeal;
  strength: (hand: readonly number[], board: readonly number[]) => number;
  cardWords: (card: number) => string;
  handWords: (hand: readonly number[], board: readonly number[]) => string;
  beliefs: (state: PokerState, seat: number) => readonly Belief[];
  mostChips: number;
}

const letters: Readonly<Record<string, string>> = { fold: "f", check: "k", call: "c", raise: "r" };
const moveNames = Object.fromEntries(Object.entries(letters).map(([move, letter]) => [letter, move]));

function poker(rules: PokerRules): Game<PokerState, PokerDeal> {
  const { rounds, blinds, maxRaises, asRlcard } = rules;
  const legal = (state: PokerState): string[] => {
    const { chips, turn, raises } = state;
    const owes = chips[turn as 0 | 1] < chips[(1 - turn) as 0 | 1];
    return [
      ...(owes || asRlcard ? ["fold"] : []),
      owes ? "call" : "check",
      ...(raises < maxRaises ? ["raise"] : []),
    ];
  };
  const over = ({ folded, round }: PokerState) => folded >= 0 || round >= rounds.length;
  const openBoard = ({ deal, round }: PokerState) =>
    deal.board.slice(0, rounds[Math.min(round, rounds.length - 1)]?.open ?? 0);
  const describeHistory = (history: string, seat: number): string => {
    const lines: string[] = [];
    let turn = 0;
    for (const [i, played] of history.split("/").entries()) {
      const said = [...played].map((letter) => {
        const who = turn === seat ? "you" : "opponent";
        turn = 1 - turn;
        return `${who} ${moveNames[letter]}`;
      });
      if (!asRlcard) turn = 0;
      if (said.length > 0) lines.push(`${rounds[i]?.name}: ${said.join(", ")}.`);
    }
    return lines.join(" ");
  };
  return {
    name: rules.name,
    title: rules.title,
    seats: 2,
    unit: rules.unit,
    range: [-rules.mostChips / rules.unitChips, rules.mostChips / rules.unitChips],
    moves: ["fold", "check", "call", "raise"],
    rules: rules.rules,
    deal: rules.deal,
    start: (deal) => ({
      deal,
      chips: blinds,
      round: 0,
      turn: 0,
      raises: 0,
      quiet: 0,
      folded: -1,
      history: "",
    }),
    turn: (state) => (over(state) ? -1 : state.turn),
    legal,
    act(state, move) {
      const { turn, chips, round } = state;
      const own = chips[turn as 0 | 1];
      const other = chips[(1 - turn) as 0 | 1];
      const paid = move === "call" ? other : move === "raise" ? other + (rounds[round]?.bet ?? 0) : own;
      const after: readonly [number, number] = turn === 0 ? [paid, chips[1]] : [chips[0], paid];
      const history = state.history + letters[move];
      const next = { ...state, chips: after, history, turn: 1 - turn };
      if (move === "fold") return { ...next, folded: turn };
      if (move === "raise") return { ...next, raises: state.raises + 1, quiet: 1 };
      const quiet = state.quiet + 1;
      if (quiet < 2) return { ...next, quiet };
      return {
        ...next,
        round: round + 1,
        turn: asRlcard ? 1 - turn : 0,
        raises: 0,
        quiet: 0,
        history: round + 1 < rounds.length ? `${history}/` : history,
      };
    },
    payoffs({ chips, folded, deal }) {
      const win = (seat: number) => {
        const lost = chips[(1 - seat) as 0 | 1] / rules.unitChips;
        return seat === 0 ? [lost, -lost] : [-lost, lost];
      };
      if (folded >= 0) return win(1 - folded);
      const [a, b] = deal.hands.map((hand) => rules.strength(hand, deal.board)) as [number, number];
      return a === b ? [0, 0] : win(a > b ? 0 : 1);
    },
    view(state, seat): PokerView {
      return {
        game: rules.name,
        seat,
        legal: state.turn === seat && !over(state) ? legal(state) : [],
        hand: state.deal.hands[seat] as readonly number[],
        board: openBoard(state),
        chips: state.chips,
        round: state.round,
        raises: state.raises,
        history: state.history,
      };
    },
    beliefs: rules.beliefs,
    safest: ({ legal }) => (legal.includes("check") ? "check" : "fold"),
    describe(view) {
      const { hand, board, chips, round, history, seat } = view as PokerView;
      const own = chips[seat] as number;
      const other = chips[1 - seat] as number;
      const cards = (list: readonly number[]) => list.map(rules.cardWords).join(", ");
      return [
        `You are player ${seat}. Round: ${rounds[Math.min(round, rounds.length - 1)]?.name}.`,
        `Your hand: ${cards(hand)}.`,
        rounds.some(({ open }) => open > 0)
          ? board.length > 0
            ? `Board: ${cards(board)}. You have ${rules.handWords(hand, board)}.`
            : "Board: no cards yet."
          : "",
        describeHistory(history, seat),
        `Chips in the pot: you ${own}, opponent ${other}.${other > own ? ` To call costs ${other - own}.` : ""}`,
      ]
        .filter(Boolean)
        .join("\n");
    },
    outcome(state) {
      const { deal, folded, chips } = state;
      const won = this.payoffs(state)[0] as number;
      const shown = deal.hands.map((hand) => hand.map(rules.cardWords).join(", ")).join(" against ");
      const end = folded >= 0 ? `Player ${folded} folded` : `Showdown: ${shown}`;
      const board = openBoard(state).map(rules.cardWords).join(", ");
      const winner =
        won === 0 ? "the pot is split" : `player ${won > 0 ? 0 : 1} wins ${Math.min(...chips)} chips`;
      return `${end}${board ? `; board ${board}` : ""}; ${winner}.`;
    },
  };
}

const jackToKing = ["Jack", "Queen", "King"];

/** Kuhn poker (Kuhn 1950): three cards, one each, one chip ante, one bet of one chip. Payoffs in antes. */
export const kuhn = poker({
  name: "kuhn",
  title: "Kuhn poker",
  rules:
    "Kuhn poker. The deck has three cards: Jack, Queen and King. Each of two players gets one card and puts in one chip. A player may check or raise by one chip; after a raise the other calls or folds. There is one raise at most. At the showdown the higher card wins the pot.",
  unit: "antes",
  unitChips: 1,
  blinds: [1, 1],
  rounds: [{ name: "betting", open: 0, bet: 1 }],
  maxRaises: 1,
  asRlcard: false,
  mostChips: 2,
  deal(random) {
    const [a, b] = shuffled([0, 1, 2], random) as [number, number];
    return { hands: [[a], [b]], board: [] };
  },
  strength: ([card]) => card as number,
  cardWords: (card) => jackToKing[card] as string,
  handWords: () => "",
  beliefs: ({ deal }, seat) => {
    const own = deal.hands[seat]?.[0] as number;
    const options = jackToKing.filter((_, card) => card !== own);
    return [
      {
        name: "opponent's card",
        question: "Which card does your opponent hold?",
        options,
        truth: jackToKing[deal.hands[1 - seat]?.[0] as number] as string,
      },
    ];
  },
});

/** Leduc poker (Southey et al. 2005), as in OpenSpiel: six cards, two rounds, bets of 2 and 4, two raises a round. In antes. */
export const leduc = poker({
  name: "leduc",
  title: "Leduc poker",
  rules:
    "Leduc poker. The deck has six cards: two Jacks, two Queens and two Kings. Each of two players gets one card and puts in one chip. There are two betting rounds; before the second, one card is laid open. Raises are 2 chips in the first round and 4 in the second, at most two in a round. At the showdown a pair with the open card wins, else the higher card; equal hands split the pot.",
  unit: "antes",
  unitChips: 1,
  blinds: [1, 1],
  rounds: [
    { name: "first round", open: 0, bet: 2 },
    { name: "second round", open: 1, bet: 4 },
  ],
  maxRaises: 2,
  asRlcard: false,
  mostChips: 13,
  deal(random) {
    const [a, b, c] = shuffled([0, 1, 2, 3, 4, 5], random) as [number, number, number];
    return { hands: [[a], [b]], board: [c] };
  },
  strength: ([card], [open]) =>
    (card as number) >> 1 === (open as number) >> 1 ? 3 + ((card as number) >> 1) : (card as number) >> 1,
  cardWords: (card) => jackToKing[card >> 1] as string,
  handWords: ([card], [open]) =>
    (card as number) >> 1 === (open as number) >> 1
      ? "a pair"
      : `a ${jackToKing[(card as number) >> 1]}, no pair`,
  beliefs: ({ deal }, seat) => [
    {
      name: "opponent's card",
      question: "Which card does your opponent hold?",
      options: jackToKing,
      truth: jackToKing[(deal.hands[1 - seat]?.[0] as number) >> 1] as string,
    },
  ],
});

/**
 * Limit Texas Hold'em for two, by RLCard's rules: blinds 1 and 2, bets of 2 before and on the flop and 4 after it, four raises a
 * round, folding always legal, and the seat after the last to move begins the next round. Payoffs in big blinds.
 */
export const holdem = poker({
  name: "holdem",
  title: "Limit Texas Hold'em",
  rules:
    "Limit Texas Hold'em for two players. Each player has two cards of their own; up to five cards of the board are shared, three on the flop, one on the turn, one on the river. Player 0 puts in a small blind of 1 chip, player 1 a big blind of 2. A raise is 2 chips before and on the flop, 4 on turn and river; at most four raises in a round. Chips are unlimited. At the showdown the best five-card hand wins the pot. Win as many chips as you can.",
  unit: "bb",
  unitChips: 2,
  blinds: [1, 2],
  rounds: [
    { name: "pre-flop", open: 0, bet: 2 },
    { name: "flop", open: 3, bet: 2 },
    { name: "turn", open: 4, bet: 4 },
    { name: "river", open: 5, bet: 4 },
  ],
  maxRaises: 4,
  asRlcard: true,
  mostChips: 50,
  deal(random) {
    const [a, b, c, d, ...board] = draw(random, 9) as [Card, Card, Card, Card, ...Card[]];
    return {
      hands: [
        [a, c],
        [b, d],
      ],
      board,
    };
  },
  strength: (hand, board) => handValue([...hand, ...board]),
  cardWords: wordsOf,
  handWords: (hand, board) => madeHand([...hand, ...board]),
  beliefs: ({ deal, round }, seat) => {
    const board = deal.board.slice(0, [0, 3, 4, 5][round]);
    const [own, other] = [seat, 1 - seat].map((one) => deal.hands[one] as readonly Card[]);
    if (!own || !other) return [];
    const ahead =
      board.length === 0
        ? preflopOrder(other) - preflopOrder(own)
        : handValue([...other, ...board]) - handValue([...own, ...board]);
    return [
      {
        name: "opponent is ahead",
        question:
          board.length === 0
            ? "Is your opponent's higher card, or pair, better than yours?"
            : "Does your opponent hold a better hand than you at this moment?",
        options: ["yes", "no"],
        truth: ahead > 0 ? "yes" : "no",
      },
    ];
  },
});

/** Hands before the flop by what they are so far: pairs above others, then the higher card, then the lower one. */
function preflopOrder([a, b]: readonly Card[]): number {
  const [high, low] = [(a as Card) >> 2, (b as Card) >> 2].sort((x, y) => y - x) as [number, number];
  return (high === low ? 1000 : 0) + high * 13 + low;
}

/** "a pair of Kings", "two pair": a hand of five to seven cards in words. */
function madeHand(cards: readonly Card[]): string {
  const value = handValue(cards);
  const category = categoryOf(value);
  if (category === 0) return `${rankWords[Math.max(...cards) >> 2]} high`;
  if (category === 1) {
    const pair = Math.log2(Math.floor((value - 2 ** 26) / 8192));
    return `a pair of ${rankWords[pair]}s`;
  }
  const name = categories[category] as string;
  return category === 2 || category === 3 || category === 7 ? name : `a ${name}`;
}

/** The cards of a hand by name, for transcripts. */
export function cardNames(cards: readonly Card[]): string {
  return cards.map(nameOf).join(" ");
}
