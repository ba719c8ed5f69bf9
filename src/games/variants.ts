// The kinds of poker: Kuhn, Leduc and Limit Texas Hold'em, with their decks, stakes and belief questions.

import { shuffled } from "../core/random.js";
import { type Card, draw, nameOf, rankWords, wordsOf } from "./cards.js";
import { categories, categoryOf, handValue } from "./evaluator.js";
import type { Belief } from "./game.js";
import { poker } from "./poker.js";

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
  cardShort: (card) => (jackToKing[card] as string).slice(0, 1),
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

/** Leduc poker (Southey et al. 2005), as in OpenSpiel: six cards, two rounds, bets of 2 and 4, two raises per round. In antes. */
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
  cardShort: (card) => (jackToKing[card >> 1] as string).slice(0, 1),
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
 * Limit Texas Hold'em for two, by RLCard's rules: blinds 1 and 2, bets of 2 before and on the flop and 4 after it, four raises
 * per round, folding always legal, and the seat after the last to move begins the next round. Payoffs in big blinds.
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
  cardShort: nameOf,
  handWords: (hand, board) => madeHand([...hand, ...board]),
  beliefs: ({ deal, round }, seat) => {
    const board = deal.board.slice(0, [0, 3, 4, 5][round]);
    const [own, other] = [seat, 1 - seat].map((one) => deal.hands[one] as readonly Card[]);
    if (!own || !other) return [];
    const asked = (name: string, question: string, ahead: number): Belief => ({
      name,
      question,
      options: ["yes", "no"],
      truth: ahead > 0 ? "yes" : "no",
    });
    // Two questions, hence two names: the best constant answer differs between them.
    return [
      board.length === 0
        ? asked(
            "opponent's own cards are better",
            "Are your opponent's two cards better than yours so far? A pair is better than no pair, then the higher card counts, with the lower card deciding between equal ones; suits do not count.",
            preflopOrder(other) - preflopOrder(own),
          )
        : asked(
            "opponent is ahead",
            "Does your opponent hold a better hand than you at this moment?",
            handValue([...other, ...board]) - handValue([...own, ...board]),
          ),
    ];
  },
});

/** Rank of the two hole cards: pairs above others, then the higher card, then the lower one. */
function preflopOrder([a, b]: readonly Card[]): number {
  const [high, low] = [(a as Card) >> 2, (b as Card) >> 2].sort((x, y) => y - x) as [number, number];
  return (high === low ? 1000 : 0) + high * 13 + low;
}

/** A hand of five to seven cards in words: "a pair of Kings", "two pair". */
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
