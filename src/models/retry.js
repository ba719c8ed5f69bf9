// Retries: exponential back-off with full jitter, within limits, through the endpoint's limiter. Real endpoints and
// the mock fail through this one door, so that every failure ends in exactly one CallError.
import { CallError } from "../core/call.js";
import { sleep } from "./wait.js";
/** One attempt that failed. It never leaves this folder: a CallError does. */
export class AttemptFailed extends Error {
  failure;
  hints;
  constructor(failure, message, hints) {
    super(message, hints.cause === undefined ? undefined : { cause: hints.cause });
    this.failure = failure;
    this.hints = hints;
    this.name = "AttemptFailed";
  }
}
/**
 * Makes attempts until one succeeds.
 *
 * @param attempt told its number, from 0; it throws AttemptFailed for what a policy can judge
 * @throws CallError with the last failure and the number of attempts; the signal's reason when aborted
 */
export async function withRetries(policy, signal, attempt) {
  const { limiter } = policy;
  for (let number = 0; ; number++) {
    const ticket = await limiter.acquire(signal);
    let failed;
    try {
      const value = await attempt(number);
      limiter.release(ticket, "fine");
      return value;
    } catch (error) {
      if (signal.aborted || !(error instanceof AttemptFailed)) {
        limiter.release(ticket, "neutral");
        throw signal.aborted ? signal.reason : error;
      }
      failed = error;
    }
    const { retry, overload, retryAfterMs, cause } = failed.hints;
    // A Retry-After silences the whole endpoint, not this call alone: the others would be refused too.
    const pauseMs = Math.min(retryAfterMs ?? 0, policy.maxRetryAfterMs);
    limiter.release(ticket, overload ? "overload" : "neutral", pauseMs);
    if (!retry || number >= policy.retries) {
      const attempts = number === 0 ? "" : ` (after ${number + 1} attempts)`;
      throw new CallError(
        failed.failure,
        `${failed.message}${attempts}`,
        cause === undefined ? undefined : { cause },
      );
    }
    // After a Retry-After the limiter does the waiting.
    if (pauseMs === 0)
      await sleep(policy.random() * Math.min(60_000, policy.backoffMs * 2 ** number), signal);
  }
}
