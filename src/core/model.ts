// What a model can do, as capabilities: write, score, embed, open its weights. A model has those that it is able to, and no
// others. Every call either comes back whole or throws a `CallError` that says why.

import type { CallContext, Cost } from "./call.js";
import type { Json } from "./json.js";

/** What a model lets its caller have. A specializer names what it needs. */
export type Grant = "text" | "logprobs" | "embeddings" | "gradients" | "weights";

/** A function that a model may ask its caller to run. */
export interface ToolSpec {
  name: string;
  description?: string;
  /** A JSON schema of the arguments; by default an object of anything. */
  parameters?: Json;
}

/** What a model asks to be run. Its text is the model's: it may name arguments that no schema allows. */
export interface ToolCall {
  id: string;
  name: string;
  /** JSON as it was written. */
  arguments: string;
}

/** One turn of a chat. */
export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  /** What the assistant asked to be run. */
  calls?: readonly ToolCall[];
  /** Of a tool's message: the id of the call that it answers. */
  answers?: string;
}

/** `chat` applies the model's chat template; `plain` joins the messages' contents and adds nothing. */
export type PromptFormat = "chat" | "plain";

/** How each next token is drawn. What is absent leaves the distribution alone, and is no part of a call's fingerprint. */
export interface Sampling {
  /** 0 is greedy. */
  temperature: number;
  /** Each text's own: what else is written at the same time never changes it. */
  seed: number;
  /** Only the likeliest tokens whose probabilities sum to this are drawn from (nucleus sampling, Holtzman et al. 2020). */
  topP?: number;
  /** Only tokens at least this share as likely as the likeliest are drawn from (Nguyen et al. 2024). */
  minP?: number;
  /** Logits of tokens already written are divided by it where positive, else multiplied (CTRL, Keskar et al. 2019). */
  repetitionPenalty?: number;
}

/** Sampling a continuation of a prompt. */
export interface GenerateRequest extends Sampling {
  messages: readonly Message[];
  format: PromptFormat;
  maxTokens: number;
  stop?: readonly string[];
  /** The answer is JSON that this schema allows; of any object where there is no schema. For models with the form `json`. */
  json?: { schema?: Json; name?: string; strict?: boolean };
  /** Functions that may be called in place of an answer. For models with the form `tools`, or any with `json` where one must be. */
  tools?: readonly ToolSpec[];
  /** Whether one is called: as the model sees fit (the default), in any case, or this one. */
  toolChoice?: "auto" | "required" | { name: string };
}

/** The continuation, and why it ended: at a stop or at `maxTokens`. */
export interface Generated {
  text: string;
  /** What it asks to be run, in place of a text or after it. */
  calls?: readonly ToolCall[];
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
  specialise(change: Change): LanguageModel & Scores;
  /**
   * Under a GGUF adapter (its path), the last layer's state after the last norm at the last of some tokens, [width]. The adapter
   * is checked at once, weights load on the first call; closed with this model.
   * @throws HoneError when the adapter does not fit; CallError `too-long`
   */
  states(lora: string): (tokens: readonly number[], context: CallContext) => Promise<readonly number[]>;
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
 * Anything that calls are made to, or that trials are run on. `id` is content identity: two models with the same id give the
 * same answers, so a journal may reuse them.
 */
export interface Model {
  readonly id: string;
  readonly name: string;
  readonly grants: ReadonlySet<Grant>;
  /** Most calls worth having in flight at once. */
  readonly concurrency: number;
  close(): Promise<void>;
}

/** Writes text. */
export interface Writes {
  generate(request: GenerateRequest, context: CallContext): Promise<Generated>;
}

/** Gives log-probabilities of continuations. */
export interface Scores {
  score(request: ScoreRequest, context: CallContext): Promise<Scored>;
}

/** A text whose tokens are to be looked at. */
export interface ReadRequest {
  messages: readonly Message[];
  format: PromptFormat;
  /** In place of the messages: the tokens themselves, as the model numbers them. */
  tokens?: readonly number[];
  /** What follows the prompt, tokenised apart from it as the options of `score` are. */
  continuation?: string;
  /** How many of the likeliest tokens are wanted at each place, at least 1. */
  top: number;
}

/** A token with its natural-log probability. */
export interface LikelyToken {
  text: string;
  logprob: number;
}

/** The tokens of a text, and what may follow it. */
export interface ReadText {
  /** `logprob` after all tokens before it, null for the first; `top` what was likeliest in its place, the likeliest first. */
  tokens: readonly { id: number; text: string; logprob: number | null; top: readonly LikelyToken[] }[];
  /** How many of them are the prompt's; those of the continuation follow. */
  prompt: number;
  /** The likeliest tokens after the text. */
  next: readonly LikelyToken[];
  cost: Cost;
}

/** Gives the log-probability of each token of a text. */
export interface Reads {
  read(request: ReadRequest, context: CallContext): Promise<ReadText>;
}

/** Gives sentence vectors. */
export interface Embeds {
  embed(texts: readonly string[], context: CallContext): Promise<Embedded>;
  /** How many of some texts are longer than what is read of one, in word pieces. Optional: some encoders do not know it. */
  cut?(texts: readonly string[]): Promise<{ texts: number; pieces: number }>;
}

/** Lets its weights be read and changed. */
export interface OpensWeights {
  /** The grants then include `weights` and `gradients`. */
  readonly weights: OpenWeights;
}

/** Any model with whichever of the capabilities it has. */
export type Callable = Model & Partial<Writes & Scores & Reads & Embeds & OpensWeights>;

/** A model of sentence vectors. */
export type Encoder = Model & Embeds;

/** A model that reads prompts, with whichever of the capabilities it has: those of an endpoint are as its grants say. */
export interface PromptModel extends Callable {
  /** The prompt format that it is asked in unless another is named. */
  readonly format: PromptFormat;
  /** The formats that it could be asked in, where whoever opened it left that open. */
  readonly formats?: readonly PromptFormat[];
  /** Forms that its answers can be held to: JSON of a schema, calls of tools as it sees fit. */
  readonly forms?: ReadonlySet<"json" | "tools">;
  readonly contextTokens?: number;
  /** Texts worth writing at once, where that is more than `concurrency`. */
  readonly batch?: number;
  /** Dollars per million tokens; undefined if calls cost nothing or nobody said what they cost. */
  readonly price?: { input: number; output: number };
  /** Where it runs in this process: what it has done. Calls that a journal answers add nothing. */
  readonly work?: () => Readonly<Work>;
}

/** A model that writes; whether it also scores, reads, embeds and opens its weights differs. */
export type LanguageModel = PromptModel & Writes;
