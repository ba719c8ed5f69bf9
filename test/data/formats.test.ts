// The files that users have: other delimiters and encodings, no header, packed, JSON in every layout, folders of texts;
// and those that are not what their name says.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findDelimiter } from "../../src/data/delimiter.js";
import { parseKeepingDigits } from "../../src/data/digits.js";
import { countRows, loadDataset, readRows, resolveSource, splitFile } from "../../src/data/index.js";
import { readTabbed } from "../../src/data/tabbed.js";
import { readStudy } from "../../src/study/spec.js";
import { drain, refusal, temporaryFolder, write } from "./make.js";

const folder = await temporaryFolder();
const rowsOf = async (path: string, options = {}) =>
  (await drain(readRows(path, options))).map(({ row }) => row);

test("a list of pairs is read without a byte order mark, and refused where it is not UTF-8", async () => {
  const list = { list: "the examples", first: "label", second: "text" };
  const path = await write(folder, "pairs.tsv", "\ufeffA\tone\r\nB\ttwo\tthree\n");
  expect(readTabbed(path, list)).toEqual([
    ["A", "one"],
    ["B", "two\tthree"],
  ]);
  const latin = await write(folder, "latin.tsv", Buffer.from("A\tcaf\xe9\n", "latin1"));
  expect((await refusal(() => readTabbed(latin, list))).why).toMatch(/not valid/);
});

