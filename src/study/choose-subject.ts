// Looks up a study's subjects by name.

import { HoneError } from "../core/errors.js";
import type { StudyRecord } from "../core/record.js";

/** @throws HoneError if the study has no such subject */
export function requireSubject({ study, subjects }: StudyRecord, subject: string): void {
  if (subjects.some(({ name }) => name === subject)) return;
  throw new HoneError({
    what: `The study ${study} has no subject ${subject}`,
    where: "the subject's name",
    why: `it has ${subjects.map(({ name }) => name).join("; ")}`,
    next: "Write the name as the report does; put it in quotes for the shell.",
    kind: "usage",
  });
}
