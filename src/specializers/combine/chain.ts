// chain: several specializers as one. Each is fitted on what the ones before it made.

import type { Json } from "../../core/json.js";
import type { Specializer } from "../../core/specializer.js";

/** Specializers applied one after the other. */
export interface Chain extends Specializer<Json[]> {
  readonly steps: readonly Specializer[];
}

/**
 * The first specializer is fitted on the subject and applied, the next on the result, and so on. In the prompt, the
 * examples of later ones stand nearer to the query. The state is the list of the steps' states.
 *
 * @example
 * import { calibrate, chain, fewShot } from "@honelab/hone";
 * chain([fewShot({ k: 6, draw: "balanced" }), calibrate()]).label; // "fewShot(k=6, balanced) + calibrate"
 */
export function chain(steps: readonly Specializer[]): Chain {
  if (steps.length === 0) throw new Error("chain: there must be at least one specializer");
  return {
    name: "chain",
    label: steps.map((step) => step.label).join(" + "),
    options: steps.map((step) => ({ name: step.name, options: step.options })),
    needs: [...new Set(steps.flatMap((step) => step.needs))],
    seeded: steps.some((step) => step.seeded),
    ...(steps.at(-1)?.reference ? { reference: true } : {}),
    subjects: (["language", "motor"] as const).filter((kind) =>
      steps.every((step) => (step.subjects ?? ["language"]).includes(kind)),
    ),
    steps,
    async fit(subject, given) {
      const states: Json[] = [];
      let current = subject;
      for (const [i, step] of steps.entries()) {
        // The first is what a study without the others would make, and may have made.
        const state =
          i === 0 && given.build ? await given.build(step, subject, given) : await step.fit(current, given);
        states.push(state);
        current = step.apply(current, state, { encoder: given.encoder, artifacts: given.artifacts });
      }
      return states;
    },
    apply: (subject, states, tools) =>
      steps.reduce((current, step, i) => step.apply(current, states[i] as Json, tools), subject),
  };
}
