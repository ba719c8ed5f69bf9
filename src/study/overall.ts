// Several tasks taken together: over all samples, where every sample weighs the same, and as the mean of the tasks'
// means, where every task does. The tasks are taken as given: nothing is said about tasks that are not in the file.

import { randomFor } from "../core/random.js";
import type { Comparison, Estimate } from "../core/record.js";
import { compareScores, type PairedComparison } from "./compare.js";
import type { TaskPredictions } from "./predictionsFile.js";
import { meanInterval, signFlip } from "./statistics/index.js";

/** What stands in the task column for the figures over all tasks. */
export const overallNames = { pooled: "(all samples)", means: "(mean of tasks)" } as const;

type Score = 0 | 1 | null;

/**
 * All tasks as one. Where an id occurs in several tasks, or rows have a group, rows of one id or group form one unit, as
 * the same case under three questions is not three independent cases.
 */
export function pooled(tasks: readonly TaskPredictions[]): TaskPredictions {
  const units = unitsOf(tasks);
  const scores = new Map<string, Score[]>();
  for (const system of new Set(tasks.flatMap((task) => [...task.scores.keys()])))
    scores.set(
      system,
      tasks.flatMap((task) => task.scores.get(system) ?? task.ids.map(() => null)),
    );
  return {
    task: overallNames.pooled,
    ids: tasks.flatMap(({ task, ids }) => ids.map((id) => JSON.stringify([task, id]))),
    groups: units.clustered ? units.ofTask.flat() : units.ofTask.flat().map(() => undefined),
    gold: tasks.flatMap(({ gold }) => gold),
    scores,
  };
}

/** Mean of a system's task means; null where it has a task without a scored answer. */
export function meanOfTasks(
  system: string,
  tasks: readonly TaskPredictions[],
  seed: number,
): (Estimate & { unscored: number; bounds: [number, number] }) | null {
  const units = unitsOf(tasks);
  const parts = tasks.map((task, t) => {
    const scores = task.scores.get(system) ?? [];
    const part = gathered(scores, units.ofTask[t]!);
    const groups = task.groups.some((group) => group !== undefined) ? part.unitOf : undefined;
    return { ...part, ...meanInterval(part.values, { seed, ...(groups ? { groups } : {}) }) };
  });
  if (parts.some(({ n }) => n === 0)) return null;
  const all = tasks.map(({ ids }) => ids.length);
  const hits = parts.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  return {
    ...combined(parts),
    unscored: parts.reduce((sum, { n }, t) => sum + all[t]! - n, 0),
    bounds: [
      average(hits.map((hit, t) => hit / all[t]!)),
      average(hits.map((hit, t) => (hit + all[t]! - parts[t]!.n) / all[t]!)),
    ],
  };
}

/** Pairs over all samples: `compareScores` on the pooled task. */
export function comparePooled(
  all: TaskPredictions,
  pairs: readonly (readonly [string, string])[],
  seed: number,
): PairedComparison[] {
  const systems = [...all.scores].map(([name, scores]) => ({
    name,
    binary: true,
    scores: all.ids.map((sample, i) => ({
      sample,
      score: scores[i] ?? null,
      ...(all.groups[i] === undefined ? {} : { group: all.groups[i] }),
    })),
  }));
  return compareScores({ task: all.task, systems, pairs, seed });
}

/**
 * Pairs by the mean of their differences on each task. The interval joins the tasks' own intervals by recovered variances
 * (MOVER; Zou and Donner 2008) with the correlation that shared units give; the test flips whole units, each difference
 * weighted by 1/(tasks · samples of its task). Pairs without a common sample in some task are left out.
 *
 * @param onTasks the pairs' comparisons on every task, as `compareScores` gave them
 */
