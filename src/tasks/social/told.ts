// The text of an item, and the record of its conversion to another person.

/** The text that is converted: a story, a question about it, and the texts of its options. */
export interface Told {
  story: string;
  question: string;
  options: readonly string[];
}

/** One change: at position `at` of the converted text, `now` replaces `was`. */
export type Edit = readonly [at: number, now: string, was: string];

/** The record of a conversion: who became "you", and every change. */
export interface Lineage {
  who: string;
  story: readonly Edit[];
  question: readonly Edit[];
  options: readonly (readonly Edit[])[];
}

export type Conversion = { told: Told; lineage: Lineage } | { refused: string };
