// Parts of speech for free text, from compromise; loaded where free text is converted, for it is large.

import nlp from "compromise/three";

/** Parts of speech by the place at which a word begins. */
export interface Tags {
  /** Of a controlled language whose verbs are all known: what is tagged as none is none. */
  whole?: true;
  /** A verb in the present tense, so far as the tagger can tell. */
  isVerb(start: number): boolean;
  /** May begin or continue a noun phrase: what a possessive stands before. */
  isNominal(start: number): boolean;
  /** A common noun of the singular. */
  isNoun(start: number): boolean;
  /** A word for what somebody does or is: "magician". */
  isActor(start: number): boolean;
  /** A name of a person by the tagger's word lists; "he" or "she" where the name is known for one. */
  gender(start: number): "he" | "she" | undefined;
}

export type Tagger = (text: string) => Tags;

/** English parts of speech by compromise's rules. */
export const compromiseTagger: Tagger = (text) => {
  const found = new Map<number, ReadonlySet<string>>();
  const sentences = nlp(text).json({ offset: true, terms: { offset: true } }) as {
    terms: { text: string; tags: string[]; offset?: { start: number } }[];
  }[];
  for (const { terms } of sentences) {
    for (const { tags, offset } of terms) if (offset) found.set(offset.start, new Set(tags));
  }
  const has = (start: number, ...tags: string[]) => tags.some((tag) => found.get(start)?.has(tag));
  return {
    isVerb: (start) =>
      has(start, "PresentTense", "Copula", "Auxiliary") && !has(start, "Gerund", "Infinitive"),
    isNominal: (start) => has(start, "Noun", "Adjective", "Value", "Gerund") && !has(start, "Pronoun"),
    isNoun: (start) =>
      has(start, "Noun") && !has(start, "Pronoun", "ProperNoun", "Plural", "Date", "Possessive"),
    isActor: (start) => has(start, "Actor") && !has(start, "Plural", "ProperNoun"),
    gender: (start) => (has(start, "MaleName") ? "he" : has(start, "FemaleName") ? "she" : undefined),
  };
};
