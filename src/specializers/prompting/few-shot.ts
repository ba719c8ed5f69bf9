// fewShot: the same worked examples, drawn once from train, before every query (Brown et al. 2020). They do not depend
// on the query; those of `knn` do.

import { z } from "zod";
import { randomFor, shuffled } from "../../core/random.js";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { inTurn, type KeptDemonstrations, keepDemonstrations, prepend } from "../parts/demonstrations.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const fewShotOptions = z.strictObject({
  k: z.int().min(1).max(1000).default(5).describe("how many examples, 1 to 1000"),
  draw: z
    .enum(["random", "balanced"])
    .default("random")
    .describe('"random", or "balanced" to spread them as evenly as possible over the right answers'),
});
/** Options of `fewShot`. */
export type FewShotOptions = z.input<typeof fewShotOptions>;

/** Puts k drawn train examples before every query. Examples that are the query itself are left out for that query. */
export function fewShot(options: FewShotOptions = {}): LanguageSpecializer {
  const { k, draw } = readOptions(fewShotOptions, "fewShot", options);
  return defineSpecializer<KeptDemonstrations>({
    name: "fewShot",
    label: draw === "balanced" ? `fewShot(k=${k}, balanced)` : `fewShot(k=${k})`,
    options: { k, draw },
    seeded: true,
    fit: (_subject, given) => {
      requireTrain(given, "fewShot");
      const random = randomFor(given.seed, "fewShot", draw);
      const mixed = shuffled(given.train, random).map((sample) => given.task.demonstration(sample));
      const chosen = draw === "balanced" ? inTurn(mixed, k, random) : mixed.slice(0, k);
      return keepDemonstrations(chosen, given.task);
    },
    behave: ({ shots, labels }) => ({ prepare: (query) => prepend(shots, labels, query) }),
  });
}

/** Its entry in the table of specializers. */
export const fewShotEntry = {
  make: fewShot,
  options: fewShotOptions,
  summary: "The same randomly drawn train examples before every query",
  paper: "Brown et al. 2020, Language Models are Few-Shot Learners (arXiv 2005.14165)",
  leaf: "few-shot prompt",
} satisfies SpecializerEntry;
