// zeroShot: the generalist as it is. It changes nothing; it gives the starting point its own row.

import { z } from "zod";
import type { Json } from "../../core/json.js";
import { type Kind, kinds } from "../../core/kinds.js";
import type { Specializer } from "../../core/specializer.js";
import { readOptions } from "../parts/options.js";

export const zeroShotOptions = z.strictObject({});
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
