// npm run bench:hands
// Evaluates every seven-card hand: 133,784,560 of them, counted by category and compared with the known counts. Writes
// bench/recorded/hands.json; exits with 1 on any difference.

import { categories, categoryOf, maskValue } from "../dist/games/evaluator.js";
import { record } from "./record.js";

/** From combinatorics; published in any table of poker probabilities. */
const known = [23294460, 58627800, 31433400, 6461620, 6180020, 4047644, 3473184, 224848, 41584];

const counts = new Array(9).fill(0);
const started = performance.now();
/** Adds cards below `top`, from the highest down; s0 to s3 are the rank masks of the four suits. */
function deal(left, top, s0, s1, s2, s3) {
  for (let card = left - 1; card < top; card++) {
    const bit = 1 << (card >> 2);
    const suit = card & 3;
    const t0 = suit === 0 ? s0 | bit : s0;
    const t1 = suit === 1 ? s1 | bit : s1;
    const t2 = suit === 2 ? s2 | bit : s2;
    const t3 = suit === 3 ? s3 | bit : s3;
    if (left === 1) counts[categoryOf(maskValue(t0, t1, t2, t3))]++;
    else deal(left - 1, card, t0, t1, t2, t3);
  }
}
deal(7, 52, 0, 0, 0, 0);
const seconds = (performance.now() - started) / 1000;
const hands = counts.reduce((sum, one) => sum + one, 0);
record("hands", {
  hands,
  seconds,
  counts: Object.fromEntries(categories.map((name, i) => [name, counts[i]])),
});
const same = counts.every((count, i) => count === known[i]);
console.log(`hands: ${hands} hands in ${seconds.toFixed(0)} s, counts ${same ? "equal" : "DIFFERENT"}`);
if (!same) process.exitCode = 1;
