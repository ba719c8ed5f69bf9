import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import type { Sample } from "../../src/core/sample.js";
import { datasetSchema, eyesOff, fillTemplate, loadDataset, sealTest } from "../../src/data/index.js";
import { drain, refusal, temporaryFolder, write } from "./make.js";

const base = await temporaryFolder();
const topics = ["tax", "crime", "labour"];
/** Every text has its own words, so that no two are near duplicates. */
const rows = Array.from({ length: 300 }, (_, i) => ({
  id: `c${i}`,
  facts: Array.from({ length: 20 }, (_, k) => `word${i}x${k}`).join(" "),
  meta: { area: topics[i % 3], year: 1990 + (i % 10) },
  party: `p${i % 60}`,
}));
const jsonl = (list: readonly unknown[]) => list.map((row) => JSON.stringify(row)).join("\n");
await write(base, "cases.jsonl", jsonl(rows));
const spec = { source: "cases.jsonl", input: "{{facts}}", label: "meta.area", options: topics };
const load = (more: object = {}, options = {}) => loadDataset({ ...spec, ...more }, { base, ...options });

describe("templates", () => {
  const row = { a: "x", "b.c": "dotted", d: { e: ["p", "q"], f: null }, long: "one two three" };
  test("fields, paths, lists, lengths at word boundaries", () => {
    expect(fillTemplate("{{a}}-{{ b.c }}-{{d.e}}-{{d.e.1}}-{{d.f}}", row)).toBe("x-dotted-p\nq-q-");
    expect(fillTemplate("{{long|7}}|{{long|6}}|{{long|2}}|{{long|99}}", row)).toBe(
      "one two|one|on|one two three",
    );
    expect(fillTemplate("{{t|3}}", { t: "ab😀c" })).toBe("ab");
    expect(fillTemplate("no } slots {", row)).toBe("no } slots {");
  });
  test("a missing field, also one that only a prototype has, names the row and the fields", async () => {
    for (const path of ["nope", "d.g", "toString", "__proto__", "a.length"]) {
      const failure = await refusal(() => fillTemplate(`{{${path}}}`, row, "cases.jsonl:3"));
      expect(failure).toMatchObject({ where: "cases.jsonl:3", why: "its fields are: a, b.c, d, long" });
    }
  });
  test.each(["{{a", "{{}}", "{{a|}}", "{{a|x}}", "{{a|0}}", "{{{a}}}", "{{a|b|3}}"])(
    "%s is refused",
    async (template) => {
      expect(await refusal(() => fillTemplate(template, row))).toMatchObject({ kind: "usage" });
    },
  );
});

describe("the sealed test split", () => {
  const samples: Sample[] = Array.from({ length: 50 }, (_, i) => ({
    id: `${i}`,
    input: `in ${i}`,
    gold: "a",
  }));
  test("reveals nothing before the opening is recorded, and counts every opening", async () => {
    const openings: string[] = [];
    const sealed = sealTest(samples, { onOpen: async ({ reason }) => void openings.push(reason) });
    expect(JSON.parse(JSON.stringify(sealed))).toEqual({
      n: 50,
      fingerprint: sealed.fingerprint,
      rows: sealed.rows,
    });
    const iterator = sealed.open("verdict")[Symbol.asyncIterator]();
    expect(openings).toEqual([]);
    const first = await iterator.next();
    expect(openings).toEqual(["verdict"]);
    (first.value as Sample).input = "changed";
    expect((await drain(sealed.open("again")))[0]).toEqual(samples[0]);
    expect(openings).toEqual(["verdict", "again"]);
    const locked = sealTest(samples, { onOpen: () => Promise.reject(new Error("disk full")) });
    await expect(drain(locked.open("verdict"))).rejects.toThrow("disk full");
    await expect(drain(sealed.open(" "))).rejects.toThrow("needs a reason");
  });
  test("the fingerprint depends on the contents and not on their order", () => {
    const { fingerprint } = sealTest(samples);
    expect(sealTest([...samples].reverse()).fingerprint).toBe(fingerprint);
    expect(sealTest(samples.slice(1)).fingerprint).not.toBe(fingerprint);
    expect(sealTest([{ ...samples[0]!, gold: "b" }, ...samples.slice(1)]).fingerprint).not.toBe(fingerprint);
  });
  test("eyes-off marks a fraction, the same every time, and groups alike", () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({
      id: `${i}`,
      input: "",
      gold: "",
      group: `g${i >> 1}`,
    }));
    const marked = eyesOff(many, 0.2, 1);
    const n = marked.filter((sample) => sample.eyesOff).length;
    expect(n).toBeGreaterThan(130);
    expect(n).toBeLessThan(270);
    expect(marked.every((sample, i) => sample.eyesOff === marked[i ^ 1]?.eyesOff)).toBe(true);
    expect(eyesOff(many, 0.2, 1)).toEqual(marked);
  });
});

