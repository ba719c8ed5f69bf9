// What the table of tasks holds for each kind of task. A new kind is one file that exports such an entry, and one line in
// index.ts; a module that a study file names exports the same.
import { datasetSchema } from "../data/index.js";
/** An entry with its types, for the table. */
export function taskEntry(entry) {
  return entry;
}
/** Samples are rows of files. */
export const rows = datasetSchema.describe("Where its samples come from and how they are split");
