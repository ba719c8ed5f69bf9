// Types for synthetic data in records and reports: the summary of a set of pairs, and the artifact that holds them.

type Bin = [from: number, count: number];

/** The summary of a set of synthetic pairs. */
export type SyntheticCard = {
  hone: "synthetic/1";
  way: string;
  /** Who wrote the inputs, and who answered; `self` if that was the model to be trained, or a specialist of it. */
  writers: string[];
  responders: string[];
  self: boolean;
  domain: string;
  sampling: { temperature: number; topP: number; seed: number };
  seeds: number;
  attempts: number;
  pairs: number;
  /** By rule, in order: how many pairs reached it and how many it refused, with the commonest reasons. */
  funnel: { rule: string; met: number; refused: number; reasons: [string, number][] }[];
  /** How many pairs of each form, and how often each answer is the right one. */
  forms: [string, number][];
  answers: [string, number][];
  /** In how many pairs each of the commonest content words occurs. */
  topics: [string, number][];
  instructions: { distinct: number; commonest: [string, number][] };
  /** Words of input and response: lower ends of bins of doubling width, and how many lie in each. */
  lengths: { asked: Bin[]; response: Bin[] };
  /** Distinct words and runs of two among all of them (distinct-1 and -2, Li et al. 2016). */
  diversity: { words: number; distinct1: number; distinct2: number };
  /** How many were refused because they repeat dev or test, and how many kept pairs were made from passages. */
  overlap: { dev: number; test: number; passages: number };
  tokens: { read: number; written: number };
  /** If only pairs with a confident enough label were trained on: the lowest confidence accepted, null if no level was. */
  taken?: { confidence: number | null; pairs: number };
};

/** Data that a specialist was trained on: its card, and the artifact that holds the pairs. */
export interface SyntheticData {
  artifact: string;
  seed: number;
  card: SyntheticCard;
}
