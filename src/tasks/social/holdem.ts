// Limit Texas Hold'em as single situations: from a record of hands, what kind of player somebody is, or is taken for. Hands are
// played by the game's trained opponents, with some moves at random; the text states what counts as aggressive, and the record
// decides.

import { type Random, randomFor } from "../../core/random.js";
import { dealOf, type Player } from "../../games/game.js";
import { playerOf } from "../../games/index.js";
import { holdem } from "../../games/variants.js";
import { between, type Generator, names, pick, same, some, somebody } from "./generator.js";

const rules =
  "In Limit Texas Hold'em a player may fold, check, call or raise. A player who raises in more than half of all moves is called aggressive, one who raises in less than half is called conservative.";

/** Probability that a player makes a random legal move instead of its own. */
const strays = 0.3;

const streets = ["Before the flop", "On the flop", "On the turn", "On the river"];

/** One hand between two players: its text, and how often each raised and moved. */
function record(
  number: number,
  people: readonly [string, string],
  players: readonly [Player, Player],
  random: Random,
) {
  const seed = between(random, 0, 2 ** 30);
  let state = holdem.start(dealOf(holdem, seed, number));
  const tally = [
    { raises: 0, moves: 0 },
    { raises: 0, moves: 0 },
  ];
  const parts: string[][] = [];
  const draws = [randomFor(seed, "seat", 0), randomFor(seed, "seat", 1)];
  for (let seat = holdem.turn(state); seat >= 0; seat = holdem.turn(state)) {
    const round = state.round;
    const view = holdem.view(state, seat);
    // Without random moves the players would produce the same few hands repeatedly.
    const move =
      random() < strays
        ? pick(random, view.legal)
        : (players[seat] as Player).act(view, draws[seat] as Random);
    const own = tally[seat] as { raises: number; moves: number };
    own.moves++;
    if (move === "raise") own.raises++;
    parts[round] = [...(parts[round] ?? []), `${people[seat]} ${move}s`];
    state = holdem.act(state, move);
  }
  const told = parts.map((moves, round) => `${streets[round]} ${moves.join(", ")}.`);
  return { words: `Hand ${number}: ${told.filter(Boolean).join(" ")}`, tally };
}

const style: Generator = {
  name: "holdem/style",
  scenario: "holdem",
  draw(random) {
    const wanted = random() < 0.5;
    for (;;) {
      const people = some(random, names, 2) as [string, string];
      const [who, other] = people;
      const players = [0, 1].map(() => playerOf("holdem", pick(random, ["aggressive", "conservative"]))) as [
        Player,
        Player,
      ];
      const hands = Array.from({ length: between(random, 4, 6) }, (_, i) =>
        record(i + 1, people, players, random),
      );
      const reflected = random() < 0.5;
      const seat = reflected ? 0 : 1;
      const raises = hands.reduce((sum, { tally }) => sum + (tally[seat]?.raises ?? 0), 0);
      const moves = hands.reduce((sum, { tally }) => sum + (tally[seat]?.moves ?? 0), 0);
      if (2 * raises === moves || 2 * raises > moves !== wanted) continue;
      const story = hands.map(({ words }) => words).join(" ");
      return {
        rules,
        about: `${story.replaceAll(who, "one").replaceAll(other, "other")} ${reflected}`,
        story,
        question: reflected
          ? `Going by these hands, what kind of player does ${who} think that ${other} takes ${who} for?`
          : `Going by these hands, what kind of player does ${who} think that ${other} is?`,
        options: ["aggressive", "conservative"],
        answer: wanted ? 0 : 1,
        who,
        others: [other],
      };
    }
  },
  solve({ story, question, options }) {
    const asked = new RegExp(`think that ${somebody} (?:takes? ${somebody} for|is|are)`).exec(question);
    const of = same(asked?.[2] ?? asked?.[1]);
    const moves = [...story.matchAll(new RegExp(`${somebody} (fold|check|call|raise)s?\\b`, "g"))].filter(
      ([, one]) => same(one) === of,
    );
    const raises = moves.filter(([, , move]) => move === "raise").length;
    return options.indexOf(2 * raises > moves.length ? "aggressive" : "conservative");
  },
};

export const holdemSituations: readonly Generator[] = [style];
