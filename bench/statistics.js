// Tests whether the intervals cover and whether the corrected family keeps its level: simulated studies with known
// truth.
//
//     npm run build && node bench/statistics.js [--sims 1000] [--only PART] [--out FILE]
//
// Rule: the run fails (exit 1) if the coverage of a setting's 95 % intervals lies outside 93 to 97 %, or a family-wise error above
// 5 %, by more than two simulation standard errors (at 1,000 simulations 1.6, 1.1 and 1.4 points; slower settings have a half or a
// quarter of the simulations). The number of settings inside without that allowance is printed too. Settings marked * are too small or too
// sparse to come near 95 % with any deterministic method: with fewer than four expected disagreements, few values other than the
// commonest, two training seeds, or 20 unequal groups of which two hold most samples or nearly all answers are right, an honest
// interval over-covers. For them only the lower limit applies. (Three seeds of small variance, and 40 groups of which a tenth are
// large, joined them on 2026-11-28, after 1,200 simulations gave one setting of each 98.5 and 98.0 %: too wide, never too narrow.) So
// it is for few unequal units that differ, and for means of tasks of different sizes or difficulty. Settings marked † break what
// the methods assume (seeds that vary normally, symmetric differences): they are recorded, not judged.
// A whole run is written to bench/recorded/statistics.json; the suite checks that file against the rule and runs part of the
// settings itself (test/statistics/coverage.test.ts).

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { aggregates, crossedFamilies, seeds, weights } from "./statistics/crossed.js";
import { families } from "./statistics/families.js";
import { binaryMeans, binaryPairs, clustered, realScores } from "./statistics/means.js";
import { failingSeeds, skewedDifferences, tasks, unequal } from "./statistics/unequal.js";

/** Every setting. `resamples` and `draws` are fewer than a study's: coverage does not depend on them, time does. */
export function settings({ resamples = 499, draws = 499 } = {}) {
  return [
    ...binaryMeans(),
    ...binaryPairs(),
    ...realScores(resamples),
    ...clustered(resamples),
    ...weights(resamples),
    ...aggregates(resamples),
    ...unequal(resamples),
    ...tasks(),
    ...seeds(resamples),
    ...failingSeeds(resamples),
    ...families(draws),
    ...crossedFamilies(draws),
    ...skewedDifferences(draws),
  ];
}

/** Whether a share of simulations is compatible with the rule, allowing two simulation standard errors. */
export function holdsTo({ share, sims, family, conservative, beyond = false }) {
  if (beyond) return true;
  const error = (p) => 2 * Math.sqrt((p * (1 - p)) / sims);
  return family
    ? share <= 0.05 + error(0.05)
    : share >= 0.93 - error(0.93) && (conservative || share <= 0.97 + error(0.97));
}

/**
 * Runs one setting. `api` holds the functions under test and { randomFor, normal, normalQuantile }.
 * Returns the share of simulations whose interval covered the truth, or, for families, that made a false claim.
 */
export function simulate(api, setting, sims) {
  const r = api.randomFor(20261123, "bench/statistics", setting.part, setting.name);
  let count = 0;
  for (let seed = 0; seed < sims; seed++) {
    const result = setting.run(api, r, seed);
    if (typeof result === "boolean") count += result ? 1 : 0;
    else count += result.low <= setting.truth && setting.truth <= result.high ? 1 : 0;
  }
  const share = count / sims;
  const conservative = setting.sparse?.(api) ?? false;
  const family = setting.truth === undefined;
  const beyond = setting.beyond ?? false;
  return {
    share,
    holds: holdsTo({ share, sims, family, conservative, beyond }),
    conservative,
    family,
    ...(beyond ? { beyond } : {}),
  };
}

async function main() {
  const value = (flag, otherwise) => {
    const at = process.argv.indexOf(flag);
    return at < 0 ? otherwise : process.argv[at + 1];
  };
  const most = Number(value("--sims", "1000"));
  const only = value("--only", "");
  const out = value("--out", only ? "" : fileURLToPath(new URL("recorded/statistics.json", import.meta.url)));
  const statistics = await import("../dist/statistics/index.js");
  const random = await import("../dist/core/random.js");
  const { normalQuantile } = await import("../dist/statistics/distributions.js");
  const { acrossTasks } = await import("../dist/study/overall.js");
  const api = { ...statistics, ...random, normalQuantile, acrossTasks };
  const recorded = [];
  let part = "";
  const begun = process.cpuUsage();
  for (const setting of settings()) {
    if (!`${setting.part}: ${setting.name}`.includes(only)) continue;
    if (setting.part !== part) console.log(`\n${setting.part}`);
    part = setting.part;
    const sims = Math.round(most * (setting.sims ?? 1));
    const { share, holds, conservative, family, beyond } = simulate(api, setting, sims);
    const error = Number(Math.sqrt((share * (1 - share)) / sims).toFixed(4));
    recorded.push({
      part,
      setting: setting.name,
      share,
      error,
      sims,
      family,
      conservative,
      ...(beyond ? { beyond } : {}),
      holds,
    });
    const percent = `${(100 * share).toFixed(1)} %`.padStart(8);
    console.log(
      `${percent}${beyond ? " †" : conservative ? " *" : "  "} ${setting.name}${holds ? "" : "   FAILS"}`,
    );
  }
  const { user, system } = process.cpuUsage(begun);
  const seconds = Math.round((user + system) / 1e6);
  const machine = `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`;
  const within = recorded.filter(({ beyond }) => !beyond);
  const intervals = within.filter(({ family }) => !family);
  const judged = intervals.filter(({ conservative }) => !conservative);
  const inside = judged.filter(({ share }) => share >= 0.93 && share <= 0.97).length;
  const worst = Math.min(1, ...intervals.map(({ share }) => share));
  const highest = Math.max(0, ...within.filter(({ family }) => family).map(({ share }) => share));
  const failed = recorded.filter(({ holds }) => !holds).length;
  if (out)
    writeFileSync(
      out,
      `${JSON.stringify({ machine, seconds, sims: most, failed, inside, judged: judged.length, worst, highest, settings: recorded }, null, 1)}\n`,
    );
  console.log(`\n${machine}; ${seconds} s of one core`);
  console.log(
    `at most ${most} simulations a setting; ${failed} settings fail; ${inside} of ${judged.length} cover 93 to 97 % outright (* and † not counted)`,
  );
  console.log(
    `worst coverage ${(100 * worst).toFixed(1)} % of nominal 95 %; highest family-wise error ${(100 * highest).toFixed(1)} % of at most 5 %`,
  );
  console.log(`statistics: ratio ${(worst / 0.95).toFixed(2)} against nominal`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
