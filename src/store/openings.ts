// Openings of test splits: which plan opened which rows, and when. A split is known by its fingerprint, which names the
// samples as a subject saw them, and by the identities of its source rows, which stay the same under other templates and
// sizes. Stores of format 1 have fingerprints alone; their openings count where the fingerprint is the same.

import { fingerprint } from "../core/json.js";
import type { OpenedBefore } from "../core/record.js";
import { fromText, toText } from "./records.js";
import type { SqliteFile } from "./sqlite.js";

/** A test split: the fingerprint of its samples, and the identity of each sample's source row, sorted. */
export interface TestRows {
  fingerprint: string;
  rows: readonly string[];
}

/** Digits of a row's identity. */
const width = 16;

/** The identities in base 64: 11 bytes a row. */
const packed = (rows: readonly string[]) => Buffer.from(rows.join(""), "hex").toString("base64");

function unpacked(text: string): string[] {
  const digits = Buffer.from(text, "base64").toString("hex");
  return Array.from({ length: digits.length / width }, (_, i) => digits.slice(i * width, (i + 1) * width));
}

export function makeOpenings(db: SqliteFile) {
  const put = db.write("insert or ignore into openings values (?,?,?,?,?)");
  const known = db.select({ at: "number" }, "from openings where test = ? and plan = ?");
  const others = db.select({ test: "text", plan: "text", at: "number" }, "from openings where plan <> ?");
  const putRows = db.write("insert or ignore into tests values (?,?,?,?)");
  const hasRows = db.select({ at: "number" }, "from tests where test = ? and id = ?");
  const rowsOf = db.select({ rows: "text" }, "from tests where test = ?");

  /** Which of these rows are in another test split. */
  const shared = (test: TestRows, other: string): ReadonlySet<string> => {
    if (other === test.fingerprint) return new Set(test.rows);
    const wanted = new Set(test.rows);
    const found = new Set<string>();
    for (const { rows } of rowsOf.iterate([other])) {
      const name = `the rows of the test split ${other}`;
      for (const row of unpacked(fromText<{ rows: string }>(rows, name, db.path).rows))
        if (wanted.has(row)) found.add(row);
    }
    return found;
  };

  return {
    /** Writes down that a plan opens a test split, rows first. The same plan may open it again, which changes nothing. */
    record(test: TestRows, plan: string, study: string, reason: string): void {
      const id = fingerprint(test.rows);
      if (!hasRows.get(test.fingerprint, id))
        putRows(test.fingerprint, id, toText({ rows: packed(test.rows) }), Date.now());
      put(test.fingerprint, plan, study, reason, Date.now());
    },
    /**
     * How many plans have opened any of the split's rows, this plan included where it has, and what other plans had opened
     * of them before this one did; by now, where it has not.
     */
    of(test: TestRows, plan: string): { plans: number; before: OpenedBefore } {
      const own = known.get(test.fingerprint, plan);
      const ever = new Set(own ? [plan] : []);
      const before = new Set<string>();
      const opened = new Set<string>();
      const seen = new Map<string, ReadonlySet<string>>();
      for (const other of others.iterate([plan])) {
        const rows = seen.get(other.test) ?? shared(test, other.test);
        seen.set(other.test, rows);
        if (rows.size === 0) continue;
        ever.add(other.plan);
        if (own && other.at > own.at) continue;
        before.add(other.plan);
        for (const row of rows) opened.add(row);
      }
      const rows = test.rows.filter((row) => opened.has(row)).length;
      return { plans: ever.size, before: { rows, of: test.rows.length, plans: before.size } };
    },
  };
}
