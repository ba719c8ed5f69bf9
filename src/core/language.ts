// The words for language: what a task asks and what a subject answers.
// A query is data. Prompting specializers change queries on the way in and answers on the way out, so they compose.

import type { Json } from "./json.js";
import type { Message, Sampling } from "./model.js";
import type { Movement, Point } from "./motor.js";

/** One of the things to choose between. `key` is the data set's own code and never changes; `text` is what is read. */
export interface Option {
  key: string;
  text: string;
}

/** A worked example that stands before the query. `answer` is an option's key, or the text where there are no options. */
export interface Demonstration {
  input: string;
  question?: string;
  options?: readonly Option[];
  answer: string;
  rationale?: string;
}

/**
 * How an option's score is read from a model.
 * - `sum`: log-probability of the option's tokens, summed
 * - `mean`: the same divided by their number (length-normalised)
 * - `prior`: sum, less the log-probability without the input (domain-conditional PMI, Holtzman et al. 2021, eq. 2)
 * - `parse`: the model writes, and the option is parsed from the text; needs no log-probabilities
 */
export type Scoring = "sum" | "mean" | "prior" | "parse";

/** What a task asks of a language subject about one sample. */
export interface Query {
  instruction?: string;
  input: string;
  question?: string;
  /** Which of several tasks put into one it belongs to. Not shown to a model; specialists may be chosen by it. */
  stratum?: string;
  /**
   * The position of a game as data, for scripted players; not shown to a model. `belief` names the question where one about
   * what is hidden is asked; `stream` seeds what the player draws.
   */
  position?: { view: Json; belief?: string; stream: readonly (string | number)[] };
  /** Present: choose one. Absent: write. */
  options?: readonly Option[];
  /** The options are this sample's own, not the task's: they are listed beside the sample. */
  ownOptions?: boolean;
  /** What is scored or asked for: the option's label (A, B, …; options are listed in the prompt) or its text. */
  answerBy?: "label" | "text";
  scoring?: Scoring;
  demonstrations: readonly Demonstration[];
  /** What was said before, by the user and the model in turn; it stands after the demonstrations. */
  turns?: readonly Message[];
  /** What was found for this query; shown above its input. */
  passages?: readonly Passage[];
  /** Present: a chain of thought of at most so many tokens is written before the answer (Wei et al. 2022). */
  reason?: { maxTokens: number };
  /** Sampling; greedy by default. */
  sampling?: Sampling;
  /** Most tokens to write. */
  maxTokens?: number;
}

/** A piece of a document. */
export interface Passage {
  /** The document's id, as the documents have it. */
  id: string;
  text: string;
}

/** What stood behind an answer, in the order in which it happened. It is kept with the sample's outcome. */
export type Step =
  | { kind: "passage"; id: string; score: number; text: string }
  | { kind: "rationale"; text: string }
  | { kind: "tool"; name: string; arguments: Json; result?: string; error?: string }
  /** One member's voice: the option keys in the order in which it saw them, or what it wrote; null where it had none. */
  | { kind: "vote"; order?: readonly string[]; choice: string | null }
  /** A movement as it went; the target is a place, or one for each step. */
  | { kind: "movement"; target: Point | readonly Point[]; movement: Movement }
  /** A whole episode of a game, as it can be played again from its deal. */
  | ({ kind: "episode" } & EpisodeTrail);

/** An episode as it was played. Moves by both sides in order; `seed` and `number` give the deal. */
export interface EpisodeTrail {
  game: string;
  seed: number;
  number: number;
  /** The seat of the subject, and who sat in the other. */
  seat: number;
  opponent?: string;
  moves: readonly string[];
  /** In the game's unit. */
  payoff: number;
  /**
   * The subject's decisions, by their place in `moves`, in which it gave no legal move at first: what it wrote, and what it wrote
   * when it was asked again, where that was none either. `by` says what came of it.
   */
  illegal: readonly { at: number; wrote: string; again?: string; by: "asked again" | "safest move" }[];
  beliefs: readonly { at: number; name: string; answer: string; truth: string }[];
}

/** A language subject's reply to a query. */
export interface Answer {
  /** Key of the chosen option. Absent when the subject could not choose; then `unscored` says why. */
  choice?: string;
  /** What was written, where the query asked to write or to parse. */
  text?: string;
  /** Per option key: natural-log score, not normalised; only differences mean something. */
  scores?: Readonly<Record<string, number>>;
  /** Why there is no usable answer although every call came back (for instance `unparsed`). */
  unscored?: string;
  /** What stood behind it, where there is something to tell. */
  trail?: readonly Step[];
}

/** Causes for which every call came back, and what came is no answer: that is wrong. What failed otherwise is left unscored. */
export const cameBackUnusable: readonly string[] = ["unparsed", "no-answer"];
