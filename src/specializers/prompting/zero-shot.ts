// zeroShot: the generalist as it is. It changes nothing; it gives the baseline its own row.

import { z } from "zod";
import type { Json } from "../../core/json.js";
import { type Kind, kinds } from "../../core/kinds.js";
import type { Specializer } from "../../core/specializer.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const zeroShotOptions = z.strictObject({});
/** Options of `zeroShot`. */
export type ZeroShotOptions = z.input<typeof zeroShotOptions>;

/** The identity: the subject as it is, whatever its kind. */
export function zeroShot<K extends Kind>(options: ZeroShotOptions = {}): Specializer<Json, K> {
  readOptions(zeroShotOptions, "zeroShot", options);
  return {
    name: "zeroShot",
    label: "zeroShot",
    options: {},
    needs: [],
    kinds,
    seeded: false,
    fit: async () => null,
    apply: (subject) => subject,
  };
}

/** Its entry in the table of specializers. */
export const zeroShotEntry = {
  make: zeroShot,
  options: zeroShotOptions,
  summary: "The generalist as it is: the instruction and the options, no examples",
  paper: "Brown et al. 2020, Language Models are Few-Shot Learners (arXiv 2005.14165)",
  leaf: "zero-shot prompt",
} satisfies SpecializerEntry;
