// A queue of requests: a model takes a number of requests at once, some wait in order, and the rest are told to retry later.

import { Problem } from "./problem.js";

export interface Queue {
  /** Runs work when its turn comes. @throws Problem 429 where too many wait; the signal's reason where it is aborted first */
  run: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  readonly active: number;
  readonly waiting: number;
}

/**
 * @param width requests under way at once
 * @param mostWaiting most requests that wait for their turn
 */
export function makeQueue(width: number, mostWaiting: number): Queue {
  let active = 0;
  const waiting = new Set<() => void>();
  /** Typical milliseconds of recent answers, for Retry-After. */
  let usual = 1_000;

  const next = () => {
    active--;
    const [first] = waiting;
    if (!first) return;
    waiting.delete(first);
    active++;
    first();
  };
  return {
    async run(signal, work) {
      signal.throwIfAborted();
      if (active < width) active++;
      else {
        if (waiting.size >= mostWaiting) {
          const retryAfter = Math.max(1, Math.ceil((usual * (waiting.size + 1)) / width / 1000));
          throw new Problem(429, `Too many requests are waiting (${waiting.size}); try again later.`, {
            code: "queue_full",
            retryAfter,
          });
        }
        await new Promise<void>((resolve, reject) => {
          const turn = () => {
            signal.removeEventListener("abort", left);
            resolve();
          };
          const left = () => {
            waiting.delete(turn);
            reject(signal.reason);
          };
          waiting.add(turn);
          signal.addEventListener("abort", left, { once: true });
        });
      }
      const started = performance.now();
      try {
        return await work();
      } finally {
        usual = 0.9 * usual + 0.1 * (performance.now() - started);
        next();
      }
    },
    get active() {
      return active;
    },
    get waiting() {
      return waiting.size;
    },
  };
}
