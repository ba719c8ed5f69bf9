// npm run bench:games
// Hands of Limit Hold'em per second between rule players, in three rounds, and between other players; writes
// bench/recorded/games.json. Exits with 1 below 20,000 hands/s between rule players.

import { randomFor } from "../dist/core/random.js";
import { draw } from "../dist/games/cards.js";
import { handValue } from "../dist/games/evaluator.js";
import { dealOf, holdem, play, playerOf } from "../dist/games/index.js";
import { machine, record } from "./record.js";

const goal = 20_000;
const place = machine();
const rounds = 3;
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Whole hands, including dealing. */
function handsPerSecond(name, hands) {
  const player = playerOf("holdem", name);
  const random = randomFor(1, "bench", name);
  const started = performance.now();
  for (let number = 0; number < hands; number++) {
    play(holdem, holdem.deal(random), [player, player], [random, random]);
  }
  return hands / ((performance.now() - started) / 1000);
}

function valuesPerSecond(count) {
  const random = randomFor(1, "values");
  const hands = Array.from({ length: 1000 }, () => draw(random, 7));
  const started = performance.now();
  let sum = 0;
  for (let i = 0; i < count; i++) sum += handValue(hands[i % 1000]);
  if (sum === 0) throw new Error("no values");
  return count / ((performance.now() - started) / 1000);
}

const counts = { rule: 50_000, random: 50_000, equilibrium: 1000 };
for (const [name, hands] of Object.entries(counts)) handsPerSecond(name, hands / 10);
dealOf(holdem, 1, 1);
const found = Object.fromEntries(Object.keys(counts).map((name) => [name, []]));
const values = [];
for (let round = 0; round < rounds; round++) {
  for (const [name, hands] of Object.entries(counts)) found[name].push(handsPerSecond(name, hands));
  values.push(valuesPerSecond(1_000_000));
}
const figures = {
  rounds,
  ruleHandsPerSecond: median(found.rule),
  randomHandsPerSecond: median(found.random),
  equilibriumHandsPerSecond: median(found.equilibrium),
  sevenCardValuesPerSecond: median(values),
};
record("games", figures, place);
for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${Math.round(value)}`);
console.log(`games: ${Math.round(figures.ruleHandsPerSecond)} hands/s between rule players, goal ${goal}`);
if (figures.ruleHandsPerSecond < goal) process.exitCode = 1;
