// Thread options for ONNX Runtime.

import { cpus } from "node:os";
import { usableCores } from "../core/cores.js";

/**
 * Session options for a number of threads. Without one, ONNX Runtime chooses (one per core), unless Hone does not use all
 * processors: ONNX Runtime would count and pin threads as if it did.
 */
export function threadOptions(threads?: number): { intraOpNumThreads?: number } {
  const usable = usableCores();
  const count = threads ?? (usable < cpus().length ? usable : undefined);
  return count === undefined ? {} : { intraOpNumThreads: count };
}
