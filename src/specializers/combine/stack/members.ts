// The members of a log-linear pool: taken one by one by what they save of the held-out log-loss, and a pool of them as one
// who answers. It knows forecasts and subjects, not who made them.

import { HoneError } from "../../../core/errors.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import type { Answer } from "../../../core/language.js";
import { crossFitted, type Forecast, fitPool, forecastOf, type Pooled, pool } from "../../../learn/pool.js";
import { type Group, standardError, unitsOf } from "../../../statistics/index.js";
import type { Respond } from "../../parts/define.js";

/** A sample that members were asked out of fold: its options, the right one's place, its part of train, its group. */
export interface HeldRow {
  keys: readonly string[];
  right: number;
  fold: number;
  group: Group;
}

/** A member that was looked at. */
export type Step = {
  label: string;
  /** Held-out log-loss with it, nats a sample; what it saves against the pool before, and that difference's error. */
  loss: number;
  gain: number;
  error: number;
  taken: boolean;
};

/** Least gain of a member, nats a sample. */
const leastGain = 1e-3;

/**
 * Takes the best member, then whichever lowers the held-out loss most, while that is more than `guard` of its errors.
 * @param said by member, a forecast a row; undefined where it gives no probabilities
 * @returns members by position, their weights fitted on all rows, every step, and the last pool's cross-fitted losses
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
  // A pool of none knows nothing: every option is as likely.
  let before = Float64Array.from(rows, ({ keys }) => Math.log(keys.length));
  const open = new Set(labels.keys());
  for (const m of labels.keys()) if (!said[m]) open.delete(m);
  if (open.size === 0) {
    throw new HoneError({
      what: "stack cannot be made",
      why: "none of its members gives probabilities of the options",
      next: "Take members that score options: linear, probe, lora, or a prompt of a model with log-probabilities.",
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
      // A single group has no error: then nothing is known of the gain.
      const error = Number.isFinite(found) ? found : Math.abs(mean(gains));
      // A member that is pooled against itself would be evidence for the others' errors.
      const usable = (await fitPool(samples)).every((weight) => weight > 0);
      const step = { label: labels[at] ?? "", loss: mean(losses), gain: mean(gains), error, taken: false };
      tried.push({ at, losses, step, usable });
    }
    tried.sort((a, b) => a.step.loss - b.step.loss);
    const best = tried.find(({ usable }) => usable) ?? tried[0];
    if (!best) break;
    const { gain, error } = best.step;
    const helps = best.usable && gain > leastGain && gain > guard * error;
    // Someone must answer: the first is taken as it is.
    if (taken.length > 0 && !helps) {
      steps.push(...tried.map(({ step }) => step));
      break;
    }
    taken.push(best.at);
    steps.push({ ...best.step, taken: true });
    before = best.losses as typeof before;
    open.delete(best.at);
  }
  return { taken, weights: await fitPool(samplesOf(taken)), steps };
}

/** All members answer, and the pool of their probabilities chooses. Members are asked at the same time. */
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
