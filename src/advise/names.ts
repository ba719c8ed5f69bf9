// Common column names, by the role of the column. A name alone decides little; roles.ts and texts.ts weigh it against facts.

import { foldLabel } from "../data/index.js";
import type { Column } from "./columns.js";

export const set = (words: string) => new Set(words.split(" "));
export const named = {
  label: set(
    "label labels class classes category gold target y sentiment intent topic tone stance emotion genre team queue department verdict outcome diagnosis kategorie klasse catégorie categoría",
  ),
  perhapsLabel: set(
    "overall score grade level type status priority severity urgency rating stars decision area tag answer result code",
  ),
  open: set("answer answers output response target completion gold reference"),
  openLast: set("summary translation abstract"),
  title: set("title subject headline heading betreff titel titre"),
  text: set(
    "text input body content contents message description question prompt review comment tweet sentence document abstract context passage premise hypothesis query request ticket email narrative facts article post statement claim evidence title subject headline summary complaint",
  ),
  question: set("question query"),
  instruction: set("instruction instructions codebook"),
  // Columns written after the answer was known, or because of it.
  after: set(
    "explanation explanations exp expl hint support rationale rationales reasoning reason cot resolution resolved reply response responses solution prediction predictions predicted output justification agent annotator annotation confidence",
  ),
  group: set(
    "customer client user patient case thread conversation author account session document doc group family household speaker company organization organization org article passage subject_id member person student participant contact email sender vendor merchant kunde patientin fall dialog dialogue chat page source",
  ),
  id: set("id ids uuid guid key nr no number ref reference index idx num identifier nummer"),
  task: set("task tasks subtask dataset codebook variable attribute aspect dimension benchmark"),
  date: set("date time datetime timestamp created updated at on day month year datum"),
};
/** At most this many labels, or more if each has enough rows; `listed`: as many as a prompt can list. */
export const most = { labels: 40, frequent: 100, listed: 500, tasks: 50 };
export const has = (column: Column, words: ReadonlySet<string>) =>
  column.words.some((word) => words.has(word));

const valuesOf = ({ counts }: Column) => new Set([...counts.keys()].map(foldLabel)).size;

/** Few values, each in several rows. */
export function isCategorical(column: Column, rows: number): boolean {
  const { filled, lists, meanLength } = column;
  const values = valuesOf(column);
  const each = filled / Math.max(1, values);
  if (lists > 0 || filled < rows / 2 || values < 2 || meanLength > 200) return false;
  return values <= most.labels ? each >= 2 : values <= most.frequent && each >= 5;
}

/**
 * Why the values of a field cannot be labels, judged by the rows that have one; undefined if they can. This asks less than
 * isCategorical, and is for a field that the user, or its name, says to be the answer.
 */
export function whyNotLabels(column: Column): string | undefined {
  const { filled, lists, meanLength } = column;
  const values = valuesOf(column);
  const each = filled / Math.max(1, values);
  const count = values.toLocaleString("en");
  if (lists > 0 || values === 0) return "its values are lists or structures";
  if (values === 1) return undefined;
  if (meanLength > 200) return `its values have ${Math.round(meanLength)} characters on average`;
  if (each < (values <= most.labels ? 2 : 3))
    return `its ${count} values occur ${each.toFixed(1)} times each on average`;
  return values > most.listed
    ? `it has ${count} values, more than the ${most.listed} that a prompt can list`
    : undefined;
}

export const mayBeLabels = (column: Column) => valuesOf(column) > 1 && whyNotLabels(column) === undefined;

/** How often the values of a field repeat, for a message. */
export function repeats(column: Column, rows: number): string {
  const values = valuesOf(column);
  const some =
    column.filled < rows
      ? `; ${column.filled.toLocaleString("en")} of ${rows.toLocaleString("en")} rows have one`
      : "";
  return `${values} ${values === 1 ? "value" : `values, ${(column.filled / values).toFixed(0)} rows each`}${some}`;
}
