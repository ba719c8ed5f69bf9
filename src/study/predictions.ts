// Predictions made elsewhere, put through the same statistics as a study's outcomes.

import type { Estimate } from "../core/record.js";
import {
  adjustFamily,
  allPairs,
  compareScores,
  type PairedComparison,
  type Rank,
  rank,
  type ScoredSample,
} from "./compare.js";
import { comparePooled, compareTaskMeans, meanOfTasks, overallNames, pooled } from "./overall.js";
import { type PredictionsOptions, readPredictions, type TaskPredictions } from "./predictionsFile.js";
import { meanInterval, unscoredBounds } from "./statistics/index.js";

export {
  type Predictions,
  type PredictionsOptions,
  readPredictions,
  type TaskPredictions,
} from "./predictionsFile.js";

export interface PredictionResult extends Estimate {
  subject: string;
  task: string;
  metric: "accuracy";
  unscored: number;
  bounds: [number, number];
  /** Always giving the gold answer that is most frequent in this file, on the same samples. */
  baseline: number;
}

export interface PredictionsReport {
  results: PredictionResult[];
  /** Every pair on every task, and over all tasks where there are several: one family, Holm-adjusted. */
  comparisons: PairedComparison[];
  /** Per task, and over all tasks: who shares a letter is not shown to differ. */
  ranking: { task: string; ranks: Rank[] }[];
  notes: string[];
}

/**
 * Compares all systems in a file of predictions, pair by pair, on every task.
 *
 * With several tasks two more lines stand for all of them: `(all samples)`, where every sample weighs the same, and
 * `(mean of tasks)`, where every task does. In both, rows of one id (or of one `group`) are one unit: they are resampled
 * and flipped together, since the same case may occur in several tasks. All comparisons of the report are one family.
 */
export async function comparePredictionsFile(
  path: string,
  options: PredictionsOptions & { seed?: number } = {},
): Promise<PredictionsReport> {
  const { systems, tasks, notes } = await readPredictions(path, options);
  const seed = options.seed ?? 1;
  const results: PredictionResult[] = [];
  const comparisons: PairedComparison[] = [];
  const pairs = allPairs(systems);
  for (const data of tasks) {
    results.push(...systems.map((system) => resultOf(system, data, seed)));
    comparisons.push(
      ...compareScores({
        task: data.task,
        systems: systems.map((name) => ({ name, binary: true, scores: samplesOf(name, data) })),
        pairs,
        seed,
      }),
    );
  }
  if (tasks.length > 1) {
    const all = pooled(tasks);
    results.push(...systems.map((system) => resultOf(system, all, seed)));
    for (const system of systems) {
      const mean = meanOfTasks(system, tasks, seed);
      const on = results.filter(({ subject, task }) => subject === system && task !== overallNames.pooled);
      const baseline = on.reduce((sum, result) => sum + result.baseline, 0) / tasks.length;
      if (mean)
        results.push({ subject: system, task: overallNames.means, metric: "accuracy", ...mean, baseline });
      else notes.push(`${system} has no scored answer in some tasks, so it has no mean of tasks.`);
    }
    comparisons.push(
      ...comparePooled(all, pairs, seed),
      ...compareTaskMeans(tasks, pairs, comparisons, seed),
    );
  }
  for (const system of systems) {
    const missing = tasks.reduce(
      (sum, { scores }) => sum + scores.get(system)!.filter((score) => score === null).length,
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
  const samples = samplesOf(system, data);
  const kept = samples.flatMap(({ score }, i) =>
    score === null ? [] : [{ score, i, group: samples[i]!.group }],
  );
  const scores = kept.map(({ score }) => score);
  const grouped = kept.some(({ group }) => group !== undefined);
  const { n, mean, low, high } = meanInterval(scores, {
    seed,
    ...(grouped ? { groups: kept.map(({ group }) => group) } : {}),
  });
  const counts = new Map<string, number>();
  for (const { i } of kept) counts.set(data.gold[i]!, (counts.get(data.gold[i]!) ?? 0) + 1);
  const unscored = samples.length - n;
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
    baseline: n === 0 ? 0 : Math.max(...counts.values()) / n,
  };
}

function samplesOf(system: string, { ids, groups, scores }: TaskPredictions): ScoredSample[] {
  const list = scores.get(system) ?? [];
  return ids.map((sample, i) => ({
    sample,
    score: list[i] ?? null,
    ...(groups[i] === undefined ? {} : { group: groups[i] }),
  }));
}
