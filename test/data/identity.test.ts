// Source rows keep their identity whatever a study makes of them: other templates, limits, orders, files and formats.

import { expect, test } from "vitest";
import { rowIdentity } from "../../src/data/identity.js";
import { loadDataset, sealTest } from "../../src/data/index.js";
import { drawTrials, motorDataSchema, motorTrialOptions } from "../../src/tasks/motor/trials.js";
import { drain, refusal, temporaryFolder, write } from "./make.js";

const base = await temporaryFolder();
const rows = Array.from({ length: 60 }, (_, i) => ({
  key: `c${i}`,
  facts: Array.from({ length: 30 }, (_, k) => `word${i}x${k}`).join(" "),
  area: i % 3 === 0 ? "tax" : "crime",
  year: 1990 + i,
}));
const jsonl = (list: readonly object[]) => list.map((row) => JSON.stringify(row)).join("\n");
await write(base, "cases.jsonl", jsonl(rows));
const shuffled = rows.map((_, i) => rows[(i * 37) % rows.length]!);
await write(base, "other/renamed.jsonl", jsonl(shuffled.slice(0, 25)));
await write(
  base,
  "other/rest.csv",
  [
    "area,year,note,facts,key",
    ...shuffled.slice(25).map((r) => [r.area, r.year, "", r.facts, r.key].join()),
  ].join("\n"),
);

const spec = {
  source: "cases.jsonl",
  id: "key",
  input: "{{facts}}",
  label: "area",
  options: ["tax", "crime"],
};
/** Identity of each test row by its id: ids are the rows' own keys here. */
async function identities(change: object): Promise<readonly string[]> {
  return (await loadDataset({ ...spec, ...change }, { base })).test.rows;
}

test("other cuts, templates, questions, splits of files, orders and formats leave the same identities", async () => {
  const known = await identities({});
  expect(new Set(known).size).toBe(known.length);
  expect(known.length).toBeGreaterThan(5);
  const sealed = await loadDataset(spec, { base });
  for (const change of [
    { input: "{{facts|40}}" },
    { input: "{{year}}: {{facts}}", question: "Which area?" },
    { source: ["other/renamed.jsonl", "other/rest.csv"] },
    { source: "other/*", input: "{{facts|90}}", eyesOff: 0.5, options: { tax: "Tax law", crime: "Crime" } },
  ]) {
    const data = await loadDataset({ ...spec, ...change }, { base });
    expect(data.test.rows).toEqual(known);
    if (!("source" in change) || "input" in change)
      expect(data.test.fingerprint).not.toBe(sealed.test.fingerprint);
  }
  const fewer = await identities({ limit: { test: 4 }, input: "{{facts|20}}" });
  expect(fewer).toHaveLength(4);
  expect(fewer.every((row) => known.includes(row))).toBe(true);
  const others = await identities({ split: { seed: 5 } });
  expect(others).not.toEqual(known);
});

test("a row's identity is its contents: any field's change makes another row", () => {
  const row = { a: "1", b: { c: [1, null, "x"], d: true }, e: null };
  const same = rowIdentity(row);
  expect(same).toMatch(/^[0-9a-f]{16}$/);
  expect(rowIdentity({ b: { d: "true", c: ["1", "", "x"] }, a: 1, f: "" })).toBe(same);
  for (const other of [
    { ...row, a: "2" },
    { ...row, e: "x" },
    { ...row, b: { c: [null, 1, "x"], d: true } },
    { ...row, b: { c: [1, null], d: true } },
    {
      a: "1",
      b: [
        ["c", [1, null, "x"]],
        ["d", true],
      ],
    },
    { b: "1", a: row.b },
    JSON.parse('{"a":"1","b":{"c":[1,null,"x"],"d":true},"__proto__":"x"}'),
  ])
    expect(rowIdentity(other)).not.toBe(same);
  const document = { text: "t", file: "a.txt", folder: "x" };
  expect(rowIdentity(document, true)).toBe(rowIdentity({ ...document, file: "b.txt", folder: "y" }, true));
  expect(rowIdentity(document)).not.toBe(rowIdentity({ ...document, file: "b.txt" }));
});

test("texts in folders are known by what they say", async () => {
  for (const [folder, suffix] of [
    ["one", ""],
    ["two", "-renamed"],
  ])
    for (let i = 0; i < 20; i++)
      await write(base, `${folder}/${i % 2 ? "yes" : "no"}/${i}${suffix}.txt`, rows[i]!.facts);
  const of = async (source: string, more = {}) => {
    const data = { source, input: "text", label: "folder", options: ["yes", "no"], leakage: "off", ...more };
    const all = { fractions: { train: 0, dev: 0, test: 1 } };
    return (await loadDataset({ ...data, split: all }, { base })).test.rows;
  };
  expect(await of("two", { input: "{{text|30}}" })).toEqual(await of("one"));
});

