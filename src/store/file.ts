// Prepares a journal's file before SQLite opens it: private to its owner, and checked for damage that SQLite would overlook.

import {
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { DamagedJournal, notAJournal } from "./damage.js";
import { privateFolder } from "./private.js";

const descriptors = new Map<string, number>();

/**
 * A descriptor for reading a journal that stays open until the process ends. Closing any descriptor of a file releases all
 * locks that the process holds on it (POSIX), including those of SQLite, whose connections may outlive their `close`: another
 * process would then consider itself the last one, and delete the log that this one still writes to.
 */
export function openForGood(path: string): number {
  const known = descriptors.get(identity(statSync(path)));
  if (known !== undefined) return known;
  const file = openSync(path, "r");
  descriptors.set(identity(fstatSync(file)), file);
  return file;
}

const identity = ({ dev, ino }: Stats) => `${dev}:${ino}`;

/** Creates a new file here and not in SQLite, where its mode would follow the umask; logs inherit the file's mode. */
export function prepareFile(path: string, existing: boolean): void {
  mkdirSync(dirname(path), privateFolder);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    closeSync(openSync(path, "a", 0o600));
    return;
  }
  if (!found.isFile()) throw notAJournal(path, "it is not a regular file");
  for (const each of [path, `${path}-wal`, `${path}-shm`]) keepPrivate(each);
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (found.size === 0 && (existing || log > 0)) {
    // SQLite would take it for a new file and delete the log.
    throw new DamagedJournal(
      path,
      log > 0 ? "the file is empty, and its log is not" : "the file is empty: 0 bytes",
    );
  }
  if (found.size > 0) checkHeader(path, found.size, log > 0);
}

/** Removes everyone's permissions on a file except its owner's. */
function keepPrivate(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || (found.mode & 0o077) === 0) return;
  try {
    chmodSync(path, 0o600);
  } catch {
    // The file belongs to another user, who decides.
  }
}

/** Checks for what SQLite would not notice or not report clearly. The log may hold newer pages: sizes are compared only without one. */
function checkHeader(path: string, size: number, hasLog: boolean): void {
  const header = Buffer.alloc(100);
  readSync(openForGood(path), header, 0, 100, 0);
  if (header.toString("latin1", 0, 16) !== "SQLite format 3\0")
    throw notAJournal(path, "it does not begin like an SQLite file");
  const declared = header.readUInt16BE(16);
  const pageSize = declared === 1 ? 65_536 : declared;
  const pages = header.readUInt32BE(28);
  // The count is valid only where it was written together with the change counter.
  const counted = header.readUInt32BE(24) === header.readUInt32BE(92);
  if (!hasLog && counted && pages * pageSize > size) {
    throw new DamagedJournal(path, `the file is cut off: ${size} of ${pages * pageSize} bytes are there`);
  }
}
