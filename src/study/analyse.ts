// From outcomes to figures: one result per subject and task, and the study's family of comparisons.

import { addCost, type Cost, noCost } from "../core/call.js";
import { countsAs, type Outcome, rightAnswers } from "../core/outcome.js";
import type { Comparison, Estimate, Result } from "../core/record.js";
import type { ScoredRow, Task } from "../core/task.js";
import { confusion, macroF1 } from "../statistics/index.js";
import type { Journal } from "../store/journal.js";
import { adjustFamily, compareScores, estimateIn } from "./compare.js";
import type { PreparedTask } from "./prepare.js";
import { tabled } from "./scores.js";

/** One subject's scored samples, one row for each sample and training seed. */
export interface Scores {
  name: string;
  binary: boolean;
  rows: SampleScore[];
  /** Samples that no seed left unscored; and those that one did, which count as unscored as a whole. */
  scored: number;
  unscored: number;
  causes: Record<string, number>;
  cost: Cost & { msMedian: number };
  /** Gold and prediction of every scored answer, for the confusion matrix; all that is right, for the baseline. */
  labelled: { gold: string; prediction: string; right: readonly string[] }[];
  details: Record<string, number>;
}

/** One scored sample under one seed; `seed` is set if there are several. */
export interface SampleScore extends ScoredRow {
  sample: string;
  group?: string;
  seed?: number;
  eyesOff: boolean;
}

/** Gathers a subject's outcomes (one fitted subject per seed) on one split. A sample that any seed left unscored is unscored. */
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
  let samples = 0;
  for (const [sample, outcomes] of bySample) {
    for (const { grade, cost: paid } of outcomes) {
      cost = addCost(cost, paid);
      latencies.push(paid.ms);
      answers++;
      if (grade.status === "unscored") causes[grade.cause] = (causes[grade.cause] ?? 0) + 1;
    }
    if (outcomes.some(({ grade }) => grade.status === "unscored")) {
      unscored++;
      continue;
    }
    samples++;
    for (const outcome of outcomes) {
      const { grade, gold, seed, group, eyesOff = false } = outcome;
      if (grade.status === "unscored") continue;
      const { score, prediction, weight = 1, details = {} } = grade;
      rows.push({
        ...{ sample, score, gold, prediction, weight, details, eyesOff },
        ...(group === undefined ? {} : { group }),
        ...(subjects.length > 1 ? { seed } : {}),
      });
      labelled.push({
        gold: countsAs(outcome, prediction),
        prediction,
        right: rightAnswers(outcome),
      });
      for (const [key, value] of Object.entries(details)) {
        sums[key] ??= { sum: 0, n: 0 };
        const entry = sums[key] as { sum: number; n: number };
        entry.sum += value;
        entry.n++;
      }
    }
  }
  const per = Math.max(1, answers);
  return {
    name,
    binary,
    rows,
    scored: samples,
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

type Scale = Pick<Task, "metric" | "aggregate" | "binary">;

/** What the statistics need to know of a task. */
function scaleOf({ metric, aggregate }: Omit<Scale, "binary">) {
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = metric;
  return { aggregate, range: [least, most] as const };
}

/**
 * The task's figure with its interval: a mean, weighted if grades are, or the task's aggregate; clustered if samples
 * share groups, and over training seeds if there are several.
 */
export function estimate(rows: readonly SampleScore[], task: Scale, seed: number): Estimate {
  const systems = [{ name: "", binary: task.binary, scores: rows }];
  const { n, mean, low, high } = estimateIn(tabled({ task: "", systems, ...scaleOf(task) }), "", seed);
  return { n, mean, low, high };
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
  const mean = estimate(scores.rows, task, seed);
  // Samples that were never answered (the run stopped, the specialist could not be made) are unscored too.
  const missing = Math.max(0, expected - scores.scored - scores.unscored);
  const unscored = scores.unscored + missing;
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
    bounds: boundsOf(mean, scores.rows, unscored, task),
    baseline:
      scores.labelled.filter(({ right }) => commonest !== undefined && right.includes(commonest)).length /
      Math.max(1, scores.labelled.length),
    chance,
    build,
    perAnswer: scores.cost,
    dev,
    eyes: off.length > 0 ? { on: estimate(on, task, seed), off: estimate(off, task, seed) } : null,
    details: {
      ...scores.details,
      ...(labels && labels.length > 1 && scores.labelled.length > 0
        ? { macroF1: macroF1(confusion(scores.labelled, labels)) }
        : {}),
    },
  };
}

/** The range of the figure over all scores that the unscored samples could have had; null where the metric has no end. */
function boundsOf(
  { mean, n }: Estimate,
  rows: readonly SampleScore[],
  unscored: number,
  { metric: { least, most }, aggregate }: Task,
): Result["bounds"] {
  if (unscored === 0 && n > 0) return [mean, mean];
  // The weight of an unscored sample in an aggregate, or by bytes, is unknown.
  const whole = n === 0 || aggregate !== undefined || rows.some(({ weight }) => weight !== 1);
  const end = (value: number | undefined) =>
    value === undefined ? null : whole ? value : (n * mean + unscored * value) / (n + unscored);
  return [end(least), end(most)];
}

/**
 * The study's one family: on the domain task every subject against the generalist and the champion against every other;
 * on other tasks every specialist against the generalist. Holm-adjusted over all.
 */
export function compareFamily(
  tasks: readonly {
    prepared: Pick<PreparedTask, "task">;
    task: string;
    scores: readonly Scores[];
    domain: boolean;
  }[],
  generalist: string,
  champion: string | null,
  seed: number,
): Comparison[] {
  const family = tasks.flatMap(({ prepared, task, scores, domain }) => {
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
      ...scaleOf(prepared.task),
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
