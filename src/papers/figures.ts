// From a study's outcomes to a paper's figures: scores by sample, means over tasks, means by seed. The statistics are those of
// `hone compare` and of every study; the functions here only bring scores into their form.

import type { EpisodeTrail } from "../core/language.js";
import type { Estimate } from "../core/record.js";
import { type DifferenceOptions, mcnemar, meanInterval, pairedDifference } from "../statistics/index.js";
import { comparePairs } from "../study/compare.js";
import { acrossTasks, tableOf } from "../study/overall.js";
import type { TaskPredictions } from "../study/predictions-file.js";

/** A figure that was tested against a value, usually a difference against 0. */
export interface Measured extends Estimate {
  against: number;
  /** Two-sided, of this test alone. */
  p: number;
}

/** One scored outcome of an arm. */
export interface Row {
  /** Name of the task in the study. */
  task: string;
  sample: string;
  seed: number;
  group?: string;
  gold: string;
  prediction: string;
  score: number;
  details: Readonly<Record<string, number>>;
  /** The episodes played, if the task is a game. */
  episodes?: readonly EpisodeTrail[];
}

export interface Score {
  task: string;
  /** Case that several tasks may ask about; answers about one case are not independent. */
  caseId: string;
  /** Mean over seeds. */
  score: number;
  gold: string;
  /** Of the first seed. */
  prediction: string;
}

/** One arm's scores by sample id. Unscored samples are not in it. */
export type Scores = ReadonlyMap<string, Score>;

export const noScores: Scores = new Map();

/**
 * Scores by sample. An id that names its task (`task/id`) belongs to that task.
 * @param task the other ids' task, which is prefixed to them; the study's own if absent
 */
export function scoresOf(rows: readonly Row[], task?: string): Scores {
  const sums = new Map<string, Score & { times: number }>();
  for (const { sample, score, gold, prediction, group, task: own } of rows) {
    const key = task === undefined || sample.startsWith(`${task}/`) ? sample : `${task}/${sample}`;
    const named = taskOf({ sample: key, task: own });
    const sum = sums.get(key) ?? { task: named, caseId: group ?? key, score: 0, gold, prediction, times: 0 };
    sum.score += score;
    sum.times++;
    sums.set(key, sum);
  }
  return new Map([...sums].map(([id, { times, ...one }]) => [id, { ...one, score: one.score / times }]));
}

/** Scores of these tasks only. */
export function within(scores: Scores, tasks: readonly string[]): Scores {
  return new Map([...scores].filter(([, { task }]) => tasks.includes(task)));
}

/** The means of the tasks. */
export function byTask(scores: Scores): Map<string, number> {
  const tasks = grouped([...scores.values()], ({ task }) => task);
  return new Map([...tasks].map(([task, rows]) => [task, average(rows.map(({ score }) => score))]));
}

function grouped<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The unweighted mean of the tasks' means; null where there are no scores. */
export function meanOverTasks(scores: Scores): Estimate | null {
  if (scores.size === 0) return null;
  const { tasks, units } = tabled({ scores });
  const { n, mean, low, high } = acrossTasks(tasks, units, 1).mean("scores") as Estimate;
  return { n, mean, low, high };
}

/** Least and most that a score can be. */
export type Range = readonly [least: number, most: number];

/** The difference of two such means, a minus b, on the samples that both have. */
export function difference(a: Scores, b: Scores, range: Range = [0, 1]): Measured | null {
  const { tasks, units } = tabled({ a, b });
  const onTasks = tasks.flatMap((task) => comparePairs({ ...tableOf(task), range }, [["a", "b"]], 1));
  const [found] = tasks.length === 0 ? [] : acrossTasks(tasks, units, 1).compare([["a", "b"]], onTasks);
  if (!found) return null;
  const { n, delta, low, high, p } = found;
  return { n, mean: delta, low, high, p, against: 0 };
}

