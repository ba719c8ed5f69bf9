// ONNX Runtime's threads.

import { availableParallelism, cpus } from "node:os";

/**
 * Session options for so many threads. Without a number the choice is ONNX Runtime's (a thread a core), but where the process
 * may not use all processors: it would count and pin threads as if it might.
 */
export function threadOptions(threads?: number): { intraOpNumThreads?: number } {
  const allowed = availableParallelism();
  const count = threads ?? (allowed < cpus().length ? allowed : undefined);
  return count === undefined ? {} : { intraOpNumThreads: count };
}
