// One process runs a study at a time: a second one waits for it and then finds everything done. The lock is a row with
// the owner's pid and a heartbeat, so that a killed owner does not hold it.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Journal } from "./journal.js";

const beatMs = 2_000;
/** An owner on another machine that has not beaten for this long is taken for dead. */
const staleMs = 30_000;

interface LockRow {
  owner: string;
  pid: number;
  host: string;
  beat: number;
}

/**
 * Takes the study's lock, waiting for another owner to finish. Resolves to the function that gives it back.
 * @param onWait told once, with the other owner's pid and host, when there is somebody to wait for
 */
export async function lockStudy(
  journal: Journal,
  name: string,
  options: { signal: AbortSignal; onWait?: (pid: number, host: string) => void },
): Promise<() => void> {
  const owner = randomUUID();
  const { db } = journal;
  const take = db.prepare(
    `insert into locks values (?, ?, ?, ?, ?) on conflict (name) do update set
       owner = excluded.owner, pid = excluded.pid, host = excluded.host, beat = excluded.beat
     where locks.owner = ?`,
  );
  const read = db.prepare("select owner, pid, host, beat from locks where name = ?");
  const beat = db.prepare("update locks set beat = ? where name = ? and owner = ?");
  const drop = db.prepare("delete from locks where name = ? and owner = ?");
  let told = false;
  for (;;) {
    options.signal.throwIfAborted();
    const holder = read.get(name) as LockRow | undefined;
    if (!holder || isDead(holder)) {
      // The condition on the owner makes this a compare-and-swap: of two that wait, one wins.
      const taken = take.run(name, owner, process.pid, hostname(), Date.now(), holder?.owner ?? owner);
      if (taken.changes > 0 && (read.get(name) as LockRow).owner === owner) break;
      continue;
    }
    if (!told) options.onWait?.(holder.pid, holder.host);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const timer = setInterval(() => beat.run(Date.now(), name, owner), beatMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    drop.run(name, owner);
  };
}

function isDead(holder: LockRow): boolean {
  if (holder.host !== hostname()) return Date.now() - holder.beat > staleMs;
  try {
    process.kill(holder.pid, 0);
    // A pid can be reused: an owner that lives but has stopped beating for long is not the owner.
    return Date.now() - holder.beat > 20 * staleMs;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
