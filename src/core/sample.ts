// One example of a task. Its gold answer travels with it; a subject only ever sees what the task's query shows.

/** The splits of a data set. */
export type SplitName = "train" | "dev" | "test";

/** One item of a data set: what the subject sees, and the right answer. */
export interface Sample {
  /** Unique within the data set. */
  id: string;
  /** The text to judge or answer. */
  input: string;
  question?: string;
  /** What to do, if it differs from sample to sample; replaces the task's own instruction. */
  instruction?: string;
  /** This sample's own options, if they differ from sample to sample. */
  options?: readonly { key: string; text: string }[];
  /** The right answer: an option's key, or one or more accepted texts. */
  gold: string | readonly string[];
  /** Samples that share a group are not independent: they stay in one split and are resampled together. */
  group?: string;
  /** Which of several combined tasks this sample belongs to. Specialists can be made per stratum. */
  stratum?: string;
  /** Ids of the documents that contain what is needed to answer; not shown to subjects, compared with what was retrieved. */
  evidence?: readonly string[];
  /** Kept eyes-off: in the sealed test split, and never looked at while prompts are developed (Nori et al. 2023, §3.2). */
  eyesOff?: boolean;
}
