// Runs asynchronous work in a fixed number of lanes: in order of arrival, except that a lane prefers work which fits what it
// did last. Work whose signal fires while it waits is never begun.
/**
 * A queue whose work runs in lanes 0 … `count` - 1, one piece to a lane at a time. Of what waits and the lanes that are free
 * the pair with the highest fit comes first; among equals the oldest work and the lane that has been free longest.
 *
 * @param patience most later pieces that are begun before an earlier one; with 0 the order is that of arrival
 */
export function inLanes(count, patience = 32) {
  const free = Array.from({ length: count }, (_, lane) => lane);
  const waiting = [];
  const match = () => {
    while (free.length > 0 && waiting.length > 0) {
      // Nobody behind the first was overtaken more often than it.
      const eligible = waiting[0].overtaken < patience ? waiting : waiting.slice(0, 1);
      const { piece, lane } = bestPair(eligible, free);
      for (const earlier of waiting.slice(0, waiting.indexOf(piece))) earlier.overtaken++;
      waiting.splice(waiting.indexOf(piece), 1);
      free.splice(free.indexOf(lane), 1);
      piece.begin(lane);
    }
  };
  const leave = (lane) => {
    free.push(lane);
    // The lane rests for a moment: what follows on the work just done fits best and comes a turn of the event loop later,
    // after the journal's commit.
    if (waiting.length > 0) setImmediate(() => setImmediate(match));
  };
  const turn = (signal, fit) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        waiting.splice(waiting.indexOf(piece), 1);
        reject(signal.reason);
      };
      const begin = (lane) => {
        signal.removeEventListener("abort", stop);
        resolve(lane);
      };
      const piece = { begin, fit, overtaken: 0 };
      waiting.push(piece);
      signal.addEventListener("abort", stop, { once: true });
      // Where others wait too, no lane is free or those that are rest for a moment.
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
function bestPair(pieces, lanes) {
  let best = { piece: pieces[0], lane: lanes[0], fit: Number.NEGATIVE_INFINITY };
  for (const piece of pieces) {
    for (const lane of lanes) {
      const fit = piece.fit(lane);
      if (fit > best.fit) best = { piece, lane, fit };
    }
  }
  return best;
}
