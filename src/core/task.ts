// A task knows how to put a subject through one sample and score what comes back.

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
  /** What was written, as it was written. */
  raw?: string;
  /** What stood behind the answer. */
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
  /** The seed of this measurement, for what the task draws. */
  seed: number;
  /** Another subject by its reference (an opponent), with the context that it is to be asked in: its cost is kept apart. */
  open(ref: string): Promise<{ subject: Subject; context: CallContext }>;
}

/** A context outside of a study, where no other subject can be opened unless `open` is given. */
export function taskContext(signal: AbortSignal, more: Partial<TaskContext> = {}): TaskContext {
  const open = (ref: string) => Promise.reject(new Error(`Nothing here can open ${ref}`));
  return { signal, seed: 0, open, ...more };
}

/** An answer to a sample without a right one: the option's key or a text, and how near it was, as the task measures it. */
export interface Said {
  label?: string;
  text?: string;
  score: number;
}

/** Puts a subject through one sample and scores the reply. */
export interface Task<K extends Kind = Kind> {
  readonly name: string;
  /** The kind of task: `choice`, `motor`, … */
  readonly kind: string;
  /** Which subjects it can be put to. */
  readonly subjects: K;
  /** The score that comparisons use. */
  readonly metric: Metric;
  /** What else a grade's details and the report may hold, so that they can be read. */
  readonly details?: readonly Metric[];
  /** True where every score is 0 or 1, so that McNemar's test applies. */
  readonly binary: boolean;
  /** Fingerprint of everything that decides a grade apart from the sample. */
  readonly id: string;
  evaluate(subject: Subject<K>, sample: Sample, context: TaskContext): Promise<Grade>;
  /** What a subject says of a sample whose right answer nobody knows; of tasks that ask no queries and have such samples. */
  predict?(subject: Subject<K>, sample: Sample, context: TaskContext): Promise<Said>;
  /** The task's figure, where it is no (weighted) mean of scores: a correlation, for instance. Independent of order. */
  aggregate?(rows: readonly ScoredRow[]): number;
}

/** A task of queries: what prompting specializers may see of it. */
export interface LanguageTask extends Task<"language"> {
  /** The labels shared by every sample, where they are: classification. */
  readonly labels?: readonly { key: string; text: string }[];
  query(sample: Sample): Query;
  demonstration(sample: Sample): Demonstration;
}

export function hasQueries(task: Task): task is LanguageTask {
  return task.subjects === "language" && "query" in task;
}
