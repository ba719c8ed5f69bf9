// Types of the record that a study ends with and that scripts read. `hone run --json` prints the done record as its last
// line; reports are made only from it, the outcomes and the journal's calls.

import type { Cost } from "./call.js";
import type { Json } from "./json.js";
import type { Metric } from "./metric.js";
import type { OptimizeNotes } from "./optimized.js";
import type { SearchNotes } from "./search.js";
import type { SyntheticData } from "./synthetic.js";
import type { TrainingNotes } from "./training.js";

/** A mean with its 95 % interval. */
export interface Estimate {
  n: number;
  mean: number;
  low: number;
  high: number;
}

/** One subject on one task's test split. */
export interface Result extends Estimate {
  subject: string;
  task: string;
  metric: string;
  /** Samples left unscored under at least one training seed; `n` counts only the others. */
  unscored: number;
  /** Unscored answers by cause: with several training seeds they may outnumber the samples. */
  causes: Record<string, number>;
  /** The score if every unscored sample had scored worst, and if every one best; null where the scale has no end. */
  bounds: [low: number | null, high: number | null];
  /** The score of always giving the training data's most frequent answer, on the same samples; 0 for `answer` tasks. */
  baseline: number;
  /** The score of guessing uniformly, where there are options. */
  chance: number | null;
  /** Cost of making the specialist, once. */
  build: Cost & { seconds: number };
  /** Mean cost of one answer. `msMedian` is the median latency. */
  perAnswer: Cost & { msMedian: number };
  /** `optimistic` if dev chose more than the champion: a checkpoint of the subject, or how the generalist is prompted. */
  dev: (Estimate & { optimistic?: true }) | null;
  /** Eyes-on and eyes-off parts of test separately, if a part was kept eyes-off. */
  eyes: { on: Estimate; off: Estimate } | null;
  /** Other metrics, by name. */
  details: Record<string, number>;
}

/** Two subjects on the same samples: `delta` is a's mean minus b's. */
export interface Comparison {
  a: string;
  b: string;
  task: string;
  n: number;
  delta: number;
  low: number;
  high: number;
  /** Unadjusted, of this comparison alone. Reports print `pAdjusted`. */
  p: number;
  /** Holm-adjusted over the study's family of comparisons: the difference counts as shown if it is below 0.05. */
  pAdjusted: number;
  /** `seeds-t`: sign flips over samples, and t over samples and training seeds; the larger p of the two. */
  test: "mcnemar-exact" | "sign-flip" | "seeds-t";
  /**
   * Smallest true difference that this n would show with 80 % power at the level at which Holm's procedure tests the pair;
   * always larger than a difference that was not shown. Infinity (null in JSON) if n is too small to show any on this scale.
   */
  detectable: number;
  /** Samples that one or both left unscored; absent in old records. */
  dropped?: number;
  /** The range of delta over all possible scores for those samples; infinite (null in JSON) where the scale has no end. */
  bounds?: [low: number | null, high: number | null];
}

/** What the evidence supports, in words. */
export interface Verdict {
  /** Chosen on dev, before test was opened. */
  champion: string | null;
  /** One paragraph: what won, by how much, how sure, at what price, what was indistinguishable. */
  text: string;
  /** Subjects whose difference from the champion on test was not shown. */
  indistinguishable: string[];
}

/** One subject of a study: the generalist, a specialist of it, or a reference. */
export interface SubjectCard {
  name: string;
  role: "generalist" | "specialist" | "reference";
  /** Fingerprints of the subject, one for each seed that it was fitted with. */
  ids: string[];
  seeds: number[];
  /** True if fitting it is random: its figures are for these seeds. */
  seeded?: boolean;
  /** The chain of specializers that made it, with their options. */
  chain: { name: string; options: Json }[];
  /** Synthetic data that it was trained on, one set per round and seed. */
  synthetic?: SyntheticData[];
  /** Notes of its training runs, one for each seed, if there are any. */
  training?: TrainingNotes[];
  /** The trees of its searches, one for each seed. */
  searches?: { seed: number; search: SearchNotes }[];
  /** How its prompts were optimized, one for each seed. */
  optimized?: { seed: number; notes: OptimizeNotes }[];
}

