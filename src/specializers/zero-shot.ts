// zeroShot: the generalist as it is. It changes nothing; it gives the starting point its own row.

import { z } from "zod";
import type { Specializer } from "../core/specializer.js";
import { defineSpecializer } from "./define.js";
import { readOptions } from "./options.js";

export const zeroShotOptions = z.strictObject({});
export type ZeroShotOptions = z.input<typeof zeroShotOptions>;

/** The identity: answers as the subject does. */
export function zeroShot(options: ZeroShotOptions = {}): Specializer {
  readOptions(zeroShotOptions, "zeroShot", options);
  return defineSpecializer({ name: "zeroShot", behave: () => ({ prepare: (query) => query }) });
}
