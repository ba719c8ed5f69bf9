// chain: several specializers as one. Each is fitted on what the ones before it made.

import type { Json } from "../../core/json.js";
import type { Kind } from "../../core/kinds.js";
import type { Specializer } from "../../core/specializer.js";
import { inherited } from "../parts/inherited.js";
import { partOf } from "./stack/folds.js";

/** Specializers applied one after the other. A study builds the steps one by one, so that arms share what they can. */
export interface Chain<K extends Kind = Kind> extends Specializer<Json[], K> {
  readonly steps: readonly Specializer<Json, K>[];
}

/**
 * The first specializer is fitted on the subject and applied, the next on the result, and so on. In the prompt, the
 * examples of later ones stand nearer to the query. The state is the list of the steps' states.
 *
 * @example
 * import { calibrate, chain, fewShot } from "@honelab/hone";
 * chain([fewShot({ k: 6, draw: "balanced" }), calibrate()]).label; // "fewShot(k=6, balanced) + calibrate"
 */
export function chain<K extends Kind>(steps: readonly Specializer<Json, K>[]): Chain<K> {
  if (steps.length === 0) throw new Error("chain: there must be at least one specializer");
  return {
    name: "chain",
    label: steps.map((step) => step.label).join(" + "),
    options: steps.map((step) => ({ name: step.name, options: step.options })),
    ...inherited(steps),
    ...(steps.at(-1)?.reference ? { reference: true } : {}),
    steps,
    async fit(subject, given) {
      const states: Json[] = [];
      let current = subject;
      for (const [i, step] of steps.entries()) {
        const state = await step.fit(current, partOf(given, `step ${i}`, given.train, step.label));
        states.push(state);
        current = step.apply(current, state, { encoder: given.encoder, artifacts: given.artifacts });
      }
      return states;
    },
    apply: (subject, states, tools) =>
      steps.reduce((current, step, i) => step.apply(current, states[i] as Json, tools), subject),
  };
}

export function isChain(specializer: Specializer): specializer is Chain {
  return "steps" in specializer;
}
