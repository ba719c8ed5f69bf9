// From the outcomes of a study to a paper's figures: the mean over tasks with its interval, differences of such means, and
// accuracy at the natural mix of classes. Cases are the units: what many tasks ask about one case is not independent.

import { meanInterval, pairedDifference, wilson } from "../statistics/index.js";
import type { OpenedStudy } from "../study/open.js";
import type { Measured } from "./claim.js";

export interface Score {
  task: string;
  caseId: string;
  /** Mean over seeds. */
  score: number;
  gold: string;
  /** Of the first seed. */
  prediction: string;
}

/** One subject's scores by sample id. Unscored samples are not in it. */
export type Scores = ReadonlyMap<string, Score>;

/**
 * The scores of a subject on test; empty where the study has no such subject.
 * @param task stands before the sample ids that do not name their task themselves (`task/id`)
 */
export function scoresOf(study: OpenedStudy, subject: string, task?: string): Scores {
  const ids = new Set(study.record.subjects.find(({ name }) => name === subject)?.ids);
  const sums = new Map<string, Score & { times: number }>();
  for (const { subject: id, sample, grade, gold, group } of study.outcomes()) {
    if (!ids.has(id) || grade.status !== "scored") continue;
    const key = task === undefined || sample.startsWith(`${task}/`) ? sample : `${task}/${sample}`;
    const sum = sums.get(key) ?? {
      task: key.slice(0, key.indexOf("/")),
      caseId: group ?? key,
      score: 0,
      gold,
      prediction: grade.prediction,
      times: 0,
    };
    sum.score += grade.score;
    sum.times++;
    sums.set(key, sum);
  }
  return new Map([...sums].map(([id, { times, ...one }]) => [id, { ...one, score: one.score / times }]));
}

/** Scores of these tasks only. */
export function within(scores: Scores, tasks: readonly string[]): Scores {
  return new Map([...scores].filter(([, { task }]) => tasks.includes(task)));
}

/** Mean and number of samples of every task. */
export function byTask(scores: Scores): Map<string, { n: number; mean: number }> {
  const sums = new Map<string, { n: number; mean: number }>();
  for (const { task, score } of scores.values()) {
    const one = sums.get(task) ?? { n: 0, mean: 0 };
    one.mean += (score - one.mean) / ++one.n;
    sums.set(task, one);
  }
  return sums;
}

/** Weights that make a mean over samples the unweighted mean over tasks. */
function taskWeights(tasks: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const task of tasks) counts.set(task, (counts.get(task) ?? 0) + 1);
  return tasks.map((task) => tasks.length / (counts.size * (counts.get(task) as number)));
}

/** Lawma's headline figure, the unweighted mean of the tasks' accuracies, with an interval clustered by case. */
export function macroMean(scores: Scores): Measured | null {
  const rows = [...scores.values()];
  if (rows.length === 0) return null;
  const weights = taskWeights(rows.map(({ task }) => task));
  return meanInterval(
    rows.map(({ score }, i) => score * (weights[i] as number)),
    { seed: 1, groups: rows.map(({ caseId }) => caseId), range: [0, Math.max(...weights)] },
  );
}

/** The difference of two such means on the samples that both have: a less b. */
export function macroDifference(a: Scores, b: Scores): Measured | null {
  const shared = [...a].filter(([id]) => b.has(id));
  if (shared.length === 0) return null;
  const weights = taskWeights(shared.map(([, { task }]) => task));
  const weighted = (scores: Scores) =>
    shared.map(([id], i) => (scores.get(id) as Score).score * (weights[i] as number));
  const most = Math.max(...weights);
  const { delta, low, high, n } = pairedDifference(weighted(a), weighted(b), {
    seed: 1,
    groups: shared.map(([, { caseId }]) => caseId),
    range: [0, most],
  });
  return { mean: delta, low, high, n };
}

/** On which share of the tasks a scores higher than b; `n` is the number of tasks. */
export function shareOfTasks(a: Scores, b: Scores): Measured | null {
  const others = byTask(b);
  const pairs = [...byTask(a)].flatMap(([task, { mean }]) => {
    const other = others.get(task);
    return other ? [mean > other.mean] : [];
  });
  if (pairs.length === 0) return null;
  const [low, high] = wilson(pairs.filter(Boolean).length / pairs.length, pairs.length, 1.959963984540054);
  return { mean: pairs.filter(Boolean).length / pairs.length, low, high, n: pairs.length };
}

/**
 * Accuracy had the majority class not been cut: its answers count 1/keep times.
 * @param keep the share of the majority class that balancing left in test
 */
export function atNaturalMix(
  rows: readonly { right: number; gold: string }[],
  majority: string,
  keep: number,
): number {
  const weightOf = (gold: string) => (gold === majority ? 1 / keep : 1);
  const total = rows.reduce((sum, { gold }) => sum + weightOf(gold), 0);
  return rows.reduce((sum, { right, gold }) => sum + right * weightOf(gold), 0) / total;
}

/**
 * Accuracy at the natural mix less what coders agree on, mean over tasks, with an interval.
 * @param tasks one entry a task: its answers, and the coders' agreement
 */
export function ceilingGap(
  tasks: readonly {
    rows: readonly { right: number; gold: string; id: string }[];
    majority: string;
    keep: number;
    coders: number;
  }[],
): Measured | null {
  const n = tasks.reduce((sum, { rows }) => sum + rows.length, 0);
  if (n === 0) return null;
  const values: number[] = [];
  const groups: string[] = [];
  for (const { rows, majority, keep, coders } of tasks) {
    const weightOf = (gold: string) => (gold === majority ? 1 / keep : 1);
    const total = rows.reduce((sum, { gold }) => sum + weightOf(gold), 0);
    for (const { right, gold, id } of rows) {
      // Scaled so that the mean over all rows is the mean over tasks of the weighted mean within each.
      values.push(((right - coders) * weightOf(gold) * n) / (total * tasks.length));
      groups.push(id);
    }
  }
  return meanInterval(values, { seed: 1, groups, range: [Math.min(-1, ...values), Math.max(1, ...values)] });
}
