// ONNX Runtime's threads.

import { cpus } from "node:os";
import { usableCores } from "../core/cores.js";

/**
 * Session options for so many threads. Without a number the choice is ONNX Runtime's (a thread a core), but where Hone does
 * not use all processors: it would count and pin threads as if it did.
 */
export function threadOptions(threads?: number): { intraOpNumThreads?: number } {
  const usable = usableCores();
  const count = threads ?? (usable < cpus().length ? usable : undefined);
  return count === undefined ? {} : { intraOpNumThreads: count };
}
