// A call is the unit that costs something: one request to one model. This file holds its price, its trace, its failure.
/** No calls, tokens, milliseconds or dollars. */
export const noCost = { calls: 0, inputTokens: 0, outputTokens: 0, ms: 0, usd: 0 };
/** The sum of two costs, field by field. */
export function addCost(a, b) {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ms: a.ms + b.ms,
    usd: a.usd + b.usd,
  };
}
/** A call that failed for good: the sample is unscored, with this cause. */
export class CallError extends Error {
  failure;
  constructor(failure, message, options) {
    super(message, options);
    this.failure = failure;
    this.name = "CallError";
  }
}
