// A plain table for the terminal: columns aligned, two spaces apart; if that is too wide, a few lines for each row.

import { displayWidth } from "../report/columns.js";
import { plainText } from "../report/escape.js";
import { columnsOf, fold } from "./width.js";

/** @param right indices of the columns that hold numbers */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
  columns: number | undefined = columnsOf(),
): string {
  const clean = [head, ...rows].map((row) => row.map((cell) => plainText(cell)));
  const widths = head.map((_, column) => Math.max(...clean.map((row) => displayWidth(row[column] ?? ""))));
  const lines = clean.map((row) =>
    row
      .map((cell, column) => {
        const space = " ".repeat((widths[column] as number) - displayWidth(cell));
        return right.includes(column) ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd(),
  );
  if (columns === undefined || lines.every((line) => displayWidth(line) <= columns)) return lines.join("\n");
  const [heads = [], ...cells] = clean;
  return cells.map((row) => fold(stacked(heads, row), columns)).join("\n");
}

/** A row on several lines: its title, then each column by its name. */
function stacked(head: readonly string[], row: readonly string[]): string {
  // A column without a name holds row numbers.
  const titles = head[0] === "" ? 2 : 1;
  const facts = row.flatMap((cell, column) =>
    column < titles || cell.trim() === "" ? [] : [`${head[column]} ${cell.trim()}`.trim()],
  );
  return [row.slice(0, titles).join(" "), ...(facts.length > 0 ? [`  ${facts.join(", ")}`] : [])].join("\n");
}