describe("CSV", () => {
  test.each([
    [
      "comma",
      "id,text\n1,a;b\n2,c\n",
      [
        { id: "1", text: "a;b" },
        { id: "2", text: "c" },
      ],
    ],
    [
      "semicolon",
      "id;text\n1;2,50\n2;3,75\n",
      [
        { id: "1", text: "2,50" },
        { id: "2", text: "3,75" },
      ],
    ],
    ["tab", "id\ttext\n1\ta, b; c\n", [{ id: "1", text: "a, b; c" }]],
    ["pipe", 'id|text\n1|"a|b, c"\n', [{ id: "1", text: "a|b, c" }]],
    ["semicolon before prose", "id;a, b, c\n1;x, y, z\n", [{ id: "1", "a, b, c": "x, y, z" }]],
    ["comma and space", "id, text\n1, x\n", [{ id: "1", " text": " x" }]],
    ["semicolon in quotes", 'id,"a;b;c"\n1,x\n', [{ id: "1", "a;b;c": "x" }]],
    ["Excel's own line", "sep=;\nid;text\n1;a,b,c\n", [{ id: "1", text: "a,b,c" }]],
    ["the row's number from pandas", ",text\n0,a\n", [{ index: "0", text: "a" }]],
    ["one column", "text\nhello\n", [{ text: "hello" }]],
  ])("the delimiter is found: %s", async (name, contents, expected) => {
    expect(await rowsOf(await write(folder, `${name}.csv`, contents))).toEqual(expected);
  });

  test("a given delimiter stands, one that is wrong is told with the count of fields", async () => {
    const path = await write(folder, "given.csv", "a,b;c\n1,2;3\n");
    expect(await rowsOf(path, { delimiter: ";" })).toEqual([{ "a,b": "1,2", c: "3" }]);
    const wrong = await write(folder, "wrong.csv", "a;b\n1;2;3\n");
    expect((await refusal(() => rowsOf(wrong))).why).toMatch(/3 fields, the header has 2, with a semicolon/);
  });

  test("tables written with any delimiter come back, found or given", async () => {
    const cell = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !/[\0\r\ufeff]/.test(text));
    const table = fc.record({
      delimiter: fc.constantFrom(",", ";", "\t", "|"),
      rows: fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(table, async ({ delimiter, rows }) => {
        const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const text = [["a", "b", "c"], ...rows].map((row) => row.map(quote).join(delimiter)).join("\n");
        expect(findDelimiter(text, ",")).toBe(delimiter);
        const path = await write(folder, "any.csv", text);
        expect(await rowsOf(path)).toEqual(rows.map(([a, b, c]) => ({ a, b, c })));
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  test("without a header: columns are named, counted, and not named twice", async () => {
    const path = await write(folder, "headless.csv", "1;eins, zwei\n2;drei, vier\n");
    expect(await drain(readRows(path, { columns: ["id", "text"], name: "headless.csv" }))).toEqual([
      { row: { id: "1", text: "eins, zwei" }, place: "headless.csv:1" },
      { row: { id: "2", text: "drei, vier" }, place: "headless.csv:2" },
    ]);
    expect(await countRows(path, { columns: ["id", "text"] })).toBe(2);
    expect((await refusal(() => rowsOf(path, { columns: ["a", "b", "c"] }))).why).toMatch(
      /2 fields, `columns` names 3/,
    );
    expect((await refusal(() => rowsOf(path, { columns: ["a", "a"] }))).kind).toBe("usage");
    const headed = await write(folder, "headed.csv", "id,text\n1,x\n");
    expect((await refusal(() => rowsOf(headed, { columns: ["id", "text"] }))).what).toMatch(/twice/);
  });
});

describe("encodings", () => {
  const text = "id;text\n1;Äpfel “für” 5 €\n2;😀😀\n";
  const expected = [
    { id: "1", text: "Äpfel “für” 5 €" },
    { id: "2", text: "😀😀" },
  ];
  const le = Buffer.from(`\ufeff${text}`, "utf16le");

  test("UTF-16 by its byte order mark, both ways round, and by name without one", async () => {
    expect(await rowsOf(await write(folder, "le.csv", le))).toEqual(expected);
    expect(await rowsOf(await write(folder, "be.csv", Buffer.from(le).swap16()))).toEqual(expected);
    const bare = await write(folder, "bare.csv", le.subarray(2));
    expect(await rowsOf(bare, { encoding: "utf16le" })).toEqual(expected);
    expect((await refusal(() => rowsOf(bare))).next).toMatch(/encoding: utf16le/);
  });

  test("UTF-16 over chunk borders, in JSON lines too, with the lines counted", async () => {
    const long = "a😀".repeat(100_001); // 6 bytes each: pairs straddle the 256 KiB borders
    const lines = `\ufeff{"t":"${long}"}\n{"t":1}\n{"t":`;
    const path = await write(folder, "long.jsonl", Buffer.from(`${lines}2}`, "utf16le"));
    expect(await rowsOf(path)).toEqual([{ t: long }, { t: 1 }, { t: 2 }]);
    const half = Buffer.concat([Buffer.from(lines, "utf16le"), Buffer.from([0x3d, 0xd8, 0x32, 0])]);
    const failure = await refusal(async () => rowsOf(await write(folder, "half.jsonl", half)));
    expect(failure.where).toMatch(/half\.jsonl:3$/);
    expect(failure.why).toMatch(/surrogate/);
    const odd = await write(folder, "odd.jsonl", le.subarray(0, le.length - 1));
    expect((await refusal(() => rowsOf(odd))).where).toMatch(/odd\.jsonl:\d/);
  });

  test("bytes that are no UTF-8 say which encoding to try; the mark has the last word", async () => {
    const path = await write(folder, "ansi.csv", Buffer.from("t\nna\xefve \x80\n", "latin1"));
    const { where, next } = await refusal(() => rowsOf(path));
    expect(where).toMatch(/ansi\.csv:2:3$/);
    expect(next).toMatch(/cp1252/);
    expect(await rowsOf(path, { encoding: "cp1252" })).toEqual([{ t: "naïve €" }]);
    const marked = await write(folder, "marked.csv", "\ufefft\nnaïve\n");
    expect(await rowsOf(marked, { encoding: "cp1252" })).toEqual([{ t: "naïve" }]);
  });

  test("splitting a cp1252 file writes UTF-8", async () => {
    const line = (i: number): string => `{"id":"${i}","t":"\x80"}`;
    const path = await write(
      folder,
      "win.jsonl",
      Buffer.from(Array.from({ length: 40 }, (_, i) => line(i)).join("\n"), "latin1"),
    );
    const { files, train } = await splitFile(path, join(folder, "split"), { encoding: "cp1252" });
    expect(await rowsOf(files.train)).toHaveLength(train);
    expect((await rowsOf(files.train))[0]).toMatchObject({ t: "€" });
    const csv = await write(folder, "split.csv", "id,t\n1,x\n");
    expect((await refusal(() => splitFile(csv, join(folder, "split"), {}))).why).toBe("the file is csv");
  });
});

describe("gzip", () => {
  test.each([
    ["a.csv.gz", "a;b\n1;2\n"],
    ["a.tsv.gz", "a\tb\n1\t2\n"],
    ["a.jsonl.gz", '{"a":"1","b":"2"}\n'],
    ["a.json.gz", '[{"a":"1","b":"2"}]'],
    ["a.JSON.GZ", '{"data":[{"a":"1","b":"2"}]}'],
  ])("%s", async (name, contents) => {
    const path = await write(folder, name, gzipSync(contents));
    expect(await rowsOf(path)).toEqual([{ a: "1", b: "2" }]);
    expect(await countRows(path)).toBe(1);
  });

  test("cut off at any place, or damaged: one error or the rows that were there", async () => {
    const whole = gzipSync(Array.from({ length: 3000 }, (_, i) => `{"n":${i},"x":${i * i}}`).join("\n"));
    for (let length = 2; length < whole.length; length += 997) {
      const path = await write(folder, "cut.jsonl.gz", whole.subarray(0, length));
      expect((await refusal(() => rowsOf(path))).why, `${length} bytes`).toMatch(/cut off/);
    }
    for (let at = 20; at < whole.length; at += 1499) {
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ 0x10;
      await refusal(async () => rowsOf(await write(folder, "bad.jsonl.gz", bytes)));
    }
  });
});

describe("JSON", () => {
  const rows = [
    { a: 1, b: { c: ["x", { d: "}{" }] } },
    { a: 2, b: null },
  ];
  const pretty = (value: unknown): string => JSON.stringify(value, null, 2);

  test.each([
    ["array.json", pretty(rows), [2, 13]],
    ["array.jsonl", pretty(rows), [2, 13]],
    ["objects.json", rows.map(pretty).join("\n"), [1, 12]],
    ["objects.jsonl", rows.map(pretty).join("\n\n"), [1, 13]],
    ["data.json", pretty({ version: [1], data: rows, more: [{ x: 1 }] }), [6, 17]],
    ["only.json", JSON.stringify({ meta: { data: [{}] }, rows }), [1, 1]],
    ["lines.json", rows.map((row) => JSON.stringify(row)).join("\n"), [1, 2]],
  ])("%s", async (name, contents, lines) => {
    const path = await write(folder, name, contents);
    const read = await drain(readRows(path, { name }));
    expect(read.map(({ row }) => row)).toEqual(rows);
    expect(read.map(({ place }) => place)).toEqual(lines.map((line) => `${name}:${line}`));
    expect(await countRows(path)).toBe(rows.length);
  });

  test("any rows come back from every layout", async () => {
    const row = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 2, maxLength: 4 }), async (some) => {
        const expected = some.map((one) => parseKeepingDigits(JSON.stringify(one)));
        const layouts = {
          "l.json": pretty({ meta: { data: 1 }, data: some, more: [] }),
          "o.json": some.map(pretty).join(" "),
          "a.jsonl": pretty(some),
          "c.jsonl": some.map((one) => JSON.stringify(one)).join("\r\n"),
        };
        for (const [name, text] of Object.entries(layouts))
          expect(await rowsOf(await write(folder, name, text)), name).toEqual(expected);
      }),
      { numRuns: 50, seed: 5 },
    );
  });

  test("rows that hold lists themselves stay rows", async () => {
    const talks = [
      { id: 1, turns: [{ text: "a" }] },
      { id: 2, turns: [{ text: "b" }] },
    ];
    const lines = talks.map((talk) => JSON.stringify(talk)).join("\n");
    expect(await rowsOf(await write(folder, "talks.json", lines))).toEqual(talks);
    expect(await rowsOf(await write(folder, "talks.jsonl", JSON.stringify(talks[0])))).toEqual([talks[0]]);
  });

  test("of several lists `table` chooses", async () => {
    const path = await write(folder, "lists.json", JSON.stringify({ train: [{ a: 1 }], test: [{ a: 2 }] }));
    expect(await rowsOf(path, { table: "test" })).toEqual([{ a: 2 }]);
    expect((await refusal(() => rowsOf(path))).why).toMatch(/"train", "test"/);
    expect((await refusal(() => rowsOf(path, { table: "dev" }))).why).toMatch(/"train", "test"/);
    const array = await write(folder, "plain.json", '[{"a":1}]');
    expect((await refusal(() => rowsOf(array, { table: "a" }))).kind).toBe("usage");
  });

  test("a file that is cut off or no JSON says so once", async () => {
    const text = pretty({ data: rows });
    for (let length = 1; length < text.trimEnd().length; length += 7)
      await refusal(async () => rowsOf(await write(folder, "cut.json", text.slice(0, length))));
    const csv = await write(folder, "csv.json", "a,b\n1,2\n");
    expect((await refusal(() => rowsOf(csv))).next).toMatch(/format/);
  });
});

describe("integers above 2^53", () => {
  test("keep their digits in JSON, wherever they stand, and only they change", async () => {
    const path = await write(
      folder,
      "big.jsonl",
      '{"id":9007199254740993,"n":[-12345678901234567890,9007199254740991],"s":"\\"12345678901234567890","f":1.2345678901234567,"e":1e20}',
    );
    expect(await rowsOf(path)).toEqual([
      {
        id: "9007199254740993",
        n: ["-12345678901234567890", 9007199254740991],
        s: '"12345678901234567890',
        f: 1.2345678901234567,
        e: 1e20,
      },
    ]);
  });

  test("parsing agrees with BigInt on integers and with JSON.parse on all else", () => {
    const integer = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n });
    fc.assert(
      fc.property(fc.json(), fc.string(), integer, (json, key, value) => {
        expect(parseKeepingDigits(JSON.stringify(key + value))).toBe(key + value);
        const text = `{${JSON.stringify(`${key}${value}`)}:[${value},${JSON.stringify(`\\"${value}`)}],"x":${json}}`;
        const parsed = parseKeepingDigits(text) as Record<string, unknown[]>;
        expect(parsed[`${key}${value}`]?.map(String)).toEqual([String(value), `\\"${value}`]);
        if (!/\d{16}/.test(json)) expect(parseKeepingDigits(json)).toEqual(JSON.parse(json));
      }),
      { numRuns: 300, seed: 4 },
    );
  });

  test("two rows whose ids differ in the last digit are two samples, and gold is what was written", async () => {
    const line = (i: number): string =>
      `{"id":${9007199254740990n + BigInt(i)},"text":"text number ${i} of many","label":${12345678901234567890n + BigInt(i % 3)}}`;
    await write(folder, "ids.jsonl", Array.from({ length: 30 }, (_, i) => line(i)).join("\n"));
    const data = await loadDataset(
      { source: "file:ids.jsonl", input: "text", label: "label", leakage: "off" },
      { base: folder },
    );
    const samples = [...data.train, ...data.dev];
    expect(data.counts.train + data.counts.dev + data.counts.test).toBe(30);
    for (const { id, gold } of samples) {
      const i = Number(BigInt(id) - 9007199254740990n);
      expect(gold).toBe(String(12345678901234567890n + BigInt(i % 3)));
    }
  });

  test("in a study file, where they choose rows and name labels", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ set: `900719925474099${3 + (i % 2)}`, n: i }));
    const text = rows.map(
      ({ set, n }) => `{"set":${set},"text":"text ${n} of ${n * 77}","label":1234567890123456789${n % 4}}`,
    );
    await write(folder, "sets.jsonl", text.join("\n"));
    const study = await write(
      folder,
      "long.study.yaml",
      `study: long
model: mock:?skill=1
task:
  name: long
  data:
    source: file:sets.jsonl
    where: { set: 9007199254740993 }
    input: text
    label: label
    options: { 12345678901234567890: even, 12345678901234567892: odd }
    leakage: off
specialists: [majority]
`,
    );
    const { task } = await readStudy(study);
    const { counts, labels } = await loadDataset(task.data, { base: folder });
    expect(counts.train + counts.dev + counts.test).toBe(20);
    expect(labels?.map(({ key }) => key)).toEqual(["12345678901234567890", "12345678901234567892"]);
  });

  test("in CSV and in a document's header", async () => {
    expect(await rowsOf(await write(folder, "big.csv", "id\n9007199254740993\n"))).toEqual([
      { id: "9007199254740993" },
    ]);
    const path = await write(folder, "texts/big.md", "---\nid: 9007199254740993\nn: 7\n---\nx");
    expect(await rowsOf(path)).toEqual([
      { folder: "texts", id: "9007199254740993", n: 7, text: "x", file: "big.md" },
    ]);
  });
});

