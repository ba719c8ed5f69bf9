// Values mean the same from every format: numbers, booleans and what is missing, as labels and in `where`.

import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadDataset } from "../../src/data/index.js";
import { oneOf } from "../../src/data/values.js";
import { drain, refusal, temporaryFolder, write } from "./make.js";

const base = await temporaryFolder();
const words = (i: number) => Array.from({ length: 12 }, (_, k) => `word${i}x${k}`).join(" ");
const jsonl = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");
const csv = (labels: readonly string[]) => ["t,l", ...labels.map((l, i) => `${words(i)},${l}`)].join("\n");
const spec = { input: "t", label: "l", leakage: "off", split: { counts: { dev: 1, test: 1 } } };

/** Each row's right answers, in the order of the rows, and what was warned of. */
async function golds(source: string, more: object) {
  const data = await loadDataset({ ...spec, source, id: false, ...more }, { base });
  const all = [...data.train, ...data.dev, ...(await drain(data.test.open("test")))];
  const number = ({ id }: { id: string }) => Number(/\d+$/.exec(id)![0]);
  return {
    golds: all.sort((a, b) => number(a) - number(b)).map(({ gold }) => gold),
    warnings: data.warnings.filter((text) => !text.includes("no training sample")),
    labels: data.labels?.map(({ key }) => key),
  };
}

describe("labels that are numbers or booleans", () => {
  const values = [1, 2, 10, 2, 1, 10];
  const texts = values.map(String);
  test("mean the same in JSON, CSV and Parquet, as texts of a list or as codes", async () => {
    await write(base, "n.jsonl", jsonl(values.map((l, i) => ({ t: words(i), l }))));
    await write(base, "float.jsonl", values.map((l, i) => `{"t":"${words(i)}","l":${l}.0}`).join("\n"));
    await write(base, "n.csv", csv(texts));
    await write(base, "float.csv", csv(texts.map((l) => `${l}.0`)));
    for (const type of ["INT32", "DOUBLE"] as const) {
      const columnData = [
        { name: "t", data: values.map((_, i) => words(i)), type: "STRING" as const },
        { name: "l", data: values, type },
      ];
      await write(base, `${type}.parquet`, new Uint8Array(parquetWriteBuffer({ columnData })));
    }
    const files = ["n.jsonl", "float.jsonl", "n.csv", "float.csv", "INT32.parquet", "DOUBLE.parquet"];
    for (const [i, options] of [[1, 2, 10], ["1", "2", "10"], parse("{1: one, 2: two, 10: ten}")].entries()) {
      for (const file of i === 0 ? files : files.slice(0, 4)) {
        const read = await golds(file, { options });
        expect(read.golds, file).toEqual(texts);
        expect(read.labels).toEqual(["1", "2", "10"]);
        expect(read.warnings.length, file).toBe(file === "float.csv" ? 1 : 0);
      }
    }
    expect((await golds("n.csv", { options: parse("{a: 1, b: 2, c: 10}") })).golds).toEqual([..."abcbac"]);
  });

  test("are an index into a list of texts, and never into a list of numbers", async () => {
    await write(base, "zero.jsonl", jsonl([0, 1, 2, 0, 1, 2].map((l, i) => ({ t: words(i), l }))));
    await write(base, "zero.csv", csv([..."012012"]));
    // As pandas writes a column of integers that lacks one.
    await write(base, "zero-float.csv", csv(["0.0", "1.0", "2.0", "0.0"]));
    expect((await golds("zero-float.csv", { options: ["x", "y", "z"] })).golds).toEqual([..."xyzx"]);
    for (const file of ["zero.jsonl", "zero.csv"]) {
      expect((await golds(file, { options: ["x", "y", "z"] })).golds).toEqual([..."xyzxyz"]);
      const failure = await refusal(() => golds(file, { options: [1, 2, 3] }));
      expect(failure).toMatchObject({
        what: "A label is not among the options.",
        why: 'the label is "0"; the options are 1, 2, 3',
      });
    }
  });

  test("booleans are true and false, however a program writes them", async () => {
    const flags = [true, false, true, false];
    await write(base, "b.jsonl", jsonl(flags.map((l, i) => ({ t: words(i), l }))));
    await write(base, "b.csv", csv(["True", "False", "TRUE", "FALSE"]));
    for (const options of [[true, false], parse("{true: Yes, false: No}")])
      for (const file of ["b.jsonl", "b.csv"])
        expect((await golds(file, { options })).golds).toEqual(["true", "false", "true", "false"]);
  });
});

