// A call is one request to one model and the unit of cost. This file holds the types of its cost, context and failure.

/** Cost of one call, one answer or one build. Tokens are as the model counts them; `usd` is 0 for local models. */
export interface Cost {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  /** Wall-clock milliseconds inside the model. */
  ms: number;
  usd: number;
}

/** No calls, tokens, milliseconds or dollars. */
export const noCost: Cost = { calls: 0, inputTokens: 0, outputTokens: 0, ms: 0, usd: 0 };

/** The sum of two costs, field by field. */
export function addCost(a: Cost, b: Cost): Cost {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ms: a.ms + b.ms,
    usd: a.usd + b.usd,
  };
}

/** `train` is not a request: it records what making a specialist read, such as the tokens of a training. */
export type Operation = "generate" | "score" | "embed" | "train";

/** One finished call, as the journal keeps it. `key` is the fingerprint of model, operation and request. */
export interface Call {
  key: string;
  model: string;
  operation: Operation;
  request: unknown;
  response: unknown;
  cost: Cost;
}

/** Passed with every call: how to stop it, and who observes it. */
export interface CallContext {
  signal: AbortSignal;
  /** Fires when no further attempt is to be made; one in flight is finished. */
  draining?: AbortSignal;
  /** Receives every call, whether made now or found in the journal. */
  trace?: (call: Call) => void;
  /** Told of each call that failed for good, also where its caller goes on without it. */
  lost?: (failure: CallFailure) => void;
  /** Languages of the texts to embed, one per text, where the task knows them; networks infer them from the text. */
  languages?: readonly string[];
  /** Receives the text written so far, as it grows, from models that stream; not called for a call found in the journal. */
  grows?: (text: string) => void;
}

/** Why a call returned no usable response after every retry. An endpoint's failure is not a wrong answer. */
export type CallFailure =
  | "rate-limited"
  | "server-error"
  | "timeout"
  | "cut-stream"
  | "malformed"
  | "no-logprobs"
  | "too-large"
  | "too-long"
  | "refused"
  | "unreachable"
  | "unsupported";

/** Failures caused by the sample itself, which do not predict the next sample's. */
export const ofTheSample: readonly CallFailure[] = ["too-long", "too-large", "refused", "malformed"];

/** A call that failed for good: the sample is unscored, with this cause. */
export class CallError extends Error {
  constructor(
    readonly failure: CallFailure,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = "CallError";
  }
}
