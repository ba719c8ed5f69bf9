// A plain table for the terminal: columns aligned, two spaces apart.

import { plainText } from "../report/escape.js";

/** @param right indices of the columns that hold numbers */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const clean = [head, ...rows].map((row) => row.map((cell) => plainText(cell)));
  const widths = head.map((_, column) => Math.max(...clean.map((row) => [...(row[column] ?? "")].length)));
  return clean
    .map((row) =>
      row
        .map((cell, column) => {
          const space = " ".repeat((widths[column] as number) - [...cell].length);
          return right.includes(column) ? space + cell : cell + space;
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
