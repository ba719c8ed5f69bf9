// The local best response of Limit Hold'em: all hands' strengths at once, and what it wins from tables whose faults are known.

import { describe, expect, it } from "vitest";
import { handStrength } from "../../src/games/holdem/abstraction.js";
import { allStrengths, localResponse } from "../../src/games/holdem/local-response.js";
import { rowsOf, type Table } from "../../src/games/holdem/solve.js";
import { bettingTree, width } from "../../src/games/holdem/tree.js";

const grain = { early: 1, river: 1 };

/** A table that makes the first of some moves that it may, whatever it holds. */
function always(...wanted: string[]): Table {
  const tree = bettingTree();
  const { base, rows } = rowsOf(tree, grain);
  const chances = new Float32Array(rows * width);
  for (const [node, moves] of tree.moves.entries()) {
    const move = wanted.map((one) => moves.indexOf(one)).find((at) => at >= 0) as number;
    const end = node + 1 < base.length ? (base[node + 1] as number) : rows;
    for (let row = base[node] as number; row < end; row++) chances[row * width + move] = 1;
  }
  return { grain, base, chances };
}

const wins = (table: Table, deals: number) =>
  Array.from({ length: deals }, (_, number) => localResponse(table, 5, number));

describe("the local best response", () => {
  it("has the strength of every hand from one sorting", () => {
    for (const board of [
      [3, 17, 40],
      [0, 1, 2, 3],
      [48, 44, 40, 36, 7],
    ]) {
      const strengths = allStrengths(board);
      let i = 0;
      for (let a = 0; a < 52; a++)
        for (let b = 0; b < a; b++, i++) {
          if (i % 29 !== 0 || board.includes(a) || board.includes(b)) continue;
          expect(strengths[i]).toBe(handStrength([a, b], board));
        }
    }
  });

  it("takes every pot from a player who folds to a raise, whatever the cards", () => {
    // In the small blind it wins the big one, 2 chips, where the table gives up its own. In the big blind the table folds to both.
    for (const won of wins(always("check", "fold"), 4)) expect(won).toBeCloseTo((2 + 1) / 2 / 2, 9);
  });

  it("raises a player who always calls where it is ahead", () => {
    const won = wins(always("check", "call"), 12);
    expect(won.reduce((sum, one) => sum + one, 0) / won.length).toBeGreaterThan(0.5);
  });
});