describe("loading", () => {
  test("by hash: a partition with labels, counts and source; the same every time", async () => {
    const data = await load({ where: { "meta.year": { not: [1990, 1991] } }, eyesOff: 0.2 });
    const test_ = await drain(data.test.open("test"));
    const all = [...data.train, ...data.dev, ...test_];
    expect(new Set(all.map(({ id }) => id)).size).toBe(240);
    expect(data.counts).toEqual({
      train: data.train.length,
      dev: data.dev.length,
      test: test_.length,
      eyesOff: test_.filter((s) => s.eyesOff).length,
    });
    expect(data.labels).toEqual(topics.map((text) => ({ key: text, text })));
    expect(data).toMatchObject({
      source: "cases.jsonl",
      leakage: { exact: 0, near: 0, checked: true },
      warnings: [],
    });
    expect(
      (await load({ where: { "meta.year": { not: [1990, 1991] } }, eyesOff: 0.2 })).test.fingerprint,
    ).toBe(data.test.fingerprint);
  });

  test("stratified counts and limits; groups stay on one side", async () => {
    const counted = await load({
      split: { counts: { dev: 30, test: 60 }, stratify: true },
      limit: { train: 90, test: 30 },
    });
    expect(counted.counts).toMatchObject({ train: 90, dev: 30, test: 30 });
    for (const area of topics) expect(counted.train.filter(({ gold }) => gold === area)).toHaveLength(30);
    const grouped = await load({ group: "party", split: { seed: 3 } });
    const parties = new Set((await drain(grouped.test.open("test"))).map(({ group }) => group));
    expect([...grouped.train, ...grouped.dev].some(({ group }) => parties.has(group))).toBe(false);
    expect(parties.size).toBeGreaterThan(2);
  });

  test("counts that cannot be met are told, with the reason; groups and near-duplicates stay whole all the same", async () => {
    const counts = { dev: 22, test: 62 };
    const grouped = await load({ group: "party", split: { counts } });
    expect(grouped.counts).toEqual({ train: 220, dev: 20, test: 60, eyesOff: 0 });
    expect(grouped.warnings).toEqual([
      "`split.counts` is not met: 20 of 22 for dev, 60 of 62 for test; groups stay whole, and none that is left fits.",
    ]);
    const few = await load({ split: { counts: { train: 200, dev: 60, test: 80 } } });
    expect(few.counts).toMatchObject({ train: 160, dev: 60, test: 80 });
    expect(few.warnings).toEqual([
      "`split.counts` is not met: 160 of 200 for train; there are only 300 rows that can be used.",
    ]);
    const copies = rows.slice(0, 100).map((row) => ({ ...row, id: `${row.id}-copy` }));
    await write(base, "paired.jsonl", jsonl([...rows, ...copies]));
    const near = await load({ source: "paired.jsonl", split: { counts, group: "near", stratify: true } });
    expect(near.leakage).toEqual({ exact: 0, near: 0, checked: true });
    expect(near.counts.train + near.counts.dev + near.counts.test).toBe(400);
  });

  test("given splits; dev is carved from train; labels by code, text and index", async () => {
    await write(
      base,
      "s/train.csv",
      `t,l\n${rows
        .slice(0, 100)
        .map((r) => `${r.facts},${r.meta.area}`)
        .join("\n")}`,
    );
    await write(base, "s/test.jsonl", jsonl(rows.slice(100, 140).map((r, i) => ({ t: r.facts, l: i % 3 }))));
    const options = {
      splits: { train: "s/train.csv", test: "s/test.jsonl" },
      input: "{{t}}",
      label: "l",
      options: topics,
    };
    const data = await loadDataset({ ...options, devFraction: 0.3 }, { base });
    expect(data.train.length + data.dev.length).toBe(100);
    expect(data.dev.length).toBeGreaterThan(10);
    const test_ = await drain(data.test.open("test"));
    expect(test_.slice(0, 3).map(({ id, gold }) => [id, gold])).toEqual([
      ["test.jsonl:1", "tax"],
      ["test.jsonl:2", "crime"],
      ["test.jsonl:3", "labour"],
    ]);
  });

  test("each row's own options, as a map, a list, or two lists", async () => {
    const q = (i: number, options: unknown, answer: unknown) => ({ q: rows[i]!.facts, options, answer });
    const map = { A: "yes", B: "no" };
    const list = [
      q(0, map, "B"),
      q(1, ["2", "3"], 0),
      q(2, ["x", "y"], "y"),
      q(3, { text: ["u", "v"], label: ["1", "2"] }, "2"),
    ];
    await write(base, "own.jsonl", jsonl(list));
    const data = await loadDataset(
      {
        splits: { train: "cases.jsonl", test: "own.jsonl" },
        ...{ input: "{{q}}", label: "answer", options: "options" },
      },
      { base },
    ).catch((error: unknown) => error);
    expect(data).toBeInstanceOf(Error); // the training rows have no such fields
    const own = await loadDataset(
      {
        source: "own.jsonl",
        input: "{{q}}",
        label: "answer",
        options: "options",
        split: { counts: { train: 1, dev: 0, test: 3 } },
      },
      { base },
    );
    const all = [...own.train, ...(await drain(own.test.open("test")))].sort((a, b) =>
      a.id < b.id ? -1 : 1,
    );
    expect(all.map(({ gold }) => gold)).toEqual(["B", "A", "B", "2"]);
    expect(all[1]!.options).toEqual([
      { key: "A", text: "2" },
      { key: "B", text: "3" },
    ]);
    expect(own.labels).toBeUndefined();
  });

  test("answers without options: one or more accepted texts", async () => {
    await write(
      base,
      "qa.jsonl",
      jsonl(rows.slice(0, 20).map((r, i) => ({ q: r.facts, a: i % 2 ? ["1990", "nineteen ninety"] : 1990 }))),
    );
    const data = await loadDataset({ source: "qa.jsonl", input: "{{q}}", label: "a" }, { base });
    const golds = new Set([...data.train, ...data.dev].map(({ gold }) => JSON.stringify(gold)));
    expect(golds).toEqual(new Set(['"1990"', '["1990","nineteen ninety"]']));
  });

  test("what is left out is counted in the warnings", async () => {
    const odd = [
      { ...rows[0], id: "x1", meta: { area: "" } },
      { ...rows[0], id: "x2", facts: " " },
      { ...rows[0], id: "x3", meta: { area: "space" } },
      { ...rows[0], id: "x4", facts: "a rare one", meta: { area: "sea" } },
    ];
    await write(base, "odd.jsonl", jsonl([...rows, ...odd]));
    const data = await load({
      source: "odd.jsonl",
      options: [...topics, "sea"],
      otherLabels: "drop",
      minLabelCount: 5,
    });
    expect(data.warnings).toEqual([
      "1 row without a label left out.",
      "1 row with an empty input left out.",
      "1 row with a label outside the options left out.",
      "1 label with fewer than 5 rows left out, with 1 row: sea.",
    ]);
    expect(data.labels?.map(({ key }) => key)).toEqual(topics);
  });
});

