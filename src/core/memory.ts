// The memory that this process may use: the machine's, or a container's where its limit is lower.

import { freemem, totalmem } from "node:os";

/** A container's limit in bytes; Infinity without one, which Node tells as 0 or as more than the machine has. */
function limit(): number {
  const bytes = process.constrainedMemory();
  return bytes > 0 && bytes < totalmem() ? bytes : Number.POSITIVE_INFINITY;
}

/** Bytes that there are. */
export const usableMemory = (): number => Math.min(totalmem(), limit());

/**
 * Bytes that are free. Of a container's limit what this process holds is taken, and not all that the container is charged
 * (`process.availableMemory()`): that has the files which were read in it, and they are dropped when memory is needed.
 */
export const freeMemory = (): number => Math.max(0, Math.min(freemem(), limit() - process.memoryUsage.rss()));
