// What an optimized prompt tells of how it was found, for the report: the specializer's state has it under `report`, and the
// record carries it with the subject. Gains are over the prompt as it stands, a better score being a greater one.

import type { Json } from "./json.js";

export type OptimizeNotes = {
  /** Prompts that were looked at, the one as it stands among them. */
  looked: number;
  /** Gain of the one that was chosen on the samples that it was chosen on; null where none was better there. */
  searched: number | null;
  /** Its gain on samples that no prompt was made of or chosen on, with the one-sided p; null where it did not come to that. */
  confirmed: { n: number; delta: number; low: number; high: number; p: number } | null;
  /** What of the first gain the second lost. */
  shrinkage: number | null;
  /** Whether it is asked now, and not the prompt as it stands. */
  returned: boolean;
};

/** The notes that a state has, where a prompt was optimized. */
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
