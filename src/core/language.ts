// Types for language: what a task asks and what a subject answers.
// A query is data. Prompting specializers change queries on the way in and answers on the way out, so they compose.

import type { Json } from "./json.js";
import type { Message, Sampling } from "./model.js";
import type { Movement, Point } from "./motor.js";

/** One option to choose from. `key` is the data set's own code and never changes; `text` is what the model reads. */
export interface Option {
  key: string;
  text: string;
}

/** A worked example shown before the query. `answer` is an option's key, or a text if there are no options. */
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
 * - `mean`: `sum` divided by the number of tokens (length-normalized)
 * - `prior`: `sum` minus the log-probability without the input (domain-conditional PMI, Holtzman et al. 2021, eq. 2)
 * - `parse`: the model writes, and the option is parsed from its text; needs no log-probabilities
 */
export type Scoring = "sum" | "mean" | "prior" | "parse";

/** What a task asks a language subject about one sample. */
export interface Query {
  instruction?: string;
  input: string;
  question?: string;
  /** Which of several combined tasks it belongs to. Not shown to a model; specialists may be chosen by it. */
  stratum?: string;
  /**
   * A game position as data, for scripted players; not shown to a model. `belief` names the question about hidden
   * information, if one is asked; `stream` seeds the player's random draws.
   */
  position?: { view: Json; belief?: string; stream: readonly (string | number)[] };
  /** Present: choose one. Absent: write free text. */
  options?: readonly Option[];
  /** The options are this sample's own, not the task's: they are listed beside the sample. */
  ownOptions?: boolean;
  /** What is scored or asked for: the option's label (A, B, …; options are listed in the prompt) or its text. */
  answerBy?: "label" | "text";
  scoring?: Scoring;
  demonstrations: readonly Demonstration[];
  /** Earlier turns of the user and the model, alternating; placed after the demonstrations. */
  turns?: readonly Message[];
  /** What was retrieved for this query; shown above its input. */
  passages?: readonly Passage[];
  /** Present: a chain of thought of at most this many tokens precedes the answer (Wei et al. 2022). */
  reason?: { maxTokens: number };
  /** Sampling; greedy by default. */
  sampling?: Sampling;
  /** Maximum number of tokens to write. */
  maxTokens?: number;
}

/** A piece of a document. */
export interface Passage {
  /** The id of its document, as in the corpus. */
  id: string;
  text: string;
}

/** One step behind an answer. Steps are kept with the sample's outcome, in the order in which they happened. */
export type Step =
  | { kind: "passage"; id: string; score: number; text: string }
  | { kind: "rationale"; text: string }
  | { kind: "tool"; name: string; arguments: Json; result?: string; error?: string }
  /** One member's vote: the order in which it saw the option keys, and what it chose or wrote; null if nothing usable. */
  | { kind: "vote"; order?: readonly string[]; choice: string | null }
  /** A movement as it was made; the target is one place, or one for each step. */
  | { kind: "movement"; target: Point | readonly Point[]; movement: Movement }
  /** A whole episode of a game, so that it can be replayed from its deal. */
  | ({ kind: "episode" } & EpisodeTrail);

/** An episode as it was played. `moves` has both sides' in order; `seed` and `number` determine the deal. */
export interface EpisodeTrail {
  game: string;
  seed: number;
  number: number;
  /** The subject's seat, and who sat in the other. */
  seat: number;
  opponent?: string;
  moves: readonly string[];
  /** In the game's unit. */
  payoff: number;
  /**
   * The subject's decisions, by their index in `moves`, at which its first reply was not a legal move: what it wrote, and what it
   * wrote when prompted again if that was not legal either. `by` says how the move was settled.
   */
  illegal: readonly { at: number; wrote: string; again?: string; by: "asked again" | "safest move" }[];
  beliefs: readonly { at: number; name: string; answer: string; truth: string }[];
}

/** A language subject's reply to a query. */
export interface Answer {
  /** Key of the chosen option. Absent when the subject could not choose; then `unscored` says why. */
  choice?: string;
  /** The text written, if the query asked for text or for an answer to parse. */
  text?: string;
  /** Per option key: natural-log score, not normalized; only differences mean something. */
  scores?: Readonly<Record<string, number>>;
  /** Why there is no usable answer although every call returned (for instance `unparsed`). */
  unscored?: string;
  /** The steps that led to it, if there are any to report. */
  trail?: readonly Step[];
}

/** Causes for which every call returned but the reply is no answer: scored as wrong. Other failures are left unscored. */
export const cameBackUnusable: readonly string[] = ["unparsed", "no-answer"];
