// An LRU pool of loaded models: the least recently used is unloaded to make room and loaded again when needed; a model in use is
// never unloaded.

export interface Member<T> {
  /** `signal` is the first caller's; if that load fails, waiting callers retry with their own. */
  load(signal?: AbortSignal): Promise<T>;
  unload(loaded: T): Promise<void>;
}

export interface Pool<T> {
  /** Runs work on a member, loading it first if needed. Rejects with what `load` rejects with. */
  use<R>(member: Member<T>, work: (loaded: T) => Promise<R>, signal?: AbortSignal): Promise<R>;
  /** Unloads every member as soon as it is idle; after that `use` rejects. */
  close(): Promise<void>;
}

interface Entry<T> {
  loaded: T;
  users: number;
}

/** @param most members loaded at once, at least 1 */
export function makePool<T>(most: number): Pool<T> {
  /** In order of last use. */
  const resident = new Map<Member<T>, Entry<T>>();
  /** Set while members are loaded or unloaded: no caller enters then, so that the one waiting for room gets it. */
  let moving: Promise<unknown> | undefined;
  let fellIdle = (): void => {};
  let closed = false;

  const makeRoom = async (room: number): Promise<void> => {
    while (resident.size > room) {
      const idle = [...resident].find(([, { users }]) => users === 0);
      if (idle) {
        resident.delete(idle[0]);
        await idle[0].unload(idle[1].loaded);
      } else {
        await new Promise<void>((resolve) => {
          fellIdle = resolve;
        });
      }
    }
  };
  const move = <R>(work: () => Promise<R>): Promise<R> => {
    const moved = work().finally(() => {
      moving = undefined;
    });
    moving = moved;
    return moved;
  };
  const enter = async (member: Member<T>, signal?: AbortSignal): Promise<Entry<T>> => {
    // There must be no await between the last check of `moving` and `move`, or two callers would load at once.
    while (moving) await moving.catch(() => {});
    if (closed) throw new Error("The model is closed.");
    const known = resident.get(member);
    if (known) {
      known.users++;
      resident.delete(member);
      resident.set(member, known);
      return known;
    }
    return move(async () => {
      await makeRoom(most - 1);
      const entry = { loaded: await member.load(signal), users: 1 };
      resident.set(member, entry);
      return entry;
    });
  };

  return {
    async use(member, work, signal) {
      const entry = await enter(member, signal);
      try {
        return await work(entry.loaded);
      } finally {
        entry.users--;
        if (entry.users === 0) fellIdle();
      }
    },
    async close() {
      closed = true;
      while (moving) await moving.catch(() => {});
      await move(() => makeRoom(0));
    },
  };
}
