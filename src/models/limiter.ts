// Limits an endpoint's concurrent calls by additive increase, multiplicative decrease, as in TCP (Chiu and Jain 1989).
// One limiter serves every model on the same base URL, because the endpoint counts calls, not models.

import { onAbort } from "./wait.js";

/** `overload`: the endpoint said or showed that it is overloaded. `neutral`: no information about its load. */
export type Load = "fine" | "overload" | "neutral";

export interface Limiter {
  /** Waits for a slot; resolves with the ticket to pass to `release`. Rejects with the signal's reason when aborted. */
  acquire(signal: AbortSignal): Promise<number>;
  /** @param pauseMs pause that the endpoint asked for: no call starts before it is over */
  release(ticket: number, load: Load, pauseMs?: number): void;
  /** Current limit on concurrent calls. */
  readonly limit: number;
  readonly inFlight: number;
  readonly waiting: number;
}

interface Waiter {
  start: ((ticket: number) => void) | undefined;
  off: () => void;
}

const firstPauseMs = 50;
const longestPauseMs = 5_000;
const calmWindow = 20;

/**
 * @param ceiling most concurrent calls, read again at each decision so that it can be shared; the limit starts there
 */
export function createLimiter(ceiling: () => number): Limiter {
  let limit = Math.max(1, ceiling());
  let inFlight = 0;
  let successes = 0;
  /** Recent cuts of the limit; every `calmWindow` successes without a cut remove one. */
  let strikes = 0;
  let calm = 0;
  let lastCut = Number.NEGATIVE_INFINITY;
  let pausedUntil = 0;
  let alarm: NodeJS.Timeout | undefined;
  let queue: Waiter[] = [];
  let head = 0;
  let waiting = 0;

  const open = (now: number) => inFlight < Math.min(limit, ceiling()) && now >= pausedUntil;

  function drain(): void {
    const now = performance.now();
    while (waiting > 0 && open(now)) {
      const waiter = queue[head++] as Waiter;
      if (head > 1024 && head * 2 > queue.length) {
        queue = queue.slice(head);
        head = 0;
      }
      if (!waiter.start) continue;
      waiting--;
      waiter.off();
      inFlight++;
      waiter.start(now);
    }
    if (waiting === 0) {
      queue = [];
      head = 0;
    } else if (now < pausedUntil && !alarm) {
      alarm = setTimeout(
        () => {
          alarm = undefined;
          drain();
        },
        Math.ceil(pausedUntil - now),
      );
    }
  }

  return {
    acquire(signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      const now = performance.now();
      if (waiting === 0 && open(now)) {
        inFlight++;
        return Promise.resolve(now);
      }
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          start: resolve,
          off: onAbort(signal, () => {
            waiter.start = undefined;
            waiting--;
            reject(signal.reason);
            if (waiting === 0 && alarm) {
              clearTimeout(alarm);
              alarm = undefined;
            }
          }),
        };
        queue.push(waiter);
        waiting++;
        drain();
      });
    },
    release(ticket, load, pauseMs = 0) {
      const now = performance.now();
      inFlight--;
      if (pauseMs > 0) pausedUntil = Math.max(pausedUntil, now + pauseMs);
      if (load === "fine") {
        successes++;
        calm++;
        if (calm >= calmWindow) {
          calm = 0;
          strikes = Math.max(0, strikes - 1);
        }
        if (successes >= limit) {
          successes = 0;
          // Growing while no call waits would only allow a later burst.
          if (limit < ceiling() && waiting > 0) limit++;
        }
      } else if (load === "overload" && ticket >= lastCut) {
        // Calls that began before the last cut ran under the old limit, so there is one cut per round trip.
        limit = Math.max(1, Math.floor(Math.min(limit, ceiling()) / 2));
        lastCut = now;
        successes = 0;
        calm = 0;
        // With short latency even one call at a time can be too fast; a doubling pause adapts to any rate.
        const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** strikes);
        strikes = Math.min(strikes + 1, 7);
        if (pauseMs === 0) pausedUntil = Math.max(pausedUntil, now + pause);
      }
      drain();
    },
    get limit() {
      return Math.min(limit, ceiling());
    },
    get inFlight() {
      return inFlight;
    },
    get waiting() {
      return waiting;
    },
  };
}

interface Shared {
  limiter: Limiter;
  ceilings: Map<symbol, number>;
}

const endpoints = new Map<string, Shared>();

/**
 * The limiter of an endpoint, shared by all its users. The lowest ceiling among open users applies to all of them:
 * `concurrency=4` is meant to spare the endpoint.
 */
export function sharedLimiter(endpoint: string, ceiling: number): { limiter: Limiter; close: () => void } {
  const user = Symbol(endpoint);
  let shared = endpoints.get(endpoint);
  if (!shared) {
    const ceilings = new Map([[user, ceiling]]);
    shared = { ceilings, limiter: createLimiter(() => Math.min(...ceilings.values())) };
    endpoints.set(endpoint, shared);
  }
  const { limiter, ceilings } = shared;
  ceilings.set(user, ceiling);
  return {
    limiter,
    close() {
      // The last ceiling stays in force for calls still in flight.
      if (ceilings.size > 1) ceilings.delete(user);
      else if (endpoints.get(endpoint)?.ceilings === ceilings && ceilings.has(user))
        endpoints.delete(endpoint);
    },
  };
}
