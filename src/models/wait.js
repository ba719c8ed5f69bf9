// Waiting that stops at once when a signal says so. One listener a signal however many wait on it: a study has thousands
// of calls behind one AbortSignal, and an EventTarget walks its whole list at every `addEventListener`.
const watchers = new WeakMap();
/** Calls `stop` once when the signal aborts; the returned function takes that back. The signal must not be aborted yet. */
export function onAbort(signal, stop) {
  let set = watchers.get(signal);
  if (!set) {
    const fresh = new Set();
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
export function sleep(ms, signal) {
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