/** The share of tasks on which a scores higher than b, tested against one half; `n` is the number of tasks. */
export function shareOfTasks(a: Scores, b: Scores): Measured | null {
  const others = byTask(b);
  const won = [...byTask(a)].flatMap(([task, mean]) => {
    const other = others.get(task);
    return other === undefined ? [] : [mean > other ? 1 : 0];
  });
  if (won.length === 0) return null;
  const { n, mean, low, high } = meanInterval(won, { seed: 1 });
  const wins = won.filter((one) => one === 1).length;
  // Against one half McNemar's exact test is the sign test.
  return { n, mean, low, high, p: mcnemar(wins, n - wins), against: 0.5 };
}

/** The samples that all columns have, task by task, in the form that comparisons across tasks take. */
function tabled(columns: Readonly<Record<string, Scores>>): { tasks: TaskPredictions[]; units: number } {
  const [first = noScores, ...rest] = Object.values(columns);
  const shared = [...first].filter(([id]) => rest.every((scores) => scores.has(id)));
  const numbers = new Map<string, number>();
  const numberOf = (caseId: string): number => {
    const number = numbers.get(caseId) ?? numbers.size;
    numbers.set(caseId, number);
    return number;
  };
  const tasks = [...grouped(shared, ([, { task }]) => task)].map(([task, rows]): TaskPredictions => {
    const units = Int32Array.from(rows, ([, { caseId }]) => numberOf(caseId));
    const scores = Object.entries(columns).map(([name, column]): [string, Float32Array] => [
      name,
      Float32Array.from(rows, ([id]) => column.get(id)?.score ?? Number.NaN),
    ]);
    return {
      task,
      n: rows.length,
      units,
      grouped: new Set(units).size < rows.length,
      gold: new Int32Array(rows.length),
      scores: new Map(scores),
    };
  });
  return { tasks, units: numbers.size };
}

/** One value per seed. */
export type BySeed = ReadonlyMap<number, number>;

/** Means over trials, seed by seed. @param detail the score itself where absent */
export function bySeed(rows: readonly Row[], detail?: string): BySeed {
  const value = ({ score, details }: Row) => (detail === undefined ? score : (details[detail] ?? Number.NaN));
  return new Map([...grouped(rows, ({ seed }) => seed)].map(([seed, of]) => [seed, average(of.map(value))]));
}

/**
 * Mean over seeds of an error, with seeds as units: each training is a separate draw. `n` counts seeds. An error has no upper
 * bound, so a single seed gives an interval without one.
 */
export function meanOverSeeds(values: BySeed): Estimate | null {
  if (values.size === 0) return null;
  const { n, mean, low, high } = meanInterval([...values.values()], {
    seed: 1,
    range: [0, Number.POSITIVE_INFINITY],
  });
  return { n, mean, low, high };
}

/** a minus b, seed by seed on the same trials, against a value. */
export function seedDifference(a: BySeed, b: BySeed, against = 0): Measured | null {
  const seeds = [...a.keys()].filter((seed) => b.has(seed));
  if (seeds.length === 0) return null;
  const of = (values: BySeed, less: number) => seeds.map((seed) => (values.get(seed) as number) - less);
  const range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
  const { n, delta, low, high, p } = pairedDifference(of(a, against), of(b, 0), { seed: 1, range });
  return { n, mean: delta + against, low: low + against, high: high + against, p, against };
}

const anyScore: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** What is compared, and how its trainings are shared. */
export interface Crossing {
  /** The value that the difference is tested against; 0 if absent. */
  against?: number;
  /** The scores' scale; unbounded if absent. */
  range?: Range;
  /** a and b are the same trainings, measured in two ways: seed s of one is then seed s of the other. Else each is a draw of its own. */
  same?: boolean;
  /** Each task, by the samples' ids (`task/id`), has trainings of its own: seed s of one is not seed s of another. */
  apart?: boolean;
}

