// zeroShot: the generalist as it is. It changes nothing; it gives the starting point its own row.

import { z } from "zod";
import type { Specializer } from "../../core/specializer.js";
import { readOptions } from "../parts/options.js";

export const zeroShotOptions = z.strictObject({});
/** Options of `zeroShot`. */
export type ZeroShotOptions = z.input<typeof zeroShotOptions>;

/** The identity: the subject as it is, whatever its kind. */
export function zeroShot(options: ZeroShotOptions = {}): Specializer {
  readOptions(zeroShotOptions, "zeroShot", options);
  return {
    name: "zeroShot",
    label: "zeroShot",
    options: {},
    needs: [],
    subjects: ["language", "motor"],
    seeded: false,
    fit: async () => null,
    apply: (subject) => subject,
  };
}