describe("leakage", () => {
  test("stops with ids, or reports, drops, groups", async () => {
    const copies = rows
      .slice(0, 30)
      .map((row) => ({ ...row, id: `copy of ${row.id}`, facts: row.facts.toUpperCase() }));
    await write(base, "twice.jsonl", jsonl([...rows, ...copies]));
    const failure = await refusal(() => load({ source: "twice.jsonl" }));
    expect(failure).toMatchObject({ what: "Training samples also occur in test.", kind: "gate" });
    expect(failure.where).toMatch(/copy of c\d+ ~ c\d+ \(1\.00\)|c\d+ ~ copy of c\d+ \(1\.00\)/);
    const reported = await load({ source: "twice.jsonl", leakage: "report" });
    expect(reported.leakage.exact).toBeGreaterThan(0);
    const dropped = await load({ source: "twice.jsonl", leakage: { mode: "drop", near: 0.5 } });
    expect(dropped.counts.train + dropped.counts.dev).toBe(
      reported.counts.train + reported.counts.dev - reported.leakage.exact,
    );
    expect(dropped.warnings.join()).toMatch(/were dropped/);
    expect(dropped.leakage).toEqual({ exact: 0, near: 0, checked: true, dropped: reported.leakage.exact });
    const grouped = await load({ source: "twice.jsonl", split: { group: "near" } });
    expect(grouped.leakage).toEqual({ exact: 0, near: 0, checked: true });
    expect(grouped.counts.train + grouped.counts.dev + grouped.counts.test).toBe(330);
    expect(grouped.train.some(({ group }) => group !== undefined)).toBe(true);
    expect((await load({ source: "twice.jsonl", leakage: "off" })).leakage.checked).toBe(false);
  });

  test("a fixed question does not make short texts alike; different options tell questions apart", async () => {
    const short = Array.from({ length: 40 }, (_, i) => ({
      id: i,
      t: `item ${i}`,
      o: [`left ${i}`, `right ${i}`],
      q: "Which is true?",
      a: 0,
    }));
    await write(base, "short.jsonl", jsonl(short));
    const fixed = {
      source: "short.jsonl",
      input: "{{t}}",
      question: "Which of the following is true here?",
      label: "a",
      options: ["no", "yes"],
    };
    expect((await loadDataset(fixed, { base })).leakage).toMatchObject({ exact: 0, near: 0 });
    const mcq = { source: "short.jsonl", input: "{{q}}", label: "a", options: "o" };
    expect((await loadDataset(mcq, { base })).leakage).toMatchObject({ exact: 0, near: 0 });
  });

  test("a question and options that most of a stratum share do not make short texts alike", async () => {
    const named = (i: number) => `the ${"abcdefghij"[i]}th of ten options, described in a dozen words or so`;
    const long = Array.from({ length: 10 }, (_, i) => named(i));
    const short = Array.from({ length: 60 }, (_, i) => ({
      id: i,
      t: `item ${i}`,
      task: `t${i % 2}`,
      q: `What is to be said of the item, seen as one of kind ${i % 2}?`,
      o: long,
      a: i % 10,
    }));
    await write(base, "shared.jsonl", jsonl(short));
    const tasks = { source: "shared.jsonl", input: "{{t}}", question: "{{q}}", label: "a", stratum: "task" };
    for (const options of ["o", { t0: long, t1: long }]) {
      expect((await loadDataset({ ...tasks, options }, { base })).leakage).toMatchObject({
        exact: 0,
        near: 0,
      });
    }
    // The same input under both questions stays apart, and a copy under the same one is found.
    await write(base, "both.jsonl", jsonl(short.map((row, i) => ({ ...row, t: `item ${i >> 1}` }))));
    const both = { ...tasks, source: "both.jsonl", options: "o", leakage: "report" };
    expect((await loadDataset(both, { base })).leakage).toMatchObject({ exact: 0, near: 0 });
    await write(base, "copies.jsonl", jsonl(short.map((row, i) => ({ ...row, t: `item ${i % 30}` }))));
    expect((await loadDataset({ ...both, source: "copies.jsonl" }, { base })).leakage.exact).toBeGreaterThan(
      5,
    );
  });
});

