// stack: several specialists answer, and a log-linear pool of their probabilities chooses. Weights are learnt from
// out-of-fold predictions on train, so that a member that knows train by heart gains nothing by it. Members are taken one by
// one, and one that does not lower the held-out log-loss by more than its standard error is refused. Dev is not looked at.

import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CallError } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import { fingerprint, type Json } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Answer, Query } from "../../core/language.js";
import type { Sample } from "../../core/sample.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { foldsOf } from "../../learn/folds.js";
import { crossFitted, fitPool, forecastOf, type Pooled, pool } from "../../learn/pool.js";
import { sameTextKey } from "../../learn/text.js";
import { standardError, unitsOf } from "../../statistics/index.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { inherited } from "../parts/inherited.js";
import { readOptions } from "../parts/options.js";

export const stackOptions = z.strictObject({
  of: z
    .array(z.unknown())
    .min(1)
    .max(20)
    .describe("the specializers whose probabilities are pooled, as a study would name them, 1 to 20"),
  folds: z
    .int()
    .min(2)
    .max(20)
    .default(5)
    .describe("parts of train; each is predicted by what the others made"),
  held: z
    .int()
    .min(20)
    .default(1000)
    .describe("train samples predicted out of fold, about; of a larger train not every part is"),
  guard: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe("standard errors by which a member must lower the held-out log-loss to be taken"),
});
/** Options of `stack`. */
export type StackOptions = z.input<typeof stackOptions>;

type Step = {
  label: string;
  /** Held-out log-loss with it, nats a sample; what it saves against the pool before, and that difference's error. */
  loss: number;
  gain: number;
  error: number;
  taken: boolean;
};

type State = {
  /** Position among the specializers, its weight, and its own state, fitted on all of train. */
  members: { at: number; label: string; weight: number; state: Json }[];
  /** How they were found: each member that was taken, and at the end those that were not. */
  steps: Step[];
  /** Samples that were predicted out of fold. */
  n: number;
};

/** Least gain of a member, nats a sample. */
const leastGain = 1e-3;

/**
 * Pools specialists' option probabilities.
 * @throws HoneError where train has no options to choose from, or no member gives probabilities
 */
export function stack(
  members: readonly LanguageSpecializer[],
  options: Omit<StackOptions, "of"> = {},
): LanguageSpecializer {
  const { folds, held, guard } = readOptions(stackOptions.omit({ of: true }), "stack", options);
  const { kinds: _, ...own } = inherited(members);
  return defineSpecializer<State>({
    name: "stack",
    label: `stack(${members.map(({ label }) => label).join(" | ")})`,
    options: { of: members.map(({ name, options }) => ({ name, options })), folds, held, guard },
    ...own,
    ...(members.every(({ reference }) => reference) ? { reference: true } : {}),
    fit: async (subject, given) => {
      const train = readTrain(given, folds, held);
      const said: (readonly number[][] | undefined)[] = [];
      for (const [m, member] of members.entries())
        said.push(await outOfFold(member, m, subject, given, train));
      const { taken, steps } = await chooseMembers(members, said, train, guard);
      const weights = await fitPool(samplesOf(taken, said, train));
      const states: State["members"] = [];
      for (const [i, at] of taken.entries()) {
        const member = members[at] as LanguageSpecializer;
        const state = await member.fit(subject, partOf(given, `stack ${at}`, given.train, member.label));
        states.push({ at, label: member.label, weight: weights[i] as number, state });
      }
      return { members: states, steps, n: train.rows.length };
    },
    behave: (state, subject, tools) => {
      const asked = state.members.map(({ at, state: own }) => {
        const member = members[at];
        if (member) return member.apply(subject, own, tools) as LanguageSubject;
        throw new HoneError({
          what: "The saved specialist is damaged: stack took what it was not given",
          why: `member ${at} of ${members.length}`,
          next: "Make the specialist again from its study.",
        });
      });
      const weights = state.members.map(({ weight }) => weight);
      return {
        respond: async (query, context): Promise<Answer> => {
          const answers = await Promise.all(asked.map((one) => one.respond(query, context)));
          const keys = query.options?.map(({ key }) => key) ?? [];
          if (keys.length === 0 || answers.every(({ scores }) => !scores))
            return { unscored: "no-probabilities" };
          const logProbs = pool(
            answers.map(({ scores }) => forecastOf(keys, scores)),
            weights,
          );
          const best = logProbs.indexOf(Math.max(...logProbs));
          return {
            choice: keys[best] as string,
            scores: Object.fromEntries(keys.map((key, o) => [key, logProbs[o] as number])),
          };
        },
      };
    },
  });
}

interface Train {
  samples: readonly Sample[];
  /** Samples that are predicted: place in train, options, the right one's place. */
  rows: { at: number; keys: string[]; right: number; query: Query }[];
  foldOf: Int32Array;
  /** Folds that are predicted. */
  held: number[];
}

function readTrain(given: Given, folds: number, wanted: number): Train {
  requireTrain(given, "stack");
  const { task, train } = given;
  const queries = train.map((sample) => task.query(sample));
  const answers = train.map((sample) => task.demonstration(sample).answer);
  const known = [...new Set(answers)];
  const targets = answers.map((answer) => known.indexOf(answer));
  const groups = train.map(({ group }, i) => group ?? sameTextKey(queries[i] as Query));
  const foldOf = foldsOf(targets, groups, folds);
  const held: number[] = [];
  let count = 0;
  for (let fold = 0; fold < folds && count < wanted; fold++) {
    const size = foldOf.filter((one) => one === fold).length;
    if (size === 0 || size === train.length) continue;
    held.push(fold);
    count += size;
  }
  const rows = train.flatMap((_, at) => {
    const query = queries[at] as Query;
    const keys = query.options?.map(({ key }) => key) ?? [];
    const right = keys.indexOf(answers[at] as string);
    return right >= 0 && held.includes(foldOf[at] as number) ? [{ at, keys, right, query }] : [];
  });
  if (rows.length > 0 && held.length > 1) return { samples: train, rows, foldOf, held };
  throw new HoneError({
    what: "stack cannot be used here",
    where: `task ${task.name}, split train`,
    why:
      held.length < 2 ? "train cannot be divided into folds" : "its samples have no options to choose from",
    next: "Take stack out of this task's study, or give it more train samples.",
    kind: "usage",
  });
}

