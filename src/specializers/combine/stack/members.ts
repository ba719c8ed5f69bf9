// Chooses the members of a log-linear pool, one by one, by how much they lower the held-out log-loss, and answers with the
// pool. It sees only forecasts and subjects, not specializers.

import { HoneError } from "../../../core/errors.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import type { Answer } from "../../../core/language.js";
import { crossFitted, type Forecast, fitPool, forecastOf, type Pooled, pool } from "../../../learn/pool.js";
import { type Group, standardError, unitsOf } from "../../../statistics/index.js";
import type { Respond } from "../../parts/define.js";

/** A sample that members answered out of fold: its options, the right one's index, its part of train, its group. */
export interface HeldRow {
  keys: readonly string[];
  right: number;
  fold: number;
  group: Group;
}

/** A member that was tried. */
export type Step = {
  label: string;
  /** Held-out log-loss with it, nats per sample; the gain over the pool before, and that gain's standard error. */
  loss: number;
  gain: number;
  error: number;
  taken: boolean;
};

/** Minimum weight of a member. */
const leastWeight = 1e-3;
/** Minimum gain of a member, nats per sample. */
const leastGain = 1e-3;

/**
 * Takes the best member, then the one that lowers the held-out loss most, while the gain exceeds `guard` standard
 * errors.
 * @param said by member, a forecast per row; undefined if it gives no probabilities
 * @returns members by position, their weights fitted on all rows, and every step
 * @throws HoneError where no member gives probabilities
 */
export async function chooseMembers(
  labels: readonly string[],
  said: readonly (readonly Forecast[] | undefined)[],
  rows: readonly HeldRow[],
  guard: number,
): Promise<{ taken: number[]; weights: number[]; steps: Step[] }> {
  const folds = Int32Array.from(rows, ({ fold }) => fold);
  const groups = rows.map(({ group }) => group);
  const samplesOf = (members: readonly number[]): Pooled[] =>
    rows.map(({ right }, i) => ({ right, forecasts: members.map((m) => said[m]?.[i] as Forecast) }));
  const taken: number[] = [];
  const steps: Step[] = [];
  // The empty pool is uniform over the options.
  let before = Float64Array.from(rows, ({ keys }) => Math.log(keys.length));
  const open = new Set(labels.keys());
  for (const m of labels.keys()) if (!said[m]) open.delete(m);
  if (open.size === 0) {
    throw new HoneError({
      what: "stack cannot be made",
      why: "none of its members gives probabilities of the options",
      next: "Use members that score options: linear, probe, lora, or a prompt of a model with log-probabilities.",
      kind: "usage",
    });
  }
  while (open.size > 0) {
    const tried: { at: number; losses: Float64Array; step: Step; usable: boolean }[] = [];
    for (const at of open) {
      const samples = samplesOf([...taken, at]);
      const losses = await crossFitted(samples, folds);
      const gains = Array.from(losses, (loss, i) => (before[i] as number) - loss);
      const found = standardError(unitsOf(gains, groups), gains).error;
      // A single group gives no error; it is then taken to be as large as the gain.
      const error = Number.isFinite(found) ? found : Math.abs(mean(gains));
      // A negative weight would turn a member's forecast against itself.
      const usable = (await fitPool(samples)).every((weight) => weight > 0);
      const step = { label: labels[at] ?? "", loss: mean(losses), gain: mean(gains), error, taken: false };
      tried.push({ at, losses, step, usable });
    }
    tried.sort((a, b) => a.step.loss - b.step.loss);
    const best = tried.find(({ usable }) => usable) ?? tried[0];
    if (!best) break;
    const { gain, error } = best.step;
    const helps = best.usable && gain > leastGain && gain > guard * error;
    // A pool needs a member, so the first is taken in any case.
    if (taken.length > 0 && !helps) {
      steps.push(...tried.map(({ step }) => step));
      break;
    }
    taken.push(best.at);
    steps.push({ ...best.step, taken: true });
    before = best.losses as typeof before;
    open.delete(best.at);
  }
  // A negative weight is left only where no member is usable: the first one then answers, as if it knew next to nothing.
  const weights = (await fitPool(samplesOf(taken))).map((weight) => Math.max(leastWeight, weight));
  return { taken, weights, steps };
}

/** All members answer, and the pool of their probabilities chooses. Members are queried concurrently. */
export function poolOf(
  asked: readonly Pick<LanguageSubject, "respond">[],
  weights: readonly number[],
): Respond {
  return async (query, context): Promise<Answer> => {
    const answers = await Promise.all(asked.map((one) => one.respond(query, context)));
    const keys = query.options?.map(({ key }) => key) ?? [];
    if (keys.length === 0 || answers.every(({ scores }) => !scores)) return { unscored: "no-probabilities" };
    const logProbs = pool(
      answers.map(({ scores }) => forecastOf(keys, scores)),
      weights,
    );
    const best = logProbs.indexOf(Math.max(...logProbs));
    return {
      choice: keys[best] as string,
      scores: Object.fromEntries(keys.map((key, o) => [key, logProbs[o] as number])),
    };
  };
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}
