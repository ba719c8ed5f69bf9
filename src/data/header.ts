// Column names, from a file's header row or given in its place: every column has one, and no two are the same.

import { HoneError } from "../core/errors.js";

/** The names in a header row. A first column without a name is the row's number, as pandas and R write it. */
export function checkHeader(record: readonly string[], where: string): string[] {
  const names = record[0] === "" && record.length > 1 ? ["index", ...record.slice(1)] : [...record];
  const why = fault(names);
  if (why === undefined) return names;
  throw new HoneError({
    what: "Cannot use the header row.",
    where,
    why,
    next: "Give every column its own name in the first row, or name them in `columns` (--columns a,b,c) if the file has no header.",
  });
}

/** The names given in place of a header row. */
export function checkColumns(columns: readonly string[], name: string): string[] {
  const why = fault(columns);
  if (why === undefined) return [...columns];
  throw new HoneError({
    what: "Cannot use `columns`.",
    where: name,
    why,
    next: "Give every column its own name.",
    kind: "usage",
  });
}

function fault(names: readonly string[]): string | undefined {
  const unnamed = names.indexOf("");
  if (unnamed >= 0) return `column ${unnamed + 1} has no name`;
  const twice = names.find((one, i) => names.indexOf(one) < i);
  return twice === undefined ? undefined : `two columns are called ${JSON.stringify(twice)}`;
}
