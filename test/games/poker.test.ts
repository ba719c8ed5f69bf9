// Poker: the evaluator against the known counts, the values that CFR must reach, and engines that never leave the rules.

import { describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { cardOf } from "../../src/games/cards.js";
import { bestResponse, exploitability, infoKey, treeOf } from "../../src/games/cfr.js";
import { categoryOf, handValue, maskValue } from "../../src/games/evaluator.js";
import { handStrength, preflopKind } from "../../src/games/holdem/abstraction.js";
import { bettingTree } from "../../src/games/holdem/tree.js";
import {
  blackjack,
  dealOf,
  duplicate,
  episode,
  gameEntry,
  gameNames,
  holdem,
  kuhn,
  kuhnDeals,
  leduc,
  leducDeals,
  playerOf,
  solve,
  totalOf,
  valueOfStrategies,
} from "../../src/games/index.js";

const hand = (names: string) => names.split(" ").map((name) => cardOf(name) as number);

describe("the hand evaluator", () => {
  it("counts every category of all 2,598,960 five-card hands", () => {
    const counts = new Array<number>(9).fill(0);
    const bits = Array.from({ length: 52 }, (_, card) => {
      const masks = [0, 0, 0, 0];
      masks[card & 3] = 1 << (card >> 2);
      return masks as [number, number, number, number];
    });
    const add = (a: number[], b: number[]) => a.map((mask, i) => mask | (b[i] as number));
    for (let a = 0; a < 52; a++)
      for (let b = 0; b < a; b++) {
        const two = add(bits[a] as number[], bits[b] as number[]);
        for (let c = 0; c < b; c++) {
          const three = add(two, bits[c] as number[]);
          for (let d = 0; d < c; d++) {
            const [s0, s1, s2, s3] = add(three, bits[d] as number[]) as [number, number, number, number];
            for (let e = 0; e < d; e++) {
              const [t0, t1, t2, t3] = bits[e] as [number, number, number, number];
              const category = categoryOf(maskValue(s0 | t0, s1 | t1, s2 | t2, s3 | t3));
              counts[category] = (counts[category] as number) + 1;
            }
          }
        }
      }
    expect(counts).toEqual([1302540, 1098240, 123552, 54912, 10200, 5108, 3744, 624, 40]);
  });

  it("orders hands, kickers and the wheel", () => {
    const order = [
      "2c 3d 4h 5s 7c 8d Th",
      "2c 2d 4h 5s 7c 9d Th",
      "2c 2d 4h 5s 7c 9d Jh",
      "2c 2d 4h 4s 7c 9d Jh",
      "2c 2d 4h 4s 9c 9d Jh",
      "2c 2d 2h 4s 7c 9d Jh",
      "Ac 2d 3h 4s 5c 9d Jh",
      "2d 3h 4s 5c 6d Jh Jc",
      "2d 4d 6d 8d Td Jh Jc",
      "2c 2d 2h 4s 4c 9d Jh",
      "2c 2d 2h 4s 4c 9d 9h",
      "2c 2d 2h 2s 4c 9d 9h",
      "2c 2d 2h 2s 4c 9d Th",
      "Ad 2d 3d 4d 5d 6h Kh",
      "2d 3d 4d 5d 6d Ah Ac",
    ].map((names) => handValue(hand(names)));
    expect(order.toSorted((a, b) => a - b)).toEqual(order);
    expect(new Set(order).size).toBe(order.length);
    expect(handValue(hand("As Kd Qh Jc 9s 3d 2c"))).toBe(handValue(hand("Ad Ks Qc Jh 9d 4s 2h")));
  });
});

describe("counterfactual regret minimization", () => {
  it("reaches Kuhn poker's value of -1/18", () => {
    const tree = treeOf(kuhn, kuhnDeals);
    const strategy = solve(tree, 1000);
    expect(tree.infos.length).toBe(12);
    expect(valueOfStrategies(tree, strategy, strategy)).toBeCloseTo(-1 / 18, 3);
    expect(exploitability(tree, strategy)).toBeLessThan(1e-3);
  });

  it("reaches Leduc poker's value of -0.0856064", () => {
    const tree = treeOf(leduc, leducDeals);
    const strategy = solve(tree, 600);
    expect(tree.infos.length).toBe(936);
    expect(Math.abs(valueOfStrategies(tree, strategy, strategy) + 0.0856064)).toBeLessThan(1e-3);
    // A best response bounds the value from both sides.
    expect(bestResponse(tree, 0, strategy)).toBeGreaterThan(-0.0856065);
    expect(-bestResponse(tree, 1, strategy)).toBeLessThan(-0.0856063);
    expect(exploitability(tree, strategy)).toBeLessThan(0.01);
  });

  it("tells a poor strategy by what a best response wins", () => {
    const tree = treeOf(kuhn, kuhnDeals);
    expect(exploitability(tree, new Map())).toBeGreaterThan(0.4);
  });
});

describe("every engine", () => {
  it.each(gameNames)("plays 10,000 random episodes of %s without an illegal state", (name) => {
    const { game } = gameEntry(name);
    const random = randomFor(5, "play", name);
    const draws: number[] = [];
    for (let number = 0; number < 10_000; number++) {
      const going = episode(game, dealOf(game, 11, number));
      let step = going.next();
      while (!step.done) {
        const { view } = step.value;
        if (view.legal.length === 0) throw new Error("no legal move");
        step = going.next(view.legal[Math.floor(random() * view.legal.length)] as string);
      }
      const { payoffs } = step.value;
      const [least, most] = game.range;
      for (const payoff of payoffs) if (!(payoff >= least && payoff <= most)) throw new Error(`${payoff}`);
      if (game.seats === 2 && name !== "guessing" && (payoffs[0] as number) + (payoffs[1] as number) !== 0)
        throw new Error(`not zero-sum: ${payoffs}`);
      draws.push(payoffs[0] as number);
    }
    expect(new Set(draws).size).toBeGreaterThan(1);
  });

  it.each([
    ["kuhn", 1, 3],
    ["leduc", 2, 6],
    ["holdem", 4, 52],
  ] as const)("keeps chips, the cap of raises and the deck through 10,000 hands of %s", (name, cap, deck) => {
    const game = gameEntry(name).game as unknown as typeof holdem;
    const unit = name === "holdem" ? 2 : 1;
    const random = randomFor(6, "kept", name);
    for (let number = 0; number < 10_000; number++) {
      const deal = dealOf(game as never, 12, number) as ReturnType<typeof game.deal>;
      const cards = [...deal.hands.flat(), ...deal.board];
      if (new Set(cards).size !== cards.length) throw new Error(`a card twice: ${cards}`);
      if (!cards.every((card) => Number.isInteger(card) && card >= 0 && card < deck))
        throw new Error(`a card of no deck: ${cards}`);
      let state = game.start(deal);
      while (game.turn(state) >= 0) {
        const seat = game.turn(state) as 0 | 1;
        const legal = game.legal(state);
        const move = legal[Math.floor(random() * legal.length)] as string;
        const next = game.act(state, move);
        const paid = [0, 1].map((one) => (next.chips[one as 0 | 1] as number) - state.chips[one as 0 | 1]);
        const owed = state.chips[(1 - seat) as 0 | 1] - state.chips[seat];
        const bet = name === "kuhn" ? 1 : state.round < (name === "leduc" ? 1 : 2) ? 2 : 4;
        const due = move === "call" ? owed : move === "raise" ? owed + bet : 0;
        // Nobody pays for the other one, and a move costs what the rules say.
        if (paid[1 - seat] !== 0 || paid[seat] !== due) throw new Error(`${move} cost ${paid}`);
        if (next.deal !== deal) throw new Error("the deal has changed");
        state = next;
      }
      for (const round of state.history.split("/"))
        if ([...round].filter((letter) => letter === "r").length > cap) throw new Error(state.history);
      // What one seat wins is what the other has put in, or as much as its own where both have paid alike.
      const [won, lost] = game.payoffs(state).map((payoff) => payoff * unit) as [number, number];
      if (won + lost !== 0 || ![0, Math.min(...state.chips)].includes(Math.abs(won)))
        throw new Error(`${won} of ${state.chips}`);
    }
  });

  it("deals no card of Blackjack twice, and draws them in their order, through 10,000 hands", () => {
    const random = randomFor(6, "kept", "blackjack");
    for (let number = 0; number < 10_000; number++) {
      const shoe = dealOf(blackjack as never, 12, number) as ReturnType<typeof blackjack.deal>;
      if (new Set(shoe.cards).size !== shoe.cards.length) throw new Error(`a card twice: ${shoe.cards}`);
      let state = blackjack.start(shoe);
      while (blackjack.turn(state) >= 0) state = blackjack.act(state, random() < 0.6 ? "hit" : "stand");
      const drawn = shoe.cards.slice(4, state.next);
      if (String(state.hand) !== String([shoe.cards[0], shoe.cards[2], ...drawn]))
        throw new Error(`${state.hand} from ${shoe.cards}`);
      // Nobody who is over 21 draws again.
      if (totalOf(state.hand.slice(0, -1)).total > 21) throw new Error(`${state.hand} went on`);
    }
  });

  it("refuses a move that is not legal", () => {
    const going = episode(kuhn, dealOf(kuhn, 1, 1));
    going.next();
    expect(() => going.next("call")).toThrow(/"call" is not a legal move[\s\S]*check, raise/);
  });

  it("shows no seat what is hidden from it", () => {
    for (const name of ["holdem", "leduc", "kuhn"]) {
      const { game } = gameEntry(name);
      const deal = dealOf(game, 3, 7) as { hands: number[][]; board: number[] };
      const other = {
        ...deal,
        hands: [deal.hands[0], name === "kuhn" ? deal.hands[1] : [51, 50].slice(0, deal.hands[1]?.length)],
      };
      const key = (one: unknown) => infoKey(game.view(game.start(one as never), 0));
      expect(key(deal)).toBe(key(other));
      expect(JSON.stringify(game.view(game.start(deal), 0))).not.toContain("deal");
    }
  });
});

describe("Limit Hold'em", () => {
  it("asks before and after the flop under two names, each with the truth of its own question", () => {
    const ask = (own: string, other: string, round: number) => {
      const deal = { hands: [hand(own), hand(other)], board: hand("2c 7d 9h Ts 3c") };
      const [belief] = holdem.beliefs({ ...holdem.start(deal), round }, 0);
      return [belief?.name, belief?.truth];
    };
    const before = "opponent's own cards are better";
    expect(ask("Ac Kd", "As Qh", 0)).toEqual([before, "no"]);
    expect(ask("Ac Qd", "As Kh", 0)).toEqual([before, "yes"]);
    expect(ask("Ac Qd", "As Qh", 0)).toEqual([before, "no"]);
    expect(ask("Ac Kd", "2d 2h", 0)).toEqual([before, "yes"]);
    expect(ask("Ac Kd", "9d 4h", 1)).toEqual(["opponent is ahead", "yes"]);
    expect(ask("9c Kd", "9d 4h", 3)).toEqual(["opponent is ahead", "no"]);
  });

  it("tells everyone how a hand ended, and a player in the second person", () => {
    const deal = { hands: [hand("Ac Kd"), hand("As Qh")], board: hand("2c 7d 9h Ts 3c") };
    const ended = (...moves: string[]) => {
      const state = moves.reduce((at, move) => holdem.act(at, move), holdem.start(deal));
      return [undefined, 0, 1].map((seat) => holdem.outcome(state, seat));
    };
    expect(ended("fold")).toEqual([
      "Player 0 folded; player 1 wins 1 chip.",
      "You folded; player 1 wins 1 chip.",
      "Player 0 folded; you win 1 chip.",
    ]);
    const [all, own] = ended("call", "check", "check", "check", "check", "check", "check", "check");
    expect(all).toMatch(/^Showdown: Ace of clubs, King of diamonds against Ace .*; player 0 wins 2 chips\.$/);
    expect(own).toMatch(/^Showdown: your Ace of clubs, King of diamonds against Ace .*; you win 2 chips\.$/);
  });

  it("deals the same hands to everyone who plays a number", () => {
    expect(dealOf(holdem, 4, 9)).toEqual(dealOf(holdem, 4, 9));
    expect(dealOf(holdem, 4, 9)).not.toEqual(dealOf(holdem, 4, 10));
  });

  it("is fair by duplicate: a player wins nothing from itself", () => {
    const rule = playerOf("holdem", "rule");
    expect(duplicate(holdem, rule, rule, 200, 3)).toEqual(new Array(200).fill(0));
  });

  it("has the betting tree of four raises a round", () => {
    const tree = bettingTree();
    expect(tree.seat.length).toBe(8200);
    expect(Math.max(...tree.stake)).toBe(25);
  });

  it("knows 169 kinds of hands and the strength of each on a board", () => {
    const kinds = new Set<number>();
    for (let a = 0; a < 52; a++) for (let b = 0; b < a; b++) kinds.add(preflopKind([a, b]));
    expect(kinds.size).toBe(169);
    const board = hand("2c 7d 9h");
    expect(handStrength(hand("9c 9d"), board)).toBeGreaterThan(0.99);
    expect(handStrength(hand("3c 4d"), board)).toBeLessThan(0.05);
    // On a board that nobody can improve on, every hand is worth half.
    expect(handStrength(hand("2c 3d"), hand("Ts Js Qs Ks As"))).toBe(0.5);
  });
});
