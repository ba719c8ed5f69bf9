// How long a study has taken, over all runs: saved while it runs, so that a killed run counts too.

import type { Journal } from "../store/journal.js";

const tickMs = 10_000;

export interface StudyClock {
  /** Seconds until now. */
  seconds(): number;
  stop(): void;
}

export function startClock(journal: Journal, study: string): StudyClock {
  let from = performance.now();
  const count = () => {
    const now = performance.now();
    journal.addSeconds(study, (now - from) / 1000);
    from = now;
  };
  const tick = () => {
    try {
      count();
    } catch {
      // Another process is writing, and the next tick counts for both; or the journal is damaged, which is reported elsewhere.
    }
  };
  const timer = setInterval(tick, tickMs).unref();
  return {
    seconds() {
      count();
      return journal.study(study)?.seconds ?? 0;
    },
    stop() {
      clearInterval(timer);
      tick();
    },
  };
}
