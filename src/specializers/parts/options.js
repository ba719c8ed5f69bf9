// From what a person wrote to checked options, with one error that names the place and the nearest known spelling.
import { HoneError } from "../../core/errors.js";
/**
 * Checks a specializer's options and fills in the defaults.
 * @param where names the place for errors: a study file's field, or the factory's name
 */
export function readOptions(schema, name, options, where = `${name}(options)`) {
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
function adviseOptions(schema, name, field) {
  const description = field && schema.shape[field]?.description;
  if (description) return `Set "${field}": ${description}.`;
  const known = Object.keys(schema.shape);
  return known.length > 0 ? `Use ${known.join(", ")}.` : `Write "${name}" alone.`;
}
/** "Known: a, b, c" or that there are none. */
export function listKnown(title, names) {
  return names.length > 0 ? `${title}: ${names.join(", ")}` : `${title}: none`;
}
/** The known name nearest to what was written (edit distance, letter case aside), or undefined when none is near. */
export function nearest(written, known) {
  // Longer than any name: do not spend quadratic time on hostile input.
  if (written.length > 64) return undefined;
  let best;
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
function editDistance(a, b) {
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0];
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j];
      const change = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(change, above + 1, row[j - 1] + 1);
      diagonal = above;
    }
  }
  return row[b.length];
}
