// The errors of a journal whose bytes are not what Hone wrote.
import { dirname } from "node:path";
import { HoneError } from "../core/errors.js";
/** The file has bytes that cannot be what Hone wrote. */
export class DamagedJournal extends HoneError {
  constructor(path, why, what = "The journal is damaged") {
    const next = `See what can be saved: \`hone doctor --store ${dirname(path)}\`.`;
    super({ what, where: path, why, next });
  }
}
/** One record cannot be read; the others can. */
export class DamagedRecord extends DamagedJournal {
  /** @param record what it is, for instance "the outcome of sample 12" */
  constructor(path, record, why) {
    super(path, `${record}: ${why}`, "A record of the journal is damaged");
  }
}
/** Makes something of a record; undefined where the record is damaged and somebody is told of it. */
export function passingOver(make, onDamaged) {
  try {
    return make();
  } catch (error) {
    if (!onDamaged || !(error instanceof DamagedRecord)) throw error;
    onDamaged(error);
    return undefined;
  }
}
export function notAJournal(path, why) {
  return new HoneError({
    what: "Cannot open the journal",
    where: path,
    why,
    next: `Name another folder with --store; or see what can be saved: \`hone doctor --store ${dirname(path)}\`.`,
  });
}
