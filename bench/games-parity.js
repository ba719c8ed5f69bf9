// HONE_PYTHON=…/bin/python npm run bench:games-parity
// Plays the same 1,000 deals and moves of each game here and in RLCard or OpenSpiel: payoffs must be equal, and so must the legal moves at
// every decision if they depend on the state (in Blackjack they do not). Writes bench/recorded/games-parity.json; exits with 1 on any
// difference. Engines that Python lacks are skipped by name.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { randomFor } from "../dist/core/random.js";
import { dealOf, episode, gameEntry } from "../dist/games/index.js";
import { record } from "./record.js";

const deals = 1000;
const peers = { holdem: "rlcard", blackjack: "rlcard", kuhn: "open_spiel", leduc: "open_spiel" };
const python = process.env.HONE_PYTHON ?? "python3";

const versions = spawnSync(
  python,
  ["-c", "import importlib.metadata as m; print(m.version('rlcard'), m.version('open_spiel'))"],
  { encoding: "utf8" },
);
if (versions.status !== 0) {
  console.log(`games-parity: skipped, ${python} has no rlcard and open_spiel (set HONE_PYTHON)`);
  process.exit(0);
}

/** Random legal moves; folding is a third as likely, so that hands go far. */
function playedOut(name, number) {
  const { game } = gameEntry(name);
  const random = randomFor(3, "parity", name, number);
  const deal = dealOf(game, 77, number);
  const moves = [];
  const legal = [];
  const going = episode(game, deal);
  let step = going.next();
  while (!step.done) {
    const open = step.value.view.legal;
    legal.push([...open].sort());
    const choices = open.flatMap((move) => (move === "fold" ? [move] : [move, move, move]));
    moves.push(choices[Math.floor(random() * choices.length)]);
    step = going.next(moves.at(-1));
  }
  return { game: name, deal, moves, legal, payoffs: step.value.payoffs };
}

const found = {};
let different = 0;
for (const [name, peer] of Object.entries(peers)) {
  const ours = Array.from({ length: deals }, (_, number) => playedOut(name, number));
  const input = ours.map(({ game, deal, moves }) => JSON.stringify({ game, deal, moves })).join("\n");
  const script = fileURLToPath(new URL("games_reference.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(python, [script], {
    input: `${input}\n`,
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new Error(stderr);
  const theirs = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const same = (pick) =>
    ours.filter((one, i) => JSON.stringify(pick(one)) === JSON.stringify(pick(theirs[i]))).length;
  // Counts -0 and 0 as equal payoffs.
  const payoffs = same((one) => one.payoffs.map((value) => value + 0));
  const compared = theirs.every((one) => one.legal !== null);
  const legal = compared ? same((one) => one.legal) : undefined;
  const decisions = ours.reduce((sum, one) => sum + one.moves.length, 0);
  found[name] = { peer, deals, decisions, equalPayoffs: payoffs, equalLegalMoves: legal };
  different += deals - payoffs + (compared ? deals - legal : 0);
  console.log(
    `${name}: of ${deals} deals ${payoffs} equal pay-offs, ${legal ?? "not compared:"} equal legal moves (${decisions} decisions) against ${peer}`,
  );
}
const [rlcard, openSpiel] = versions.stdout.trim().split(" ");
record("games-parity", { rlcard, openSpiel, games: found });
if (different > 0) process.exitCode = 1;
