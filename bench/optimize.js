// Tests whether `optimize` accepts prompts that are no better, and whether it finds the best: races of simulated prompts
// with known accuracy.
// `npm run build && npm run bench:optimize -- [--runs 200]`; writes bench/recorded/optimize.json.
//
// Thirteen prompts, of which the first, the unchanged one, has an accuracy of 60 %; half of the variance of what decides
// an answer belongs to the sample, so prompts agree on easy and hard samples. 256 samples to search on, 256 to confirm.

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { record } from "./record.js";

const n = 256;
/** Accuracies minus that of the unchanged prompt, as fractions of 1. */
export const settings = {
  "none differs": Array(13).fill(0),
  "all others are worse": [0, ...Array.from({ length: 12 }, (_, i) => -0.02 * (1 + (i % 5)))],
  "one is better by 20 points": [0, ...Array(11).fill(0), 0.2],
  "one is better by 15 points": [0, ...Array(11).fill(0), 0.15],
  "one is better by 10 points": [0, ...Array(11).fill(0), 0.1],
  "graded from -10 to 15 points": [0, -0.1, -0.08, -0.05, -0.02, 0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15],
  "graded from -10 to 4 points": [
    0, -0.1, -0.08, -0.06, -0.05, -0.04, -0.02, 0, 0.01, 0.02, 0.02, 0.03, 0.04,
  ],
};

/**
 * Racers that are right with probability 0.6 + effect.
 * @param api { normal, randomFor, normalQuantile } of Hone
 */
export function known(effects, run, { normal, randomFor, normalQuantile }) {
  const random = randomFor(run, "known effects");
  const cut = effects.map((effect) => normalQuantile(0.6 + effect));
  const draw = () =>
    Array.from({ length: n }, () => {
      const own = normal(random);
      return cut.map((limit) => ((own + normal(random)) / Math.SQRT2 < limit ? 1 : 0));
    });
  const scores = { search: draw(), confirm: draw() };
  return {
    racers: effects.map((_, i) => ({ name: `prompt ${i}`, length: 100 + ((i * 37) % 101) })),
    course: { search: Array(n).fill(undefined), confirm: Array(n).fill(undefined) },
    score: async (racer, part, samples) => samples.map((i) => scores[part][i][racer]),
  };
}

/** Shares of races that accepted a prompt that is no better, and that returned one within a standard error of the best. */
export async function simulate(api, effects, runs) {
  const best = Math.max(...effects);
  const error = Math.sqrt(((0.6 + best) * (0.4 - best)) / n);
  const counts = { accepted: 0, near: 0, calls: 0, shrinkage: [] };
  const verdicts = {};
  for (let run = 0; run < runs; run++) {
    const { racers, course, score } = known(effects, run, api);
    const counted = async (...asked) => {
      counts.calls += asked[2].length;
      return score(...asked);
    };
    const report = await api.race(racers, course, counted, {
      seed: run,
      batch: 32,
      headroom: 0.5,
      alpha: 0.05,
    });
    const got = effects[report.returned];
    if (report.returned !== 0 && got <= 0) counts.accepted++;
    if (best - got <= error) counts.near++;
    if (report.shrinkage !== null) counts.shrinkage.push(report.shrinkage);
    verdicts[report.verdict] = (verdicts[report.verdict] ?? 0) + 1;
  }
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return {
    falseAccepts: counts.accepted / runs,
    withinOneError: counts.near / runs,
    callsOfAll: counts.calls / runs / (effects.length * n + 2 * n),
    shrinkagePoints: 100 * mean(counts.shrinkage),
    verdicts,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { runs: { type: "string", default: "200" } } });
  const { race } = await import("../dist/specializers/prompting/optimize/race.js");
  const { normal, randomFor } = await import("../dist/core/random.js");
  const { normalQuantile } = await import("../dist/statistics/distributions.js");
  const runs = Number(values.runs);
  const found = {};
  for (const [name, effects] of Object.entries(settings)) {
    found[name] = await simulate({ race, normal, randomFor, normalQuantile }, effects, runs);
    const { falseAccepts, withinOneError, callsOfAll } = found[name];
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    console.log(
      `${name}: ${percent(falseAccepts)} false accepts, ${percent(withinOneError)} within one standard error of the best, ${percent(callsOfAll)} of the calls of scoring all`,
    );
  }
  record("optimize", { runs, n, prompts: 13, settings: found });
  const worst = Math.max(...Object.values(found).map(({ falseAccepts }) => falseAccepts));
  console.log(`optimize: ratio ${(worst / 0.05).toFixed(2)} against the nominal false-accept rate`);
}
