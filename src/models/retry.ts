// Retries with exponential back-off and full jitter, within limits, through the endpoint's limiter. Failures of real
// endpoints and of the mock all pass through here, so that each ends in exactly one CallError.

import { type CallContext, CallError, type CallFailure } from "../core/call.js";
import type { Random } from "../core/random.js";
import type { Limiter } from "./limiter.js";
import { sleep } from "./wait.js";

/** One failed attempt. It never leaves this folder; callers see a CallError. */
export class AttemptFailed extends Error {
  constructor(
    readonly failure: CallFailure,
    message: string,
    readonly hints: {
      /** Whether the same request may succeed later. */
      retry: boolean;
      /** Whether it indicates that the endpoint is overloaded. */
      overload?: boolean;
      /** Milliseconds that the endpoint asked clients to wait. */
      retryAfterMs?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(message, hints.cause === undefined ? undefined : { cause: hints.cause });
    this.name = "AttemptFailed";
  }
}

export interface RetryPolicy {
  limiter: Limiter;
  /** Attempts after the first. */
  retries: number;
  /** Longest first back-off in milliseconds; it doubles with every attempt up to a minute. */
  backoffMs: number;
  /** Longest wait that an endpoint may ask for, in milliseconds. */
  maxRetryAfterMs: number;
  random: Random;
}

const combined = new WeakMap<AbortSignal, WeakMap<AbortSignal, AbortSignal>>();

/** Fires when one of two signals does. The same for the same two: a study makes millions of calls under them. */
function eitherOf(one: AbortSignal, other: AbortSignal): AbortSignal {
  const known = combined.get(one) ?? new WeakMap<AbortSignal, AbortSignal>();
  combined.set(one, known);
  const either = known.get(other) ?? AbortSignal.any([one, other]);
  known.set(other, either);
  return either;
}

/**
 * Makes attempts until one succeeds.
 *
 * @param attempt called with its number, from 0; throws AttemptFailed for failures that the policy handles
 * @throws CallError with the last failure and the number of attempts; the signal's reason when aborted, or draining's, before an
 *   attempt
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  { signal, draining }: Pick<CallContext, "signal" | "draining">,
  attempt: (number: number) => Promise<T>,
): Promise<T> {
  const { limiter } = policy;
  const waiting = draining ? eitherOf(signal, draining) : signal;
  for (let number = 0; ; number++) {
    waiting.throwIfAborted();
    const ticket = await limiter.acquire(waiting);
    let failed: AttemptFailed;
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
    // A Retry-After pauses the whole endpoint, not only this call: other calls would be refused too.
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
      await sleep(policy.random() * Math.min(60_000, policy.backoffMs * 2 ** number), waiting);
  }
}
