// Types for models, by capability: write, score, embed, open the weights. A model has only the capabilities that it supports.
// Every call either returns a whole result or throws a `CallError` that says why.

import type { CallContext, Cost } from "./call.js";
import type { Json } from "./json.js";

/** Access that a model grants its caller. A specializer lists what it needs. */
export type Grant = "text" | "logprobs" | "embeddings" | "gradients" | "weights";

/** A function that a model may ask its caller to run. */
export interface ToolSpec {
  name: string;
  description?: string;
  /** A JSON schema of the arguments; any object if absent. */
  parameters?: Json;
}

/** A tool call that a model requests. It is unchecked: its arguments may not match the schema. */
export interface ToolCall {
  id: string;
  name: string;
  /** JSON as the model wrote it. */
  arguments: string;
}

/** One turn of a chat. */
export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  /** Tool calls that the assistant requested. */
  calls?: readonly ToolCall[];
  /** Of a tool's message: the id of the call that it answers. */
  answers?: string;
}

/** `chat` applies the model's chat template; `plain` joins the messages' contents and adds nothing. */
export type PromptFormat = "chat" | "plain";

/** How each next token is sampled. An absent field leaves the distribution unchanged and is not part of a call's fingerprint. */
export interface Sampling {
  /** 0 is greedy. */
  temperature: number;
  /** One per text: other texts written at the same time never change the result. */
  seed: number;
  /** Samples only from the likeliest tokens whose probabilities sum to this (nucleus sampling, Holtzman et al. 2020). */
  topP?: number;
  /** Samples only from tokens at least this share as likely as the likeliest (Nguyen et al. 2024). */
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
  /** Constrains the answer to JSON of this schema, or to any JSON object without one. For models with the form `json`. */
  json?: { schema?: Json; name?: string; strict?: boolean };
  /** Functions that may be called in place of an answer. For models with the form `tools`, or with `json` if a call is required. */
  tools?: readonly ToolSpec[];
  /** Whether a function is called: as the model chooses (the default), always, or always this one. */
  toolChoice?: "auto" | "required" | { name: string };
}

/** The continuation, and why it ended: at a stop or at `maxTokens`. */
export interface Generated {
  text: string;
  /** Tool calls that it requests, in place of a text or after it. */
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

/** Sentence vectors, one per text. */
export interface Embedded {
  /** One unit-length vector per text. */
  vectors: readonly (readonly number[])[];
  cost: Cost;
}

/** A change to a model's weights. Absent fields leave them as they are. */
export interface Change {
  /** The change's content hash; it becomes part of the changed model's id. */
  id: string;
  /** Shown to people beside the model's name. */
  name: string;
  /** Path of a GGUF adapter (LoRA) that is applied to the weights. */
  lora?: string;
  /** Path of a whole GGUF file that is served instead. */
  weights?: string;
  /** Token ids that follow the begin token of every prompt: a soft prompt's rows of the embedding table. */
  prefix?: readonly number[];
}

/** What training needs of a model: the file that is served, the tokens as they are evaluated, and a way to serve the result. */
export interface OpenWeights {
  /** The GGUF file whose weights are served. */
  readonly path: string;
  /** Why they cannot be read or trained here; the grants then have neither `weights` nor `gradients`. */
  readonly untrainable?: string;
  /**
   * Exactly the tokens that `score` evaluates: the prompt (template included) and each option. `begin` is the number of begin
   * tokens in the prompt: 1, or 0 for models without one. A prefix follows it.
   */
  tokenize(request: ScoreRequest): Promise<{ prompt: number[]; options: number[][]; begin: number }>;
  /**
   * The model with a change applied. The change is checked at once, weights load on the first call; closed with this model.
   * @throws HoneError when the files do not fit the model
   */
  specialize(change: Change): LanguageModel & Scores;
  /**
   * Under the GGUF adapter at this path, the last layer's hidden state after the final norm at the last of the tokens, [width]. The
   * adapter is checked at once, weights load on the first call; closed with this model.
   * @throws HoneError when the adapter does not fit; CallError `too-long`
   */
  states(lora: string): (tokens: readonly number[], context: CallContext) => Promise<readonly number[]>;
}

/** The tokens that a model has processed since it was opened. */
export interface Work {
  /** Evaluated, repeats included. */
  evaluated: number;
  /** Prompt tokens shared with what the same sequence held before, and so not evaluated again. */
  reused: number;
  /** Generated, including the token that ends a text. */
  written: number;
}

/**
 * Anything that takes calls or runs trials. `id` is content identity: two models with the same id give the
 * same answers, so a journal may reuse them.
 */
export interface Model {
  readonly id: string;
  readonly name: string;
  readonly grants: ReadonlySet<Grant>;
  /** Maximum useful number of calls in flight. */
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

/** A text whose token probabilities are to be read. */
export interface ReadRequest {
  messages: readonly Message[];
  format: PromptFormat;
  /** Instead of the messages: token ids of the model. */
  tokens?: readonly number[];
  /** Text after the prompt, tokenized separately, as the options of `score` are. */
  continuation?: string;
  /** How many of the likeliest tokens to return at each position, at least 1. */
  top: number;
}

/** A token with its natural-log probability. */
export interface LikelyToken {
  text: string;
  logprob: number;
}

/** The tokens of a text, and what may follow it. */
export interface ReadText {
  /** `logprob` given all tokens before it, null for the first; `top` the likeliest tokens at its position, likeliest first. */
  tokens: readonly { id: number; text: string; logprob: number | null; top: readonly LikelyToken[] }[];
  /** How many of them belong to the prompt; those of the continuation follow. */
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
  /** How many of the texts are longer than the `pieces` word pieces that are read of each. Optional: some encoders do not know it. */
  cut?(texts: readonly string[]): Promise<{ texts: number; pieces: number }>;
}

/** Lets its weights be read and changed. */
export interface OpensWeights {
  /** The grants then include `weights` and `gradients`, unless it says why not. */
  readonly weights: OpenWeights;
}

/** A model with any of the capabilities. */
export type Callable = Model & Partial<Writes & Scores & Reads & Embeds & OpensWeights>;

/** A model that embeds sentences. */
export type Encoder = Model & Embeds;

/** A model that reads prompts, with any of the capabilities; an endpoint has those that its grants name. */
export interface PromptModel extends Callable {
  /** The prompt format used unless another is named. */
  readonly format: PromptFormat;
  /** The formats to choose from, if none was fixed when it was opened. */
  readonly formats?: readonly PromptFormat[];
  /** Forms to which its answers can be constrained: JSON of a schema, or tool calls when it chooses to make them. */
  readonly forms?: ReadonlySet<"json" | "tools">;
  readonly contextTokens?: number;
  /** Useful number of texts to write at once, where that is more than `concurrency`. */
  readonly batch?: number;
  /** Dollars per million tokens; undefined if calls cost nothing or their price is unknown. */
  readonly price?: { input: number; output: number };
  /** The work done so far, if it runs in this process. Calls answered from a journal add nothing. */
  readonly work?: () => Readonly<Work>;
}

/** A model that writes; it may also score, read, embed or open its weights. */
export type LanguageModel = PromptModel & Writes;
