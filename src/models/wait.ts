// Waiting that an AbortSignal ends at once. Each signal has one listener however many wait on it: a study has thousands
// of calls on one AbortSignal, and an EventTarget walks its whole list at every `addEventListener`.

const watchers = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `stop` once when the signal aborts; the returned function cancels that. The signal must not be aborted yet. */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  let set = watchers.get(signal);
  if (!set) {
    const fresh = new Set<() => void>();
    watchers.set(signal, fresh);
    signal.addEventListener(
      "abort",
      () => {
        for (const each of [...fresh]) each();
        fresh.clear();
      },
      { once: true },
    );
    set = fresh;
  }
  const waiting = set;
  waiting.add(stop);
  return () => {
    waiting.delete(stop);
  };
}

/** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      off();
      resolve();
    }, ms);
    const off = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