/** One task of a study: where its samples come from, how many, and how they are scored. */
export interface TaskCard {
  name: string;
  /** The key of its outcomes: the name and a fingerprint of the task and its test split. */
  key: string;
  kind: string;
  metric: Metric;
  /** Metrics of the other values measured. */
  details: readonly Metric[];
  /** Every score is 0 or 1. */
  binary: boolean;
  /** Present if the figure is not a mean of scores: then only the study's own pairs can be compared from its record. */
  aggregated?: true;
  /** Where the samples come from, as the study file gives it. */
  source: string;
  counts: { train: number; dev: number; test: number; eyesOff: number };
  /** Option key to text, where all samples share the options. */
  labels: { key: string; text: string }[] | null;
  /** How its subjects are prompted, if dev decided it. */
  asked?: Asked;
  /** Fingerprint of the sealed test split. */
  testFingerprint: string;
  /** Training and dev samples that also occur in test, exactly or nearly; `dropped` ones were left out and are not counted there. */
  leakage: { exact: number; near: number; checked: boolean; dropped?: number };
  /** In records of finished and stopped runs: how many of its test rows other plans had opened. */
  openedBefore?: OpenedBefore;
}

/** Of a test split's `of` rows, `rows` had been opened in this store before, by `plans` other plans. */
export interface OpenedBefore {
  rows: number;
  of: number;
  plans: number;
}

/** The ways of prompting the generalist that were tried on dev, and the one then used for all subjects. */
export interface Asked {
  way: string;
  tried: { way: string; mean: number; n: number; unscored: number }[];
}

/** Whether the saved specialist, reloaded and scored again, reproduces what was measured. */
export interface HandOver {
  path: string;
  /** Fingerprint of the specialist that was checked. */
  subject: string;
  /** Fingerprint of the outcomes that it was compared with. */
  outcomes: string;
  /** If it was fitted with several seeds: the one that was saved, and its score on test. */
  seed?: number;
  score?: Estimate;
  n: number;
  agree: number;
  /** The other subjects, and where they were saved. */
  others?: { subject: string; path: string }[];
}

/** The metric of one of a record's tasks. */
export function metricOf({ tasks }: Pick<StudyRecord, "tasks">, task: string): Metric {
  return (tasks.find(({ name }) => name === task) as TaskCard).metric;
}

/** The metric of one of the other values measured on a task, by name; a plain number if its task does not describe it. */
export function detailOf({ tasks }: Pick<StudyRecord, "tasks">, task: string, name: string): Metric {
  const described = tasks.find((card) => card.name === task)?.details.find((detail) => detail.name === name);
  return described ?? { name, better: "higher", unit: "", display: "number" };
}

/** A study's result: `hone run --json` prints it as its last line. */
export interface StudyRecord {
  type: "done";
  study: string;
  description: string | null;
  results: Result[];
  comparisons: Comparison[];
  verdict: Verdict | null;
  /** Why there is no verdict, if the run was not stopped. */
  noVerdict?: string;
  /** Reasons not to rely on the figures, most important first; absent in records of older versions. */
  warnings?: string[];
  /** How many plans have opened any of the test split's rows in this store, this one included. */
  openings: number;
  /** How many of them other plans had opened before this one did; absent in records of older versions. */
  openedBefore?: OpenedBefore;
  subjects: SubjectCard[];
  tasks: TaskCard[];
  handOver: HandOver | null;
  /** Set when a limit, a person or `--dev-only` stopped the run before the verdict. */
  stopped: string | null;
  gate: { met: boolean; text: string } | null;
  seeds: number[];
  model: string;
  /** Seconds spent on it, over all its runs. */
  seconds: number;
  /** Dollars spent by the last run; replies reused from the journal cost nothing. */
  spentUsd: number;
  hone: string;
  machine: string;
  /** The command that reproduces this record. */
  reproduce: string;
  /** ISO 8601. */
  at: string;
}
