// Several at a time, results in order: what a step gives then never depends on which call came back first.

/** Maps with at most `width` in flight; results come in the order of what they were made from. */
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
        // Asked for again below; until then its failure is not to be an unhandled one.
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
