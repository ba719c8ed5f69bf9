// Stopping a run by signal. One Ctrl-C drains: work in flight is finished; a second one ends the process, but two during one
// native call wait for its end. SIGTERM ends the process within five seconds, whatever the engine is doing. Every finished
// answer is in the journal by then.

import { Worker } from "node:worker_threads";

/** Milliseconds after SIGTERM until work in flight is aborted, and until the process ends itself. */
const [giveUpMs, endMs] = [2_500, 4_000];

export interface Stop {
  /** Begin nothing new. */
  drain: AbortSignal;
  /** Abort work in flight. */
  abort: AbortSignal;
  /** The exit code of a stopped run; undefined if it was not stopped. */
  code: () => number | undefined;
  /**
   * Announces the beginning or end of work that may block this thread from handling signals for long, such as training.
   * During it SIGTERM is left to the system, which ends the process at once.
   */
  deaf: (deaf: boolean) => void;
  off: () => void;
}

export function stopSignals(log: (text: string) => void): Stop {
  const drain = new AbortController();
  const abort = new AbortController();
  let code: number | undefined;
  let given = 0;
  let isDeaf = false;
  const unheard = () => {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTerminate);
  };
  const onInterrupt = () => {
    if (++given > 1) {
      // Both arrived while this thread was busy.
      unheard();
      process.kill(process.pid, "SIGINT");
      return;
    }
    code = 130;
    log("Stopping once work in flight is done; Ctrl-C again stops at once, and nothing finished is lost.");
    drain.abort();
    // The next one is left to the system, which ends the process even while a native call blocks this thread.
    setImmediate(() => process.off("SIGINT", onInterrupt));
  };
  const onTerminate = () => {
    unheard();
    code = 143;
    log(`Terminated: stopping within ${Math.ceil(endMs / 1000)} seconds.`);
    drain.abort();
    setTimeout(() => abort.abort(), giveUpMs).unref();
    // In a separate thread, since this one may be busy by then; by signal, since an orderly exit waits for native calls.
    new Worker(`setTimeout(() => process.kill(${process.pid}, "SIGTERM"), ${endMs})`, { eval: true }).unref();
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  return {
    drain: drain.signal,
    abort: abort.signal,
    code: () => code,
    deaf(deaf) {
      if (deaf === isDeaf || code !== undefined) return;
      isDeaf = deaf;
      if (deaf) process.off("SIGTERM", onTerminate);
      else process.on("SIGTERM", onTerminate);
    },
    off: unheard,
  };
}
