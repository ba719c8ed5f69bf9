// Notes on how an optimized prompt was found, for the report: the specializer's state has them under `report`, and the
// record carries them with the subject. Gains are over the original prompt; a positive gain is a better score.

import type { Json } from "./json.js";

export type OptimizeNotes = {
  /** Candidate prompts evaluated, the original one included. */
  looked: number;
  /** Gain of the chosen prompt on the samples that it was chosen on; null if none was better there. */
  searched: number | null;
  /** Its gain on samples not used to make or choose a prompt, with the one-sided p; null if this was not measured. */
  confirmed: { n: number; delta: number; low: number; high: number; p: number } | null;
  /** `searched` minus the confirmed gain. */
  shrinkage: number | null;
  /** Whether it is used now, rather than the original prompt. */
  returned: boolean;
};

/** The notes in a state, if a prompt was optimized. */
export function optimizeNotesOf(state: Json): OptimizeNotes | undefined {
  const { report } = recordOf(state);
  const { looked, returned, confirm = null, shrinkage = null, search, gain } = recordOf(report);
  if (typeof looked !== "number" || typeof returned !== "number") return undefined;
  const searched = typeof gain === "number" ? gain : recordOf(search).delta;
  return {
    ...{ looked, returned: returned !== 0 },
    searched: typeof searched === "number" ? searched : null,
    confirmed: confirm as OptimizeNotes["confirmed"],
    shrinkage: shrinkage as number | null,
  };
}

function recordOf(value: Json | undefined): { readonly [key: string]: Json } {
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })
    : {};
}
