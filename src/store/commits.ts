// One commit for all writes within a turn of the event loop; while another program holds the lock, for all writes until it
// releases it.

import { isBusy, type OpenOptions, type SqliteFile, waitingFor } from "./sqlite.js";

const noticeMs = 1_000;

export interface Commits {
  /** Resolves when the write is on disk, together with all others of this turn. */
  soon: (write: () => void) => Promise<void>;
  /** Commits pending writes now. */
  flush: () => void;
}

export function groupCommits(db: SqliteFile, { onWait }: Pick<OpenOptions, "onWait">): Commits {
  let queued: (() => void)[] = [];
  let committed: Promise<void> | undefined;
  const flush = (): void => {
    const work = queued;
    if (work.length > 0) {
      db.transaction(() => {
        for (const write of work) write();
      });
    }
    queued = [];
  };
  const commit = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    const started = Date.now();
    let told = false;
    for (;;) {
      try {
        flush();
        committed = undefined;
        return;
      } catch (error) {
        if (!isBusy(error)) {
          queued = [];
          committed = undefined;
          throw db.explain(error);
        }
      }
      if (!told && Date.now() - started >= noticeMs) {
        told = true;
        onWait?.(waitingFor(db.path));
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return {
    flush,
    soon(write) {
      queued.push(write);
      committed ??= commit();
      return committed;
    },
  };
}
