// The memory that this process may use: the machine's, or a container's where its limit is lower.

import { freemem, totalmem } from "node:os";

/** A container's limit in bytes; Infinity without one, which Node reports as 0 or as more than the machine has. */
function limit(): number {
  const bytes = process.constrainedMemory();
  return bytes > 0 && bytes < totalmem() ? bytes : Number.POSITIVE_INFINITY;
}

/** Total memory in bytes. */
export const usableMemory = (): number => Math.min(totalmem(), limit());

/**
 * Free memory in bytes. From a container's limit only this process's resident memory is subtracted, not all that the container
 * is charged (`process.availableMemory()`): the charge includes cached files, which are dropped when memory is needed.
 */
export const freeMemory = (): number => Math.max(0, Math.min(freemem(), limit() - process.memoryUsage.rss()));
