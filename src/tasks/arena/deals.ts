// The samples of an arena: deals by number, each with a position in which the game's teacher moves. A test sample is evaluated by
// playing its deal; a training sample is its position: the query is the subject's query there, the gold is the teacher's move.

import { z } from "zod";
import { randomFor } from "../../core/random.js";
import type { Sample, SplitName } from "../../core/sample.js";
import { dealOf, episode, gameEntry, type Player, playerOf } from "../../games/index.js";

const count = z.int().min(0).max(1_000_000);

export const arenaDataSchema = z.strictObject({
  train: count.default(256).describe("Training positions, with the move of the game's teacher"),
  dev: count.default(32).describe("Deals on which specialists are chosen"),
  test: count.min(1).default(128).describe("Sealed deals"),
  seed: z.int().default(0).describe("Another seed draws other deals"),
});

/** Contents of a sample's input. */
export interface DealSample {
  /** Seed and number of the deal. */
  seed: number;
  number: number;
  /** The moves that led to its position. */
  moves: readonly string[];
}

/** Deals of different splits have different numbers. */
const starts: Readonly<Record<SplitName, number>> = { train: 0, dev: 1_000_000, test: 2_000_000 };

export function drawDeals(
  { game, opponent }: { game: string; opponent?: string | undefined },
  { seed, ...counts }: z.output<typeof arenaDataSchema>,
): Record<SplitName, Sample[]> & { source: string } {
  const other = otherSeats(game, opponent);
  const many = (split: SplitName) =>
    Array.from({ length: counts[split] }, (_, i) => drawDeal(game, other, split, i, seed));
  return {
    train: many("train"),
    dev: many("dev"),
    test: many("test"),
    source: `${gameEntry(game).game.title}, dealt with seed ${seed}`,
  };
}

/**
 * Who plays against the teacher: itself where subjects play every seat. Where they play one, it is the task's opponent: the teacher of
 * that seat is no opponent. For a model it is the game's usual one.
 */
function otherSeats(name: string, opponent: string | undefined): Player {
  const { game, teacher, seats, opponent: usual } = gameEntry(name);
  if (seats.length === game.seats) return playerOf(name, teacher);
  return playerOf(name, opponent === undefined || opponent.includes(":") ? (usual as string) : opponent);
}

function drawDeal(name: string, other: Player, split: SplitName, i: number, seed: number): Sample {
  const { game, teacher, seats } = gameEntry(name);
  const number = starts[split] + i;
  const player = playerOf(name, teacher);
  const random = randomFor(seed, "teacher", number);
  const seat = seats[i % seats.length] as number;
  const decisions: { before: number; move: string }[] = [];
  const going = episode(game, dealOf(game, seed, number));
  const moves: string[] = [];
  for (let step = going.next(); !step.done; ) {
    const move = (seats.includes(step.value.seat) ? player : other).act(step.value.view, random);
    if (step.value.seat === seat) decisions.push({ before: moves.length, move });
    moves.push(move);
    step = going.next(move);
  }
  // If the teacher wins before this seat's first move, the deal's first decision is used, whichever seat makes it.
  const chosen = decisions[Math.floor(random() * decisions.length)] ?? {
    before: 0,
    move: moves[0] as string,
  };
  const input: DealSample = { seed, number, moves: moves.slice(0, chosen.before) };
  return { id: `${split}-${i}`, input: JSON.stringify(input), gold: chosen.move };
}

export function dealSampleOf({ input }: Pick<Sample, "input">): DealSample {
  return JSON.parse(input) as DealSample;
}
