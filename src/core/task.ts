// A task runs a subject on one sample and scores the reply.

import type { CallContext } from "./call.js";
import type { Kind, Subject } from "./kinds.js";
import type { Demonstration, Query, Step } from "./language.js";
import type { Metric } from "./metric.js";
import type { Sample } from "./sample.js";

/** One subject's result on one sample: scored with a number, or unscored with a cause; never a silent zero. */
export type Grade = (
  | {
      status: "scored";
      score: number;
      prediction: string;
      /** How much the sample counts in the task's mean (tokens, bytes); by default 1. */
      weight?: number;
      details?: Record<string, number>;
    }
  | { status: "unscored"; cause: string; detail?: string }
) & {
  /** The reply as it was written. */
  raw?: string;
  /** The steps behind the answer. */
  trail?: readonly Step[];
};

/** One scored sample, as aggregates read it. */
export interface ScoredRow {
  score: number;
  gold: string;
  prediction: string;
  weight: number;
  details: Readonly<Record<string, number>>;
}

/** What evaluating a sample may use. */
export interface TaskContext extends CallContext {
  /** The seed of this measurement, for the task's random draws. */
  seed: number;
  /** Opens another subject by its reference (an opponent), with the context in which to call it: its cost is kept separate. */
  open(ref: string): Promise<{ subject: Subject; context: CallContext }>;
}

/** A context outside a study, where no other subject can be opened unless `open` is given. */
export function taskContext(signal: AbortSignal, more: Partial<TaskContext> = {}): TaskContext {
  const open = (ref: string) => Promise.reject(new Error(`Nothing here can open ${ref}`));
  return { signal, seed: 0, open, ...more };
}

/** An answer to a sample without a gold answer: the option's key or a text, and its score, as the task measures it. */
export interface Said {
  label?: string;
  text?: string;
  score: number;
}

/** Runs a subject on one sample and scores the reply. */
export interface Task<K extends Kind = Kind> {
  readonly name: string;
  /** The kind of task: `choice`, `motor`, … */
  readonly kind: string;
  /** Kinds of subjects that it can be run on. */
  readonly subjects: K;
  /** The score that comparisons use. */
  readonly metric: Metric;
  /** Metrics of the other values in a grade's details and the report. */
  readonly details?: readonly Metric[];
  /** True where every score is 0 or 1, so that McNemar's test applies. */
  readonly binary: boolean;
  /** Fingerprint of everything that decides a grade apart from the sample. */
  readonly id: string;
  evaluate(subject: Subject<K>, sample: Sample, context: TaskContext): Promise<Grade>;
  /** A subject's answer to a sample whose right answer is unknown; for tasks without queries that have such samples. */
  predict?(subject: Subject<K>, sample: Sample, context: TaskContext): Promise<Said>;
  /** The task's figure, if it is not a (weighted) mean of scores: a correlation, for instance. Independent of order. */
  aggregate?(rows: readonly ScoredRow[]): number;
}

/** A task of queries, with what prompting specializers may see of it. */
export interface LanguageTask extends Task<"language"> {
  /** The labels shared by every sample, if they are: classification. */
  readonly labels?: readonly { key: string; text: string }[];
  query(sample: Sample): Query;
  demonstration(sample: Sample): Demonstration;
}

export function hasQueries(task: Task): task is LanguageTask {
  return task.subjects === "language" && "query" in task;
}
