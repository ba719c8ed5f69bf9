// Openings of test splits: which plan opened which rows, and when. A split is identified by its fingerprint, which covers the
// samples as a subject saw them, and by the identities of its source rows, which stay the same under other templates and
// sizes. Stores of format 1 have fingerprints alone; their openings count if the fingerprint is the same.

import { fingerprint } from "../core/json.js";
import type { OpenedBefore } from "../core/record.js";
import type { TestIdentity } from "../data/sealed.js";
import { fromText, toText } from "./records.js";
import type { SqliteFile } from "./sqlite.js";

/** Bytes of a row's identity. */
const width = 8;

const bytesOf = (rows: readonly string[]): Buffer => Buffer.from(rows.join(""), "hex");

/** Marks the rows that are among the others; both are sorted. */
function mark(marks: Uint8Array, rows: Buffer, others: Buffer): void {
  for (let i = 0, j = 0; i < rows.length && j < others.length; ) {
    const order = rows.compare(others, j, j + width, i, i + width);
    if (order === 0) marks[i / width] = 1;
    if (order <= 0) i += width;
    else j += width;
  }
}

export function makeOpenings(db: SqliteFile) {
  const put = db.write("insert or ignore into openings values (?,?,?,?,?)");
  const known = db.select({ at: "number" }, "from openings where test = ? and plan = ?");
  const others = db.select({ test: "text", plan: "text", at: "number" }, "from openings where plan <> ?");
  const putRows = db.write("insert or ignore into tests values (?,?,?,?)");
  const hasRows = db.select({ at: "number" }, "from tests where test = ? and id = ?");
  const rowsOf = db.select({ rows: "text" }, "from tests where test = ?");

  /** Marks which of a split's rows are in another split. */
  const shared = ({ fingerprint: own }: TestIdentity, rows: Buffer, other: string): Uint8Array => {
    const marks = new Uint8Array(rows.length / width);
    if (other === own) return marks.fill(1);
    for (const { rows: text } of rowsOf.iterate([other])) {
      const { base64 } = fromText<{ base64: string }>(text, `the rows of the test split ${other}`, db.path);
      mark(marks, rows, Buffer.from(base64, "base64"));
    }
    return marks;
  };

  return {
    /** Records that a plan opens a test split, rows first. The same plan may open it again, which changes nothing. */
    record(test: TestIdentity, plan: string, study: string, reason: string): void {
      const base64 = bytesOf(test.rows).toString("base64");
      const id = fingerprint(base64);
      if (!hasRows.get(test.fingerprint, id)) putRows(test.fingerprint, id, toText({ base64 }), Date.now());
      put(test.fingerprint, plan, study, reason, Date.now());
    },
    /**
     * How many plans have opened any of the split's rows, including this plan if it has, and how many of them other plans had
     * opened before this one did, or until now if it has not.
     */
    of(test: TestIdentity, plan: string): { plans: number; before: OpenedBefore } {
      const own = known.get(test.fingerprint, plan);
      const bytes = bytesOf(test.rows);
      const ever = new Set(own ? [plan] : []);
      const before = new Set<string>();
      const opened = new Uint8Array(test.rows.length);
      const seen = new Map<string, Uint8Array>();
      for (const other of others.iterate([plan])) {
        const marks = seen.get(other.test) ?? shared(test, bytes, other.test);
        seen.set(other.test, marks);
        if (!marks.includes(1)) continue;
        ever.add(other.plan);
        if (own && other.at > own.at) continue;
        before.add(other.plan);
        for (const [i, one] of marks.entries()) opened[i] ||= one;
      }
      const rows = opened.reduce((sum, one) => sum + one, 0);
      return { plans: ever.size, before: { rows, of: opened.length, plans: before.size } };
    },
  };
}
