// Excel workbooks and SQLite files: what they hold, which table is read, and what damaged or hostile ones do.

import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import writeExcel from "write-excel-file/node";
import { countRows, readRows } from "../../src/data/index.js";
import { readXlsx } from "../../src/data/xlsx.js";
import { drain, type Member, makeZip, refusal, temporaryFolder, write } from "./make.js";

const folder = await temporaryFolder();
const rowsOf = async (path: string, options = {}) =>
  (await drain(readRows(path, options))).map(({ row }) => row);

/** A deterministic stream of whole numbers below a limit. */
function numbers(seed: number): (limit: number) => number {
  let state = (seed + 1) * 2654435761;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe("Excel", () => {
  const date = (value: Date, format: string) => ({ value, type: Date, format });
  const cells = (...values: (string | number | boolean | null)[]) =>
    values.map((value) => (value === null ? null : { value }));
  const path = join(folder, "book.xlsx");

  test("texts, numbers, dates, truth values and empty cells; the sheet by name; no header", async () => {
    const sheets = await writeExcel([
      {
        sheet: "Tickets",
        data: [
          cells("id", "text", "when", "sure"),
          [
            ...cells(1, ' "ä" <b>\n😀 '),
            date(new Date(Date.UTC(2024, 1, 29)), "yyyy-mm-dd"),
            { value: true },
          ],
          cells(null, null, null, null),
          [...cells(2.5, null), date(new Date(Date.UTC(2024, 1, 29, 13, 5, 7)), "yyyy-mm-dd hh:mm"), null],
        ],
      },
      { sheet: "Ohne Kopf", data: [cells("x", 1), cells("y", 2)] },
    ]);
    await sheets.toFile(path);
    expect(await drain(readRows(path, { name: "book.xlsx" }))).toEqual([
      {
        row: { id: 1, text: ' "ä" <b>\n😀 ', when: "2024-02-29", sure: true },
        place: "book.xlsx: row 2",
      },
      { row: { id: 2.5, text: null, when: "2024-02-29T13:05:07", sure: null }, place: "book.xlsx: row 4" },
    ]);
    expect(await rowsOf(path, { table: "Ohne Kopf", columns: ["name", "n"] })).toEqual([
      { name: "x", n: 1 },
      { name: "y", n: 2 },
    ]);
    expect(await countRows(path)).toBe(2);
    expect((await refusal(() => rowsOf(path, { table: "Sheet9" }))).why).toBe(
      'the workbook\'s sheets are "Tickets", "Ohne Kopf"',
    );
  });

  const xml = (text: string): string => `<?xml version="1.0" encoding="UTF-8"?>${text}`;
  const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
  const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const parts = (rows: string): Member[] =>
    [
      {
        name: "[Content_Types].xml",
        data: '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
      },
      {
        name: "xl/workbook.xml",
        data: `<workbook ${main} xmlns:r="${office}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`,
      },
      {
        name: "xl/_rels/workbook.xml.rels",
        data: `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="${office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
      },
      {
        name: "xl/worksheets/sheet1.xml",
        data: `<worksheet ${main}><sheetData>${rows}</sheetData></worksheet>`,
      },
    ].map(({ name, data }) => ({ name, data: xml(data), deflate: true }));
  const text = (at: string, value: string): string => `<c r="${at}" t="str"><v>${value}</v></c>`;
  const head = `<row r="3">${text("B3", "id")}${text("D3", "text")}</row>`;

  test("a table that begins anywhere, long integers, and a value without a column's name", async () => {
    const row = `<row r="7"><c r="B7"><v>12345678901234567890</v></c>${text("D7", "x")}</row>`;
    const book = await write(folder, "offset.xlsx", makeZip(parts(head + row)));
    expect(await drain(readRows(book, { name: "offset.xlsx" }))).toEqual([
      { row: { id: "12345678901234567890", text: "x" }, place: "offset.xlsx: row 7" },
    ]);
    const stray = await write(
      folder,
      "stray.xlsx",
      makeZip(parts(`${head}<row r="4">${text("C4", "?")}</row>`)),
    );
    expect((await refusal(() => rowsOf(stray))).why).toMatch(/column 3, which has no name/);
    const none = await write(folder, "none.xlsx", makeZip(parts(head)));
    expect((await refusal(() => rowsOf(none))).why).toMatch(/no row follows/);
  });

  test("what would fill the memory is stopped by a limit", async () => {
    const bomb = parts(head);
    bomb[3]!.lie = { size: 2 ** 31 };
    expect((await refusal(async () => rowsOf(await write(folder, "b1.xlsx", makeZip(bomb))))).why).toMatch(
      /zip bomb/,
    );
    const large = parts(head);
    large[3]!.data = Buffer.alloc(40 * 1024 * 1024, " <row/>");
    large[3]!.lie = { size: 100 };
    const lying = await write(folder, "b2.xlsx", makeZip(large));
    expect((await refusal(() => rowsOf(lying))).why).toMatch(/more than it declares/);
    const zeros = Buffer.alloc(60 * 1024 * 1024);
    const many = Array.from({ length: 9 }, (_, i) => ({ name: `xl/media/${i}`, data: zeros, deflate: true }));
    const sum = await write(folder, "b3.xlsx", makeZip([...parts(head), ...many]));
    expect((await refusal(() => rowsOf(sum))).why).toMatch(/540 MiB; at most 512/);
    // Two cells in far corners: the parser makes 17 thousand million of them.
    const far = `${head}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>`;
    const sparse = await write(folder, "b4.xlsx", makeZip(parts(far)));
    expect((await refusal(() => drain(readXlsx(sparse, "b4.xlsx", undefined, undefined, 1500)))).why).toMatch(
      /over/,
    );
  }, 60_000);

  test("a workbook with damaged bytes, or cut off, is read or refused", async () => {
    const whole = await readFile(path);
    let refused = 0;
    for (let seed = 0; seed < 40; seed++) {
      const random = numbers(seed);
      const bytes = Buffer.from(seed % 4 === 0 ? whole.subarray(0, 4 + random(whole.length - 4)) : whole);
      for (let n = 0; n <= random(3); n++) bytes[4 + random(bytes.length - 4)] = random(256);
      await rowsOf(await write(folder, "fuzz.xlsx", bytes)).catch(async (error: unknown) => {
        await refusal(() => Promise.reject(error));
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(20);
  }, 60_000);

  test("a zip archive of something else", async () => {
    const other = await write(folder, "other.xlsx", makeZip([{ name: "a.txt", data: "x" }]));
    expect((await refusal(() => rowsOf(other))).why).toMatch(/without a workbook/);
  });
});

describe("SQLite", () => {
  const path = join(folder, "cases.db");
  const database = new Database(path);
  database.exec(`CREATE TABLE cases (id INTEGER, text TEXT, "odd ""name" REAL, raw BLOB);
    INSERT INTO cases VALUES (9007199254740993, 'Ä 😀', 1.5, x'00ff'), (-7, '', 2, NULL), ('seven', NULL, NULL, 'text');
    CREATE INDEX covering ON cases (text, id, "odd ""name", raw);
    CREATE TABLE notes (note TEXT);
    CREATE VIEW endless AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;`);
  database.close();

  test("integers with their digits, texts, bytes and nothing; rows in the table's order", async () => {
    expect(await drain(readRows(path, { table: "cases", name: "cases.db" }))).toEqual([
      {
        row: { id: "9007199254740993", text: "Ä 😀", 'odd "name': 1.5, raw: "AP8=" },
        place: "cases.db: cases: row 1",
      },
      { row: { id: -7, text: "", 'odd "name': 2, raw: null }, place: "cases.db: cases: row 2" },
      {
        row: { id: "seven", text: null, 'odd "name': null, raw: "text" },
        place: "cases.db: cases: row 3",
      },
    ]);
    expect(await countRows(path, { table: "cases" })).toBe(3);
    expect((await refusal(() => rowsOf(path, { table: "notes" }))).why).toMatch(/no rows/);
  });

  test("the table is the only one, or named; errors list them", async () => {
    for (const table of [undefined, "case", "Notes; DROP TABLE cases"]) {
      const failure = await refusal(() => rowsOf(path, { table }));
      expect(failure.why).toBe('the file\'s tables are "cases", "notes"');
      expect(failure.kind).toBe("usage");
    }
    expect((await refusal(() => countRows(path, { table: "endless" }))).why).toMatch(/it is a view/);
    const single = join(folder, "one # table?.sqlite3");
    const one = new Database(single);
    one.exec("PRAGMA encoding = 'UTF-16le'; CREATE TABLE ä (text TEXT); INSERT INTO ä VALUES ('ü😀')");
    one.close();
    expect(await rowsOf(single)).toEqual([{ text: "ü😀" }]);
  });

  test("nothing is written: not to the file, nor beside it, nor where nothing may be", async () => {
    const place = join(folder, "kept");
    const file = await write(folder, "kept/kept.db", await readFile(path));
    const writer = new Database(file);
    writer.exec("PRAGMA journal_mode = WAL");
    writer.close();
    const before = await readFile(file);
    await chmod(place, 0o555);
    expect(await rowsOf(file, { table: "cases" })).toHaveLength(3);
    await chmod(place, 0o755);
    expect(await readFile(file)).toEqual(before);
    expect(await readdir(place)).toEqual(["kept.db"]);
  });

  test("rows that another process has written and not yet merged are read", async () => {
    const file = join(folder, "busy.db");
    const writer = new Database(file);
    writer.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    expect(await rowsOf(file)).toEqual([{ a: 1 }, { a: 2 }]);
    writer.close();
  });

  test("a text that is no UTF-8 and damaged bytes give one error, never the end of the process", async () => {
    const whole = await readFile(path);
    const broken = Buffer.from(whole);
    broken[broken.indexOf("seven")] = 0xff;
    const file = await write(folder, "broken.db", broken);
    expect((await refusal(() => rowsOf(file, { table: "cases" }))).where).toMatch(/cases: row 3/);
    let refused = 0;
    for (let seed = 0; seed < 150; seed++) {
      const random = numbers(seed);
      const bytes = Buffer.from(seed % 5 === 0 ? whole.subarray(0, 16 + random(whole.length - 16)) : whole);
      // Half of them in the first page's header and schema, half among the rows.
      for (let n = 0; n <= random(8); n++)
        bytes[16 + random(n % 2 ? Math.min(600, bytes.length - 16) : bytes.length - 16)] = random(256);
      const fuzzed = join(folder, "fuzz.db");
      await writeFile(fuzzed, bytes);
      await rowsOf(fuzzed, { table: "cases" }).catch(async (error: unknown) => {
        await refusal(() => Promise.reject(error));
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(15);
  }, 60_000);
});
