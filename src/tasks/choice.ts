// Multiple choice and classification: one answer out of any number of options, scored 1 or 0.

import { z } from "zod";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type { LanguageSubject } from "../core/kinds.js";
import {
  type Answer,
  cameBackUnusable,
  type Demonstration,
  type Query,
  type Scoring,
} from "../core/language.js";
import { share } from "../core/metric.js";
import type { Grant } from "../core/model.js";
import type { Sample } from "../core/sample.js";
import type { Grade, LanguageTask } from "../core/task.js";
import type { Dataset } from "../data/index.js";
import { type Labels, rows, taskEntry } from "./table.js";

export const choiceSchema = z.strictObject({
  kind: z.literal("choice").default("choice").describe("Multiple choice or classification"),
  instruction: z.string().optional().describe("What to do, said once before everything else"),
  question: z.string().optional().describe("A question asked about every sample alike"),
  answerBy: z
    .enum(["label", "text"])
    .optional()
    .describe("Score the option's label (A, B, …) or its whole text; the better one on dev if omitted"),
  scoring: z
    .enum(["sum", "mean", "prior", "parse"])
    .optional()
    .describe(
      "How an option is read: log-probability summed, per token, less its prior, or parsed from written text; the best one on dev if omitted",
    ),
  list: z
    .enum(["once", "each"])
    .default("once")
    .describe("List shared options once at the top, or beside every sample"),
  maxTokens: z.int().min(1).max(4096).default(16).describe("Most tokens to write where scoring is `parse`"),
});

export type ChoiceOptions = z.input<typeof choiceSchema>;

/**
 * A choice task.
 * @param labels the options shared by all samples; omit if each sample has its own
 *
 * @example
 * import { choice } from "@honelab/hone";
 * const task = choice("tone", { question: "What is the tone?" }, [{ key: "p", text: "polite" }, { key: "r", text: "rude" }]);
 */
export function choice(
  name: string,
  options: ChoiceOptions = {},
  labels?: readonly { key: string; text: string }[],
): LanguageTask {
  const { answerBy = "label", scoring = "sum", ...rest } = choiceSchema.parse(options);
  const spec = { ...rest, answerBy, scoring };
  const optionsOf = (sample: Sample) => optionsIn(name, sample, labels);
  const questionOf = (sample: Sample) => sample.question ?? spec.question;
  const ownOptions = (sample: Sample) => sample.options !== undefined || spec.list === "each";

  const query = (sample: Sample): Query => {
    const question = questionOf(sample);
    const instruction = sample.instruction ?? spec.instruction;
    return {
      input: sample.input,
      options: optionsOf(sample),
      answerBy: spec.answerBy,
      scoring: spec.scoring,
      demonstrations: [],
      maxTokens: spec.maxTokens,
      ...(instruction === undefined ? {} : { instruction }),
      ...(sample.stratum === undefined ? {} : { stratum: sample.stratum }),
      ...(question === undefined ? {} : { question }),
      ...(ownOptions(sample) ? { ownOptions: true } : {}),
    };
  };

  return {
    name,
    kind: "choice",
    subjects: "language",
    metric: share("accuracy"),
    details: [share("macroF1"), share("confidence"), share("recall"), share("unparsed")],
    binary: true,
    // Since version 2 an answer that cannot be parsed is wrong; before, it was unscored. Since version 3 several labels, or one that is
    // denied, cannot be parsed.
    id: fingerprint(["choice", ...(scoring === "parse" ? [3] : []), name, spec, labels ?? null]),
    ...(labels ? { labels } : {}),
    query,
    demonstration(sample): Demonstration {
      const question = questionOf(sample);
      return {
        input: sample.input,
        answer: goldKeys(sample)[0] as string,
        ...(question === undefined ? {} : { question }),
        ...(ownOptions(sample) ? { options: optionsOf(sample) } : {}),
      };
    },
    async evaluate(subject: LanguageSubject, sample, context): Promise<Grade> {
      const answer = await subject.respond(query(sample), context);
      const kept = keptOf(answer);
      const { choice: chosen, unscored = "no-answer", scores } = answer;
      const unusable = chosen === undefined && cameBackUnusable.includes(unscored);
      if (chosen === undefined && !unusable) return { status: "unscored", cause: unscored, ...kept };
      const right = chosen !== undefined && goldKeys(sample).includes(chosen);
      const known = {
        ...(scores && chosen !== undefined ? confidence(scores, chosen) : {}),
        ...recall(sample, answer),
        // Reported whenever answers are parsed from generated text.
        ...(unusable || spec.scoring === "parse" || answer.text !== undefined
          ? { unparsed: unusable ? 1 : 0 }
          : {}),
      };
      const details = Object.keys(known).length > 0 ? { details: known } : {};
      return { status: "scored", score: right ? 1 : 0, prediction: chosen ?? "", ...kept, ...details };
    },
  };
}

