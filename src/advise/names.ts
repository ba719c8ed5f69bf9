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
    "customer client user patient case thread conversation author account session document doc group family household speaker company organisation organization org article passage subject_id member person student participant contact email sender vendor merchant kunde patientin fall dialog dialogue chat page source",
  ),
  id: set("id ids uuid guid key nr no number ref reference index idx num identifier nummer"),
  task: set("task tasks subtask dataset codebook variable attribute aspect dimension benchmark"),
  date: set("date time datetime timestamp created updated at on day month year datum"),
};
/** At most this many labels, or more if each has enough rows. */
export const most = { labels: 40, frequent: 100, tasks: 50 };
export const has = (column: Column, words: ReadonlySet<string>) =>
  column.words.some((word) => words.has(word));

/** Few values, each in several rows. */
export function isCategorical({ counts, filled, lists, meanLength }: Column, rows: number): boolean {
  const values = new Set([...counts.keys()].map(foldLabel)).size;
  const each = filled / Math.max(1, values);
  if (lists > 0 || filled < rows / 2 || values < 2 || meanLength > 200) return false;
  return values <= most.labels ? each >= 2 : values <= most.frequent && each >= 5;
}