describe("a folder with one subfolder of texts for each label", () => {
  test("is a source: its subfolders' names are the labels", async () => {
    for (const label of ["pos", "neg"]) {
      for (let i = 0; i < 20; i++)
        await write(folder, `reviews/${label}/${i}.txt`, `${label} review ${i} says ${i * 7919}`);
    }
    await write(folder, "reviews/.hidden/x.txt", "not read");
    await write(folder, "reviews/README", "not read");
    const { files } = await resolveSource("file:reviews", { base: folder });
    expect(files).toHaveLength(40);
    expect(await countRows(join(folder, "reviews"))).toBe(40);
    expect((await rowsOf(join(folder, "reviews"))).slice(0, 1)).toEqual([
      { folder: "neg", text: "neg review 0 says 0", file: "0.txt" },
    ]);
    const data = await loadDataset(
      { source: "file:reviews", input: "text", label: "folder", options: ["neg", "pos"], leakage: "off" },
      { base: folder },
    );
    expect(data.counts.train + data.counts.dev + data.counts.test).toBe(40);
    for (const { id, gold } of data.train) expect(id.startsWith(`${gold}/`)).toBe(true);
  });

  test("other folders are refused", async () => {
    await write(folder, "flat/a.txt", "x");
    expect((await refusal(() => rowsOf(join(folder, "flat")))).why).toMatch(/without subfolders/);
    await write(folder, "deep/yes/1.txt", "a text");
    await write(folder, "deep/yes/more/2.txt", "another");
    expect(await refusal(() => rowsOf(join(folder, "deep")))).toMatchObject({
      where: expect.stringMatching(/more$/),
      why: "subfolders may hold texts only, and this is a folder inside one",
    });
    await write(folder, "mixed/a/a.txt", "x");
    await write(folder, "mixed/b/b.csv", "x,y\n1,2\n");
    expect((await refusal(() => rowsOf(join(folder, "mixed")))).where).toMatch(/b\.csv$/);
  });
});

