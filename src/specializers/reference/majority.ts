// majority: always the most frequent answer of the train samples. A reference without a model: anything that costs more
// must beat it.

import { z } from "zod";
import type { Answer } from "../../core/language.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const majorityOptions = z.strictObject({});
/** Options of `majority`. */
export type MajorityOptions = z.input<typeof majorityOptions>;

type State = {
  /** Train answers, the most frequent first. Where options differ from sample to sample, later ones are fallbacks. */
  answers: string[];
};

/** Ties go to the label that the task lists first, then to the alphabet. */
export function majority(options: MajorityOptions = {}): LanguageSpecializer {
  readOptions(majorityOptions, "majority", options);
  return defineSpecializer<State>({
    name: "majority",
    reference: true,
    fit: (_subject, given) => ({ answers: byFrequency(given) }),
    behave: ({ answers }) => ({
      respond: async (query): Promise<Answer> => {
        if (!query.options) return { text: answers[0] as string };
        const offered = new Set(query.options.map((option) => option.key));
        const choice = answers.find((answer) => offered.has(answer));
        return choice === undefined ? { unscored: "other-labels" } : { choice };
      },
    }),
  });
}

function byFrequency(given: Given): string[] {
  requireTrain(given, "majority");
  const counts = new Map<string, number>();
  for (const sample of given.train) {
    const { answer } = given.task.demonstration(sample);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const order = new Map(given.task.labels?.map((label, i) => [label.key, i]));
  const place = (key: string) => order.get(key) ?? Number.MAX_SAFE_INTEGER;
  const ranked = [...counts].sort(
    ([a, countA], [b, countB]) => countB - countA || place(a) - place(b) || (a < b ? -1 : 1),
  );
  // For open answers only the first is used; the rest would fill the state with the train data.
  return ranked
    .slice(0, given.task.labels || given.task.query(given.train[0]!).options ? ranked.length : 1)
    .map(([a]) => a);
}

/** Its entry in the table of specializers. */
export const majorityEntry = {
  make: majority,
  options: majorityOptions,
  summary: "Always the most frequent train answer; needs no model",
  paper: "A reference, not a method",
  leaf: null,
} satisfies SpecializerEntry;
