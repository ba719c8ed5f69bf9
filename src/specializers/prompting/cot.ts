// cot: chains of thought that the subject writes itself, kept as examples only if they reach the right answer (Nori et
// al. 2023, Medprompt, §4.2). It does not choose which examples a query gets; the specializer in `use` does.

import { z } from "zod";
import { CallError, ofTheSample } from "../../core/call.js";
import type { Json } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Demonstration, Option } from "../../core/language.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Sample } from "../../core/sample.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import type { Grade } from "../../core/task.js";
import { derive, requireTrain } from "../parts/define.js";
import { inherited } from "../parts/inherited.js";
import { readOptions } from "../parts/options.js";
import { drawOrders } from "../parts/permutations.js";
import type { SpecializerEntry } from "../table.js";
import { zeroShot } from "./zero-shot.js";

export const cotOptions = z.strictObject({
  use: z
    .unknown()
    .default("zeroShot")
    .describe(
      "the specializer that puts the verified examples before a query, written as in a study; zeroShot for none",
    ),
  pool: z
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .describe("maximum train samples that are reasoned about, drawn with the seed"),
  shuffles: z
    .int()
    .min(1)
    .max(20)
    .default(1)
    .describe("orders of the options tried for each; the first is the given one"),
  maxTokens: z.int().min(1).max(8192).default(96).describe("maximum tokens of a chain of thought"),
});
/** Options of `cot`. */
export type CotOptions = z.input<typeof cotOptions>;

type State = { counts: { asked: number; verified: number; unscored: number }; inner: Json };

/**
 * Fits `use` on the samples whose own reasoning reached the gold answer (score 1), and lets every query reason. A sample
 * gives at most one example: its first verified order. Where nothing is verified, queries reason without examples; where
 * `use` is `zeroShot` no examples are wanted, and fitting makes no calls.
 */
export function cot(
  options: Omit<CotOptions, "use"> = {},
  use: LanguageSpecializer = zeroShot(),
): LanguageSpecializer {
  const { pool, shuffles, maxTokens } = readOptions(cotOptions.omit({ use: true }).strip(), "cot", options);
  const bare = use.name === "zeroShot";
  const chosen = { pool, shuffles, maxTokens };
  const reasoning = (subject: LanguageSubject) =>
    derive(subject, { name: "cot", label: "cot", options: chosen }, null, {
      prepare: (query) => ({ ...query, reason: { maxTokens } }),
    });
  return {
    name: "cot",
    label: bare ? "cot" : `cot(${use.label})`,
    options: { ...chosen, use: { name: use.name, options: use.options } },
    ...inherited([use]),
    needs: [...new Set([...use.needs, "text" as const])],
    seeded: !bare,
    fit: async (subject, given) => {
      const counts = { asked: 0, verified: 0, unscored: 0 };
      if (bare) return { counts, inner: null };
      requireTrain(given, "cot");
      const thinker = reasoning(subject);
      const drawn = shuffled(given.train, randomFor(given.seed, "cot")).slice(0, pool);
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
  for (const order of ordersOf(given, sample, shuffles)) {
    const reader: LanguageSubject = {
      ...thinker,
      respond: (query, context) => thinker.respond(order ? { ...query, options: order } : query, context),
    };
    counts.asked++;
    const grade = await given.task.evaluate(reader, sample, given.context).catch(unanswerable);
    if (grade.status === "unscored") counts.unscored++;
    const rationale = grade.trail?.find((step) => step.kind === "rationale")?.text.trim();
    if (grade.status === "scored" && grade.score === 1 && rationale) {
      const shot = given.task.demonstration(sample);
      // Where several answers are right, the reasoning belongs to the one that it reached.
      const answer = given.task.kind === "choice" ? (grade.prediction ?? shot.answer) : shot.answer;
      return { ...shot, answer, rationale, ...(order ? { options: order } : {}) };
    }
  }
  return undefined;
}

/** A failure caused by the sample itself does not stop the fit; a failure of the endpoint does, and a new run resumes. */
function unanswerable(error: unknown): Grade {
  if (error instanceof CallError && ofTheSample.includes(error.failure)) {
    return { status: "unscored", cause: error.failure };
  }
  throw error;
}

/** The orders to try, all distinct: undefined for the options as they stand (or none), then others by the seed. */
function ordersOf(given: Given, sample: Sample, shuffles: number): (readonly Option[] | undefined)[] {
  const { options = [] } = given.task.query(sample);
  const random = randomFor(given.seed, "cot orders", sample.id);
  const others = drawOrders(options.length, shuffles, "random", random)
    .filter((order) => order.some((from, to) => from !== to))
    .map((order) => order.map((from) => options[from] as Option));
  return [undefined, ...others.slice(0, shuffles - 1)];
}

/** Its entry in the table of specializers. */
export const cotEntry = {
  make: (options: CotOptions, inner) => cot(options, inner(options.use, "use", "language")),
  options: cotOptions,
  summary: "Examples with the model's own reasoning, kept where it reached the right answer",
  paper:
    "Nori et al. 2023, Can Generalist Foundation Models Outcompete Special-Purpose Tuning? (2311.16452), §4.2",
  leaf: "few-shot prompt",
} satisfies SpecializerEntry;
