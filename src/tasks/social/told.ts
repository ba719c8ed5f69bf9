// What is told of an item, and what becomes of it in another person.

/** What is converted: a story, a question about it, and the texts of its options. */
export interface Told {
  story: string;
  question: string;
  options: readonly string[];
}

/** One change: at a place of the converted text stands `now` for what `was` there. */
export type Edit = readonly [at: number, now: string, was: string];

/** Where a converted item comes from: who became "you", and every change. */
export interface Lineage {
  who: string;
  story: readonly Edit[];
  question: readonly Edit[];
  options: readonly (readonly Edit[])[];
}

export type Conversion = { told: Told; lineage: Lineage } | { refused: string };
