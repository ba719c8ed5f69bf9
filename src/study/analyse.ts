// From outcomes to the figures: one result a subject and task, and the study's family of comparisons.

import { addCost, type Cost, noCost } from "../core/call.js";
import type { Metric } from "../core/metric.js";
import type { Outcome } from "../core/outcome.js";
import type { Comparison, Estimate, Result } from "../core/record.js";
import { confusion, macroF1, meanInterval } from "../statistics/index.js";
import type { Journal } from "../store/journal.js";
import { adjustFamily, compareScores } from "./compare.js";
import type { PreparedTask } from "./prepare.js";

/** One subject's samples, with the seeds of a sample averaged. */
export interface Scores {
  name: string;
  binary: boolean;
  rows: SampleScore[];
  unscored: number;
  causes: Record<string, number>;
  cost: Cost & { msMedian: number };
  /** Gold and prediction of every scored answer, for the confusion matrix. */
  labelled: { gold: string; prediction: string }[];
  details: Record<string, number>;
}

export interface SampleScore {
  sample: string;
  score: number;
  group?: string;
  eyesOff: boolean;
}

/** Gathers a subject's outcomes (one fitted subject a seed) on one split. A sample unscored under every seed is unscored. */
export function gatherScores(
  name: string,
  subjects: readonly { id: string; seed: number }[],
  taskKey: string,
  split: "dev" | "test",
  binary: boolean,
  journal: Journal,
): Scores {
  const bySample = new Map<string, Outcome[]>();
  for (const { id, seed } of subjects) {
    for (const outcome of journal.outcomes({ subject: id, task: taskKey, split })) {
      if (outcome.seed !== seed) continue;
      const list = bySample.get(outcome.sample);
      if (list) list.push(outcome);
      else bySample.set(outcome.sample, [outcome]);
    }
  }
  const rows: SampleScore[] = [];
  const causes: Record<string, number> = {};
  const latencies: number[] = [];
  const labelled: Scores["labelled"] = [];
  const sums: Record<string, { sum: number; n: number }> = {};
  let cost = noCost;
  let answers = 0;
  let unscored = 0;
  for (const [sample, outcomes] of bySample) {
    const scored: number[] = [];
    for (const { grade, cost: paid, gold } of outcomes) {
      cost = addCost(cost, paid);
      latencies.push(paid.ms);
      answers++;
      if (grade.status === "unscored") {
        causes[grade.cause] = (causes[grade.cause] ?? 0) + 1;
        continue;
      }
      scored.push(grade.score);
      labelled.push({ gold, prediction: grade.prediction });
      for (const [key, value] of Object.entries(grade.details ?? {})) {
        sums[key] ??= { sum: 0, n: 0 };
        const entry = sums[key] as { sum: number; n: number };
        entry.sum += value;
        entry.n++;
      }
    }
    if (scored.length === 0) {
      unscored++;
      continue;
    }
    const first = outcomes[0] as Outcome;
    const score = scored.reduce((a, b) => a + b, 0) / scored.length;
    rows.push({
      sample,
      score,
      eyesOff: first.eyesOff ?? false,
      ...(first.group === undefined ? {} : { group: first.group }),
    });
  }
  const per = Math.max(1, answers);
  return {
    name,
    binary: binary && subjects.length === 1,
    rows,
    unscored,
    causes,
    labelled,
    cost: {
      calls: cost.calls / per,
      inputTokens: cost.inputTokens / per,
      outputTokens: cost.outputTokens / per,
      ms: cost.ms / per,
      usd: cost.usd / per,
      msMedian: median(latencies),
    },
    details: Object.fromEntries(Object.entries(sums).map(([key, { sum, n }]) => [key, sum / n])),
  };
}

/** The mean and its interval; clustered where samples share groups. */
export function estimate(rows: readonly SampleScore[], seed: number): Estimate {
  const grouped = rows.some((row) => row.group !== undefined);
  return meanInterval(
    rows.map((row) => row.score),
    { seed, ...(grouped ? { groups: rows.map((row) => row.group ?? row.sample) } : {}) },
  );
}

export function toResult(
  scores: Scores,
  prepared: PreparedTask,
  expected: number,
  build: Result["build"],
  dev: Result["dev"],
  seed: number,
  whyMissing = "unanswered",
): Result {
  const { task, commonest, chance } = prepared;
  const mean = estimate(scores.rows, seed);
  // What was never answered (a run that stopped, a specialist that could not be made) is unscored too.
  const missing = Math.max(0, expected - scores.rows.length - scores.unscored);
  const unscored = scores.unscored + missing;
  const total = scores.rows.length + unscored;
  const sum = scores.rows.reduce((a, row) => a + row.score, 0);
  const off = scores.rows.filter((row) => row.eyesOff);
  const on = scores.rows.filter((row) => !row.eyesOff);
  const labels = prepared.card.labels?.map((label) => label.key);
  return {
    subject: scores.name,
    task: task.name,
    metric: task.metric.name,
    ...mean,
    unscored,
    causes: missing > 0 ? { ...scores.causes, [whyMissing]: missing } : scores.causes,
    bounds: boundsOf(sum, unscored, total, task.metric),
    baseline:
      scores.labelled.filter(({ gold }) => gold === commonest).length / Math.max(1, scores.labelled.length),
    chance,
    build,
    perAnswer: scores.cost,
    dev,
    eyes: off.length > 0 ? { on: estimate(on, seed), off: estimate(off, seed) } : null,
    details: {
      ...scores.details,
      ...(labels && labels.length > 1 && scores.labelled.length > 0
        ? { macroF1: macroF1(confusion(scores.labelled, labels)) }
        : {}),
    },
  };
}

/** What a mean could be, whatever the unscored samples would have scored; null where the metric has no end there. */
function boundsOf(sum: number, unscored: number, total: number, { least, most }: Metric): Result["bounds"] {
  const end = (value: number | undefined) =>
    unscored === 0 && total > 0
      ? sum / total
      : value === undefined
        ? null
        : total === 0
          ? value
          : (sum + unscored * value) / total;
  return [end(least), end(most)];
}

/**
 * The study's one family: on the domain task every subject against the generalist and the champion against every other;
 * on other tasks every specialist against the generalist. Holm-adjusted over all of them.
 */
export function compareFamily(
  tasks: readonly { task: string; scores: readonly Scores[]; domain: boolean }[],
  generalist: string,
  champion: string | null,
  seed: number,
): Comparison[] {
  const family = tasks.flatMap(({ task, scores, domain }) => {
    const pairs = new Map<string, [string, string]>();
    for (const { name, rows } of scores) {
      if (rows.length === 0) continue;
      if (name !== generalist) pairs.set(`${name}\0${generalist}`, [name, generalist]);
      if (domain && champion !== null && name !== champion && champion !== generalist) {
        pairs.set(`${champion}\0${name}`, [champion, name]);
      }
    }
    return compareScores({
      task,
      systems: scores.map(({ name, rows, binary }) => ({ name, binary, scores: rows })),
      pairs: [...pairs.values()],
      seed,
    });
  });
  return adjustFamily(family);
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
