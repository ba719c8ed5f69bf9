// Several tasks combined: over all samples, where every sample weighs the same, and as the mean of the tasks'
// means, where every task does. The tasks are taken as given: nothing is inferred about tasks that are not in the file.

import { randomFor } from "../core/random.js";
import type { Estimate } from "../core/record.js";
import { detectableMean, meanInterval, signFlip } from "../statistics/index.js";
import { isBinary } from "../statistics/interval.js";
import type { ScoreTable, Unadjusted } from "./compare.js";
import { overallNames, type TaskPredictions } from "./predictions-file.js";

export function tableOf({ task, scores, grouped, units }: TaskPredictions): ScoreTable {
  return { task, scores, groups: grouped ? units : null };
}

/** The part of a task that a system has scores for. */
export function scoredOf(
  { n, units, scores }: TaskPredictions,
  system: string,
): { scores: Float32Array; units: Int32Array } {
  const all = scores.get(system)!;
  const kept = { scores: new Float32Array(n), units: new Int32Array(n) };
  let count = 0;
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(all[i]!)) continue;
    kept.scores[count] = all[i]!;
    kept.units[count++] = units[i]!;
  }
  return { scores: kept.scores.subarray(0, count), units: kept.units.subarray(0, count) };
}

/**
 * All tasks as one. If an id occurs in several tasks, or rows have a group, rows of one id or group form one unit, since
 * the same case under three questions is not three independent cases.
 */
export function pooled(tasks: readonly TaskPredictions[]): TaskPredictions {
  const n = tasks.reduce((sum, task) => sum + task.n, 0);
  const units = new Int32Array(n);
  const gold = new Int32Array(n);
  const systems = [...(tasks[0]?.scores.keys() ?? [])];
  const scores = new Map(systems.map((system) => [system, new Float32Array(n)]));
  let at = 0;
  for (const task of tasks) {
    units.set(task.units, at);
    gold.set(task.gold, at);
    for (const [system, list] of scores) list.set(task.scores.get(system)!, at);
    at += task.n;
  }
  const sorted = units.slice().sort();
  const grouped = sorted.some((unit, i) => i > 0 && unit === sorted[i - 1]);
  return { task: overallNames.pooled, n, units, grouped, gold, scores };
}

export interface AcrossTasks {
  /**
   * Mean of a system's task means; null if it has a task without a scored answer. Right/wrong answers: the interval is that of
   * one weighted mean, each sample weighing 1/(tasks · samples of its task), with shared units as groups (`meanInterval`). It
   * covers 95 % or more, most where tasks differ widely in difficulty; combining Wilson's limits of the tasks as for pairs covers
   * 86 to 93 % where rates are near 1. Other scores: combined as for pairs.
   */
  mean: (system: string) => (Estimate & { unscored: number; bounds: [number, number] }) | null;
  /**
   * Pairs by the mean of their differences on each task. The interval combines the tasks' own intervals by variance recovery
   * (MOVER; Zou and Donner 2008) with the correlation due to shared units; the test flips whole units, each difference
   * weighted by 1/(tasks · samples of its task). Pairs without a common sample in some task are left out.
   *
   * @param onTasks the pairs' comparisons on every task, as `comparePairs` returned them
   */
  compare: (pairs: readonly (readonly [string, string])[], onTasks: readonly Unadjusted[]) => Unadjusted[];
}

/** The mean of the tasks' means, for systems and for pairs. `count` is the number of units over all tasks. */
export function acrossTasks(tasks: readonly TaskPredictions[], count: number, seed: number): AcrossTasks {
  const shared = sharedUnits(tasks, count);
  return {
    mean(system) {
      const scored = tasks.map((task) => scoredOf(task, system));
      if (scored.some(({ scores }) => scores.length === 0)) return null;
      const parts = scored.map(
        ({ scores, units }, t): Part => ({
          values: tasks[t]!.scores.get(system)!,
          ...meanInterval(scores, { seed, ...(tasks[t]!.grouped ? { groups: units } : {}) }),
        }),
      );
      const right = parts.map(({ n, mean }) => n * mean);
      return {
        ...combined(parts, shared),
        ...(scored.every(({ scores }) => isBinary(scores)) ? asOne(scored, seed) : {}),
        unscored: parts.reduce((sum, { n }, t) => sum + tasks[t]!.n - n, 0),
        bounds: [
          average(right.map((sum, t) => sum / tasks[t]!.n)),
          average(right.map((sum, t) => (sum + tasks[t]!.n - parts[t]!.n) / tasks[t]!.n)),
        ],
      };
    },
    compare(pairs, onTasks) {
      const known = new Map(onTasks.map((comparison) => [keyOf(comparison), comparison]));
      return pairs.flatMap(([a, b]): Unadjusted[] => {
        const parts = tasks.map(({ task, scores }) => {
          const left = scores.get(a)!;
          const right = scores.get(b)!;
          const on = known.get(keyOf({ a, b, task }))!;
          return { ...on, values: left.map((score, i) => score - right[i]!), mean: on.delta };
        });
        if (parts.some(({ n }) => n === 0)) return [];
        const { n, mean: delta, low, high } = combined(parts, shared);
        const sums = new Float64Array(count);
        const met = new Uint8Array(count);
        for (const [t, { values, n: samples }] of parts.entries())
          for (let i = 0; i < values.length; i++) {
            if (Number.isNaN(values[i]!)) continue;
            const unit = tasks[t]!.units[i]!;
            sums[unit]! += values[i]! / (samples * parts.length);
            met[unit] = 1;
          }
        const units = met.reduce((sum, one) => sum + one, 0);
        const few = sums.reduce((differing, sum) => differing + (sum === 0 ? 0 : 1), 0) < 6;
        const p = signFlip(sums, { random: randomFor(seed, "statistics/sign-flip") });
        const error = (high - low) / 2 / 1.959964;
        return [
          {
            a,
            b,
            task: overallNames.means,
            n,
            delta,
            low,
            high,
            p,
            test: "sign-flip",
            detectableAt: (level) =>
              detectableMean(
                { delta, p, error, freedom: Number.POSITIVE_INFINITY, units, few, most: 1 },
                level,
              ),
            dropped: parts.reduce((sum, { dropped }) => sum + dropped, 0),
            bounds: [
              average(parts.map(({ bounds }) => bounds[0])),
              average(parts.map(({ bounds }) => bounds[1])),
            ],
          },
        ];
      });
    },
  };
}

