// Which columns of a data file are its texts: title and body, passage and question, an instruction. Columns written after
// the answer was known, dates, links and numbers are excluded.

import type { Column } from "./columns.js";
import { has, isCategorical, most, named } from "./names.js";

/** The columns that are used: the text, the question about it, the instruction. */
export function textsOf(
  columns: readonly Column[],
  rows: number,
  said: { input?: string },
): { input: string[]; question?: string; instruction?: string; why: string } {
  if (said.input !== undefined) return { input: [said.input], why: "as --input says" };
  const written = columns.filter(
    (column) =>
      column.lists === 0 &&
      column.numeric < 0.5 &&
      column.everywhere &&
      column.counts.size > 1 &&
      !has(column, named.after) &&
      !has(column, named.date) &&
      !/^https?:/.test(column.counts.keys().next().value ?? "") &&
      (column.meanWords >= 3 ||
        column.meanLength >= 30 ||
        (has(column, named.text) && !isCategorical(column, rows))),
  );
  const few = (column: Column) => column.counts.size <= most.tasks && isCategorical(column, rows);
  const texts = written.filter((column) => has(column, named.text) || !few(column)).slice(0, 4);
  if (texts.length === 0) {
    const longest = columns
      .filter(({ counts, everywhere }) => everywhere && counts.size > 1)
      .toSorted((a, b) => b.meanLength - a.meanLength)[0];
    return { input: longest ? [longest.name] : [], why: "the longest values" };
  }
  // Most rows must have the text to judge; if it is often empty, the columns beside it are part of it.
  const always = ({ filled }: Column) => filled >= 0.98 * rows;
  const apart = (words: ReadonlySet<string>) => {
    const found = texts.find((column) => has(column, words));
    const rest = texts.filter((column) => column !== found && !has(column, named.instruction));
    return found && rest.some(always) ? found : undefined;
  };
  const question = apart(named.question);
  const instruction = apart(named.instruction);
  const input = texts.filter((column) => column !== question && column !== instruction);
  return {
    input: input.map(({ name }) => name),
    ...(question ? { question: question.name } : {}),
    ...(instruction ? { instruction: instruction.name } : {}),
    why: input.length === 1 ? "the text of a row" : "the texts of a row",
  };
}

/** The text that several questions are about. */
export function passageOf(
  input: readonly string[],
  question: string | undefined,
  columns: ReadonlyMap<string, Column>,
  rows: number,
): string | undefined {
  if (question === undefined) return undefined;
  return input.find((name) => {
    const { counts, filled } = columns.get(name) as Column;
    return filled === rows && counts.size < 0.9 * rows && Math.max(...counts.values()) <= 0.25 * rows;
  });
}