/** a minus b of columns of scores, one per seed, on the same samples: samples (or groups) and seeds are crossed units. */
export function columnsDifference(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  weights: readonly number[],
  {
    against = 0,
    range = anyScore,
    same = false,
    ...samples
  }: Omit<Crossing, "apart"> & Pick<DifferenceOptions, "groups" | "tasks"> = {},
): Measured | null {
  if (a.length === 0 || b.length === 0 || weights.length === 0) return null;
  const changes = () => a.map((column, s) => column.map((one, i) => one - (b[s]?.[i] as number)));
  const [left, right] = same ? [changes(), [weights.map(() => 0)]] : [a, b];
  const less = left.map((column) => column.map((one) => one - against));
  const { n, delta, low, high, p } = pairedDifference(less, right, {
    seed: 1,
    range,
    weights,
    ...samples,
  });
  return { n, mean: delta + against, low: low + against, high: high + against, p, against };
}

/** The task that a row's id names (`task/id`), else the study's own. */
function taskOf({ sample, task }: Pick<Row, "sample" | "task">): string {
  return sample.includes("/") ? sample.slice(0, sample.indexOf("/")) : task;
}

/** Rows by seed and sample, in the order of the seeds. */
type BySeedAndSample = ReadonlyMap<number, ReadonlyMap<string, Row>>;

function bySeedAndSample(rows: readonly Row[]): BySeedAndSample {
  const seeds = [...grouped(rows, ({ seed }) => seed)].sort(([s], [t]) => s - t);
  return new Map(seeds.map(([seed, own]) => [seed, new Map(own.map((row) => [row.sample, row]))]));
}

/** The samples that all sides have with all their seeds: each side's scores, one column per seed, and what each sample weighs and belongs to. */
function columnsOf(sides: readonly BySeedAndSample[], weight: string | null) {
  const tables = sides.map((side) => [...side.values()]);
  const first = tables[0]?.[0] ?? new Map<string, Row>();
  const samples = [...first.keys()].filter((id) => tables.flat().every((own) => own.has(id))).sort();
  const tasks = samples.map((id) => taskOf(first.get(id) as Row));
  const sizes = new Map([...grouped(tasks, (task) => task)].map(([task, own]) => [task, own.length]));
  return {
    columns: tables.map((side) => side.map((own) => samples.map((id) => (own.get(id) as Row).score))),
    weights: samples.map((id, i) =>
      weight === null ? 1 / (sizes.get(tasks[i] as string) as number) : (first.get(id)?.details[weight] ?? 1),
    ),
    groups: samples.map((id) => first.get(id)?.group),
    tasks,
  };
}

/**
 * a minus b on the samples that both have, against a value: samples (or their groups) are units, and so are training seeds, crossed, if
 * there are several.
 * @param weight the detail by which samples are weighted; null: tasks count equally
 */
export function crossedDifference(
  a: readonly Row[],
  b: readonly Row[],
  weight: string | null,
  { apart = false, ...crossing }: Crossing = {},
): Measured | null {
  const [left, right] = [bySeedAndSample(a), bySeedAndSample(b)];
  if (weight === null && left.size === 1 && right.size === 1 && crossing.against === undefined)
    return difference(scoresOf(a), scoresOf(b), crossing.range);
  const shared = (side: BySeedAndSample): BySeedAndSample =>
    crossing.same ? new Map([...side].filter(([seed]) => left.has(seed) && right.has(seed))) : side;
  const { columns, weights, groups, tasks } = columnsOf([shared(left), shared(right)], weight);
  const [first = [], second = []] = columns;
  return columnsDifference(first, second, weights, { ...crossing, groups, ...(apart ? { tasks } : {}) });
}

/**
 * Mean of the tasks' means; samples (or their groups) are units, and so are training seeds, crossed, if there are several.
 * @param apart as in `Crossing`
 */
export function crossedMean(
  rows: readonly Row[],
  { apart = false }: Pick<Crossing, "apart"> = {},
): Estimate | null {
  const side = bySeedAndSample(rows);
  if (side.size < 2) return meanOverTasks(scoresOf(rows));
  const { columns, weights, groups, tasks } = columnsOf([side], null);
  if (weights.length === 0) return null;
  const options = { seed: 1, weights, groups, ...(apart ? { tasks } : {}) };
  const { n, mean, low, high } = meanInterval(columns[0] as number[][], options);
  return { n, mean, low, high };
}