// What is wrong, the change to a good specification, where the error points, and a part of its reason.
const wrong: [string, object, RegExp, RegExp][] = [
  ["an unknown field", { lable: "x" }, /^data/, /lable/],
  ["no source", { source: undefined }, /^data\.source$/, /either/],
  ["both sources", { splits: { train: "a", test: "b" } }, /^data\.source$/, /either/],
  [
    "fractions over 1",
    { split: { fractions: { train: 0.9, dev: 0.9, test: 0.9 } } },
    /^data\.split\.fractions$/,
    /sum to 1/,
  ],
  [
    "fractions and counts",
    { split: { fractions: { train: 1, dev: 0, test: 0 }, counts: { dev: 1, test: 1 } } },
    /^data\.split$/,
    /not both/,
  ],
  ["a negative count", { split: { counts: { dev: -1, test: 1 } } }, /^data\.split\.counts\.dev$/, /./],
  ["an unknown format", { format: "xls" }, /^data\.format$/, /jsonl/],
  ["one option", { options: ["only"] }, /^data\.options$/, /./],
  ["two options alike", { options: { a: "x", b: "x" } }, /^data\.options$/, /same text/],
  ["group given twice", { group: "party", split: { group: "party" } }, /^data\.split\.group$/, /already/],
  [
    "stratify without options",
    { options: undefined, split: { stratify: true } },
    /^data\.split\.stratify$/,
    /options/,
  ],
  ["eyes-off above 1", { eyesOff: 2 }, /^data\.eyesOff$/, /./],
  ["a bad template", { input: "{{facts" }, /\{\{facts/, /never closed/],
  ["a field that is not there", { input: "{{fact}}" }, /cases\.jsonl:1$/, /id, facts, meta, party/],
  ["a label that is not there", { label: "area" }, /cases\.jsonl:1$/, /id, facts/],
  ["a label that is a structure", { label: "meta", options: undefined }, /cases\.jsonl:1$/, /./],
  [
    "a label outside the options",
    { options: ["tax", "crime"] },
    /cases\.jsonl:3$/,
    /"labour"; the options are tax, crime/,
  ],
  ["ids that are not unique", { id: "party" }, /cases\.jsonl:1 and .*cases\.jsonl:61$/, /"p0"/],
  ["options in a field that has none", { options: "facts" }, /cases\.jsonl:1$/, /neither a map nor a list/],
  ["a filter that keeps nothing", { where: { party: "nobody" } }, /^data$/, /no row is left/],
  [
    "no training rows",
    { split: { counts: { train: 0, dev: 0, test: 300 } } },
    /^data$/,
    /none is left for train/,
  ],
  ["a file that is not there", { source: "none.jsonl" }, /none\.jsonl$/, /no such file/],
];

describe("wrong specifications give one error with the place", () => {
  test.each(wrong)("%s", async (_, change, where, why) => {
    const failure = await refusal(() => load(change));
    expect(failure.where).toMatch(where);
    if (failure.why !== undefined) expect(failure.why).toMatch(why);
  });
  test("anything else than an object", async () => {
    for (const input of [null, "x", 3, []])
      await refusal(() => loadDataset(input, { base, name: "a.study.yaml: data" }));
  });
});

test("the schema becomes a JSON schema in which every field is described", () => {
  const schema = z.toJSONSchema(datasetSchema, { io: "input" }) as {
    properties: Record<string, { description?: string }>;
  };
  for (const [name, property] of Object.entries(schema.properties)) {
    if (name !== "splits") expect(property.description, name).toBeTruthy();
  }
  expect(
    datasetSchema.safeParse(parse("source: a.csv\ninput: '{{x}}'\nlabel: y\noptions: {1: One, 2: Two}"))
      .success,
  ).toBe(true);
});

const shared = process.env.HONE_TEST_DATA;
const has = shared !== undefined && existsSync(join(shared, "law", "scdb_oyez"));
test.skipIf(!has)(
  `real data${has ? "" : " (skipped: HONE_TEST_DATA is unset or has no law/scdb_oyez)"}`,
  async () => {
    const law = { base: join(shared!, "law", "scdb_oyez") };
    const areas = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`${i + 1}`, `area ${i + 1}`]));
    const cases = await loadDataset(
      {
        splits: { train: "train_*.jsonl", dev: "val.jsonl", test: "test.jsonl" },
        input: "{{facts}}",
        question: "{{question}}",
        label: "labels.issueArea",
        options: areas,
      },
      law,
    );
    expect(cases.counts).toEqual({ train: 2103, dev: 302, test: 600, eyesOff: 0 });
    expect(cases.warnings[0]).toBe("9 rows without a label left out.");
    const scdb = await loadDataset(
      {
        source: "SCDB_2018_01_caseCentered_Citation.csv",
        encoding: "cp1252",
        id: "caseId",
        input: "caseName",
        label: "issueArea",
        leakage: "off",
      },
      { base: join(shared!, "law") },
    );
    expect(scdb.counts.train).toBeGreaterThan(5000);
    const med = await loadDataset(
      {
        splits: { train: "medqa_train1030.jsonl", dev: "medqa_dev.jsonl", test: "medqa_test.jsonl" },
        input: "{{question}}",
        label: "answer",
        options: "options",
      },
      { base: join(shared!, "med") },
    );
    expect(med.counts).toEqual({ train: 1030, dev: 1272, test: 1273, eyesOff: 0 });
  },
);