export function compareTaskMeans(
  tasks: readonly TaskPredictions[],
  pairs: readonly (readonly [string, string])[],
  onTasks: readonly PairedComparison[],
  seed: number,
): PairedComparison[] {
  const units = unitsOf(tasks);
  const known = new Map(onTasks.map((comparison) => [keyOf(comparison), comparison]));
  return pairs.flatMap(([a, b]) => {
    const parts = tasks.map(({ task, scores }, t) => {
      const left = scores.get(a) ?? [];
      const right = scores.get(b) ?? [];
      const differences = left.map((score, i) =>
        score === null || right[i] == null ? null : score - right[i],
      );
      const comparison = known.get(keyOf({ a, b, task }))!;
      return { ...comparison, ...gathered(differences, units.ofTask[t]!), mean: comparison.delta };
    });
    if (parts.some(({ n }) => n === 0)) return [];
    const { n, mean: delta, low, high } = combined(parts);
    const sums = new Map<string, number>();
    for (const { values, unitOf } of parts)
      values.forEach((value, i) => {
        const weighted = value / (values.length * parts.length);
        sums.set(unitOf[i]!, (sums.get(unitOf[i]!) ?? 0) + weighted);
      });
    const p = signFlip([...sums.values()], { random: randomFor(seed, "statistics/sign-flip") });
    return {
      a,
      b,
      task: overallNames.means,
      n,
      delta,
      low,
      high,
      p,
      pAdjusted: p,
      test: "sign-flip",
      // (z₀.₉₇₅ + z₀.₈) standard errors, the error being the interval's half-width over z₀.₉₇₅.
      detectable: ((high - low) / 2) * (2.8015852 / 1.959964),
      dropped: parts.reduce((sum, { dropped }) => sum + dropped, 0),
      bounds: [average(parts.map(({ bounds }) => bounds[0])), average(parts.map(({ bounds }) => bounds[1]))],
    };
  });
}

interface Part extends Estimate {
  values: number[];
  /** The unit of each value. */
  unitOf: string[];
}

/** Mean of the parts' means, and the interval for it from the parts' own. */
function combined(parts: readonly Part[]): Estimate {
  const mean = average(parts.map((part) => part.mean));
  const below = parts.map((part) => part.mean - part.low);
  const above = parts.map((part) => part.high - part.mean);
  const correlations = correlationsOf(parts);
  const half = (distances: readonly number[]): number => {
    let square = distances.reduce((sum, distance) => sum + distance * distance, 0);
    for (const { s, t, correlation } of correlations)
      square += 2 * correlation * distances[s]! * distances[t]!;
    return Math.sqrt(Math.max(0, square)) / parts.length;
  };
  return {
    n: parts.reduce((sum, { n }) => sum + n, 0),
    mean,
    low: mean - half(below),
    high: mean + half(above),
  };
}

/** Correlation of two tasks' means, from the units that occur in both. */
function correlationsOf(parts: readonly Part[]): { s: number; t: number; correlation: number }[] {
  const deviations = new Map<string, Map<number, number>>();
  const squares = new Float64Array(parts.length);
  parts.forEach(({ values, unitOf, mean }, t) => {
    values.forEach((value, i) => {
      const unit = deviations.get(unitOf[i]!) ?? new Map<number, number>();
      unit.set(t, (unit.get(t) ?? 0) + value - mean);
      deviations.set(unitOf[i]!, unit);
    });
  });
  const products = new Map<number, number>();
  for (const unit of deviations.values()) {
    const entries = [...unit];
    entries.forEach(([s, x], i) => {
      squares[s]! += x * x;
      for (const [t, y] of entries.slice(i + 1)) {
        const key = Math.min(s, t) * parts.length + Math.max(s, t);
        products.set(key, (products.get(key) ?? 0) + x * y);
      }
    });
  }
  return [...products].map(([key, product]) => {
    const s = Math.floor(key / parts.length);
    const t = key % parts.length;
    const scale = Math.sqrt(squares[s]! * squares[t]!);
    return { s, t, correlation: scale === 0 ? 0 : product / scale };
  });
}

/** Per task, the unit of every row: its group, else its id. `clustered` where some unit has more than one row. */
function unitsOf(tasks: readonly TaskPredictions[]): { ofTask: string[][]; clustered: boolean } {
  const ofTask = tasks.map(({ ids, groups }) =>
    ids.map((id, i) => (groups[i] === undefined ? `id ${id}` : `group ${groups[i]}`)),
  );
  const all = ofTask.flat();
  return { ofTask, clustered: new Set(all).size < all.length };
}

function gathered(
  scores: readonly (number | null)[],
  units: readonly string[],
): Pick<Part, "values" | "unitOf"> {
  const kept = scores.flatMap((score, i) => (score === null ? [] : [{ score, unit: units[i]! }]));
  return { values: kept.map(({ score }) => score), unitOf: kept.map(({ unit }) => unit) };
}

const keyOf = ({ a, b, task }: Pick<Comparison, "a" | "b" | "task">): string => JSON.stringify([a, b, task]);
const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
