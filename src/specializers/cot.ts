// cot: chains of thought that the subject writes itself, kept as examples only where they end at the right answer
// (Nori et al. 2023, Medprompt, §4.2). It does not choose which examples a query gets; the specializer in `use` does.

import { z } from "zod";
import type { Json } from "../core/json.js";
import type { Demonstration, LanguageSubject, Option, Query } from "../core/language.js";
import { randomFor, shuffled } from "../core/random.js";
import type { Sample } from "../core/sample.js";
import type { Given, Specializer } from "../core/specializer.js";
import { derive, type JsonOf, requireTrain } from "./define.js";
import { readOptions } from "./options.js";

export const cotOptions = z.strictObject({
  use: z
    .unknown()
    .describe("the specializer that puts the verified examples before a query, as a study would name it"),
  pool: z
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .describe("most train samples that are reasoned about, drawn by the seed"),
  shuffles: z
    .int()
    .min(1)
    .max(20)
    .default(1)
    .describe("orders of the options tried for each; the first is as they stand"),
  maxTokens: z.int().min(1).max(8192).default(96).describe("most tokens of a chain of thought"),
});
export type CotOptions = z.input<typeof cotOptions>;

type State = { counts: { asked: number; verified: number; unscored: number }; inner: Json };

/**
 * Fits `use` on the samples whose own reasoning reached the gold answer (score 1), and lets every query reason. A sample
 * gives at most one example: its first verified order. Where nothing is verified, queries reason without examples.
 */
export function cot(options: Omit<CotOptions, "use">, use: Specializer): Specializer {
  const { pool, shuffles, maxTokens } = readOptions(cotOptions.omit({ use: true }), "cot", options);
  const label = `cot(${use.label})`;
  const chosen = { pool, shuffles, maxTokens };
  const reasoning = (subject: LanguageSubject) =>
    derive(subject, { name: "cot", label: "cot", options: chosen }, null, {
      prepare: (query) => ({ ...query, reason: { maxTokens } }),
    });
  return {
    name: "cot",
    label,
    options: { ...chosen, use: { name: use.name, options: use.options } },
    needs: [...new Set([...use.needs, "text" as const])],
    seeded: true,
    fit: async (subject, given) => {
      requireTrain(given, "cot");
      const thinker = reasoning(subject);
      const drawn = shuffled(given.train, randomFor(given.seed, "cot")).slice(0, pool);
      const counts = { asked: 0, verified: 0, unscored: 0 };
      const kept = new Map<Sample, Demonstration>();
      const width = Math.max(1, subject.model?.concurrency ?? 1);
      for (let start = 0; start < drawn.length; start += width) {
        const batch = drawn.slice(start, start + width);
        const found = await Promise.all(
          batch.map((sample) => verify(thinker, given, sample, shuffles, counts)),
        );
        found.forEach((shot, i) => {
          if (shot) kept.set(batch[i] as Sample, shot);
        });
        const done = start + batch.length;
        given.progress(done, drawn.length, `verified ${kept.size} of ${done}`);
      }
      counts.verified = kept.size;
      if (kept.size === 0) return { counts, inner: null };
      const task = {
        ...given.task,
        demonstration: (sample: Sample) => kept.get(sample) ?? given.task.demonstration(sample),
      };
      const train = drawn.filter((sample) => kept.has(sample));
      return { counts, inner: await use.fit(thinker, { ...given, train, task }) };
    },
    apply: (subject, state, tools) => {
      const { counts, inner } = state as State;
      const thinker = reasoning(subject);
      return counts.verified === 0 ? thinker : use.apply(thinker, inner, tools);
    },
  };
}

/** The sample as an example with the subject's own rationale, or undefined where no order led to the gold answer. */
async function verify(
  thinker: LanguageSubject,
  given: Given,
  sample: Sample,
  shuffles: number,
  counts: State["counts"],
): Promise<Demonstration | undefined> {
  const random = randomFor(given.seed, "cot orders", sample.id);
  for (let variant = 0; variant < shuffles; variant++) {
    let order: readonly Option[] | undefined;
    const reader: LanguageSubject = {
      ...thinker,
      respond: (query: Query, context) => {
        if (variant === 0 || !query.options) return thinker.respond(query, context);
        order = shuffled(query.options, random);
        return thinker.respond({ ...query, options: order }, context);
      },
    };
    const grade = await given.task.evaluate(reader, sample, given.context);
    counts.asked++;
    if (grade.status === "unscored") counts.unscored++;
    const rationale = grade.trail?.find((step) => step.kind === "rationale")?.text.trim();
    if (grade.status === "scored" && grade.score === 1 && rationale) {
      const shot = given.task.demonstration(sample);
      return { ...shot, rationale, ...(order ? { options: order as JsonOf<Option>[] } : {}) };
    }
  }
  return undefined;
}
