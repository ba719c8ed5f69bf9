// The words for language: what a task asks, what a model can do, and the subject between them.
// A query is data. Prompting specializers change queries on the way in and answers on the way out, so they compose.

import type { Call, CallContext, Cost } from "./call.js";
import type { Json } from "./json.js";
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
  /** Present: choose one. Absent: write. */
  options?: readonly Option[];
  /** The options are this sample's own, not the task's: they are listed beside the sample. */
  ownOptions?: boolean;
  /** What is scored or asked for: the option's label (A, B, …; options are listed in the prompt) or its text. */
  answerBy?: "label" | "text";
  scoring?: Scoring;
  demonstrations: readonly Demonstration[];
  /** What was found for this query; shown above its input. */
  passages?: readonly Passage[];
  /** Present: a chain of thought of at most so many tokens is written before the answer (Wei et al. 2022). */
  reason?: { maxTokens: number };
  /** How words are drawn; the likeliest ones where absent. */
  sampling?: { temperature: number; seed: number };
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
  | { kind: "movement"; target: Point | readonly Point[]; movement: Movement };

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

/** What a model lets its caller have. A specializer names what it needs. */
export type Grant = "text" | "logprobs" | "embeddings" | "gradients" | "weights";

/** One turn of a chat. */
export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

/** `chat` applies the model's chat template; `plain` joins the messages' contents and adds nothing. */
export type PromptFormat = "chat" | "plain";

/** Sampling a continuation of a prompt. */
export interface GenerateRequest {
  messages: readonly Message[];
  format: PromptFormat;
  maxTokens: number;
  /** 0 is greedy. */
  temperature: number;
  seed: number;
  stop?: readonly string[];
}

/** The continuation, and why it ended: at a stop or at `maxTokens`. */
export interface Generated {
  text: string;
  finish: "stop" | "length";
  cost: Cost;
}

/** Log-probabilities of given continuations of one prompt. */
export interface ScoreRequest {
  messages: readonly Message[];
  format: PromptFormat;
  /** Continuations of the prompt, each scored on its own: " A", " B", … */
  options: readonly string[];
}

/** The options' log-probabilities, in nats. */
export interface Scored {
  /** Per option, in order: summed natural-log probability, and over how many tokens. */
  options: readonly { logprob: number; tokens: number }[];
  cost: Cost;
}

/** Sentence vectors, one a text. */
export interface Embedded {
  /** One unit-length vector per text. */
  vectors: readonly (readonly number[])[];
  cost: Cost;
}

/** A model's own weights, changed. What is absent stays as it is. */
export interface Change {
  /** The change's content hash; it becomes part of the changed model's id. */
  id: string;
  /** Shown to people beside the model's name. */
  name: string;
  /** Path of a GGUF adapter (LoRA) that is put on the weights. */
  lora?: string;
  /** Path of a whole GGUF file that is served instead. */
  weights?: string;
  /** Token ids that follow the begin token of every prompt: a soft prompt's rows of the embedding table. */
  prefix?: readonly number[];
}

/** What training needs of a model: the file that is served, the tokens as they are evaluated, and the way back. */
export interface OpenWeights {
  /** The GGUF file whose weights are served. */
  readonly path: string;
  /**
   * Exactly the tokens that `score` evaluates: the prompt (template included) and each option. `begin` of the prompt's
   * tokens are the begin token: 1, or 0 for models without one. A prefix stands after it.
   */
  tokenize(request: ScoreRequest): Promise<{ prompt: number[]; options: number[][]; begin: number }>;
  /**
   * The same model, changed. The change is checked at once, the weights load on its first call; closed with this one.
   * @throws HoneError when the files do not fit the model
   */
  specialise(change: Change): LanguageModel;
}

/** What a model has done since it was opened, in tokens. */
export interface Work {
  /** Put through the model, each as often as it was. */
  evaluated: number;
  /** Of prompts: kept from the call before in the same place, and so not evaluated again. */
  reused: number;
  /** Drawn, the one that ends a text included. */
  written: number;
}

/**
 * A model that answers. Every method is one call: it either comes back whole or throws a `CallError` that says why.
 * `id` is content identity: two models with the same id give the same answers, so a journal may reuse them.
 */
export interface LanguageModel {
  readonly id: string;
  readonly name: string;
  readonly grants: ReadonlySet<Grant>;
  /** The prompt format it was made for. */
  readonly format: PromptFormat;
  /** Most calls worth having in flight at once. */
  readonly concurrency: number;
  readonly contextTokens?: number;
  /** Dollars per million tokens; absent where calls cost nothing or nobody said what they cost. */
  readonly price?: { input: number; output: number };
  /** Its weights, where they can be had; the grants then include `weights` and `gradients`. */
  readonly weights?: OpenWeights;
  /** Where it runs in this process: what it has done. Calls that a journal answers add nothing. */
  readonly work?: () => Readonly<Work>;
  generate(request: GenerateRequest, context: CallContext): Promise<Generated>;
  score(request: ScoreRequest, context: CallContext): Promise<Scored>;
  embed(texts: readonly string[], context: CallContext): Promise<Embedded>;
  close(): Promise<void>;
}

/** A subject that reads queries and answers them: a model with a way of prompting it, or anything that can stand in. */
export interface LanguageSubject {
  readonly kind: "language";
  readonly name: string;
  /** Fingerprint of everything that decides its answers. */
  readonly id: string;
  /** The model underneath, where there is one; absent for references such as `majority`. */
  readonly model?: LanguageModel;
  respond(query: Query, context: CallContext): Promise<Answer>;
}

export type { Call, CallContext, Cost };
