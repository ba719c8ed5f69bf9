// perStratum: one specialist for each of several tasks that were merged into one; each query goes to its own. It learns
// and blends nothing itself: the query's stratum decides which specialist answers.

import { join } from "node:path";
import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import { fingerprint, type Json } from "../../core/json.js";
import type { Option } from "../../core/language.js";
import type { Sample } from "../../core/sample.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import type { LanguageTask } from "../../core/task.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { addedCeilings, inherited } from "../parts/inherited.js";
import type { SpecializerEntry } from "../table.js";
import { once } from "./once.js";
import { partOf } from "./stack/folds.js";

const perStratumOptions = z.strictObject({
  use: z
    .unknown()
    .describe("the specializer that is fitted on each stratum separately, written as in a study"),
});
/** Options of `perStratum`. */
export type PerStratumOptions = z.input<typeof perStratumOptions>;

/** The inner specializer's state for each stratum, in the order in which train first names them. */
type State = { [stratum: string]: Json };

/**
 * Fits `inner` once for each stratum of train, on that stratum's train and dev samples alone. A query of a stratum that
 * train does not have goes to the original subject; a reference, which has no subject, leaves it unscored. What is
 * fitted is kept at once, so that a killed fit resumes with the stratum that it was at.
 *
 * @throws HoneError when a train sample has no stratum
 * @example
 * import { linear, perStratum } from "@honelab/hone";
 * perStratum(linear()).label; // "linear(tfidf), one a stratum"
 */
export function perStratum(inner: LanguageSpecializer): LanguageSpecializer {
  const { ceiling } = inner;
  return defineSpecializer<State>({
    name: "perStratum",
    label: `${inner.label}, one a stratum`,
    options: { use: { name: inner.name, options: inner.options } },
    ...inherited([inner]),
    ...(inner.reference ? { reference: true } : {}),
    ...(ceiling
      ? { ceiling: (train) => addedCeilings([...byStratum(train).values()].map((own) => ceiling(own))) }
      : {}),
    checkTrain: ({ task, train }) => {
      for (const [name, own] of byStratum(train))
        inner.checkTrain?.({ task: { ...task, name: `${task.name}, stratum ${name}` }, train: own });
    },
    fit: async (subject, given) => {
      requireTrain(given, "perStratum");
      const strata = byStratum(given.train);
      const dev = new Map([...strata.keys()].map((name): [string, Sample[]] => [name, []]));
      for (const sample of given.dev) dev.get(sample.stratum ?? "")?.push(sample);
      const states = new Map<string, Json>();
      const finished = await given.artifacts.scratch("strata");
      let done = 0;
      for (const [name, train] of strata) {
        given.context.signal.throwIfAborted();
        const note = `${name} (${++done} of ${strata.size})`;
        const part: Given = {
          ...partOf(given, `stratum ${name}`, train, note),
          dev: dev.get(name) ?? [],
          task: narrowed(given.task, train),
        };
        given.progress(done - 1, strata.size, note);
        const kept = join(finished, `${fingerprint([2, name])}.json`);
        states.set(name, await once(kept, subject, part, (counted) => inner.fit(subject, counted)));
      }
      // A stratum may be called `__proto__`.
      return Object.fromEntries(states);
    },
    behave: (states, subject, tools) => {
      const specialists = new Map(
        Object.entries(states).map(([name, state]) => [name, inner.apply(subject, state, tools)]),
      );
      return {
        respond: async (query, context) => {
          const specialist = specialists.get(query.stratum ?? "");
          if (specialist) return specialist.respond(query, context);
          return inner.reference ? { unscored: "other-labels" } : subject.respond(query, context);
        },
      };
    },
  });
}

function byStratum(samples: readonly Sample[]): Map<string, Sample[]> {
  const strata = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (sample.stratum === undefined) {
      throw new HoneError({
        what: "perStratum cannot be used here",
        where: `train sample ${sample.id}`,
        why: "it has no stratum",
        next: "Set `stratum` in the data to the field that says which task a row belongs to, or leave perStratum out.",
        kind: "usage",
      });
    }
    const list = strata.get(sample.stratum);
    if (list) list.push(sample);
    else strata.set(sample.stratum, [sample]);
  }
  return strata;
}

/** The task for one stratum: options common to all of its samples become shared labels. */
function narrowed(task: LanguageTask, samples: readonly Sample[]): LanguageTask {
  const key = (options: readonly Option[] | undefined) => JSON.stringify(options ?? null);
  const first = samples[0]?.options;
  if (!first || samples.some(({ options }) => key(options) !== key(first))) return task;
  return { ...task, labels: first };
}

/** Its entry in the table of specializers. */
export const perStratumEntry = {
  make: (options: PerStratumOptions, inner) => perStratum(inner(options.use, "use", "language")),
  options: perStratumOptions,
  summary: "One specialist for each of several tasks merged into one; each query goes to its own",
  paper:
    "Dominguez-Olmedo et al. 2024, Lawma (arXiv 2407.16615): one model for all tasks against one for each",
  leaf: null,
} satisfies SpecializerEntry;
