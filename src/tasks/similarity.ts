// Word similarity: how similar an encoder finds two words, compared with human ratings. Scored by Spearman's correlation over
// pairs, which is not a mean: the study treats it as an aggregate.

import { z } from "zod";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type { EncoderSubject } from "../core/kinds.js";
import type { Sample } from "../core/sample.js";
import type { Grade, Task, TaskContext } from "../core/task.js";
import { spearman } from "../statistics/spearman.js";
import { rows, taskEntry } from "./table.js";

const similaritySchema = z.strictObject({
  kind: z
    .literal("similarity")
    .describe("Pairs of words with people's scores: input, question and a number as the answer"),
});

/** A task for encoders: `input` and `question` are the two words, `gold` is the human rating. */
export function similarity(name: string): Task<"encoder"> {
  return {
    name,
    kind: "similarity",
    subjects: "encoder",
    metric: { name: "Spearman", better: "higher", unit: "", least: -1, most: 1, display: "number" },
    binary: false,
    id: fingerprint(["similarity", 1, name]),
    aggregate: (scored) =>
      spearman(
        scored.map(({ score }) => score),
        scored.map(({ gold }) => Number(gold)),
      ),
    async evaluate(subject, sample, context): Promise<Grade> {
      const gold = Number([sample.gold].flat()[0]);
      if (sample.question === undefined || !Number.isFinite(gold)) {
        throw new HoneError({
          what: `A sample of ${name} is not a pair with a score`,
          where: `sample ${sample.id}`,
          why: sample.question === undefined ? "it has no question" : "its answer is not a number",
          next: "Give the two words as input and question, and the score as the answer.",
          kind: "usage",
        });
      }
      const cosine = await likeness(subject, sample, context);
      return { status: "scored", score: cosine, prediction: cosine.toFixed(4) };
    },
    async predict(subject, sample, context) {
      if (sample.question === undefined) {
        throw new HoneError({
          what: `A row of ${name} is not a pair`,
          where: `row ${sample.id}`,
          why: "it has no question",
          next: "Give the two words as input and question.",
          kind: "usage",
        });
      }
      const score = await likeness(subject, sample, context);
      return { text: score.toFixed(4), score };
    },
  };
}

/** The cosine between the vectors of a pair. */
async function likeness(subject: EncoderSubject, sample: Sample, context: TaskContext): Promise<number> {
  // Rows with words of two languages may name them as lexicon's rows do: "en-de".
  const languages = /^([^-]+)-([^-]+)$/.exec(sample.stratum ?? "")?.slice(1);
  const asked = languages ? { ...context, languages } : context;
  const [a = [], b = []] = await subject.respond([sample.input, sample.question ?? ""], asked);
  let [ab, aa, bb] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    [ab, aa, bb] = [ab + x * y, aa + x * x, bb + y * y];
  }
  return ab / (Math.sqrt(aa * bb) || 1);
}

export const similarityTask = taskEntry({
  options: similaritySchema,
  data: rows,
  make: (name) => similarity(name),
});
