// An LRU pool of loaded models: the least recently used is unloaded to make room, and loaded again when needed; what is in use
// is never unloaded.
/** @param most members loaded at once, at least 1 */
export function makePool(most) {
  /** In order of last use. */
  const resident = new Map();
  /** While members are loaded or unloaded nobody enters, so that whoever waits for room gets it. */
  let moving;
  let fellIdle = () => {};
  let closed = false;
  const makeRoom = async (room) => {
    while (resident.size > room) {
      const idle = [...resident].find(([, { users }]) => users === 0);
      if (idle) {
        resident.delete(idle[0]);
        await idle[0].unload(idle[1].loaded);
      } else {
        await new Promise((resolve) => {
          fellIdle = resolve;
        });
      }
    }
  };
  const move = (work) => {
    moving = work().finally(() => {
      moving = undefined;
    });
    return moving;
  };
  const enter = async (member, signal) => {
    // Nothing may happen between the last look at `moving` and what follows: two would move at once.
    while (moving) await moving.catch(() => {});
    if (closed) throw new Error("The model is closed.");
    const known = resident.get(member);
    if (known) {
      known.users++;
      resident.delete(member);
      resident.set(member, known);
      return known;
    }
    let entry;
    await move(async () => {
      await makeRoom(most - 1);
      entry = { loaded: await member.load(signal), users: 1 };
      resident.set(member, entry);
    });
    return entry;
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
