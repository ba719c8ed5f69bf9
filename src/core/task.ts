// A task knows how to put a subject through one sample and score what comes back.

import type { CallContext } from "./call.js";
import type { Demonstration, LanguageSubject, Query, Step } from "./language.js";
import type { MotorSubject } from "./motor.js";
import type { Sample } from "./sample.js";

/** Anything whose skill can be measured. Encoders join this union with their tasks. */
export type Subject = LanguageSubject | MotorSubject;

/** One subject's result on one sample: scored with a number, or unscored with a cause; never a silent zero. */
export type Grade = (
  | { status: "scored"; score: number; prediction: string; details?: Record<string, number> }
  | { status: "unscored"; cause: string; detail?: string }
) & {
  /** What was written, as it was written. */
  raw?: string;
  /** What stood behind the answer. */
  trail?: readonly Step[];
};

/** Puts a subject through one sample and scores the reply. */
export interface Task<S extends Subject = Subject> {
  readonly name: string;
  readonly kind: string;
  /** Which subjects it can be put to. */
  readonly subjects: S["kind"];
  /** Name of the score that comparisons use, for instance `accuracy`. */
  readonly metric: string;
  /** True where every score is 0 or 1, so that McNemar's test applies. */
  readonly binary: boolean;
  /** Fingerprint of everything that decides a grade apart from the sample. */
  readonly id: string;
  evaluate(subject: S, sample: Sample, context: CallContext): Promise<Grade>;
}

/** Metrics of which less is better; of every other more is. Errors are in the task's own unit. */
const errors: ReadonlySet<string> = new Set(["error", "loss", "perplexity", "bits", "nats"]);

/** 1 where a higher score of this metric is better, -1 where a lower one is. */
export function directionOf(metric: string): 1 | -1 {
  return errors.has(metric) ? -1 : 1;
}

/** A task put to language subjects: what a prompting specializer may see of it. */
export interface LanguageTask extends Task<LanguageSubject> {
  /** The labels shared by every sample, where they are: classification. */
  readonly labels?: readonly { key: string; text: string }[];
  query(sample: Sample): Query;
  demonstration(sample: Sample): Demonstration;
}
