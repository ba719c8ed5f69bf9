// Blackjack's optimal play against published chances, and Number Guessing against the rows that were published.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { cardOf, rankNames } from "../../src/games/cards.js";
import type { GuessingView } from "../../src/games/guessing.js";
import {
  blackjack,
  blackjackBelief,
  dealOf,
  duplicate,
  guessing,
  inferring,
  level1,
  level2,
  level3,
  type Player,
  play,
  playerOf,
  replayed,
} from "../../src/games/index.js";

const cards = (ranks: string) => [...ranks].map((rank, i) => rankNames.indexOf(rank) * 4 + (i % 4));
const up = (rank: string) => cardOf(`${rank}s`) as number;

describe("Blackjack", () => {
  it("has the dealer's published chances of going over 21, from an endless deck", () => {
    // The dealer stands on every 17 and does not look for a natural.
    const published = {
      2: 0.3536,
      3: 0.3739,
      4: 0.3945,
      5: 0.4164,
      6: 0.4232,
      7: 0.2623,
      8: 0.2447,
      9: 0.2284,
      T: 0.2121,
    };
    for (const [rank, chance] of Object.entries(published)) {
      const { dealer } = blackjackBelief({ hand: cards("55"), up: up(rank) }, true);
      expect(dealer[5], `up ${rank}`).toBeCloseTo(chance, 3);
      expect(dealer.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
    }
  });

  it("plays basic strategy from an endless deck", () => {
    const hits = (ranks: string, rank: string) => {
      const { stand, hit } = blackjackBelief({ hand: cards(ranks), up: up(rank) }, true);
      return hit > stand;
    };
    // Hard hands: hit 12 against 2, 3 and from 7; stand on 12 against 4 to 6, on 13 to 16 against 2 to 6, on 17 always.
    for (const rank of "2378 9TA".replace(" ", "")) expect(hits("T2", rank), `12 against ${rank}`).toBe(true);
    for (const rank of "456") expect(hits("T2", rank), `12 against ${rank}`).toBe(false);
    for (const rank of "23456") expect(hits("T6", rank), `16 against ${rank}`).toBe(false);
    for (const rank of "789TA") expect(hits("T6", rank), `16 against ${rank}`).toBe(true);
    for (const rank of "23456789TA") expect(hits("T7", rank), `17 against ${rank}`).toBe(false);
    // With an ace as 11: hit 17, stand on 18 against 2 to 8, hit it against 9 and 10, stand on 19.
    for (const rank of "23456789TA") expect(hits("A6", rank), `soft 17 against ${rank}`).toBe(true);
    for (const rank of "2345678") expect(hits("A7", rank), `soft 18 against ${rank}`).toBe(false);
    for (const rank of "9T") expect(hits("A7", rank), `soft 18 against ${rank}`).toBe(true);
    for (const rank of "23456789TA") expect(hits("A8", rank), `soft 19 against ${rank}`).toBe(false);
  });

  it("believes from one deck what counting says", () => {
    // Hard 20 from three cards: only an ace does not go over, and three of the four are unseen among 48.
    const { bust } = blackjackBelief({
      hand: [cardOf("As"), cardOf("9s"), cardOf("Ts")] as number[],
      up: up("5"),
    });
    expect(bust).toBeCloseTo(45 / 48, 12);
  });

  it("wins with the optimal policy what it expects, and more than the dealer's rule", () => {
    const optimal = playerOf("blackjack", "optimal");
    const deals = 2000;
    const won = duplicate(blackjack, optimal, optimal, deals, 8);
    let expected = 0;
    for (let number = 0; number < deals; number++) {
      const shoe = dealOf(blackjack, 8, number);
      const { stand, hit } = blackjackBelief({
        hand: [shoe.cards[0], shoe.cards[2]] as number[],
        up: shoe.cards[3] as number,
      });
      expected += Math.max(stand, hit) / deals;
    }
    const mean = (scores: readonly number[]) => scores.reduce((sum, one) => sum + one, 0) / scores.length;
    // Four standard errors of 0.95 / sqrt(2000).
    expect(Math.abs(mean(won) - expected)).toBeLessThan(0.085);
    const rule = duplicate(blackjack, playerOf("blackjack", "rule"), optimal, deals, 8);
    const random = duplicate(blackjack, playerOf("blackjack", "random"), optimal, deals, 8);
    expect(mean(won)).toBeGreaterThan(mean(rule));
    expect(mean(rule)).toBeGreaterThan(mean(random) + 0.1);
  });
});

describe("Number Guessing", () => {
  const rounds = (player: Player, opponent: Player) => {
    const randoms = [randomFor(1, "a"), randomFor(1, "b")];
    return play(guessing, dealOf(guessing, 1, 1), [player, opponent], randoms);
  };
  const numbersOf = (moves: readonly { seat: number; move: string }[], seat: number) =>
    moves.filter((move) => move.seat === seat).flatMap(({ move }, i) => (i % 2 === 1 ? [Number(move)] : []));

  it("has the published opponents", () => {
    const always50 = replayed("fifty", new Array(10).fill(50));
    expect(numbersOf(rounds(always50, level1).moves, 1)).toEqual(new Array(10).fill(50));
    expect(numbersOf(rounds(always50, level2).moves, 1)).toEqual([50, 45, 40, 35, 30, 25, 20, 15, 10, 5]);
    // Level 3 against a player who chose 40, 40, 32: the worked example of the paper's figure.
    const chosen = [40, 40, 32];
    const figure: Player = {
      name: "figure",
      act(view) {
        const { asked, round } = view as GuessingView;
        return asked === "guess" ? "1" : String(chosen[round - 1] ?? 32);
      },
    };
    expect(numbersOf(rounds(figure, level3).moves, 1).slice(0, 4)).toEqual([50, 36, 30, 24]);
  });

  it("is scored as published: a constant 67 never hits, who knows the rule but errs at first hits nine times", () => {
    for (const opponent of [level1, level2, level3]) {
      expect(rounds(replayed("Llama3-8b", new Array(10).fill(67)), opponent).payoffs[0]).toBe(0);
      const o1: Player = {
        name: "o1-preview",
        act(view, draw) {
          const { asked, round, own, other } = view as GuessingView;
          if (asked === "number") return "1";
          return round === 1 ? "1" : opponent.act({ ...view, own: other, other: own }, draw);
        },
      };
      expect(rounds(o1, opponent).payoffs[0], opponent.name).toBe(0.9);
    }
  });

  it("is inferred by a player that knows the kinds of rules alone", () => {
    expect([level1, level2, level3].map((level) => rounds(inferring, level).payoffs[0])).toEqual([
      1, 0.9, 0.9,
    ]);
  });

  const data = process.env.HONE_TEST_DATA;
  const file = data ? join(data, "social/egosocialarena/number_guessing_results.json") : "";
  it.skipIf(!existsSync(file))("gives the published marks to the published guesses (HONE_TEST_DATA)", () => {
    interface Row {
      level: number;
      model: string;
      guess_of_opponent: (number | null)[];
      marked_correct: boolean[];
    }
    const rows = (JSON.parse(readFileSync(file, "utf8")) as Row[]).filter(({ level }) => level < 3);
    let compared = 0;
    const different: string[] = [];
    for (const { level, model, guess_of_opponent, marked_correct } of rows) {
      const guesses = guess_of_opponent.map((guess) => Math.max(1, Math.round(guess ?? 1)));
      const { moves } = rounds(replayed(model, guesses), level === 1 ? level1 : level2);
      const numbers = numbersOf(moves, 1);
      for (const [i, guess] of guess_of_opponent.entries()) {
        if (guess === null) continue;
        compared++;
        if ((guess === numbers[i]) !== marked_correct[i])
          different.push(`${model}, level ${level}, round ${i + 1}`);
      }
    }
    expect(rows.length).toBe(18);
    expect(compared).toBe(162);
    // The published table leaves one right guess unmarked.
    expect(different).toEqual(["GPT-3.5-Turbo, level 1, round 9"]);
  });
});
