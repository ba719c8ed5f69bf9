// Turns what a user wrote into checked options, with one error that names the place and the nearest known spelling.

import type { z } from "zod";
import { HoneError } from "../../core/errors.js";

/**
 * Checks a specializer's options and fills in the defaults.
 * @param where names the place for errors: a study file's field, or the factory's name
 */
export function readOptions<Schema extends z.ZodObject>(
  schema: Schema,
  name: string,
  options: unknown,
  where = `${name}(options)`,
): z.output<Schema> {
  const result = schema.safeParse(options ?? {});
  if (result.success) return result.data;
  const known = Object.keys(schema.shape);
  const issue = result.error.issues[0];
  const unknownKey = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const field = issue?.path.join(".");
  throw new HoneError({
    what: unknownKey === undefined ? `Bad option for ${name}` : `${name} has no option "${unknownKey}"`,
    where: field ? `${where}, ${field}` : where,
    why: unknownKey === undefined ? (issue?.message ?? "not readable") : listKnown("Options", known),
    next: adviseOptions(schema, name, field || (unknownKey && nearest(unknownKey, known))),
    kind: "usage",
  });
}

function adviseOptions(schema: z.ZodObject, name: string, field: string | undefined): string {
  const description = field && (schema.shape[field] as z.ZodType | undefined)?.description;
  if (description) return `Set "${field}": ${description}.`;
  const known = Object.keys(schema.shape);
  return known.length > 0 ? `Use ${known.join(", ")}.` : `Write "${name}" alone.`;
}

/** "Known: a, b, c" or that there are none. */
export function listKnown(title: string, names: readonly string[]): string {
  return names.length > 0 ? `${title}: ${names.join(", ")}` : `${title}: none`;
}

/** The known name nearest to what was written (edit distance, ignoring case), or undefined when none is near. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  // Longer than any name: do not spend quadratic time on hostile input.
  if (written.length > 64) return undefined;
  let best: string | undefined;
  let least = Math.max(2, Math.floor(written.length / 2)) + 1;
  for (const name of known) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

/** Levenshtein's distance, in one row. */
function editDistance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0] as number;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] as number;
      const change = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(change, above + 1, (row[j - 1] as number) + 1);
      diagonal = above;
    }
  }
  return row[b.length] as number;
}
