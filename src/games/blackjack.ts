// Blackjack by RLCard's rules: one deck, hit or stand, the dealer draws to 17 and stands on every 17, no bonus for a natural.
// Also the exact belief state (the probabilities that follow from the unseen cards) and the policy that is optimal given it.

import type { Random } from "../core/random.js";
import { type Card, draw, nameOf, rankWords, wordsOf } from "./cards.js";
import type { Belief, Game, Player, View } from "./game.js";

/** The cards in the order in which they are dealt: player, dealer, player, dealer (the face-up card), then as they are drawn. */
export interface Shoe {
  readonly cards: readonly Card[];
}

export interface BlackjackState {
  readonly shoe: Shoe;
  readonly hand: readonly Card[];
  /** The next card of the shoe. */
  readonly next: number;
  readonly stood: boolean;
}

export interface BlackjackView extends View {
  readonly hand: readonly Card[];
  /** The dealer's face-up card. */
  readonly up: Card;
}

/** More cards than two hands from one deck can hold. */
const shoeLength = 32;

/** 1 for an ace to 10 for a ten or a face. */
function pointsOf(card: Card): number {
  const rank = card >> 2;
  return rank === 12 ? 1 : Math.min(10, rank + 2);
}

/** The total of a hand, with one ace counted as 11 if that does not exceed 21. */
export function totalOf(hand: readonly Card[]): { total: number; soft: boolean } {
  const hard = hand.reduce((sum, card) => sum + pointsOf(card), 0);
  const soft = hard <= 11 && hand.some((card) => pointsOf(card) === 1);
  return { total: soft ? hard + 10 : hard, soft };
}

function dealerHand({ shoe, next }: Pick<BlackjackState, "shoe" | "next">): Card[] {
  const hand = [shoe.cards[1] as Card, shoe.cards[3] as Card];
  for (let i = next; totalOf(hand).total < 17; i++) hand.push(shoe.cards[i] as Card);
  return hand;
}

function payoff(state: BlackjackState): number {
  const own = totalOf(state.hand).total;
  if (own > 21) return -1;
  const dealer = totalOf(dealerHand(state)).total;
  return dealer > 21 || own > dealer ? 1 : own === dealer ? 0 : -1;
}

export const blackjack: Game<BlackjackState, Shoe> = {
  name: "blackjack",
  title: "Blackjack",
  seats: 1,
  unit: "bets",
  range: [-1, 1],
  moves: ["hit", "stand"],
  rules:
    "Blackjack with one deck. Cards from 2 to 10 count their number, Jack, Queen and King count 10, an Ace counts 11 or 1. Hit takes another card, stand ends your turn. Whoever goes over 21 loses. Then the dealer draws until 17 or more. The higher total wins one bet; equal totals win nothing.",
  deal: (random: Random) => ({ cards: draw(random, shoeLength) }),
  start: (shoe) => ({
    shoe,
    hand: [shoe.cards[0] as Card, shoe.cards[2] as Card],
    next: 4,
    stood: false,
  }),
  turn: ({ hand, stood }) => (stood || totalOf(hand).total > 21 ? -1 : 0),
  legal: () => ["hit", "stand"],
  act: (state, move) =>
    move === "stand"
      ? { ...state, stood: true }
      : { ...state, hand: [...state.hand, state.shoe.cards[state.next] as Card], next: state.next + 1 },
  payoffs: (state) => [payoff(state)],
  view: (state, seat): BlackjackView => ({
    game: "blackjack",
    seat,
    legal: blackjack.turn(state) === 0 ? ["hit", "stand"] : [],
    hand: state.hand,
    up: state.shoe.cards[3] as Card,
  }),
  beliefs: (state): Belief[] => [
    {
      name: "hit goes over",
      question: "If you take one more card now, will you go over 21?",
      options: ["yes", "no"],
      truth: totalOf([...state.hand, state.shoe.cards[state.next] as Card]).total > 21 ? "yes" : "no",
    },
    {
      name: "dealer busts",
      question: "If you stand now, will the dealer go over 21?",
      options: ["yes", "no"],
      truth: totalOf(dealerHand(state)).total > 21 ? "yes" : "no",
    },
  ],
  safest: () => "stand",
  describe(view) {
    const { hand, up } = view as BlackjackView;
    const { total, soft } = totalOf(hand);
    return `The dealer shows: ${wordsOf(up)}.\nYour hand: ${hand.map(wordsOf).join(", ")}. Total: ${total}${soft ? ", an Ace counted as 11" : ""}.`;
  },
  tell: ({ hand, shoe }) =>
    `${hand.map(nameOf).join(" ")} (${totalOf(hand).total}) against ${nameOf(shoe.cards[3] as Card)}`,
  outcome(state) {
    const own = totalOf(state.hand).total;
    if (own > 21) return `You went over with ${own}.`;
    const hand = dealerHand(state);
    const words = hand.map((card) => rankWords[card >> 2]).join(", ");
    const won = payoff(state);
    return `You have ${own}, the dealer ${totalOf(hand).total} (${words}): ${won > 0 ? "you win" : won < 0 ? "you lose" : "nobody wins"}.`;
  },
};