test("files with bytes changed, lost or added are read or refused with a place and a remedy", async () => {
  const rows = Array.from({ length: 9 }, (_, i) => ({
    id: `${i}`,
    text: `Ä "q" ; , ${i}`,
    more: [{ a: i }],
  }));
  const lines = rows.map((row) => JSON.stringify(row)).join("\n");
  const files = {
    "f.json": JSON.stringify({ data: rows }, null, 1),
    "g.json": rows.map((row) => JSON.stringify(row, null, 1)).join("\n"),
    "f.jsonl": lines,
    "f.jsonl.gz": gzipSync(lines),
    "f.csv": rows.map(({ id, text }) => `${id};"${text.replaceAll('"', '""')}"`).join("\n"),
    "g.csv": Buffer.from("\ufeffid\ttext\n1\tÄ😀\n", "utf16le"),
  };
  const change = fc.record({
    name: fc.constantFrom(...(Object.keys(files) as (keyof typeof files)[])),
    at: fc.nat(),
    lost: fc.nat(3),
    added: fc.uint8Array({ maxLength: 3 }),
  });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(change, async ({ name, at, lost, added }) => {
      const whole = Buffer.from(files[name]);
      const place = at % whole.length;
      const bytes = Buffer.concat([whole.subarray(0, place), added, whole.subarray(place + lost)]);
      await rowsOf(await write(folder, name, bytes)).catch(async (error: unknown) => {
        await refusal(() => Promise.reject(error));
        refused++;
      });
    }),
    { numRuns: 300, seed: 6 },
  );
  expect(refused).toBeGreaterThan(100);
});

