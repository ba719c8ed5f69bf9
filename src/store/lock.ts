// Locks for a store that several processes use: one process at a time runs a study, makes a specialist or makes a
// call. A lock is a row with its owner's pid and a heartbeat, so that a killed owner does not hold it.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Journal } from "./journal.js";
import type { SqliteFile } from "./sqlite.js";

const beatMs = 2_000;
/** An owner on another machine without a heartbeat for this long is considered dead. */
const staleMs = 30_000;

/** The owner that is waited for. */
export interface Owner {
  pid: number;
  host: string;
  /** Whether this is the first check. */
  first: boolean;
}

/** The owners within this process. */
const living = new Set<string>();

export interface Locks {
  /** Takes a lock that is free or whose owner is dead. */
  take: (name: string) => boolean;
  /** Who holds it, if the holder is alive. */
  holder: (name: string) => { pid: number; host: string } | undefined;
  drop: (name: string) => void;
  /** Releases all. */
  close: () => void;
}

/** The locks that one connection holds. */
export function makeLocks(db: SqliteFile): Locks {
  const owner = randomUUID();
  const host = hostname();
  living.add(owner);
  const read = db.select(
    { owner: "text", pid: "number", host: "text", beat: "number" },
    "from locks where name = ?",
  );
  // The condition on the owner makes this a compare-and-swap: of two that wait, one wins.
  const take = db.write(
    `insert into locks values (?, ?, ?, ?, ?) on conflict (name) do update set
       owner = excluded.owner, pid = excluded.pid, host = excluded.host, beat = excluded.beat
     where locks.owner = ?`,
  );
  const drop = db.write("delete from locks where name = ? and owner = ?");
  const dropAll = db.write("delete from locks where owner = ?");
  const beat = db.prepare("update locks set beat = ? where owner = ?");
  let timer: NodeJS.Timeout | undefined;
  return {
    take(name) {
      const known = read.get(name);
      if (known && !isDead(known)) return false;
      if (take(name, owner, process.pid, host, Date.now(), known?.owner ?? "") === 0) return false;
      timer ??= setInterval(() => {
        try {
          beat.run(Date.now(), owner);
        } catch {
          // Another process is writing; the next beat comes soon.
        }
      }, beatMs).unref();
      return true;
    },
    holder(name) {
      const known = read.get(name);
      return known && !isDead(known) ? known : undefined;
    },
    drop(name) {
      drop(name, owner);
    },
    close() {
      living.delete(owner);
      if (timer === undefined) return;
      clearInterval(timer);
      dropAll(owner);
    },
  };
}

/**
 * Takes a lock, waiting for another owner to finish. Resolves to the function that releases it.
 * @param signal ends the wait; a free lock is taken all the same
 * @param onWait receives the other owner at every check; an exception from it ends the wait
 */
export async function lockStudy(
  journal: Journal,
  name: string,
  options: { signal: AbortSignal; onWait?: (owner: Owner) => void },
): Promise<() => void> {
  const { locks } = journal;
  let first = true;
  for (;;) {
    if (locks.take(name)) return () => locks.drop(name);
    options.signal.throwIfAborted();
    const holder = locks.holder(name);
    if (!holder) continue;
    options.onWait?.({ pid: holder.pid, host: holder.host, first });
    first = false;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Whether the holder is dead and cannot release the lock. */
export function isDead(holder: { owner: string; pid: number; host: string; beat: number }): boolean {
  if (holder.host !== hostname()) return Date.now() - holder.beat > staleMs;
  // In a restarted container the dead owner had our pid.
  if (holder.pid === process.pid) return !living.has(holder.owner);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
    // It lives, as another user's.
  }
  // A pid can be reused: a live process whose heartbeat stopped long ago is not the owner.
  return Date.now() - holder.beat > 20 * staleMs;
}
