// What the table of tasks holds for each kind of task. A new kind is one file that exports such an entry, and one line in
// index.ts; a module that a study file names exports the same.

import type { z } from "zod";
import type { Grant } from "../core/model.js";
import type { Sample, SplitName } from "../core/sample.js";
import type { Task } from "../core/task.js";
import { datasetSchema } from "../data/index.js";

export type Labels = readonly { key: string; text: string }[];

/** A kind of task in the table. */
export interface TaskEntry<Options extends z.ZodObject = z.ZodObject, Data extends z.ZodType = z.ZodType> {
  /** What a study file may say of the task; its `kind` is a literal. */
  readonly options: Options;
  /** What it may say under `data`. */
  readonly data: Data;
  /**
   * @param labels the options that all samples share, where the data have them
   * @param base the folder that files in the options are relative to
   */
  make(name: string, options: z.output<Options>, labels?: Labels, base?: string): Task;
  /** The ways of asking that options leave open, the usual one first, as whole options with a name for people. */
  ways?(
    options: z.output<Options>,
    grants: ReadonlySet<Grant>,
  ): { label: string; options: z.output<Options> }[];
  /** Draws the samples, where they are not read from files. */
  draw?(options: z.output<Options>, data: z.output<Data>): Record<SplitName, Sample[]> & { source: string };
}

/** An entry with its types, for the table. */
export function taskEntry<Options extends z.ZodObject, Data extends z.ZodType>(
  entry: TaskEntry<Options, Data>,
): TaskEntry<Options, Data> {
  return entry;
}

/** Samples are rows of files. */
export const rows = datasetSchema.describe("Where its samples come from and how they are split");
