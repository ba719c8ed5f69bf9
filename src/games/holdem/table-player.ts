// A player of Limit Hold'em from a table of move probabilities, and the packing of such a table: two 4-bit probabilities
// per row.

import { deflateRawSync, inflateRawSync } from "node:zlib";
import { HoneError } from "../../core/errors.js";
import type { Player } from "../game.js";
import type { PokerView } from "../poker.js";
import { bucketOf, bucketsIn, featuresOf, type Grain } from "./abstraction.js";
import { rowsOf, type Table } from "./solve.js";
import { bettingTree, width } from "./tree.js";

const steps = 15;

/** A table as text: per row, fifteenths of the probabilities of the last move and of the one before it; the first move has the rest. */
export function packTable({ chances, grain }: Table): string {
  const bytes = new Uint8Array(chances.length / width);
  for (const { row, count } of rowsOfMoves(grain)) {
    const of = (move: number) => (move < 0 ? 0 : Math.round((chances[row * width + move] as number) * steps));
    const last = of(count - 1);
    // Rounding both up must not exceed a total of 1.
    const before = count > 2 ? Math.min(steps - last, of(count - 2)) : 0;
    bytes[row] = last * 16 + before;
  }
  return deflateRawSync(bytes, { level: 9 }).toString("base64");
}

/** @throws HoneError if the text is not a table of this grain */
export function unpackTable(text: string, grain: Grain): Table {
  const tree = bettingTree();
  const { base, rows } = rowsOf(tree, grain);
  const bytes = inflateRawSync(Buffer.from(text, "base64"), { maxOutputLength: 16 * 2 ** 20 });
  if (bytes.length !== rows)
    throw new HoneError({
      what: "These weights are for another abstraction",
      where: "games/holdem/weights.ts",
      why: `they have ${bytes.length} rows, and the abstraction has ${rows}`,
      next: "Train them again: npm run train:holdem.",
    });
  const chances = new Float32Array(rows * width);
  for (const { row, count } of rowsOfMoves(grain)) {
    const byte = bytes[row] as number;
    const last = (byte >> 4) / steps;
    const before = count > 2 ? (byte & 15) / steps : 0;
    chances[row * width + count - 1] = last;
    if (count > 2) chances[row * width + 1] = before;
    chances[row * width] = Math.max(0, 1 - last - before);
  }
  return { grain, base, chances };
}

/** Every row of a table with the number of its moves. */
function* rowsOfMoves(grain: Grain): Generator<{ row: number; count: number }> {
  const tree = bettingTree();
  const { base } = rowsOf(tree, grain);
  for (const [node, moves] of tree.moves.entries()) {
    const buckets = bucketsIn(tree.round[node] as number, grain);
    for (let bucket = 0; bucket < buckets; bucket++)
      yield { row: (base[node] as number) + bucket, count: moves.length };
  }
}

/** A player that follows a table. It never folds if checking is free. */
export function tablePlayer(name: string, table: Table): Player {
  const tree = bettingTree();
  return {
    name,
    act(view, random) {
      const { round, hand, board, history } = view as PokerView;
      const node = tree.byHistory.get(history);
      if (node === undefined) return view.legal.includes("check") ? "check" : "call";
      const moves = tree.moves[node] as readonly string[];
      const row =
        ((table.base[node] as number) + bucketOf(round, featuresOf(round, hand, board), table.grain)) * width;
      let rest = random();
      for (let i = 0; i < moves.length - 1; i++) {
        rest -= table.chances[row + i] as number;
        if (rest < 0) return moves[i] as string;
      }
      // Rounding may leave a remainder: never choose a move of probability 0.
      for (let i = moves.length - 1; i > 0; i--) {
        if ((table.chances[row + i] as number) > 0) return moves[i] as string;
      }
      return moves[0] as string;
    },
  };
}