test("drawn trials are known by what is in them, whatever their number", () => {
  const options = motorTrialOptions.parse({});
  const rowsOf = (n: number, seed = 0) =>
    sealTest(drawTrials(options, motorDataSchema.parse({ test: n, seed, train: 1, dev: 0 })).test).rows;
  const few = rowsOf(10);
  const many = new Set(rowsOf(30));
  expect(many.size).toBe(30);
  expect(few.every((row) => many.has(row))).toBe(true);
  expect(rowsOf(10, 1).some((row) => many.has(row))).toBe(false);
});

test("spent where copies are dropped: what was learnt after the drop, and copies of spent rows, are not drawn again", async () => {
  const text = (i: number) => Array.from({ length: 20 }, (_, k) => `term${i}y${k}`).join(" ");
  const many = Array.from({ length: 150 }, (_, i) => ({
    key: `c${i}`,
    facts: text(i),
    area: i % 3 ? "tax" : "crime",
  }));
  const copies = many
    .slice(0, 60)
    .map((row) => ({ ...row, key: `${row.key}-copy`, facts: row.facts.toUpperCase() }));
  await write(base, "copies.jsonl", jsonl([...many, ...copies]));
  const own = (id: string) => id.replace("-copy", "");
  for (const stratify of [true, false]) {
    const load = async (split: object, limit: object) => {
      const fractions = { train: 0.7, dev: 0.1, test: 0.2 };
      const change = {
        source: "copies.jsonl",
        leakage: "drop",
        split: { stratify, fractions, ...split },
        limit,
      };
      const data = await loadDataset({ ...spec, ...change }, { base });
      const drawn = await drain(data.test.open("test"));
      expect(data.test.rows).toHaveLength(drawn.length);
      const ids = (samples: readonly { id: string }[]) => samples.map(({ id }) => id);
      return { learnt: ids(data.train), held: ids([...data.dev, ...drawn]) };
    };
    const first = await load({ seed: 1 }, { train: 30 });
    expect(first.learnt).toHaveLength(30);
    const second = await load({ seed: 2, spent: [{ seed: 1, train: 30 }] }, {});
    const used = new Set([...first.learnt, ...first.held].map(own));
    expect(second.held.filter((id) => used.has(own(id)))).toEqual([]);
    expect(second.held.length).toBeGreaterThan(40);
  }
});

test("spent splits: dev and test of the next one come from other rows, which stay with their groups", async () => {
  const load = async (split: object, more = {}) => {
    const data = await loadDataset({ ...spec, input: "{{facts}}", ...more, split }, { base });
    const ids = (samples: readonly { id: string }[]) => samples.map(({ id }) => id);
    return { train: ids(data.train), dev: ids(data.dev), test: ids(await drain(data.test.open("test"))) };
  };
  const shared = (a: readonly string[], b: readonly string[]) => a.filter((id) => b.includes(id));
  for (const stratify of [true, false]) {
    const first = await load({ seed: 1, stratify }, { limit: { train: 10 } });
    const second = await load({ seed: 2, stratify, spent: [{ seed: 1, train: 10 }] });
    const used = [...first.train, ...first.dev, ...first.test];
    expect(first.train).toHaveLength(10);
    expect(shared(used, [...second.dev, ...second.test])).toEqual([]);
    expect(shared(used, second.train)).toHaveLength(used.length);
    expect(second.train.length + second.dev.length + second.test.length).toBe(rows.length);
    expect(second.test.length).toBeGreaterThan(4);
    // Without, the next seed draws some of the same rows again.
    expect(shared(used, (await load({ seed: 2, stratify })).test).length).toBeGreaterThan(0);
    const third = await load({ seed: 3, stratify, spent: [{ seed: 1 }, { seed: 2 }] });
    const between = await load({ seed: 2, stratify, spent: [{ seed: 1 }] });
    expect(shared([...first.test, ...first.dev, ...between.test, ...between.dev], third.test)).toEqual([]);
  }
  // A group of which one row is spent is spent.
  await write(base, "groups.jsonl", jsonl(rows.map((row, i) => ({ ...row, party: `p${i >> 1}` }))));
  const grouped = { source: "groups.jsonl", group: "party" };
  const first = await load({ seed: 1 }, grouped);
  const second = await load({ seed: 2, spent: [{ seed: 1, train: 10 }] }, grouped);
  const party = (id: string) => Number(id.slice(1)) >> 1;
  const spent = new Set([...first.dev, ...first.test].map(party));
  expect(second.test.some((id) => spent.has(party(id)))).toBe(false);

  const refused = (split: object) => refusal(() => load(split));
  expect((await refused({ seed: 1, spent: [{ seed: 1 }] })).why).toContain("own seed");
  expect((await refused({ seed: 2, counts: { dev: 1, test: 1 }, spent: [{ seed: 1 }] })).why).toContain(
    "fractions",
  );
  expect(await refused({ seed: 2, spent: [{ seed: 1, train: 40 }] })).toMatchObject({
    what: "Too few rows are left for a new test.",
    kind: "usage",
  });
});
