// Events of a running study, for whatever displays them: the command line, a log, later the viewer. Plain data.

import type { Metric } from "../core/metric.js";
import type { Estimate, StudyRecord, SubjectCard, TaskCard } from "../core/record.js";

export type Phase = "fit" | "dev" | "test" | "elsewhere" | "hand-over";

/** An event of a running study: stages, progress, warnings. */
export type StudyEvent =
  | {
      type: "launch";
      study: string;
      model: string;
      tasks: TaskCard[];
      subjects: SubjectCard[];
      seeds: number[];
      /** Samples to be answered in all, over subjects and splits. */
      answers: number;
      store: string;
      at: string;
    }
  | {
      type: "progress";
      phase: Phase;
      subject: string;
      task: string;
      /** What `running` is a mean of. */
      metric: string;
      display: Metric["display"];
      /** Samples of this subject, split and seed. */
      done: number;
      total: number;
      /** Samples of the whole study. */
      doneAll: number;
      totalAll: number;
      /** Share of the study's time that has passed, making specialists included: 0 to 1, and never decreasing. */
      share: number;
      unscored: number;
      running: Estimate | null;
      /** Spent by this run, without what the journal answered. */
      tokens: number;
      usd: number;
      etaSeconds: number | null;
      note?: string;
    }
  | { type: "warning"; text: string }
  /** Which of the ways of prompting the generalist is being measured on dev. */
  | { type: "asking"; done: number; of: number }
  /** Bytes of a download; `total` is 0 while unknown. */
  | { type: "fetch"; done: number; total: number; note: string }
  | StudyRecord;
