import { basename } from "node:path";
import fc from "fast-check";
import type { ParquetType, SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { countRows, type Format, readRows } from "../../src/data/index.js";
import { findJsonError } from "../../src/data/json-error.js";
import { readParquet } from "../../src/data/parquet.js";
import { drain, refusal, temporaryFolder, write } from "./make.js";

const folder = await temporaryFolder();
const rowsOf = async (path: string, options = {}) =>
  (await drain(readRows(path, options))).map(({ row }) => row);

describe("well-formed files", () => {
  test("JSONL: blank lines, byte order mark, CRLF, no final newline", async () => {
    const path = await write(folder, "a.jsonl", '\ufeff{"a":1}\r\n\r\n{"a":"ü"}');
    expect(await drain(readRows(path, { name: "a.jsonl" }))).toEqual([
      { row: { a: 1 }, place: "a.jsonl:1" },
      { row: { a: "ü" }, place: "a.jsonl:3" },
    ]);
    expect(await countRows(path)).toBe(2);
  });

  test("a JSON array over several lines, and JSON lines in a .json file", async () => {
    const array = await write(folder, "array.json", '[\n  {"a": "x]},{"},\n  {"a": [1, {"b": 2}]}\n]\n');
    expect(await drain(readRows(array, { name: "array.json" }))).toEqual([
      { row: { a: "x]},{" }, place: "array.json:2" },
      { row: { a: [1, { b: 2 }] }, place: "array.json:3" },
    ]);
    expect(await rowsOf(await write(folder, "lines.json", '{"a":1}\n{"a":2}\n'))).toEqual([
      { a: 1 },
      { a: 2 },
    ]);
  });

  test("CSV: quotes, line breaks in fields, places; TSV", async () => {
    const path = await write(folder, "a.csv", 'id,text\n1,"two\nlines, ""quoted"""\n2,plain\n');
    expect(await drain(readRows(path, { name: "a.csv" }))).toEqual([
      { row: { id: "1", text: 'two\nlines, "quoted"' }, place: "a.csv:2" },
      { row: { id: "2", text: "plain" }, place: "a.csv:4" },
    ]);
    expect(await rowsOf(await write(folder, "a.tsv", "a\tb\nx,y\tz\n"))).toEqual([{ a: "x,y", b: "z" }]);
  });

  test("CSV whose lines end in two ways: every line is a row, and no value has its line's end", async () => {
    const rows = [
      { row: { a: "1", b: "2" }, place: "ends.csv:2" },
      { row: { a: "3", b: "4" }, place: "ends.csv:3" },
    ];
    for (const text of [
      "a,b\n1,2\r\n3,4\r\n",
      "a,b\r\n1,2\n3,4\r\n",
      'a,b\n1,"2"\r\n"3",4',
      "a,b\r1,2\r3,4\r",
      '"a",b\r\n1,2\r\n3,4\n',
    ]) {
      const path = await write(folder, "ends.csv", text);
      expect(await drain(readRows(path, { name: "ends.csv" }))).toEqual(rows);
    }
    const one = await write(folder, "one.csv", "t\r\nfoo\nbar\r\nbaz\n");
    expect(await rowsOf(one)).toEqual([{ t: "foo" }, { t: "bar" }, { t: "baz" }]);
  });

  test("CSV in cp1252 and latin1: the quotes that Windows writes", async () => {
    const path = await write(folder, "win.csv", Buffer.from("t\ncaf\xe9 \x93x\x94 \x80\n", "latin1"));
    expect(await rowsOf(path, { encoding: "cp1252" })).toEqual([{ t: "café “x” €" }]);
    expect(await rowsOf(path, { encoding: "latin1" })).toEqual([{ t: "café \x93x\x94 \x80" }]);
  });

  test("Parquet in several row groups; big integers, dates and lists become plain JSON", async () => {
    const n = 2500;
    const ids = Array.from({ length: n }, (_, i) => BigInt(i));
    const buffer = parquetWriteBuffer({
      columnData: [
        { name: "id", data: ids, type: "INT64" },
        { name: "text", data: ids.map((i) => `text ${i}`), type: "STRING" },
        { name: "when", data: ids.map(() => new Date("2020-01-02T03:04:05Z")), type: "TIMESTAMP" },
      ],
      rowGroupSize: 1000,
    });
    const path = await write(folder, "a.parquet", new Uint8Array(buffer));
    const rows = await drain(readRows(path, { name: "a.parquet" }));
    expect(rows).toHaveLength(n);
    expect(rows[2001]).toEqual({
      row: { id: 2001, text: "text 2001", when: "2020-01-02T03:04:05.000Z" },
      place: "a.parquet: row 2002",
    });
    expect(await countRows(path)).toBe(n);
  });

  test("Parquet: decimals have the digits that were written", async () => {
    const decimal = (name: string, type: ParquetType, scale: number, more: object = {}): SchemaElement => ({
      ...{ name, type, scale, precision: 38, repetition_type: "OPTIONAL", converted_type: "DECIMAL" },
      ...more,
    });
    const wide = { type_length: 16 };
    const buffer = parquetWriteBuffer({
      schema: [
        { name: "root", num_children: 3 },
        decimal("stars", "INT32", 1),
        decimal("id", "FIXED_LEN_BYTE_ARRAY", 0, wide),
        decimal("share", "FIXED_LEN_BYTE_ARRAY", 18, wide),
      ],
      columnData: [
        { name: "stars", data: [3n, -41n, null] },
        { name: "id", data: [9007199254740993n, -9007199254740993n, 100n] },
        { name: "share", data: [1500000000000000000n, -1n, 123456789012345678901n] },
      ],
    });
    expect(await rowsOf(await write(folder, "decimal.parquet", new Uint8Array(buffer)))).toEqual([
      { stars: 0.3, id: "9007199254740993", share: 1.5 },
      { stars: -4.1, id: "-9007199254740993", share: "-0.000000000000000001" },
      { stars: null, id: 100, share: "123.456789012345678901" },
    ]);
  });

  test("Parquet: two columns of one name are refused, as in CSV", async () => {
    const column = (value: string) => ({ name: "t", data: [value], type: "STRING" as const });
    const buffer = parquetWriteBuffer({ columnData: [column("a"), column("b")] });
    const path = await write(folder, "twice.parquet", new Uint8Array(buffer));
    expect((await refusal(() => rowsOf(path))).why).toBe('two columns are called "t"');
  });

  test("Parquet: a text that is not UTF-8 is an error; bytes are text if they are UTF-8, else Base64", async () => {
    const latin = Buffer.from("caf\xe9", "latin1");
    const raw = parquetWriteBuffer({
      columnData: [{ name: "raw", data: [latin, Buffer.from("é")], type: "BYTE_ARRAY" }],
    });
    const path = await write(folder, "raw.parquet", new Uint8Array(raw));
    expect(await rowsOf(path)).toEqual([{ raw: latin.toString("base64") }, { raw: "é" }]);
    const text = parquetWriteBuffer({
      columnData: [{ name: "t", data: ["cafe"], type: "STRING" }],
      codec: "UNCOMPRESSED",
      statistics: false,
    });
    const bytes = Buffer.from(text);
    latin.copy(bytes, bytes.indexOf("cafe"));
    const broken = await write(folder, "latin.parquet", bytes);
    expect(await refusal(() => rowsOf(broken))).toMatchObject({ why: "a text is not UTF-8" });
  });

  test("documents: header fields, body, names of file and folder", async () => {
    const here = basename(folder);
    const path = await write(
      folder,
      "mit.LICENSE",
      "---\nkey: mit\ntags: [a, b]\n---\n\nPermission is hereby granted\n",
    );
    expect(await rowsOf(path)).toEqual([
      {
        folder: here,
        key: "mit",
        tags: ["a", "b"],
        text: "Permission is hereby granted",
        file: "mit.LICENSE",
      },
    ]);
    expect(await rowsOf(await write(folder, "plain.txt", "no header\n"))).toEqual([
      { folder: here, text: "no header", file: "plain.txt" },
    ]);
  });

  test("__proto__ is an inert field in every format", async () => {
    const files = [
      await write(folder, "proto.jsonl", '{"__proto__":{"polluted":1},"a":1}\n'),
      await write(folder, "proto.csv", "__proto__,a\npolluted,1\n"),
      await write(folder, "proto.md", "---\n__proto__: {polluted: 1}\na: 1\n---\nx"),
    ];
    for (const file of files) {
      const [row] = await rowsOf(file);
      expect(Object.hasOwn(row!, "__proto__")).toBe(true);
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

const parquet = Buffer.from(
  parquetWriteBuffer({ columnData: [{ name: "a", data: ["x", "y"], type: "STRING" }] }),
);
const footerLength = parquet.readUInt32LE(parquet.length - 8);
const withFooter = (length: number): Buffer => {
  const bytes = Buffer.from(parquet);
  bytes.writeUInt32LE(length, bytes.length - 8);
  return bytes;
};
const garbledFooter = Buffer.from(parquet);
garbledFooter.fill(0xff, parquet.length - 8 - footerLength, parquet.length - 8);
const garbledPages = Buffer.from(parquet);
garbledPages.fill(0x7f, 4, 24);
const encrypted = Buffer.from(parquet);
encrypted.write("PARE", parquet.length - 4);
/** The column's codec, in the footer: the thrift i32 after the path list; LZO (3) is a codec that nobody ships. */
const unknownCodec = (() => {
  const buffer = Buffer.from(
    parquetWriteBuffer({
      columnData: [{ name: "codec_column", data: ["x".repeat(500)], type: "STRING" }],
      codec: "SNAPPY",
    }),
  );
  const at = buffer.indexOf("codec_column", buffer.indexOf("codec_column", buffer.length - 200) + 1);
  const field = buffer.indexOf(Buffer.from([0x15, 0x02]), Math.max(0, at));
  buffer[field + 1] = 0x06;
  return buffer;
})();

const deepArray = `${"[".repeat(5000)}1${"]".repeat(5000)}`;
const aliases = `---\na: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n---\ntext`;

// name, contents, the place that the error must name, and a part of its reason.
const malformed: [
  string,
  string | Uint8Array,
  string | RegExp,
  RegExp,
  { format?: Format; encoding?: "cp1252" }?,
][] = [
  ["empty.jsonl", "", "empty.jsonl", /empty/],
  ["blank.jsonl", "\n \n\t\n", "blank.jsonl", /no rows/],
  ["comma.jsonl", '{"a":1}\n{"a":1,}\n', "comma.jsonl:2:8", /name in double quotes/],
  ["cut.jsonl", '{"a":1}\n{"a":"x', "cut.jsonl:2:6", /no closing quote/],
  ["open.jsonl", '{"a":[1,2}\n', "open.jsonl:1:10", /expected , or \]/],
  ["word.jsonl", '{"a":nope}\n', "word.jsonl:1:6", /cannot begin a value/],
  ["nan.jsonl", '{"a":NaN}\n', "nan.jsonl:1:6", /cannot begin a value/],
  ["more.jsonl", '{"a":1} {"a":2}\n', "more.jsonl:1:9", /more text/],
  ["escape.jsonl", '{"a":"\\x41"}\n', "escape.jsonl:1:7", /bad escape/],
  ["tab.jsonl", '{"a":"x\ty"}\n', "tab.jsonl:1:8", /control character/],
  ["array-row.jsonl", "[1,2]\n", "array-row.jsonl:1:1", /an array, not an object/],
  ["null-row.jsonl", '{"a":1}\nnull\n', "null-row.jsonl:2:1", /null, not an object/],
  ["number-row.jsonl", "42\n", "number-row.jsonl:1:1", /a number/],
  ["deep.jsonl", `{"a":${deepArray}}\n`, "deep.jsonl:1:1", /nested deeper/],
  ["latin.jsonl", Buffer.from('{"a":1}\n{"a":"caf\xe9"}\n', "latin1"), "latin.jsonl:2:10", /0xe9/],
  ["nul.jsonl", '{"a":1}\n{"a":"\0"}\n', "nul.jsonl:2:7", /NUL/],
  ["utf16.jsonl", Buffer.from('{"a":1}\n', "utf16le"), "utf16.jsonl:1:2", /UTF-16/],
  ["long.jsonl", Buffer.alloc(65 * 1024 * 1024, 0x61), "long.jsonl:1", /exceeds 64 MiB/],
  ["object.json", '{\n  "data": []\n}\n', "object.json", /no rows/],
  ["unclosed.json", '[{"a":1},\n{"a":2}', "unclosed.json:2:8", /ends before/],
  ["trailing.json", '[{"a":1},]', "trailing.json:1:10", /comma before/],
  ["after.json", '[{"a":1}] x', "after.json:1:11", /more text/],
  ["element.json", '[{"a":1},\n  {"a" 2}]', "element.json:2:8", /expected :/],
  ["hole.json", '[{"a":1},,{"a":2}]', "hole.json:1:10", /ends too early/],
  ["nothing.json", "[]", "nothing.json", /no rows/],
  ["empty.csv", "", "empty.csv", /empty/],
  ["header.csv", "a,b\n", "header.csv", /no row follows/],
  ["unclosed.csv", 'a,b\n1,2\n3,"x\n4,5\n', /unclosed\.csv:\d/, /never closed/],
  ["ragged.csv", "a,b\n1,2\n3\n", "ragged.csv:3", /1 field, the header has 2/],
  ["wide.csv", "a,b\n1,2,3\n", "wide.csv:2", /3 fields/],
  ["after-multiline.csv", 'a,b\n"x\ny",2\n3\n', "after-multiline.csv:4", /1 field/],
  ["quote.csv", 'a,b\n1,"x"y\n', "quote.csv:2", /closing quote/],
  ["twice.csv", "a,a\n1,2\n", "twice.csv:1", /two columns/],
  ["noname.csv", "a,,c\n1,2,3\n", "noname.csv:1", /column 2 has no name/],
  ["latin.csv", Buffer.from("a\nok\nna\xefve\n", "latin1"), "latin.csv:3:3", /0xef/],
  ["nul.csv", "a\nx\ny\0\n", "nul.csv:3:2", /NUL/],
  ["short.parquet", "PAR1PAR1", /short\.parquet/, /PAR1/],
  ["magic.parquet", "not a parquet file at all", /magic\.parquet: byte 0/, /begin with PAR1/],
  ["cut.parquet", parquet.subarray(0, parquet.length - 20), /cut\.parquet: byte \d+/, /end with PAR1/],
  ["encrypted.parquet", encrypted, /encrypted\.parquet/, /encrypted/],
  ["footer.parquet", withFooter(0x7fffffff), /footer\.parquet: byte/, /declares/],
  ["footer-short.parquet", withFooter(3), /footer-short\.parquet: footer/, /./],
  ["thrift.parquet", garbledFooter, /thrift\.parquet: footer/, /./],
  ["pages.parquet", garbledPages, /pages\.parquet: rows 1 to 2/, /./],
  ["codec.parquet", unknownCodec, /codec\.parquet: rows 1 to 1/, /codec LZO is not supported/],
  ["unclosed.md", "---\nkey: x\nbody without an end\n", "unclosed.md:1:1", /closing `---`/],
  ["bad-yaml.md", "---\nkey: [1, 2\nother: x\n---\n", /bad-yaml\.md:\d+:\d+/, /./],
  ["tabs.md", "---\nkey:\n\t- x\n---\n", /tabs\.md:\d+:\d+/, /./],
  ["list.md", "---\n- a\n- b\n---\ntext", "list.md:2:1", /name: value/],
  ["twice.md", "---\na: 1\na: 2\n---\n", "twice.md:3:1", /unique/],
  ["deep.md", `---\na: ${"[".repeat(3000)}${"]".repeat(3000)}\n---\n`, /deep\.md:2/, /nested too deeply/],
  ["aliases.md", aliases, /aliases\.md/, /alias/],
  ["latin.md", Buffer.from("---\na: \xe9\n---\n", "latin1"), "latin.md:2:4", /0xe9/],
  ["what.xyz", "x", /what\.xyz/, /ending/],
];

describe("malformed files give one error with the place", () => {
  test.each(malformed)("%s", async (name, contents, where, why, options) => {
    const path = await write(folder, `bad/${name}`, contents);
    const failure = await refusal(() =>
      drain(readRows(path, { name: name.endsWith(".xyz") ? path : name, ...options })),
    );
    if (typeof where === "string") expect(failure.where?.endsWith(where), failure.where).toBe(true);
    else expect(failure.where).toMatch(where);
    expect(failure.why).toMatch(why);
  });

  test("a folder, a missing file, a NUL in the name", async () => {
    expect((await refusal(() => drain(readRows(folder, { format: "jsonl" })))).why).toMatch(/folder/);
    expect((await refusal(() => drain(readRows(`${folder}/none.csv`)))).why).toMatch(/no such file/);
    expect((await refusal(() => drain(readRows("a\0.csv")))).why).toMatch(/NUL/);
  });

  test("a Parquet file with any damaged byte is read or refused; a decoder that loops is stopped", async () => {
    let refused = 0;
    for (let i = 0; i < parquet.length; i++) {
      if (i % 5 !== 0 && i !== 11) continue; // flipping byte 11 gives a page that the decoder would read for ever
      const bytes = Buffer.from(parquet);
      bytes[i] = bytes[i]! ^ 0x55;
      const path = await write(folder, "flip.parquet", bytes);
      await drain(readParquet(path, "flip.parquet", 1000)).catch(async (error: unknown) => {
        expect((await refusal(() => Promise.reject(error))).where).toMatch(/^flip\.parquet: /);
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(8);
  });
});

describe("properties", () => {
  test("the JSON scanner agrees with JSON.parse", () => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom("", ",", '"', "]", "}", "\\", "1", "e", "-", "\u0001"),
        (text, at, put) => {
          const position = at % (text.length + 1);
          const changed = text.slice(0, position) + put + text.slice(position + 1);
          expect(findJsonError(text)).toBeUndefined();
          expect(findJsonError(changed) === undefined).toBe(isJson(changed));
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });

  test("rows come back from JSONL, a JSON array and CSV as they were written", async () => {
    const key = fc
      .string({ minLength: 1, unit: "grapheme" })
      .filter((k) => k.trim() !== "" && !/[\0\r\ufeff]/.test(k));
    const value = fc.string({ unit: "grapheme" }).filter((v) => !/[\0\r]/.test(v));
    const table = fc.uniqueArray(key, { minLength: 2, maxLength: 4 }).chain((keys) =>
      fc.record({
        keys: fc.constant(keys),
        rows: fc.array(fc.array(value, { minLength: keys.length, maxLength: keys.length }), {
          minLength: 1,
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(table, async ({ keys, rows }) => {
        const objects = rows.map((row) => Object.fromEntries(keys.map((k, i) => [k, row[i]])));
        const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const csv = [keys, ...rows].map((row) => row.map(quote).join(",")).join("\n");
        expect(await rowsOf(await write(folder, "p.csv", csv))).toEqual(objects);
        expect(
          await rowsOf(await write(folder, "p.jsonl", objects.map((o) => JSON.stringify(o)).join("\n"))),
        ).toEqual(objects);
        expect(await rowsOf(await write(folder, "p.json", JSON.stringify(objects, null, 1)))).toEqual(
          objects,
        );
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  test("text that is cut by chunk borders is the same text", async () => {
    const long = "ä€😀".repeat(60_000); // 9 bytes each: characters straddle every 256 KiB border
    expect(await rowsOf(await write(folder, "border.csv", `t,u\n${long},1\n`))).toEqual([
      { t: long, u: "1" },
    ]);
    expect(await rowsOf(await write(folder, "border.jsonl", JSON.stringify({ t: long })))).toEqual([
      { t: long },
    ]);
    const elements = [{ t: long }, { t: "x" }];
    expect(await rowsOf(await write(folder, "border.json", JSON.stringify(elements)))).toEqual(elements);
  });
});
