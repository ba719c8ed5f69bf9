// bestOf: several specializers are tried on dev and the best one is kept, so that a rung such as "few-shot or not" is a
// measured switch. It never sees the test split, and it is not an ensemble: one of them answers.

import { z } from "zod";
import { CallError } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import type { Kind, Subject } from "../../core/kinds.js";
import type { Given, Specializer } from "../../core/specializer.js";
import type { ScoredRow } from "../../core/task.js";
import { type Candidate, choose, scoredRow } from "../../statistics/index.js";
import { inherited } from "../parts/inherited.js";
import type { SpecializerEntry } from "../table.js";
import { partOf } from "./stack/folds.js";

const bestOfOptions = z.strictObject({
  of: z
    .array(z.unknown())
    .min(1)
    .max(20)
    .describe("the specializers to choose from on dev, written as in a study, 1 to 20"),
});
/** Options of `bestOf`. */
export type BestOfOptions = z.input<typeof bestOfOptions>;

type State = {
  /** Position among the candidates. */
  chosen: number;
  /** Mean score over the dev samples that were scored; null where none was. */
  scores: { label: string; mean: number | null; n: number; unscored: number }[];
  /** The chosen one's own state. */
  state: Json;
};

/**
 * Fits each candidate on train, measures it on dev with the task's own score, and keeps the best by the rule that
 * chooses a study's champion (`choose`): unscored samples count as the worst value, ties go to the earliest.
 * @throws HoneError without dev samples, or where no candidate could be scored on half of them
 *
 * @example
 * import { bestOf, fewShot, zeroShot } from "@honelab/hone";
 * bestOf([zeroShot(), fewShot({ k: 5 })]).label; // "bestOf(zeroShot | fewShot(k=5))"
 */
export function bestOf<K extends Kind>(candidates: readonly Specializer<Json, K>[]): Specializer<State, K> {
  if (candidates.length === 0) throw new Error("bestOf: there must be at least one specializer");
  return {
    name: "bestOf",
    label: `bestOf(${candidates.map(({ label }) => label).join(" | ")})`,
    options: { of: candidates.map(({ name, options }) => ({ name, options })) },
    ...inherited(candidates),
    ...(candidates.length > 1 ? { choosesOnDev: true } : {}),
    ...(candidates.every(({ reference }) => reference) ? { reference: true } : {}),
    async fit(subject, given) {
      if (given.dev.length === 0) throw unable(given, "there is no dev split to measure them on");
      const tools = { encoder: given.encoder, artifacts: given.artifacts };
      const states: Json[] = [];
      const measured: Candidate[] = [];
      for (const [i, candidate] of candidates.entries()) {
        const state = await candidate.fit(
          subject,
          partOf(given, `candidate ${i}`, given.train, candidate.label),
        );
        states.push(state);
        const run = await measure(candidate.apply(subject, state, tools), given, candidate.label);
        measured.push({ runs: [run] });
      }
      const covered = measured.some(({ runs: [run] }) => {
        const rows = [...(run?.values() ?? [])];
        return 2 * rows.filter((row) => row !== null).length >= rows.length;
      });
      const chosen = covered ? choose(measured, given.task) : undefined;
      if (chosen === undefined)
        throw unable(given, "none of them could be scored on at least half of the dev samples");
      const scores = candidates.map(({ label }, i) => ({
        label,
        ...summary((measured[i] as Candidate).runs[0]!),
      }));
      return { chosen, scores, state: states[chosen] as Json };
    },
    apply: (subject, { chosen, state }, tools) => {
      const candidate = candidates[chosen];
      if (candidate) return candidate.apply(subject, state, tools);
      throw new HoneError({
        what: "The saved specialist is damaged: it lacks the candidate that bestOf chose",
        why: `candidate ${chosen} of ${candidates.length}`,
        next: "Make the specialist again from its study.",
      });
    },
  };
}

async function measure(
  subject: Subject,
  { task, dev, context, progress }: Given<Kind>,
  label: string,
): Promise<Map<string, ScoredRow | null>> {
  const rows = new Map<string, ScoredRow | null>();
  const width = Math.max(1, subject.model?.concurrency ?? 1);
  for (let start = 0; start < dev.length; start += width) {
    const batch = dev.slice(start, start + width).map(async (sample) => {
      try {
        return scoredRow(await task.evaluate(subject, sample, context), String([sample.gold].flat()[0]));
      } catch (error) {
        // A call that failed after its retries leaves this sample unscored; anything else is a fault.
        if (error instanceof CallError) return null;
        throw error;
      }
    });
    for (const [i, row] of (await Promise.all(batch)).entries()) rows.set(dev[start + i]!.id, row);
    progress(rows.size, dev.length, label);
  }
  return rows;
}

function summary(run: ReadonlyMap<string, ScoredRow | null>): Omit<State["scores"][number], "label"> {
  const scores = [...run.values()].flatMap((row) => (row ? [row.score] : []));
  const mean = scores.length > 0 ? scores.reduce((sum, score) => sum + score, 0) / scores.length : null;
  return { mean, n: scores.length, unscored: run.size - scores.length };
}

function unable({ task }: Pick<Given<Kind>, "task">, why: string): HoneError {
  return new HoneError({
    what: "bestOf cannot choose",
    where: `task ${task.name}, split dev`,
    why,
    next: "Give the task a dev split that the candidates can answer, or name the one to use.",
    kind: "usage",
  });
}

/** Its entry in the table of specializers. */
export const bestOfEntry = {
  make: (options: BestOfOptions, inner) => bestOf(options.of.map((one, i) => inner(one, `of.${i}`))),
  options: bestOfOptions,
  summary: "Several specializers, of which the best on dev is kept",
  paper: "Nori et al. 2023, Medprompt (arXiv 2311.16452): what each rung adds is measured, not assumed",
  leaf: null,
} satisfies SpecializerEntry;
