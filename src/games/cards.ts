// Cards as numbers: rank * 4 + suit, ranks 0 (deuce) to 12 (ace). Names use the standard notation: "As", "Td", "2c".

import { type Random, shuffled } from "../core/random.js";

/** 0 to 51. */
export type Card = number;

export const rankNames = "23456789TJQKA";
const suitNames = "cdhs";

/** Rank names in words, for prompts and people. */
export const rankWords = [
  ...["2", "3", "4", "5", "6", "7", "8", "9", "10"],
  ...["Jack", "Queen", "King", "Ace"],
];
const suitWords = ["clubs", "diamonds", "hearts", "spades"];

/** "As" for the ace of spades. */
export function nameOf(card: Card): string {
  return `${rankNames[card >> 2]}${suitNames[card & 3]}`;
}

/** "Ace of spades". */
export function wordsOf(card: Card): string {
  return `${rankWords[card >> 2]} of ${suitWords[card & 3]}`;
}

/** The card with a name; undefined if there is none. */
export function cardOf(name: string): Card | undefined {
  const rank = rankNames.indexOf(name[0]?.toUpperCase() ?? "?");
  const suit = suitNames.indexOf(name[1]?.toLowerCase() ?? "?");
  return rank < 0 || suit < 0 || name.length !== 2 ? undefined : rank * 4 + suit;
}

const ordered: readonly Card[] = Array.from({ length: 52 }, (_, card) => card);

/** A shuffled deck. */
export function deck(random: Random): Card[] {
  return shuffled(ordered, random);
}

/** The first `count` cards of a shuffled deck, without shuffling the rest of it. */
export function draw(random: Random, count: number): Card[] {
  const cards = ordered.slice();
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (cards.length - i));
    const card = cards[j] as Card;
    cards[j] = cards[i] as Card;
    cards[i] = card;
  }
  return cards.slice(0, count);
}
