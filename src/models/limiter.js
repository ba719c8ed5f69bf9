// How many calls an endpoint gets at once: additive increase, multiplicative decrease, as TCP does (Chiu and Jain 1989).
// One limiter serves every model on the same base URL, because the endpoint counts calls, not models.
import { onAbort } from "./wait.js";

const firstPauseMs = 50;
const longestPauseMs = 5_000;
const calmWindow = 20;
/**
 * @param ceiling most calls at once, asked anew at each decision so that it can be shared; the limit begins there
 */
export function createLimiter(ceiling) {
  let limit = Math.max(1, ceiling());
  let inFlight = 0;
  let successes = 0;
  /** Cuts that are not yet outweighed by calm: one is forgiven for every so many successes. */
  let strikes = 0;
  let calm = 0;
  let lastCut = Number.NEGATIVE_INFINITY;
  let pausedUntil = 0;
  let alarm;
  let queue = [];
  let head = 0;
  let waiting = 0;
  const open = (now) => inFlight < Math.min(limit, ceiling()) && now >= pausedUntil;
  function drain() {
    const now = performance.now();
    while (waiting > 0 && open(now)) {
      const waiter = queue[head++];
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
        const waiter = {
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
          // Growing while nobody waits would only store up a burst.
          if (limit < ceiling() && waiting > 0) limit++;
        }
      } else if (load === "overload" && ticket >= lastCut) {
        // Calls that began before the last cut tell of the old limit: one cut a round trip.
        limit = Math.max(1, Math.floor(Math.min(limit, ceiling()) / 2));
        lastCut = now;
        successes = 0;
        calm = 0;
        // Where latency is short, one call at a time can still be too fast: a pause that doubles finds any rate.
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
const endpoints = new Map();
/**
 * The limiter of an endpoint, shared by all who name it. The lowest ceiling of its open users holds for all of them:
 * who writes `concurrency=4` means to spare the endpoint.
 */
export function sharedLimiter(endpoint, ceiling) {
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
      // The last ceiling stays in force for calls still under way.
      if (ceilings.size > 1) ceilings.delete(user);
      else if (endpoints.get(endpoint)?.ceilings === ceilings && ceilings.has(user))
        endpoints.delete(endpoint);
    },
  };
}
