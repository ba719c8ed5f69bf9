// lesion: cuts parts of a trained controller at test time. Nothing is learnt and no weight changes.

import { z } from "zod";
import type { Specializer } from "../../core/specializer.js";
import { gainsOf, lesions } from "../../motor/lesion.js";
import { type ControllerSubject, controllerSubject } from "../../motor/subject.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const lesionOptions = z.strictObject({
  cut: z
    .array(z.enum(lesions))
    .min(1)
    .describe(
      "what is cut: leftInput, rightInput, leftOutput, rightOutput, callosum; with callosum and leftInput both, the published ccl",
    ),
});
/** Options of `lesion`. */
export type LesionOptions = z.input<typeof lesionOptions>;

/**
 * Silences parts of a controller; in a list, it comes after the specializer that trained it.
 *
 * @example
 * import { makeSpecializer } from "@honelab/hone";
 * makeSpecializer([{ bilateral: {} }, { lesion: { cut: ["callosum"] } }], "specialists.0");
 */
export function lesion(options: LesionOptions): Specializer<null, "motor"> {
  const { cut } = readOptions(lesionOptions, "lesion", options);
  const label = `cut(${cut.join(", ")})`;
  return {
    name: "lesion",
    label,
    options: { cut },
    needs: ["weights"],
    kinds: ["motor"],
    seeded: false,
    // Checked before anything is measured: a part that does not exist cannot be cut.
    fit: async (subject) => {
      gainsOf((subject as ControllerSubject).controller.shape, 1, cut);
      return null;
    },
    apply: (subject) => {
      const { model, controller, lesions: before } = subject as ControllerSubject;
      const all = [...new Set([...before, ...cut])];
      return controllerSubject(model, controller, `${subject.name} + ${label}`, all);
    },
  };
}

/** Its entry in the table of specializers. */
export const lesionEntry = {
  make: lesion,
  options: lesionOptions,
  summary: "A trained controller with a hemisphere's input or output, or the callosum, cut at test time",
  paper: "Rinaldo et al. 2024, Left/Right Brain, human motor control (arXiv 2401.14057)",
  leaf: null,
} satisfies SpecializerEntry;