/** What a member says of each row when it was made without that row's fold; undefined where it gives no probabilities. */
async function outOfFold(
  member: LanguageSpecializer,
  place: number,
  subject: LanguageSubject,
  given: Given,
  { samples, rows, foldOf, held }: Train,
): Promise<number[][] | undefined> {
  const tools = { encoder: given.encoder, artifacts: given.artifacts };
  const folder = await given.artifacts.scratch("stack");
  const said = new Map<number, number[]>();
  const division = fingerprint([samples.map(({ id }) => id), [...foldOf]]);
  let silent = 0;
  for (const fold of held) {
    given.context.signal.throwIfAborted();
    const kept = join(folder, `${fingerprint([place, member.name, member.options, division, fold])}.json`);
    const own = rows.filter(({ at }) => foldOf[at] === fold);
    let scores: (Record<string, number> | null)[];
    if (existsSync(kept)) scores = JSON.parse(await readFile(kept, "utf8"));
    else {
      const rest = samples.filter((_, i) => foldOf[i] !== fold);
      const note = `${member.label} without part ${held.indexOf(fold) + 1} of ${held.length}`;
      const state = await member.fit(subject, partOf(given, `stack ${place} ${fold}`, rest, note));
      const specialist = member.apply(subject, state, tools) as LanguageSubject;
      scores = await ask(specialist, own, given, note);
      // Whole or not at all: a kill must not cost the parts before.
      await writeFile(`${kept}.part`, JSON.stringify(scores));
      await rename(`${kept}.part`, kept);
    }
    for (const [i, { at, keys }] of own.entries()) {
      if (!scores[i]) silent++;
      said.set(at, forecastOf(keys, scores[i] ?? undefined));
    }
  }
  if (2 * silent > rows.length) return undefined;
  return rows.map(({ at }) => said.get(at) as number[]);
}

async function ask(
  specialist: LanguageSubject,
  rows: Train["rows"],
  { context, progress }: Given,
  note: string,
): Promise<(Record<string, number> | null)[]> {
  const scores: (Record<string, number> | null)[] = [];
  const width = Math.max(1, specialist.model?.concurrency ?? 1);
  for (let start = 0; start < rows.length; start += width) {
    context.signal.throwIfAborted();
    const batch = rows.slice(start, start + width).map(async ({ query }) => {
      try {
        return { ...(await specialist.respond(query, context)).scores };
      } catch (error) {
        // A call that failed after its retries says nothing about the options; anything else is a fault.
        if (error instanceof CallError) return null;
        throw error;
      }
    });
    for (const one of await Promise.all(batch)) scores.push(one && Object.keys(one).length > 0 ? one : null);
    progress(scores.length, rows.length, note);
  }
  return scores;
}

/** Takes the best member, then whichever lowers the held-out loss most, while that is more than its error. */
async function chooseMembers(
  members: readonly LanguageSpecializer[],
  said: readonly (readonly number[][] | undefined)[],
  train: Train,
  guard: number,
): Promise<{ taken: number[]; steps: Step[] }> {
  const folds = Int32Array.from(train.rows, ({ at }) => train.foldOf[at] as number);
  const groups = train.rows.map(({ at }) => train.samples[at]?.group);
  const taken: number[] = [];
  const steps: Step[] = [];
  // A pool of none knows nothing: every option is as likely.
  let before = Float64Array.from(train.rows, ({ keys }) => Math.log(keys.length));
  const open = new Set(members.keys());
  for (const m of members.keys()) if (!said[m]) open.delete(m);
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
      const samples = samplesOf([...taken, at], said, train);
      const losses = await crossFitted(samples, folds);
      const gains = Array.from(losses, (loss, i) => (before[i] as number) - loss);
      const found = standardError(unitsOf(gains, groups), gains).error;
      // A single group has no error: then nothing is known of the gain.
      const error = Number.isFinite(found) ? found : Math.abs(mean(gains));
      // A member that is pooled against itself would be evidence for the others' errors.
      const usable = (await fitPool(samples)).every((weight) => weight > 0);
      const step = {
        label: members[at]?.label ?? "",
        loss: mean(losses),
        gain: mean(gains),
        error,
        taken: false,
      };
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
  return { taken, steps };
}

function samplesOf(
  taken: readonly number[],
  said: readonly (readonly number[][] | undefined)[],
  { rows }: Train,
): Pooled[] {
  return rows.map(({ right }, i) => ({ right, forecasts: taken.map((m) => said[m]?.[i] as number[]) }));
}

/** The same study's parts on some of its train samples, with a place for unfinished work of its own. */
function partOf(given: Given, place: string, train: readonly Sample[], note: string): Given {
  const { artifacts } = given;
  return {
    ...given,
    train,
    artifacts: { ...artifacts, scratch: (key) => artifacts.scratch(`${place}/${key}`) },
    progress: (done, total, more) => given.progress(done, total, more ? `${note}: ${more}` : note),
  };
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}