describe("what a name promises", () => {
  test.each([
    ["zip.csv", Buffer.from("PK\x03\x04rest of it is not looked at"), /Excel/],
    ["old.xlsx", Buffer.from("d0cf11e0a1b11ae1000000000000000000", "hex"), /old Office/],
    ["text.xlsx", "a,b\n1,2\n", /does not begin like an Excel workbook/],
    ["text.db", "a,b\n1,2\n", /does not begin like an SQLite file/],
    ["db.jsonl", Buffer.from("SQLite format 3\0 and more"), /SQLite/],
    ["parquet.csv", Buffer.from("PAR1\x15\x00\x15\x00 and more"), /Parquet/],
    ["packed.csv", gzipSync("a,b\n1,2\n"), /gzip/],
    ["plain.csv.gz", "a,b\n1,2\n", /not gzip/],
    ["paper.txt", "%PDF-1.7\n", /PDF/],
  ])("%s is told apart", async (name, contents, why) => {
    const path = await write(folder, `not/${name}`, contents);
    expect((await refusal(() => rowsOf(path))).why).toMatch(why);
    expect((await refusal(() => countRows(path))).why).toMatch(why);
  });

  test("an option that a format does not have is refused, not ignored", async () => {
    const path = await write(folder, "o.jsonl", '{"a":1}\n');
    for (const options of [{ delimiter: ";" }, { columns: ["a"] }])
      expect((await refusal(() => rowsOf(path, options))).kind).toBe("usage");
    const csv = await write(folder, "o.csv", "a,b\n1,2\n");
    expect((await refusal(() => rowsOf(csv, { table: "t" }))).kind).toBe("usage");
  });

  test("a study's `data:` takes the same options and refuses a delimiter of two characters", async () => {
    const lines = Array.from({ length: 30 }, (_, i) => `${i}\tword${i} and word${i * 31}\t${"ab"[i % 2]}`);
    await write(folder, "study.txt", Buffer.from(lines.join("\n"), "utf16le"));
    const spec = {
      source: "file:study.txt",
      format: "csv",
      encoding: "utf16le",
      delimiter: "tab",
      columns: ["id", "text", "label"],
      input: "text",
      label: "label",
      options: ["a", "b"],
      leakage: "off",
    };
    const { counts } = await loadDataset(spec, { base: folder });
    expect(counts.train + counts.dev + counts.test).toBe(30);
    const failure = await refusal(() => loadDataset({ ...spec, delimiter: "||" }, { base: folder }));
    expect(failure.where).toMatch(/delimiter/);
  });

  test.skipIf(process.platform === "win32")("a named pipe or a device is refused at once", async () => {
    const pipe = join(folder, "pipe.jsonl");
    execFileSync("mkfifo", [pipe]);
    expect((await refusal(() => rowsOf(pipe))).why).toMatch(/pipe/);
    expect((await refusal(() => countRows(pipe))).why).toMatch(/pipe/);
    expect((await refusal(() => rowsOf("/dev/zero", { format: "csv" }))).why).toMatch(/device/);
    expect(
      (
        await refusal(() =>
          loadDataset({ source: "file:pipe.jsonl", input: "a", label: "b" }, { base: folder }),
        )
      ).why,
    ).toMatch(/pipe/);
  });
});
