// Runs asynchronous work in a fixed number of lanes, in order of arrival. Work whose signal fires while it waits is never
// begun.

/** Resolves with what the work gives; rejects with the signal's reason when it fires before its turn. */
export type Queue = <T>(signal: AbortSignal, work: (lane: number) => Promise<T>) => Promise<T>;

/** A queue whose work runs in lanes 0 … `count` - 1, one piece to a lane at a time. */
export function inLanes(count: number): Queue {
  const free = Array.from({ length: count }, (_, lane) => lane);
  const waiting: ((lane: number) => void)[] = [];
  const leave = (lane: number): void => {
    const next = waiting.shift();
    if (next) next(lane);
    else free.unshift(lane);
  };
  return async (signal, work) => {
    signal.throwIfAborted();
    const lane = free.shift() ?? (await turn(signal, waiting));
    try {
      return await work(lane);
    } finally {
      leave(lane);
    }
  };
}

function turn(signal: AbortSignal, waiting: ((lane: number) => void)[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const begin = (lane: number): void => {
      signal.removeEventListener("abort", stop);
      resolve(lane);
    };
    const stop = (): void => {
      waiting.splice(waiting.indexOf(begin), 1);
      reject(signal.reason);
    };
    waiting.push(begin);
    signal.addEventListener("abort", stop, { once: true });
  });
}