export const choiceTask = taskEntry({
  options: choiceSchema,
  data: rows,
  make: choice,
  ways: waysToChoose,
});

/** The ways of reading options that a task's options leave open, the default first. */
export function waysToChoose<
  T extends { answerBy?: "label" | "text" | undefined; scoring?: Scoring | undefined },
>(options: T, grants: ReadonlySet<Grant>): { label: string; options: T }[] {
  const read = grants.has("logprobs") ? (["sum", "mean", "prior"] as const) : (["parse"] as const);
  return (options.answerBy ? [options.answerBy] : (["label", "text"] as const)).flatMap((answerBy) =>
    (options.scoring ? [options.scoring] : read)
      // A label is one token, so its sum and mean are equal.
      .filter((scoring) => options.scoring !== undefined || answerBy === "text" || scoring !== "mean")
      .map((scoring) => ({ label: `${answerBy}, ${scoring}`, options: { ...options, answerBy, scoring } })),
  );
}

/** Every sample of train and dev has options to choose from. @throws HoneError if one has none */
export function requireOptions(
  { kind, name }: { kind: string; name: string },
  { train, dev, labels }: Pick<Dataset, "train" | "dev" | "labels">,
): void {
  if (kind !== "choice" || labels) return;
  for (const sample of [...train, ...dev]) optionsIn(name, sample);
}

/** A sample's own options, or the shared ones. @throws HoneError if there are none */
export function optionsIn(task: string, { id, options }: Sample, labels: Labels = []): Labels {
  const found = options ?? labels;
  if (found.length > 0) return found;
  throw new HoneError({
    what: "A sample has no options",
    where: `task ${task}`,
    why: `neither the row of ${id} nor the task's data has any`,
    next: "Add `options` to the data, or to each row.",
    kind: "usage",
  });
}

/** The parts of an answer that are kept beside its score. */
export function keptOf({ text, trail }: Answer): Pick<Grade, "raw" | "trail"> {
  return { ...(text === undefined ? {} : { raw: text }), ...(trail && trail.length > 0 ? { trail } : {}) };
}

/**
 * The share of the sample's evidence among the documents of the passages in the prompt, 0 if there were no passages;
 * nothing if the sample names no evidence.
 */
export function recall({ evidence = [] }: Sample, { trail = [] }: Answer): { recall?: number } {
  if (evidence.length === 0) return {};
  const found = new Set(trail.flatMap((step) => (step.kind === "passage" ? [step.id] : [])));
  return { recall: evidence.filter((id) => found.has(id)).length / evidence.length };
}

/** The keys of the right options: one, or several if any of them is right. */
function goldKeys({ gold }: Sample): readonly string[] {
  return typeof gold === "string" ? [gold] : gold;
}

/** The softmax probability of the chosen option among the options. */
function confidence(scores: Readonly<Record<string, number>>, chosen: string): Record<string, number> {
  const values = Object.values(scores);
  const top = Math.max(...values);
  const total = values.reduce((sum, value) => sum + Math.exp(value - top), 0);
  return { confidence: Math.exp((scores[chosen] as number) - top) / total };
}
