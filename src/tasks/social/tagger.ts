// Part-of-speech tags for free text, from compromise; loaded only when free text is converted, because it is large.

import nlp from "compromise/three";

/** Parts of speech by the position at which a word begins. */
export interface Tags {
  /** The text is in a controlled language whose verbs are all known: a word that is not tagged as a verb is not one. */
  whole?: true;
  /** A verb in the present tense, as far as the tagger can tell. */
  isVerb(start: number): boolean;
  /** May begin or continue a noun phrase: what may follow a possessive. */
  isNominal(start: number): boolean;
  /** A singular common noun. */
  isNoun(start: number): boolean;
  /** A word for an occupation or role: "magician". */
  isActor(start: number): boolean;
  /** "he" or "she" if the tagger's word lists have the word as a male or female name. */
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
