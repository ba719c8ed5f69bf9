// One commit for all that is written within a turn of the event loop; while another program holds the lock, for all that is
// written until it lets go.
import { isBusy, waitingFor } from "./sqlite.js";

const noticeMs = 1_000;
export function groupCommits(db, { onWait }) {
  let queued = [];
  let committed;
  const flush = () => {
    const work = queued;
    if (work.length > 0) {
      db.transaction(() => {
        for (const write of work) write();
      });
    }
    queued = [];
  };
  const commit = async () => {
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
