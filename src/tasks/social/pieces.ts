// Tokens of a text for the first-person conversion: whose name or pronoun each is, and word lists for telling clauses apart.

import { type PronounCase, readPronoun, type Voice, type Word, wordsOf } from "./grammar.js";
import { herCase, namePattern } from "./people.js";
import type { Tags } from "./tagger.js";
import type { Edit } from "./told.js";

export interface Work {
  who: string;
  voice: Voice;
  /** Positions of pronouns that mean the protagonist. */
  own: ReadonlySet<number>;
  tags: Tags;
  /** The question is such that an option without a subject ("Goes home") is about the protagonist. */
  bareVerb?: boolean;
}

/** A word, or a whole name with its possessive ending. */
export interface Piece extends Word {
  as?: PronounCase | "name";
}

export interface Change {
  start: number;
  end: number;
  now: string;
}

const set = (words: string) => new Set(words.split(" "));

export const joins = set("and or nor");
export const coordinators = set("and but or then , yet nor ;");
export const prepositions = set(
  "to of for with from at by in on about after before behind beside between without against towards toward near into onto than like off over under around as during while upon through despite",
);
/** Prepositions that may also begin a clause. */
export const clauses = set("after before than like about as while");
export const subordinators = set(
  "that because when while if whether although though after before since until where which who whom what why how so",
);

export function isPerson(word: Word | undefined, tags: Tags, text: string): boolean {
  if (word === undefined) return false;
  const capital = /^\p{Lu}/u.test(word.text);
  const role = /^(?:his|her|the|your|a|an|two|three)$/i.test(word.text);
  return (
    capital ||
    (role && tags.isNominal(word.end + 1)) ||
    (tags.isNominal(word.start) && /\bare\b/.test(text.slice(word.end, word.end + 20)))
  );
}

export function isQuestion(text: string, at: number): boolean {
  return /^(?:[^.!?]|(?<=\b(?:Mr|Mrs|Ms|Dr))\.)*\?/.test(text.slice(at));
}

/** Words outside quoted speech, with the protagonist's name and pronouns marked by their case. */
export function piecesOf(text: string, plain: string, { who, own, tags }: Work): Piece[] {
  const names = [...plain.matchAll(namePattern(who))].map(({ index, 0: found }): Piece => {
    const end = index + found.length;
    const ending = /^(?:['’]s(?![\p{L}])|['’](?=\s))/u.exec(text.slice(end))?.[0];
    if (ending === undefined) return { text: found, start: index, end, as: "name" };
    return { text: found + ending, start: index, end: end + ending.length, as: "possessive" };
  });
  const covered = (word: Word) => names.some(({ start, end }) => word.start < end && word.end > start);
  const others = wordsOf(plain)
    .filter((word) => !covered(word))
    .map((word): Piece => {
      const read = own.has(word.start) ? readPronoun(word.text) : undefined;
      if (!read) return word;
      return { ...word, as: read.form === "her" ? (herCase(plain, word.end, tags) ?? "object") : read.form };
    });
  return [...names, ...others].sort((a, b) => a.start - b.start);
}

export function apply(text: string, changes: readonly Change[]): { text: string; edits: Edit[] } {
  let out = "";
  let done = 0;
  const edits: Edit[] = [];
  for (const { start, end, now } of changes.toSorted((a, b) => a.start - b.start)) {
    out += text.slice(done, start);
    edits.push([out.length, now, text.slice(start, end)]);
    out += now;
    done = end;
  }
  return { text: out + text.slice(done), edits };
}
