// Free-text answers, compared with one or more accepted texts: exact match, token F1, ROUGE-L, or a number.

import { z } from "zod";
import { fingerprint } from "../core/json.js";
import type { LanguageSubject } from "../core/kinds.js";
import { cameBackUnusable, type Demonstration, type Query } from "../core/language.js";
import { share } from "../core/metric.js";
import type { Sample } from "../core/sample.js";
import type { Grade, LanguageTask } from "../core/task.js";
import { rougeL } from "../learn/rouge.js";
import { keptOf, recall } from "./choice.js";
import { lastNumber, numberMatch } from "./numbers.js";
import { rows, taskEntry } from "./table.js";

const answerSchema = z.strictObject({
  kind: z.literal("answer").describe("A written answer, compared with the accepted ones"),
  instruction: z.string().optional().describe("What to do, said once before everything else"),
  question: z.string().optional().describe("A question asked about every sample alike"),
  metric: z
    .enum(["exact", "f1", "rougeL", "number"])
    .default("exact")
    .describe("Exact match, token F1 (SQuAD), ROUGE-L F1, or equal numbers"),
  tolerance: z
    .number()
    .min(0)
    .default(0)
    .describe("For `number`: largest relative difference that still counts"),
  maxTokens: z.int().min(1).max(8192).default(64).describe("Most tokens to write"),
});

export type AnswerOptions = z.input<typeof answerSchema>;

/**
 * An answer task. If a sample has several accepted answers, the best-matching one counts.
 *
 * @example
 * import { answer } from "@honelab/hone";
 * const task = answer("capitals", { kind: "answer", metric: "f1", instruction: "Answer in a few words." });
 */
export function answer(name: string, options: AnswerOptions): LanguageTask {
  const spec = answerSchema.parse(options);
  const questionOf = (sample: Sample) => sample.question ?? spec.question;
  const query = (sample: Sample): Query => {
    const question = questionOf(sample);
    const instruction = sample.instruction ?? spec.instruction;
    return {
      input: sample.input,
      demonstrations: [],
      maxTokens: spec.maxTokens,
      ...(instruction === undefined ? {} : { instruction }),
      ...(question === undefined ? {} : { question }),
    };
  };
  return {
    name,
    kind: "answer",
    subjects: "language",
    metric: share(spec.metric),
    details: [share("recall"), share("unparsed")],
    binary: spec.metric === "exact" || spec.metric === "number",
    // Since version 2 a missing answer counts as wrong; before, it was unscored. Since version 3 no text is empty
    // after normalization, and signs and fractions are read as such. Since version 4 a sample's own instruction is read.
    id: fingerprint(["answer", 4, name, spec]),
    query,
    demonstration(sample): Demonstration {
      const question = questionOf(sample);
      const gold = acceptedAnswers(sample)[0] ?? "";
      return { input: sample.input, answer: gold, ...(question === undefined ? {} : { question }) };
    },
    async evaluate(subject: LanguageSubject, sample, context): Promise<Grade> {
      const answered = await subject.respond(query(sample), context);
      const { text = "", unscored = "no-answer" } = answered;
      const kept = keptOf(answered);
      if (answered.text === undefined && !cameBackUnusable.includes(unscored))
        return { status: "unscored", cause: unscored, ...kept };
      const golds = acceptedAnswers(sample);
      const best = (score: (text: string, gold: string) => number) =>
        Math.max(0, ...golds.map((gold) => score(text, gold)));
      const score =
        spec.metric === "number"
          ? best((a, b) => numberMatch(a, b, spec.tolerance))
          : best(scorers[spec.metric]);
      const known = {
        ...(sample.evidence ? recall(sample, answered) : {}),
        ...(spec.metric === "number" ? { unparsed: lastNumber(text) === undefined ? 1 : 0 } : {}),
      };
      const details = Object.keys(known).length > 0 ? { details: known } : {};
      return { status: "scored", score, prediction: text, ...kept, ...details };
    },
  };
}

export const answerTask = taskEntry({ options: answerSchema, data: rows, make: answer });

function acceptedAnswers(sample: Sample): readonly string[] {
  return typeof sample.gold === "string" ? [sample.gold] : sample.gold;
}

const scorers = { exact: exactMatch, f1: tokenF1, rougeL };

/**
 * Lower case, no punctuation, no English articles, single spaces: the normalization of SQuAD (Rajpurkar et al. 2016). Where nothing
 * would be left (the answers "A" and "+"), articles and then punctuation stay.
 */
function normalizeAnswer(text: string): string {
  const lower = text.normalize("NFKC").toLowerCase();
  const words = lower
    .replace(/[^\p{L}\p{M}\p{N}\s]/gu, "")
    .split(/\s+/)
    .filter(Boolean);
  const bare = words.filter((word) => !/^(?:a|an|the)$/.test(word));
  return (bare.length > 0 ? bare : words).join(" ") || lower.trim();
}

export function exactMatch(text: string, gold: string): number {
  return normalizeAnswer(text) === normalizeAnswer(gold) ? 1 : 0;
}

/** Harmonic mean of token precision and recall over normalized tokens, as bags of tokens. In [0, 1]. */
export function tokenF1(text: string, gold: string): number {
  const a = normalizeAnswer(text).split(" ").filter(Boolean);
  const b = normalizeAnswer(gold).split(" ").filter(Boolean);
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const token of b) left.set(token, (left.get(token) ?? 0) + 1);
  let common = 0;
  for (const token of a) {
    const count = left.get(token) ?? 0;
    if (count > 0) {
      common++;
      left.set(token, count - 1);
    }
  }
  return (2 * common) / (a.length + b.length);
}