/** The limits for the mean of the tasks' right/wrong answers: all samples as one mean, weighing 1/samples of their task. */
function asOne(scored: readonly ReturnType<typeof scoredOf>[], seed: number): Pick<Estimate, "low" | "high"> {
  const n = scored.reduce((sum, { scores }) => sum + scores.length, 0);
  const all = new Uint8Array(n);
  const groups = new Int32Array(n);
  const weights = new Float64Array(n);
  let at = 0;
  for (const { scores, units } of scored) {
    all.set(scores, at);
    groups.set(units, at);
    weights.fill(1 / scores.length, at, at + scores.length);
    at += scores.length;
  }
  const { low, high } = meanInterval(all, { seed, groups, weights });
  return { low, high };
}

/** One task's part: its estimate, and per sample the values whose mean it is; NaN for what is left out. */
interface Part extends Estimate {
  values: Float32Array;
}

/** Mean of the parts' means, and the interval for it from the parts' own. */
function combined(parts: readonly Part[], shared: Shared): Estimate {
  const mean = average(parts.map((part) => part.mean));
  const below = parts.map((part) => part.mean - part.low);
  const above = parts.map((part) => part.high - part.mean);
  const correlations = correlationsOf(parts, shared);
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

/** The samples of all tasks, unit by unit: those of unit u are from[u] to from[u + 1]. */
interface Shared {
  from: Int32Array;
  task: Int32Array;
  sample: Int32Array;
}

function sharedUnits(tasks: readonly TaskPredictions[], count: number): Shared {
  const from = new Int32Array(count + 1);
  for (const { units } of tasks) for (const unit of units) from[unit + 1]!++;
  for (let unit = 0; unit < count; unit++) from[unit + 1]! += from[unit]!;
  const next = from.slice();
  const task = new Int32Array(from[count]!);
  const sample = new Int32Array(from[count]!);
  for (const [t, { units }] of tasks.entries()) {
    for (let i = 0; i < units.length; i++) {
      const place = next[units[i]!]!++;
      task[place] = t;
      sample[place] = i;
    }
  }
  return { from, task, sample };
}

/** Correlation of two tasks' means, from the units that occur in both. */
function correlationsOf(
  parts: readonly Part[],
  { from, task, sample }: Shared,
): { s: number; t: number; correlation: number }[] {
  const squares = new Float64Array(parts.length);
  const products = new Map<number, number>();
  const sums = new Float64Array(parts.length);
  const met: number[] = [];
  for (let unit = 0; unit + 1 < from.length; unit++) {
    met.length = 0;
    for (let k = from[unit]!; k < from[unit + 1]!; k++) {
      const t = task[k]!;
      const value = parts[t]!.values[sample[k]!]!;
      if (Number.isNaN(value)) continue;
      // Samples of a unit are stored task by task.
      if (met.at(-1) !== t) {
        met.push(t);
        sums[t] = 0;
      }
      sums[t]! += value - parts[t]!.mean;
    }
    for (const [i, t] of met.entries()) {
      squares[t]! += sums[t]! * sums[t]!;
      for (let k = 0; k < i; k++) {
        const key = met[k]! * parts.length + t;
        products.set(key, (products.get(key) ?? 0) + sums[met[k]!]! * sums[t]!);
      }
    }
  }
  return [...products].map(([key, product]) => {
    const s = Math.floor(key / parts.length);
    const t = key % parts.length;
    const scale = Math.sqrt(squares[s]! * squares[t]!);
    return { s, t, correlation: scale === 0 ? 0 : product / scale };
  });
}

const keyOf = ({ a, b, task }: { a: string; b: string; task: string }): string =>
  JSON.stringify([a, b, task]);
const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
