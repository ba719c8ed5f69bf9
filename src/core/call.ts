// A call is the unit that costs something: one request to one model. This file holds its price, its trace, its failure.

/** What one call, one answer or one build took. Tokens are the model's own; `usd` is 0 for local models. */
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

/** `train` is no request: it tells what making a specialist of a model's weights read. */
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

/** What travels with every call: how to stop it, and who wants to know that it was made. */
export interface CallContext {
  signal: AbortSignal;
  /** Told of every call, whether made now or found in the journal. */
  trace?: (call: Call) => void;
  /** Languages of the texts that an encoder is asked about, one a text, where the task knows them: networks read them off the text. */
  languages?: readonly string[];
  /** Told what was written so far, as it grows, by models that can; a call found in the journal grows nothing. */
  grows?: (text: string) => void;
}

/** Why a call gave no usable response after every retry. An endpoint's failure is not a wrong answer. */
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

/** Failures that a sample brings with it, which say nothing of the next one's. */
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
