// Runs asynchronous work one piece at a time, in order. A piece whose signal fires while it waits is never begun.

/** A queue: resolves with what the work gives, rejects with the signal's reason when it fires before its turn. */
export function oneAtATime(): <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (signal, work) => {
    const turn = last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    last = turn.catch(() => {});
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason);
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
      turn.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
    });
  };
}
