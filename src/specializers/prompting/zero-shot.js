// zeroShot: the generalist as it is. It changes nothing; it gives the starting point its own row.
import { z } from "zod";
import { kinds } from "../../core/kinds.js";
import { readOptions } from "../parts/options.js";
export const zeroShotOptions = z.strictObject({});
/** The identity: the subject as it is, whatever its kind. */
export function zeroShot(options = {}) {
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
