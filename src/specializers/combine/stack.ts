// stack: several specialists answer, and a log-linear pool of their probabilities chooses. Weights are learnt from
// out-of-fold predictions on train, so that a member gains nothing by memorizing train. Members are taken one by one, and
// one that does not lower the held-out log-loss by more than its standard error is refused. Dev is not used.

import { join } from "node:path";
import { z } from "zod";
import { CallError } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import { fingerprint, type Json } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Query } from "../../core/language.js";
import type { Sample } from "../../core/sample.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { forecastOf } from "../../learn/pool.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { inherited } from "../parts/inherited.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { once } from "./once.js";
import { divideTrain, partOf } from "./stack/folds.js";
import { chooseMembers, type HeldRow, poolOf, type Step } from "./stack/members.js";

const stackOptions = z.strictObject({
  of: z
    .array(z.unknown())
    .min(1)
    .max(20)
    .describe("the specializers whose probabilities are pooled, written as in a study, 1 to 20"),
  folds: z
    .int()
    .min(2)
    .max(20)
    .default(5)
    .describe("folds of train; each is predicted by what was made from the others"),
  held: z
    .int()
    .min(20)
    .default(1000)
    .describe(
      "approximate number of train samples predicted out of fold; of a larger train only some folds are",
    ),
  guard: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe("standard errors by which a member must lower the held-out log-loss to be added"),
});
/** Options of `stack`. */
export type StackOptions = z.input<typeof stackOptions>;

type State = {
  /** Position among the specializers, its weight, and its own state, fitted on all of train. */
  members: { at: number; label: string; weight: number; state: Json }[];
  /** How they were found: each member that was taken, and at the end those that were not. */
  steps: Step[];
  /** Samples that were predicted out of fold. */
  n: number;
};

/**
 * Pools specialists' option probabilities.
 * @throws HoneError where train has no options to choose from, or no member gives probabilities
 */
export function stack(
  members: readonly LanguageSpecializer[],
  options: Omit<StackOptions, "of"> = {},
): LanguageSpecializer {
  const { folds, held, guard } = readOptions(stackOptions.omit({ of: true }), "stack", options);
  const { kinds: _, ...own } = inherited(members, folds + 1);
  return defineSpecializer<State>({
    name: "stack",
    label: `stack(${members.map(({ label }) => label).join(" | ")})`,
    options: { of: members.map(({ name, options }) => ({ name, options })), folds, held, guard },
    ...own,
    // Members are fitted on all folds but one.
    checkTrain: ({ task, train }) => {
      const fewer = train.filter((_, i) => i % folds > 0);
      for (const member of members) member.checkTrain?.({ task, train: fewer });
    },
    ...(members.every(({ reference }) => reference) ? { reference: true } : {}),
    fit: async (subject, given) => {
      const train = readTrain(given, folds, held);
      const said: (readonly number[][] | undefined)[] = [];
      for (const [m, member] of members.entries())
        said.push(await outOfFold(member, m, subject, given, train));
      const { taken, weights, steps } = await chooseMembers(
        members.map(({ label }) => label),
        said,
        train.rows,
        guard,
      );
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
          what: "The saved specialist is damaged: it lacks a member that stack chose",
          why: `member ${at} of ${members.length}`,
          next: "Make the specialist again from its study.",
        });
      });
      const weights = state.members.map(({ weight }) => weight);
      return { respond: poolOf(asked, weights) };
    },
  });
}

interface Train {
  samples: readonly Sample[];
  /** Samples that are predicted: place in train, options, the right one's place. */
  rows: (HeldRow & { at: number; query: Query })[];
  foldOf: Int32Array;
  /** Folds that are predicted. */
  held: number[];
}

function readTrain(given: Given, folds: number, wanted: number): Train {
  requireTrain(given, "stack");
  const { task, train } = given;
  const { queries, answers, foldOf } = divideTrain(given, folds);
  const held: number[] = [];
  let count = 0;
  // A pool is judged across folds, so there are at least two.
  for (let fold = 0; fold < folds && (count < wanted || held.length < 2); fold++) {
    const size = foldOf.filter((one) => one === fold).length;
    if (size === 0 || size === train.length) continue;
    held.push(fold);
    count += size;
  }
  const rows = train.flatMap((_, at) => {
    const query = queries[at] as Query;
    const keys = query.options?.map(({ key }) => key) ?? [];
    const right = keys.indexOf(answers[at] as string);
    const fold = foldOf[at] as number;
    const group = train[at]?.group;
    return right >= 0 && held.includes(fold) ? [{ at, keys, right, query, fold, group }] : [];
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

/** A member's forecast for each row, fitted without that row's fold; undefined if it gives no probabilities. */
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
  const decides = [subject.id, given.seed, place, member.name, member.options];
  const division = fingerprint([samples.map(({ id }) => id), [...foldOf]]);
  let silent = 0;
  for (const fold of held) {
    given.context.signal.throwIfAborted();
    const kept = join(folder, `${fingerprint([3, ...decides, division, fold])}.json`);
    const own = rows.filter(({ at }) => foldOf[at] === fold);
    const rest = samples.filter((_, i) => foldOf[i] !== fold);
    const note = `${member.label} without part ${held.indexOf(fold) + 1} of ${held.length}`;
    const scores = await once(kept, subject, given, async (counted) => {
      const state = await member.fit(subject, partOf(counted, `stack ${place} ${fold}`, rest, note));
      return ask(member.apply(subject, state, tools) as LanguageSubject, own, counted, note);
    });
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

/** Its entry in the table of specializers. */
export const stackEntry = {
  make: ({ of, ...rest }: StackOptions, inner) =>
    stack(
      of.map((one, i) => inner(one, `of.${i}`, "language")),
      rest,
    ),
  options: stackOptions,
  summary: "A log-linear pool of several specialists' probabilities, without those that do not help",
  paper:
    "Genest and Zidek 1986, Combining Probability Distributions; Wolpert 1992, Stacked Generalization; Caruana et al. 2004, Ensemble Selection",
  leaf: null,
} satisfies SpecializerEntry;
