// Runs several calls at a time and yields their results in order, so that results never depend on which call
// returned first.

/** Maps with at most `width` in flight; results come in the order of the source. */
export async function* inOrder<In, Out>(
  source: AsyncIterable<In> | Iterable<In>,
  width: number,
  make: (value: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const from = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const flying: Promise<Out>[] = [];
  let coming: Promise<IteratorResult<In>> | undefined;
  let ended = false;
  try {
    while (!ended || flying.length > 0) {
      if (!ended && !coming && flying.length < width) {
        coming = Promise.resolve(from.next());
        // Awaited below; until then its failure must not count as unhandled.
        coming.catch(() => {});
      }
      const first = flying[0];
      const news = await Promise.race([
        ...(coming ? [coming.then((next) => ({ next }))] : []),
        ...(first ? [first.then((value) => ({ value }))] : []),
      ]);
      if ("next" in news) {
        coming = undefined;
        if (news.next.done) ended = true;
        else {
          const made = make(news.next.value);
          made.catch(() => {});
          flying.push(made);
        }
      } else {
        flying.shift();
        yield news.value;
      }
    }
  } finally {
    await Promise.allSettled(flying);
    await from.return?.();
  }
}
