// The errors of a journal whose bytes are not what Hone wrote.

import { dirname } from "node:path";
import { HoneError } from "../core/errors.js";

/** The file has bytes that Hone cannot have written. */
export class DamagedJournal extends HoneError {
  constructor(path: string, why: string, what = "The journal is damaged") {
    const next = `See what can be saved: \`hone doctor --store ${dirname(path)}\`.`;
    super({ what, where: path, why, next });
  }
}

/** One record cannot be read; the others can. */
export class DamagedRecord extends DamagedJournal {
  /** @param record what it is, for instance "the outcome of sample 12" */
  constructor(path: string, record: string, why: string) {
    super(path, `${record}: ${why}`, "A record of the journal is damaged");
  }
}

export type OnDamaged = (error: DamagedRecord) => void;

/** Reads a record with `make`; undefined if the record is damaged and there is an `onDamaged` to receive it. */
export function passingOver<T>(make: () => T, onDamaged: OnDamaged | undefined): T | undefined {
  try {
    return make();
  } catch (error) {
    if (!onDamaged || !(error instanceof DamagedRecord)) throw error;
    onDamaged(error);
    return undefined;
  }
}

export function notAJournal(path: string, why: string): HoneError {
  return new HoneError({
    what: "Cannot open the journal",
    where: path,
    why,
    next: `Name another folder with --store; or see what can be saved: \`hone doctor --store ${dirname(path)}\`.`,
  });
}