describe("missing values", () => {
  test("a label that is null, absent, empty or NaN is none, also within a list of answers", async () => {
    const labels = [{ l: "a" }, { l: null }, {}, { l: "" }, { l: [] }, { l: [null, "b"] }, { l: ["a", "a"] }];
    const list = [...labels, { l: "b" }].map((one, i) => ({ t: words(i), ...one }));
    await write(base, "m.jsonl", jsonl(list));
    const read = await golds("m.jsonl", { options: ["a", "b"], minLabelCount: 2 });
    expect(read).toEqual({
      golds: ["a", "b", "a", "b"],
      warnings: ["4 rows without a label left out."],
      labels: ["a", "b"],
    });
    const numbers = [1, Number.NaN, 2, 1, 2];
    const columnData = [
      { name: "t", data: numbers.map((_, i) => words(i)), type: "STRING" as const },
      { name: "l", data: numbers, type: "DOUBLE" as const },
    ];
    await write(base, "nan.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
    expect((await golds("nan.parquet", { options: [1, 2] })).golds).toEqual(["1", "2", "1", "2"]);
  });
  test("`where` takes null, absent and empty for one, in JSON and in CSV", async () => {
    const kinds = ["x", null, undefined, "", "y", "x"];
    await write(base, "w.jsonl", jsonl(kinds.map((k, i) => ({ t: words(i), l: `${i % 2}`, k }))));
    const cells = kinds.map((k, i) => `${words(i)},${i % 2},${k ?? ""}`);
    await write(base, "w.csv", ["t,l,k", ...cells].join("\n"));
    for (const file of ["w.jsonl", "w.csv"]) {
      const kept = async (where: object) => (await golds(file, { where })).golds.length;
      expect(await kept({ k: null })).toBe(3);
      expect(await kept({ k: { not: null } })).toBe(3);
      expect(await kept({ k: [null, "y"] })).toBe(4);
      expect(await kept({ k: { not: "x" } })).toBe(4);
      expect(await kept({ k: { not: ["x", ""] } }).catch(() => 1)).toBe(1); // too few for a split
    }
  });

  test("a field of `where` that no row has is told", async () => {
    const read = await golds("w.jsonl", { where: { k: { not: "y" }, kk: { not: true } } });
    expect(read.warnings).toEqual(["`where` names the field kk, which no row has."]);
  });
});

test("values in `where`: texts as they stand, numbers and booleans as what they are", () => {
  const cases: [unknown[], unknown, boolean][] = [
    [[1990], "1990", true],
    [[1990], "1990.0", true],
    [["1990"], 1990, true],
    [["1990.0"], 1990, true],
    [["1990"], "1990.0", false],
    [[7], "007", false],
    [[true], "TRUE", true],
    [["True"], true, true],
    [["true"], "True", false],
    [[false], "", false],
    [[0], null, false],
    [[0], "", false],
    [[null], 0, false],
    [["null"], null, false],
    [["undefined"], undefined, false],
    [[null], ["", null], true],
  ];
  for (const [wanted, value, found] of cases)
    expect(oneOf(wanted)(value), JSON.stringify([wanted, value])).toBe(found);
});

test("minLabelCount counts every right answer, and keeps rows by those that are left", async () => {
  const labels = [["a", "b"], "a", "b", ["b", "c"], "c-only", "c-only", "d", "d", ["c", "d"]];
  await write(base, "rare.jsonl", jsonl(labels.map((l, i) => ({ t: words(i), l }))));
  const options = ["a", "b", "c", "c-only", "d"];
  const read = await golds("rare.jsonl", { options, minLabelCount: 3 });
  expect(read).toEqual({
    golds: ["b", "b", "b", "d", "d", "d"],
    warnings: ["3 labels with fewer than 3 rows left out, with 3 rows: a, c, c-only."],
    labels: ["b", "d"],
  });
  const failure = await refusal(() => golds("rare.jsonl", { options, minLabelCount: 4 }));
  expect(failure.why).toBe("0 labels of 5 have 4 rows or more, and at least two are needed");
});
