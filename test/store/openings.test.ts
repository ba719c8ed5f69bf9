// Openings of test splits: counted by rows and plans, at small cost, also in journals of the first format.

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { examine } from "../../src/store/examine.js";
import { type Journal, openJournal } from "../../src/store/journal.js";
import { schemaVersion } from "../../src/store/schema.js";

const folder = mkdtempSync(join(tmpdir(), "hone-openings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("openings", () => {
  const row = (i: number) => i.toString(16).padStart(16, "0");
  const test = (fingerprint: string, from: number, to: number) => ({
    fingerprint,
    rows: Array.from({ length: to - from }, (_, i) => row(from + i)),
  });
  /** Opens at a given moment. */
  const open = (journal: Journal, at: number, of: ReturnType<typeof test>, plan: string) => {
    vi.setSystemTime(at);
    journal.openings.record(of, plan, "study", "verdict");
  };
  beforeAll(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  afterAll(() => {
    vi.useRealTimers();
  });

  it("counts plans, each once, by the rows that they opened, whatever the split is called", () => {
    const journal = openJournal(":memory:");
    const whole = test("300 characters", 0, 100);
    const part = test("700 characters, fewer", 60, 120);
    const apart = test("other rows", 200, 210);
    expect(journal.openings.of(whole, "a")).toEqual({ plans: 0, before: { rows: 0, of: 100, plans: 0 } });
    open(journal, 1, whole, "a");
    open(journal, 2, whole, "a");
    open(journal, 3, apart, "a");
    expect(journal.openings.of(whole, "a")).toEqual({ plans: 1, before: { rows: 0, of: 100, plans: 0 } });
    // Not opened yet: what would be said of it now.
    expect(journal.openings.of(part, "b")).toEqual({ plans: 1, before: { rows: 40, of: 60, plans: 1 } });
    open(journal, 4, part, "b");
    open(journal, 5, whole, "c");
    expect(journal.openings.of(part, "b")).toEqual({ plans: 3, before: { rows: 40, of: 60, plans: 1 } });
    expect(journal.openings.of(whole, "c")).toEqual({ plans: 3, before: { rows: 100, of: 100, plans: 2 } });
    expect(journal.openings.of(whole, "a")).toEqual({ plans: 3, before: { rows: 0, of: 100, plans: 0 } });
    expect(journal.openings.of(apart, "d")).toEqual({ plans: 1, before: { rows: 10, of: 10, plans: 1 } });
    journal.close();
  });

  it("counts each of the samples that share a row", () => {
    const journal = openJournal(":memory:");
    open(journal, 1, { fingerprint: "x", rows: [row(1)] }, "a");
    const twice = { fingerprint: "y", rows: [row(1), row(1), row(2)] };
    expect(journal.openings.of(twice, "b").before).toEqual({ rows: 2, of: 3, plans: 1 });
    journal.close();
  });

  it("brings a journal of format 1 up to date and counts its openings, known by fingerprint alone", () => {
    const path = join(folder, "format1.db");
    const old = openJournal(path);
    old.db.exec("insert into openings values ('f', 'old plan', 'study', 'verdict', 1)");
    old.db.exec("drop table tests; pragma user_version = 1");
    old.close();
    const journal = openJournal(path);
    const now = test("f", 0, 10);
    expect(journal.openings.of(now, "a")).toEqual({ plans: 1, before: { rows: 10, of: 10, plans: 1 } });
    // Cut otherwise, it is not known to be the same until a plan has opened the old form and named its rows.
    const other = test("g", 0, 10);
    expect(journal.openings.of(other, "b").before).toEqual({ rows: 0, of: 10, plans: 0 });
    open(journal, 2, now, "a");
    expect(journal.openings.of(other, "b").before).toEqual({ rows: 10, of: 10, plans: 2 });
    expect(journal.db.prepare("pragma user_version").get()).toMatchObject({ user_version: schemaVersion });
    journal.close();
    expect(examine(path)).toMatchObject({ damaged: 0, readable: { openings: 2, tests: 1 } });
  });

  it("does not take a lost table of an old journal for a new one", () => {
    const path = join(folder, "lost1.db");
    const old = openJournal(path);
    old.db.exec("drop table tests; drop table openings; pragma user_version = 1");
    old.close();
    expect(() => openJournal(path)).toThrow("lost its table openings");
  });

  it("says which record is damaged where rows have changed", () => {
    const path = join(folder, "rows.db");
    const journal = openJournal(path);
    open(journal, 1, test("f", 0, 10), "a");
    journal.db.exec("update tests set rows = replace(rows, 'AAAAAAA', 'AAAAAAB')");
    expect(() => journal.openings.of(test("g", 0, 10), "b")).toThrow(/the rows of the test split f/);
    journal.close();
    expect(examine(path)).toMatchObject({ damaged: 1, damage: [expect.stringContaining("test split f")] });
  });

  // On two loaded cores: 0.2 s an opening, 0.6 s to count them, 10.8 bytes a row.
  // On two loaded cores: 0.2 s an opening, 0.6 s to count them, 10.8 bytes a row.
  it("stays cheap at 100,000 rows", () => {
    const path = join(folder, "many.db");
    const journal = openJournal(path);
    const started = performance.now();
    for (let plan = 0; plan < 5; plan++)
      open(journal, plan, test(`t${plan}`, plan, 100_000 + plan), `${plan}`);
    const { before } = journal.openings.of(test("t4", 4, 100_004), "4");
    const read = performance.now();
    journal.close();
    expect(before).toEqual({ rows: 99_999, of: 100_000, plans: 4 });
    const bytes = statSync(path).size / 5 / 100_000;
    expect(bytes).toBeLessThan(12);
    expect(read - started).toBeLessThan(20_000);
  });
});
