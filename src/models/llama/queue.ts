// Runs asynchronous work in a fixed number of lanes: in order of arrival, except that a lane prefers work that fits what it
// did last. Work whose signal fires while it waits never starts.

import { setMaxListeners } from "node:events";

/**
 * Resolves with the work's result; rejects with the signal's reason if it fires before the work's turn. `fit` says how well a
 * free lane suits the work (higher is better, 0 if absent); it is called again at every choice.
 */
export type Queue = <T>(
  signal: AbortSignal,
  work: (lane: number) => Promise<T>,
  fit?: (lane: number) => number,
) => Promise<T>;

interface Waiting {
  begin: (lane: number) => void;
  fit: (lane: number) => number;
  /** How many later arrivals have started before it. */
  overtaken: number;
}

/**
 * A queue whose work runs in lanes 0 … `count` - 1, one piece per lane at a time. Among waiting work and free lanes the pair
 * with the highest fit comes first; ties go to the oldest work and the lane that has been free longest.
 *
 * @param patience most later pieces that may start before an earlier one; 0 means order of arrival
 */
export function inLanes(count: number, patience = 32): Queue {
  const free = Array.from({ length: count }, (_, lane) => lane);
  const waiting: Waiting[] = [];

  const match = (): void => {
    while (free.length > 0 && waiting.length > 0) {
      // No piece behind the first has been overtaken more often than the first.
      const eligible = (waiting[0] as Waiting).overtaken < patience ? waiting : waiting.slice(0, 1);
      const { piece, lane } = bestPair(eligible, free);
      for (const earlier of waiting.slice(0, waiting.indexOf(piece))) earlier.overtaken++;
      waiting.splice(waiting.indexOf(piece), 1);
      free.splice(free.indexOf(lane), 1);
      piece.begin(lane);
    }
  };
  const leave = (lane: number): void => {
    free.push(lane);
    // The lane pauses briefly: the follow-up to the work just done fits best and arrives one turn of the event loop later,
    // after the journal's commit.
    if (waiting.length > 0) setImmediate(() => setImmediate(match));
  };
  const turn = (signal: AbortSignal, fit: Waiting["fit"]): Promise<number> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        waiting.splice(waiting.indexOf(piece), 1);
        reject(signal.reason);
      };
      const begin = (lane: number): void => {
        signal.removeEventListener("abort", stop);
        resolve(lane);
      };
      const piece: Waiting = { begin, fit, overtaken: 0 };
      waiting.push(piece);
      // All waiting work may listen to one signal; Node would warn of a leak from the eleventh listener on.
      setMaxListeners(0, signal);
      signal.addEventListener("abort", stop, { once: true });
      // If other work waits too, no lane is free or the free lanes are pausing.
      if (waiting.length === 1) match();
    });

  return async (signal, work, fit = () => 0) => {
    signal.throwIfAborted();
    const lane = await turn(signal, fit);
    try {
      return await work(lane);
    } finally {
      leave(lane);
    }
  };
}

function bestPair(pieces: readonly Waiting[], lanes: readonly number[]): { piece: Waiting; lane: number } {
  let best = { piece: pieces[0] as Waiting, lane: lanes[0] as number, fit: Number.NEGATIVE_INFINITY };
  for (const piece of pieces) {
    for (const lane of lanes) {
      const fit = piece.fit(lane);
      if (fit > best.fit) best = { piece, lane, fit };
    }
  }
  return best;
}
