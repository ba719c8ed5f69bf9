// How many processors Hone uses, and how a record names the machine.

import { availableParallelism, cpus } from "node:os";
import { HoneError } from "./errors.js";

/**
 * Processors that this process may use: as many as the system allows, or fewer if HONE_THREADS says so. Networks use as many
 * threads and llama.cpp as many lanes, unless a model's own `?threads=` or `?lanes=` differ.
 *
 * @throws HoneError (usage) where HONE_THREADS is not a whole number from 1
 */
export function usableCores(): number {
  const allowed = availableParallelism();
  const wanted = process.env.HONE_THREADS;
  if (wanted === undefined || wanted === "") return allowed;
  if (!/^[1-9]\d{0,3}$/.test(wanted)) {
    throw new HoneError({
      what: "HONE_THREADS is not a number of threads",
      where: `the environment, HONE_THREADS=${wanted}`,
      why: "it must be a whole number, 1 or more",
      next: "Set it to how many processors Hone may use, or unset it.",
      kind: "usage",
    });
  }
  return Math.min(allowed, Number(wanted));
}

/** The machine as records name it: processor, cores (and how many of them were used), Node. */
export function machineName(): string {
  const all = cpus();
  const used = usableCores();
  const cores = `${all.length} cores${used < all.length ? ` (${used} used)` : ""}`;
  return `${all[0]?.model.trim() ?? "unknown CPU"}, ${cores}, Node ${process.version}`;
}
