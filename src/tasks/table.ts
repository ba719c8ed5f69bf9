// The entries of the table of tasks, one for each kind. A new kind is one file that exports such an entry, and one line
// in index.ts; a module that a study file names exports the same.

import type { z } from "zod";
import type { Grant } from "../core/model.js";
import type { Sample, SplitName } from "../core/sample.js";
import type { Task } from "../core/task.js";
import { datasetSchema } from "../data/index.js";

export type Labels = readonly { key: string; text: string }[];

/** A kind of task in the table. */
export interface TaskEntry<Options extends z.ZodObject = z.ZodObject, Data extends z.ZodType = z.ZodType> {
  /** The options of the task in a study file; `kind` is a literal. */
  readonly options: Options;
  /** The schema of `data`. */
  readonly data: Data;
  /**
   * @param labels the options that all samples share, if the data have them
   * @param base the folder that files in the options are relative to
   */
  make(name: string, options: z.output<Options>, labels?: Labels, base?: string): Task;
  /** The ways of prompting that the options leave open, the default first, as complete options with a display name. */
  ways?(
    options: z.output<Options>,
    grants: ReadonlySet<Grant>,
  ): { label: string; options: z.output<Options> }[];
  /** Draws the samples, if they are not read from files. */
  draw?(options: z.output<Options>, data: z.output<Data>): Record<SplitName, Sample[]> & { source: string };
}

/** An entry with its types, for the table. */
export function taskEntry<Options extends z.ZodObject, Data extends z.ZodType>(
  entry: TaskEntry<Options, Data>,
): TaskEntry<Options, Data> {
  return entry;
}

/** For tasks whose samples are rows of files. */
export const rows = datasetSchema.describe("Where its samples come from and how they are split");
