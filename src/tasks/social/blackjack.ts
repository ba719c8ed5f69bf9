// Blackjack as single situations: the best move, and the two beliefs behind it (what one more card does to one's own hand, what
// the dealer's hidden card may be), each by the exact probabilities of one deck.

import { type Random, shuffled } from "../../core/random.js";
import { type BlackjackView, blackjack, blackjackBelief, totalOf } from "../../games/blackjack.js";
import { type Card, draw, wordsOf } from "../../games/cards.js";
import { between, type Generator, listed, names, pick, type Situation, some } from "./generator.js";

type Hand = Pick<BlackjackView, "hand" | "up">;

/** Situations in which the moves differ by less than this, in expected bets, are skipped. */
const clear = 0.1;
/** Minimum distance between the probabilities among the options, in percent. */
const apart = 5;

/** A hand of two to four cards that has not gone bust, and the dealer's face-up card. */
function drawHand(random: Random): Hand {
  for (;;) {
    const [up, ...hand] = draw(random, between(random, 3, 5)) as [Card, ...Card[]];
    const { total } = totalOf(hand);
    if (total <= 20 && total >= 8) return { hand, up };
  }
}

function tell(random: Random, { hand, up }: Hand, who: string, other: string): string {
  const order = shuffled([0, 1, 2], random);
  const lines = [
    `${who} holds ${listed(hand.map((card) => `the ${wordsOf(card)}`))}.`,
    `The dealer shows the ${wordsOf(up)}.`,
    pick(random, [
      `${other} watches from behind and says nothing.`,
      `${other} has left the table already.`,
      `${other} keeps the score tonight.`,
      `${other} would take a card in any case.`,
      `${other} never takes a card.`,
      `${other} has lost the last three hands.`,
    ]),
  ];
  return order.map((at) => lines[at]).join(" ");
}

const byWords = new Map(Array.from({ length: 52 }, (_, card) => [wordsOf(card), card as Card]));

/** A hand and the dealer's card by value, ignoring suits and order. */
function valuesOf({ hand, up }: Hand): string {
  const value = (card: Card) => totalOf([card]).total;
  return `${hand.map(value).sort((a, b) => a - b)} against ${value(up)}`;
}

/** Reads the hand and the dealer's card from the text. */
function read(story: string): Hand {
  const cards = (text: string) =>
    [...byWords].flatMap(([words, card]) => (text.includes(`the ${words}`) ? [card] : []));
  const sentences = story.split(/(?<=\.)\s/);
  const own = sentences.find((one) => / holds? the /.test(one)) ?? "";
  const [up] = cards(sentences.find((one) => one.startsWith("The dealer shows")) ?? "");
  return { hand: cards(own), up: up as Card };
}

function situation(
  random: Random,
  hand: Hand,
  question: (who: string) => string,
  options: string[],
  answer: number,
): Situation {
  const [who, other] = some(random, names, 2) as [string, string];
  return {
    rules: blackjack.rules,
    about: valuesOf(hand),
    story: tell(random, hand, who, other),
    question: question(who),
    options,
    answer,
    who,
    others: [other],
  };
}

const move: Generator = {
  name: "blackjack/move",
  scenario: "blackjack",
  draw(random) {
    const wanted = random() < 0.5 ? "hit" : "stand";
    for (;;) {
      const hand = drawHand(random);
      const { hit, stand } = blackjackBelief(hand);
      if (Math.abs(hit - stand) < clear || hit > stand !== (wanted === "hit")) continue;
      const options = ["hit", "stand"];
      return situation(
        random,
        hand,
        (who) => `What should ${who} do, so as to win as much as possible?`,
        options,
        options.indexOf(wanted),
      );
    }
  },
  solve({ story, options }) {
    const { hit, stand } = blackjackBelief(read(story));
    return options.indexOf(hit > stand ? "hit" : "stand");
  },
};

/** A question for a probability, with those of two other hands as wrong options: no option is likelier a priori. */
function likelihood(name: string, ask: (who: string) => string, of: (hand: Hand) => number): Generator {
  const percent = (hand: Hand) => Math.round(100 * of(hand));
  return {
    name: `blackjack/${name}`,
    scenario: "blackjack",
    draw(random) {
      for (;;) {
        const hands = [drawHand(random), drawHand(random), drawHand(random)] as const;
        const values = hands.map(percent);
        const near = values.some((one, i) =>
          values.some((other, k) => k < i && Math.abs(one - other) < apart),
        );
        if (near) continue;
        return situation(
          random,
          hands[0],
          ask,
          values.map((one) => `about ${one} in 100`),
          0,
        );
      }
    },
    solve({ story, options }) {
      return options.indexOf(`about ${percent(read(story))} in 100`);
    },
  };
}

/** The probability that one more card takes the hand over 21: all unseen cards are equally likely. */
function bustOf({ hand, up }: Hand): number {
  const unseen = [...byWords.values()].filter((card) => card !== up && !hand.includes(card));
  return unseen.filter((card) => totalOf([...hand, card]).total > 21).length / unseen.length;
}

export const blackjackSituations: readonly Generator[] = [
  move,
  likelihood(
    "self-belief",
    (who) => `How likely does ${who} believe it to be that one more card takes the hand over 21?`,
    bustOf,
  ),
  likelihood(
    "dealer-belief",
    (who) =>
      `If no more card is taken, how likely does ${who} believe it to be that the dealer goes over 21?`,
    (hand) => blackjackBelief(hand).dealer[5] as number,
  ),
];
