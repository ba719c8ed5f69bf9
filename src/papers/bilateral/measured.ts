// What finished motor studies say, seed by seed: a controller that was trained once more is a draw of its own, so intervals
// here are over seeds. Trials are shared by all controllers.

import { tQuantile } from "../../statistics/index.js";
import type { OpenedStudy } from "../../study/open.js";
import type { Measured } from "../claim.js";

/** Means over the test trials, by seed: the error in m and the movement's other metrics by name. */
export type BySeed = ReadonlyMap<number, Readonly<Record<string, number>>>;

/** @returns by the task's name in the study, then by the subject's name */
export function readBySeed(study: OpenedStudy): Map<string, Map<string, BySeed>> {
  const { subjects, tasks } = study.record;
  const seedsOf = new Map(
    subjects.map(({ name, ids, seeds }) => [name, new Map(ids.map((id, i) => [id, seeds[i]]))]),
  );
  const nameOf = new Map(subjects.flatMap(({ name, ids }) => ids.map((id) => [id, name] as const)));
  const taskOf = new Map(tasks.map(({ name, key }) => [key, name]));
  const sums = new Map<string, Map<string, Map<number, { n: number; sum: Record<string, number> }>>>();
  for (const { subject, task, grade, seed } of study.outcomes()) {
    const name = nameOf.get(subject);
    const place = taskOf.get(task);
    if (name === undefined || place === undefined || grade.status !== "scored") continue;
    if (seedsOf.get(name)?.get(subject) !== seed) continue;
    const bySubject = sums.get(place) ?? new Map();
    sums.set(place, bySubject);
    const bySeed = bySubject.get(name) ?? new Map();
    bySubject.set(name, bySeed);
    const one = bySeed.get(seed) ?? { n: 0, sum: {} };
    bySeed.set(seed, one);
    one.n++;
    for (const [key, value] of Object.entries({ error: grade.score, ...grade.details }))
      one.sum[key] = (one.sum[key] ?? 0) + value;
  }
  const mean = ({ n, sum }: { n: number; sum: Record<string, number> }) =>
    Object.fromEntries(Object.entries(sum).map(([key, value]) => [key, value / n]));
  return new Map(
    [...sums].map(([task, bySubject]) => [
      task,
      new Map(
        [...bySubject].map(([name, bySeed]) => [
          name,
          new Map([...bySeed].map(([seed, one]) => [seed, mean(one)])),
        ]),
      ),
    ]),
  );
}

/** Mean over seeds of a metric, with a t interval over seeds; `n` counts seeds. Null where there are none. */
export function overSeeds(scores: BySeed | undefined, metric = "error"): Measured | null {
  return interval([...(scores?.values() ?? [])].map((means) => means[metric] as number));
}

/** a less b, seed by seed on the same trials. */
export function seedDifference(
  a: BySeed | undefined,
  b: BySeed | undefined,
  metric = "error",
): Measured | null {
  const shared = [...(a ?? [])].filter(([seed]) => b?.has(seed));
  return interval(
    shared.map(([seed, means]) => (means[metric] as number) - (b?.get(seed)?.[metric] as number)),
  );
}

/** Mean of seeds with Student's t interval; its ends are NaN for a single one. */
function interval(values: readonly number[]): Measured | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = n === 1 ? Number.NaN : tQuantile(0.975, n - 1) * Math.sqrt(squares / (n - 1) / n);
  return { mean, low: mean - half, high: mean + half, n };
}
