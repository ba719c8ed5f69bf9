// npm run bench:holdem-local
// What each trained opponent of Limit Hold'em loses to a local best response, by the rules and with real cards: a lower bound of its
// exploitability in the real game. Writes bench/recorded/holdem-local.json.

import { localResponse } from "../dist/games/holdem/local-response.js";
import { styles } from "../dist/games/holdem/style.js";
import { unpackTable } from "../dist/games/holdem/table-player.js";
import { weights } from "../dist/games/holdem/weights.js";
import { holdem } from "../dist/games/variants.js";
import { meanInterval } from "../dist/statistics/index.js";
import { record } from "./record.js";

/** Each takes a fifth of a second. The styles lose so much that fewer deals suffice. */
const deals = { equilibrium: 1000, aggressive: 300, conservative: 300 };
const seed = 3000;

const result = {};
for (const [name, { grain }] of Object.entries(styles)) {
  const table = unpackTable(weights[name], grain);
  const scores = Array.from({ length: deals[name] }, (_, number) => localResponse(table, seed, number));
  const { mean, low, high } = meanInterval(scores, { seed: 1, range: holdem.range });
  result[name] = { deals: scores.length, mean, low, high };
  console.log(`${name}: a local best response wins ${JSON.stringify(result[name])} bb a hand`);
}
record("holdem-local", { styles: result });
