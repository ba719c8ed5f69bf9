// Predictions made elsewhere, analysed with the same statistics as a study's outcomes.

import type { Estimate } from "../core/record.js";
import { meanInterval, unscoredBounds } from "../statistics/index.js";
import {
  adjustFamily,
  allPairs,
  comparePairs,
  type PairedComparison,
  type Rank,
  rank,
  type Unadjusted,
} from "./compare.js";
import { acrossTasks, pooled, scoredOf, tableOf } from "./overall.js";
import {
  overallNames,
  type PredictionsOptions,
  readPredictions,
  type TaskPredictions,
} from "./predictions-file.js";

export {
  type Predictions,
  type PredictionsOptions,
  readPredictions,
  type TaskPredictions,
} from "./predictions-file.js";

export interface PredictionResult extends Estimate {
  subject: string;
  task: string;
  metric: "accuracy";
  unscored: number;
  bounds: [number, number];
  /** Score of always giving the gold answer that is most frequent in this file, on the same samples. */
  baseline: number;
}

export interface PredictionsReport {
  results: PredictionResult[];
  /** Every pair on every task, and over all tasks if there are several: one family, Holm-adjusted. */
  comparisons: PairedComparison[];
  /** Per task, and over all tasks: systems that share a letter are not shown to differ. */
  ranking: { task: string; ranks: Rank[] }[];
  notes: string[];
}

/**
 * Compares all systems in a file of predictions, pair by pair, on every task.
 *
 * With several tasks, two more lines cover all of them: `(all samples)`, where every sample weighs the same, and
 * `(mean of tasks)`, where every task does. In both, rows of one id (or of one `group`) are one unit: they are resampled
 * and flipped together, since the same case may occur in several tasks. All comparisons of the report are one family.
 */
export async function comparePredictionsFile(
  path: string,
  options: PredictionsOptions & { seed?: number } = {},
): Promise<PredictionsReport> {
  const { systems, tasks, units, notes } = await readPredictions(path, options);
  const seed = options.seed ?? 1;
  const results: PredictionResult[] = [];
  const comparisons: Unadjusted[] = [];
  const pairs = allPairs(systems);
  for (const data of tasks) {
    results.push(...systems.map((system) => resultOf(system, data, seed)));
    comparisons.push(...comparePairs(tableOf(data), pairs, seed));
  }
  if (tasks.length > 1) {
    const all = pooled(tasks);
    const across = acrossTasks(tasks, units, seed);
    results.push(...systems.map((system) => resultOf(system, all, seed)));
    for (const system of systems) {
      const mean = across.mean(system);
      const on = results.filter(({ subject, task }) => subject === system && task !== overallNames.pooled);
      const baseline = on.reduce((sum, result) => sum + result.baseline, 0) / tasks.length;
      if (mean)
        results.push({ subject: system, task: overallNames.means, metric: "accuracy", ...mean, baseline });
      else notes.push(`${system} has no scored answer in some tasks, so it has no mean over tasks.`);
    }
    comparisons.push(...comparePairs(tableOf(all), pairs, seed), ...across.compare(pairs, comparisons));
  }
  for (const system of systems) {
    const missing = tasks.reduce(
      (sum, { scores }) =>
        sum + scores.get(system)!.reduce((n, score) => n + (Number.isNaN(score) ? 1 : 0), 0),
      0,
    );
    if (missing > 0)
      notes.push(
        `${system} has no answer to ${missing} samples: they are unscored, and left out of its comparisons.`,
      );
  }
  if (systems.length === 1) notes.push("There is one system: nothing to compare it with.");
  const family = adjustFamily(comparisons);
  const names = [...new Set(results.map(({ task }) => task))];
  const ranking = names.map((task) => ({ task, ranks: rank(results, family, { task }) }));
  return { results, comparisons: family, ranking, notes };
}

function resultOf(system: string, data: TaskPredictions, seed: number): PredictionResult {
  const { scores, units } = scoredOf(data, system);
  const { n, mean, low, high } = meanInterval(scores, { seed, ...(data.grouped ? { groups: units } : {}) });
  const unscored = data.n - n;
  return {
    subject: system,
    task: data.task,
    metric: "accuracy",
    n,
    mean,
    low,
    high,
    unscored,
    bounds: unscoredBounds(scores, unscored),
    baseline: n === 0 ? 0 : commonestGold(data, system) / n,
  };
}

/** How many of the scored samples have the most frequent gold. */
function commonestGold({ n, gold, scores }: TaskPredictions, system: string): number {
  const all = scores.get(system)!;
  const counts = new Uint32Array(gold.reduce((most, number) => Math.max(most, number), 0) + 1);
  let most = 0;
  for (let i = 0; i < n; i++) if (!Number.isNaN(all[i]!)) most = Math.max(most, ++counts[gold[i]!]!);
  return most;
}
