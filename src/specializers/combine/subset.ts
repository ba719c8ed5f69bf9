// subset: fits another specializer on less training data, to measure what labels are worth. Test and dev are unchanged.

import { z } from "zod";
import type { Json } from "../../core/json.js";
import type { Kind } from "../../core/kinds.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Sample } from "../../core/sample.js";
import type { Specializer } from "../../core/specializer.js";
import { inherited } from "../parts/inherited.js";
import type { SpecializerEntry } from "../table.js";

const subsetOptions = z.strictObject({
  n: z.int().min(1).max(1_000_000).describe("train samples to keep from each stratum, drawn with the seed"),
  use: z.unknown().describe("the specializer that learns from them, written as in a study"),
});
/** Options of `subset`. */
export type SubsetOptions = z.input<typeof subsetOptions>;

/**
 * Fits `inner` on n train samples of each stratum (of all, where there are no strata). For one seed the draws are nested:
 * the first 50 are among the first 100, so that a curve over n compares amounts and not draws.
 *
 * @example
 * import { linear, subset } from "@honelab/hone";
 * subset({ n: 50 }, linear()).label; // "linear(tfidf), n=50"
 */
export function subset<K extends Kind>(
  { n }: Pick<SubsetOptions, "n">,
  inner: Specializer<Json, K>,
): Specializer<Json, K> {
  return {
    name: "subset",
    label: `${inner.label}, n=${n}`,
    options: { n, use: { name: inner.name, options: inner.options } },
    ...inherited([inner]),
    seeded: true,
    ...(inner.reference ? { reference: true } : {}),
    // How many samples are drawn does not depend on the seed.
    checkTrain: ({ task, train }) =>
      inner.checkTrain?.({
        task: { ...task, name: `${task.name}, subset of n=${n}` },
        train: drawn(train, n, 1),
      }),
    fit: (subject, given) => inner.fit(subject, { ...given, train: drawn(given.train, n, given.seed) }),
    apply: (subject, state, tools) => inner.apply(subject, state, tools),
  };
}

function drawn(samples: readonly Sample[], n: number, seed: number): Sample[] {
  const taken = new Map<string, number>();
  return shuffled(samples, randomFor(seed, "subset")).filter(({ stratum = "" }) => {
    const before = taken.get(stratum) ?? 0;
    taken.set(stratum, before + 1);
    return before < n;
  });
}

/** Its entry in the table of specializers. */
export const subsetEntry = {
  make: (options: SubsetOptions, inner) => subset(options, inner(options.use, "use")),
  options: subsetOptions,
  summary: "Another specializer on less training data: what a label is worth",
  paper: "Dominguez-Olmedo et al. 2024, Lawma (arXiv 2407.16615): sample efficiency",
  leaf: null,
} satisfies SpecializerEntry;
