// npm run train:holdem [-- --small | --measure]
// Trains the opponents of Limit Hold'em by self-play and writes src/games/holdem/weights.ts and bench/recorded/holdem.json: how
// each plays, what it wins from the others, and what a best response trained against it wins (a lower bound of its exploitability).
// --measure keeps the weights and repeats the measurements.

import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { duplicate } from "../dist/games/game.js";
import { drawPools, solveHoldem } from "../dist/games/holdem/solve.js";
import { habitsOf, styles } from "../dist/games/holdem/style.js";
import { packTable, tablePlayer, unpackTable } from "../dist/games/holdem/table-player.js";
import { weights } from "../dist/games/holdem/weights.js";
import { caller, pokerRule, raiser, random } from "../dist/games/poker-players.js";
import { holdem } from "../dist/games/variants.js";
import { meanInterval } from "../dist/statistics/index.js";
import { machine, record } from "./record.js";

const flag = { type: "boolean", default: false };
const { values } = parseArgs({ options: { small: flag, measure: flag } });
/** A hundredth of everything, to see that it runs; nothing is written. */
const part = values.small ? 0.01 : 1;
const deals = 150_000 * part;
const responses = 2_000_000 * part;
const hands = 20_000 * part;
const fine = { early: 12, river: 40 };

const started = performance.now();
const seconds = () => Math.round((performance.now() - started) / 1000);
const say = (text) => process.stderr.write(`${String(seconds()).padStart(4)} s  ${text}\n`);

say(`drawing ${deals} deals`);
const grains = [styles.equilibrium.grain, styles.aggressive.grain, fine];
const [equilibriumPool, stylePool, finePool] = drawPools(deals, 1, grains);
const poolOf = (grain) => (grain === styles.equilibrium.grain ? equilibriumPool : stylePool);
const packed = {};
const players = {};
const tables = {};
for (const [name, { grain, training }] of Object.entries(styles)) {
  const pool = poolOf(grain);
  if (values.measure) packed[name] = weights[name];
  else {
    say(`training ${name}`);
    packed[name] = packTable(solveHoldem(pool, { ...training, hands: training.hands * part, seed: 1 }));
  }
  tables[name] = { table: unpackTable(packed[name], grain), pool };
  players[name] = tablePlayer(name, tables[name].table);
}
const recorded = new URL("recorded/holdem.json", import.meta.url);
/** The training's cost and machine: --measure leaves them unchanged. */
const before = values.measure ? JSON.parse(await readFile(recorded, "utf8")) : undefined;
const place = machine();
const training = {
  trainingSeconds: before?.trainingSeconds ?? seconds(),
  trainingMachine: before?.trainingMachine ?? before?.machine ?? place,
};

const won = (a, b) => {
  const scores = duplicate(holdem, a, b, hands, 1000);
  const { mean, low, high } = meanInterval(scores, { seed: 1, range: holdem.range });
  return { mean, low, high };
};
const result = { ...training, deals, responseHands: responses, hands: 2 * hands, styles: {} };
for (const [name, player] of Object.entries(players)) {
  say(`a best response to ${name}`);
  const response = solveHoldem(finePool, { hands: responses, seed: 2, against: tables[name] });
  result.styles[name] = {
    bytes: packed[name].length,
    habits: habitsOf(player, 5000 * part, 2000),
    bestResponse: won(tablePlayer("best response", response), player),
    against: Object.fromEntries(
      [...Object.values(players), pokerRule, caller, raiser, random]
        .filter((other) => other !== player)
        .map((other) => [other.name, won(player, other)]),
    ),
  };
  const { bestResponse, habits, bytes } = result.styles[name];
  say(`${name}: ${JSON.stringify({ bestResponse, habits, bytes })}`);
}

if (!values.small && !values.measure) {
  const lines = Object.entries(packed).map(([name, text]) => `  ${name}:\n    "${text}",\n`);
  await writeFile(
    new URL("../src/games/holdem/weights.ts", import.meta.url),
    `// Trained opponents of Limit Hold'em, packed (table-player.ts); written by \`npm run train:holdem\`.\n\nexport const weights = {\n${lines.join("")}} as const;\n`,
  );
}
if (!values.small) {
  record("holdem", { command: "npm run train:holdem", ...result }, place);
}
console.log(JSON.stringify(result));
