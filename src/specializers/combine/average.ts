// average: fits one specializer with several training seeds and averages their predictions. What one seed happened to learn counts
// for less; an answer costs as many calls as there are seeds (Lakshminarayanan et al. 2017, deep ensembles, arXiv 1612.01474, who
// average probabilities; here log-probabilities are averaged, as in a log-linear pool with equal weights).

import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import { randomFor } from "../../core/random.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { inherited } from "../parts/inherited.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { partOf } from "./stack/folds.js";
import { poolOf } from "./stack/members.js";

const averageOptions = z.strictObject({
  use: z.unknown().describe("the specializer, written as in a study; its training must depend on a seed"),
  seeds: z.int().min(2).max(20).default(3).describe("how many training seeds, 2 to 20"),
});
/** Options of `average`. */
export type AverageOptions = z.input<typeof averageOptions>;

type State = { states: Json[] };

/**
 * Fits `use` with several seeds drawn from the study's.
 * @throws HoneError where its training does not depend on a seed; at the fit where there are no options to choose from
 * @example
 * import { average, lora } from "@honelab/hone";
 * average(lora({ layers: 10 }), { seeds: 3 }).label; // "average(lora(r=16, last 10) x3)"
 */
export function average(
  use: LanguageSpecializer,
  options: Omit<AverageOptions, "use"> = {},
): LanguageSpecializer {
  const { seeds } = readOptions(averageOptions.omit({ use: true }), "average", options);
  if (!use.seeded) {
    throw new HoneError({
      what: `average cannot use ${use.label}`,
      why: "it is the same for every seed, so there is nothing to average",
      next: "Use one that is trained, such as lora.",
      kind: "usage",
    });
  }
  const { kinds: _, ...own } = inherited([use], seeds);
  return defineSpecializer<State>({
    name: "average",
    label: `average(${use.label} x${seeds})`,
    options: { use: { name: use.name, options: use.options }, seeds },
    ...own,
    ...(use.reference ? { reference: true } : {}),
    fit: async (subject, given) => {
      requireOptions(given);
      const states: Json[] = [];
      for (let i = 0; i < seeds; i++) {
        const part = partOf(given, `average ${i}`, given.train, `seed ${i + 1} of ${seeds}`);
        states.push(await use.fit(subject, { ...part, seed: seedOf(given.seed, i) }));
      }
      return { states };
    },
    behave: ({ states }, subject, tools) => {
      const asked = states.map((state) => use.apply(subject, state, tools) as LanguageSubject);
      return {
        respond: poolOf(
          asked,
          asked.map(() => 1 / asked.length),
        ),
      };
    },
  });
}

/** The study's own seed first; the others are drawn, so that studies with other seeds share none of them. */
function seedOf(seed: number, i: number): number {
  return i === 0 ? seed : Math.floor(randomFor(seed, "average", i)() * 2 ** 31);
}

function requireOptions(given: Given): void {
  requireTrain(given, "average");
  const { task, train } = given;
  const [first] = train;
  if (first && (task.query(first).options?.length ?? 0) > 0) return;
  throw new HoneError({
    what: "average cannot be used here",
    where: `task ${task.name}`,
    why: "it averages the options' probabilities, and this task's answers are open",
    next: "Take average out of this task's study.",
    kind: "usage",
  });
}

/** Its entry in the table of specializers. */
export const averageEntry = {
  make: ({ use, ...rest }: AverageOptions, inner) => average(inner(use, "use", "language"), rest),
  options: averageOptions,
  summary: "One specializer trained with several seeds, whose log-probabilities are averaged",
  paper:
    "Lakshminarayanan, Pritzel and Blundell 2017, Simple and Scalable Predictive Uncertainty Estimation (arXiv 1612.01474)",
  leaf: null,
} satisfies SpecializerEntry;