/** Probabilities given the unseen cards, exact for one deck. */
export interface BlackjackBelief {
  /** Probabilities that the dealer ends with 17, 18, 19, 20, 21, and that the dealer busts. */
  readonly dealer: readonly number[];
  /** Probability that the next card takes the hand over 21. */
  readonly bust: number;
  /** Expected payoff of standing now, and of hitting and then playing optimally, in bets. */
  readonly stand: number;
  readonly hit: number;
}

/** Numbers of unseen cards by points: index 1 holds the aces, index 10 tens and face cards. */
type Unseen = readonly number[];

const fullDeck: Unseen = [0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 16];

/** Probabilities of the dealer's final hands: 17 to 21, and over 21. In an endless deck the counts do not change. */
export function dealerFinals(up: number, unseen: Unseen, endless: boolean): number[] {
  const finals = [0, 0, 0, 0, 0, 0];
  const counts = unseen.slice();
  const visit = (hard: number, aces: boolean, left: number, chance: number): void => {
    const total = aces && hard <= 11 ? hard + 10 : hard;
    if (total >= 17) {
      finals[total > 21 ? 5 : total - 17] = (finals[total > 21 ? 5 : total - 17] as number) + chance;
      return;
    }
    for (let points = 1; points <= 10; points++) {
      const count = counts[points] as number;
      if (count === 0) continue;
      if (!endless) counts[points] = count - 1;
      visit(hard + points, aces || points === 1, endless ? left : left - 1, (chance * count) / left);
      counts[points] = count;
    }
  };
  const left = unseen.reduce((sum, count) => sum + count, 0);
  visit(up, up === 1, left, 1);
  return finals;
}

const known = new Map<string, BlackjackBelief>();

function beliefOf(own: readonly number[], up: number, endless: boolean): BlackjackBelief {
  // With an endless deck, only the total and the presence of an ace matter, not the cards.
  const held = endless
    ? [own.reduce((sum, points) => sum + points, 0), own.includes(1)]
    : own.toSorted((a, b) => a - b);
  const key = `${held.join(",")}|${up}|${endless}`;
  const before = known.get(key);
  if (before) return before;
  const unseen = fullDeck.slice();
  if (!endless) for (const points of [...own, up]) unseen[points] = (unseen[points] as number) - 1;
  const left = unseen.reduce((sum, count) => sum + count, 0);
  const hard = own.reduce((sum, points) => sum + points, 0);
  const total = hard <= 11 && own.includes(1) ? hard + 10 : hard;
  const dealer = dealerFinals(up, unseen, endless);
  let stand = dealer[5] as number;
  for (let final = 17; final <= 21; final++) {
    stand += (dealer[final - 17] as number) * Math.sign(total - final);
  }
  let hit = 0;
  let bust = 0;
  for (let points = 1; points <= 10; points++) {
    const chance = (unseen[points] as number) / left;
    if (chance === 0) continue;
    if (hard + points > 21) {
      bust += chance;
      hit -= chance;
    } else {
      const next = beliefOf([...own, points], up, endless);
      hit += chance * Math.max(next.stand, next.hit);
    }
  }
  const belief = { dealer, bust, stand, hit };
  known.set(key, belief);
  return belief;
}

/**
 * The exact belief state of a view: probabilities given the visible cards, from one deck.
 * @param endless assumes a deck that never runs out, as tables of basic strategy do
 */
export function blackjackBelief(
  { hand, up }: Pick<BlackjackView, "hand" | "up">,
  endless = false,
): BlackjackBelief {
  return beliefOf(hand.map(pointsOf), pointsOf(up), endless);
}

/** Stands if standing is worth at least as much as hitting; believes what is most probable. */
export const optimalBlackjack: Player = {
  name: "optimal",
  act(view) {
    const { stand, hit } = blackjackBelief(view as BlackjackView);
    return stand >= hit ? "stand" : "hit";
  },
  believe(view, { name }) {
    const { bust, dealer } = blackjackBelief(view as BlackjackView);
    return (name === "hit goes over" ? bust : (dealer[5] as number)) > 0.5 ? "yes" : "no";
  },
};

/** Plays by the dealer's rule: hits below 17. */
export const dealerRule: Player = {
  name: "rule",
  act: (view) => (totalOf((view as BlackjackView).hand).total < 17 ? "hit" : "stand"),
  // From a hard 15 on, seven of the thirteen ranks bust the hand.
  believe(view, { name }) {
    const { total, soft } = totalOf((view as BlackjackView).hand);
    return name === "hit goes over" && total >= 15 && !soft ? "yes" : "no";
  },
};
