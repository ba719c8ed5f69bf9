// Notes on how an optimized prompt was found, for the report: the specializer's state has them under `report`, and the
// record carries them with the subject. Gains are over the original prompt; a positive gain is a better score.

import type { Json } from "./json.js";

export type OptimizeNotes = {
  /** Candidate prompts evaluated, the original one included. */
  looked: number;
  /** How the search ended; absent for the published algorithms, which do not confirm, and in records before 2026-11-30. */
  verdict?: "no headroom" | "none better" | "not confirmed" | "confirmed";
  /** One-sided p that any candidate was better, on the first samples. */
  headroom?: { p: number; n: number };
  /** Gain of the best prompt on the search samples, of which the chosen one is the shortest within one standard error. */
  best?: { n: number; delta: number } | null;
  /** Instructions that a reflector was asked for, and those that it wrote. */
  reflections?: { asked: number; written: number };
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
  const { verdict, headroom, bestGain, reflections } = recordOf(report);
  const { p, n } = recordOf(headroom);
  return {
    ...(typeof verdict === "string" ? { verdict: verdict as NonNullable<OptimizeNotes["verdict"]> } : {}),
    ...(typeof p === "number" && typeof n === "number" ? { headroom: { p, n } } : {}),
    ...(bestGain === undefined ? {} : { best: bestGain as NonNullable<OptimizeNotes["best"]> | null }),
    ...(reflections ? { reflections: reflections as OptimizeNotes["reflections"] & object } : {}),
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
