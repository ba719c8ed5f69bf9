// retrieve: documents cut, indexed and found again; what hostile ones do; how an index follows its documents.

import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Json } from "../../src/core/json.js";
import { taskContext } from "../../src/core/task.js";
import { contentsOf, sourcesIn } from "../../src/data/contents.js";
import { makeSpecializer, type RetrieveOptions, retrieve } from "../../src/specializers/index.js";
import { cutPassages } from "../../src/specializers/retrieval/documents/passages.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { openJournal } from "../../src/store/journal.js";
import { journaled } from "../../src/store/journaled.js";
import { context, given, letterEncoder, listener, make, queryOf } from "./fakes.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hone-retrieve-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Row = Record<string, unknown>;
const write = (name: string, rows: readonly Row[]) =>
  writeFile(join(folder, name), rows.map((row) => JSON.stringify(row)).join("\n"));

const facts = [
  { id: "tides", text: "The tide follows the moon and lifts every ship in the harbour." },
  { id: "wheat", text: "Wheat is sown in autumn; barley ripens before it." },
  { id: "steel", text: "Steel is iron with a little carbon, hardened by quenching." },
  { id: "moths", text: "Moths fly to lamps at night." },
  { id: "bread", text: "Bread rises because yeast makes gas." },
];

const found = async (options: Partial<RetrieveOptions>, input: string, more: { question?: string } = {}) => {
  const subject = listener();
  const specialist = await make(retrieve({ documents: "file:facts.jsonl", ...options }), subject, {
    base: folder,
  });
  const answer = await specialist.respond(queryOf(input, undefined, more), context);
  return { passages: subject.heard[0]?.passages, trail: answer.trail ?? [] };
};

describe("retrieve", () => {
  beforeAll(() => write("facts.jsonl", facts));

  it.each(["bm25", "vectors", "both"] as const)(
    "finds the document that is asked about, by %s",
    async (by) => {
      for (const { id, text } of facts) {
        const { passages, trail } = await found({ by, k: 2 }, text.slice(0, -4));
        expect(passages?.at(-1)).toEqual({ id, text });
        const scores = trail.map((step) => (step.kind === "passage" ? step.score : Number.NaN));
        expect(scores.at(-1)).toBeGreaterThan(scores.length === 2 ? (scores[0] as number) : 0);
        expect(trail.at(-1)).toMatchObject({ kind: "passage", id, text });
      }
    },
  );

  it("fuses ranks as the formula says", async () => {
    const { trail } = await found({ by: "both", k: 1 }, facts[2]?.text as string);
    expect(trail).toMatchObject([{ id: "steel", score: 2 / 61 }]);
  });

  it("searches for what it is told to", async () => {
    const ask = { question: "Why does bread rise?" };
    expect((await found({ k: 1, with: ["question"] }, "moths and lamps", ask)).passages?.[0]?.id).toBe(
      "bread",
    );
    expect((await found({ k: 1, with: ["input"] }, "moths and lamps", ask)).passages?.[0]?.id).toBe("moths");
  });

  it("leaves a query alone that shares no word with any document", async () => {
    const { passages, trail } = await found({}, "zzz qqq");
    expect(passages).toBeUndefined();
    expect(trail).toEqual([]);
  });

  it("tells words apart that differ in a vowel sign alone", async () => {
    await writeFile(
      join(folder, "hindi.jsonl"),
      ["की", "का", "कि"].map((text) => JSON.stringify({ id: text, text })).join("\n"),
    );
    const subject = listener();
    const specialist = await make(retrieve({ documents: join(folder, "hindi.jsonl"), k: 3 }), subject);
    const { trail = [] } = await specialist.respond(queryOf("का"), context);
    expect(trail.map((step) => step.kind === "passage" && step.id)).toEqual(["का"]);
  });

  it.each([
    '" OR words : NEAR(a b) * ^',
    "') ; drop table passages; --",
    "OR NOT NEAR",
    "\0\u0001\ud800",
    "",
    "{}[]()-+:^*\"'",
    Array.from({ length: 20_000 }, (_, i) => `word${i}`).join(" "),
  ])("reads any text as words, never as syntax (%#)", async (text) => {
    await expect(found({}, `moths ${text}`)).resolves.toMatchObject({ passages: [{ id: "moths" }] });
  });

  it("answers the same when the documents are gone, and equal documents give equal states", async () => {
    await write("gone.jsonl", facts);
    const all = given({ base: folder, artifacts: openArtifacts(join(folder, "kept")) });
    const specializer = retrieve({ documents: "file:gone.jsonl", k: 1 });
    const subject = listener();
    const state = await specializer.fit(subject, all);
    expect(await specializer.fit(subject, all)).toEqual(state);
    await rm(join(folder, "gone.jsonl"));
    const specialist = specializer.apply(subject, JSON.parse(JSON.stringify(state)) as Json, {
      encoder: all.encoder,
      artifacts: openArtifacts(join(folder, "kept")),
    });
    await specialist.respond(queryOf("yeast"), context);
    expect(subject.heard[0]?.passages?.[0]?.id).toBe("bread");
  });
});

describe("an index and its documents", () => {
  it("embeds only what changed, also after a fit that was killed", async () => {
    const encoder = letterEncoder();
    const journal = openJournal(":memory:");
    const kept = journaled(encoder, journal);
    const specializer = retrieve({ documents: "file:moving.jsonl", by: "vectors", k: 1 });
    const rows = Array.from({ length: 200 }, (_, i) => ({ id: `d${i}`, text: `fact ${"xyz".repeat(i)}` }));
    const change = { base: folder, encoder: async () => kept, artifacts: openArtifacts() };
    const embedded = () => encoder.texts.splice(0).length;
    await write("moving.jsonl", rows);

    const stop = new AbortController();
    const killed = specializer.fit(
      listener(),
      given({
        ...change,
        context: taskContext(stop.signal),
        progress: (done) => (done >= 128 ? stop.abort() : undefined),
      }),
    );
    await expect(killed).rejects.toThrow();
    expect(embedded()).toBe(128);
    const state = await specializer.fit(listener(), given(change));
    expect(embedded()).toBe(72);
    expect(state).toMatchObject({ documents: 200, passages: 200, empty: 0 });

    const changed = [...rows.slice(0, 150), { id: "d3000", text: "a new one" }];
    changed[7] = { id: "d7", text: "rewritten" };
    await write("moving.jsonl", changed);
    const subject = listener();
    const specialist = await make(specializer, subject, change);
    expect(embedded()).toBe(2);
    await specialist.respond(queryOf("a new one"), context);
    await specialist.respond(queryOf(rows[199]?.text as string), context);
    expect(subject.heard.map(({ passages }) => passages?.[0]?.id)).toEqual(["d3000", "d149"]);
    journal.close();
  });

  it("is named by the contents of its documents, through combinators too", async () => {
    const nested = makeSpecializer(
      [{ subset: { n: 2, use: { retrieve: { documents: "named.jsonl" } } } }, "calibrate"],
      "x",
    );
    expect(sourcesIn(nested.options)).toEqual(["named.jsonl"]);
    const best = {
      bestOf: { of: ["zeroShot", { cot: { use: { retrieve: { documents: "named.jsonl" } } } }] },
    };
    expect(sourcesIn(makeSpecializer(best, "x").options)).toEqual(["named.jsonl"]);
    const table = { table: { name: "doses", source: "doses.csv", key: "drug" } };
    expect(sourcesIn(makeSpecializer({ tools: { offer: [table] } }, "x").options)).toEqual(["doses.csv"]);
    await write("named.jsonl", facts);
    const before = await contentsOf("named.jsonl", { base: folder });
    await write("named.jsonl", facts);
    expect(await contentsOf("named.jsonl", { base: folder })).toBe(before);
    await write("named.jsonl", facts.slice(1));
    expect(await contentsOf("named.jsonl", { base: folder })).not.toBe(before);
    // A list may be empty: dictionaries of one language.
    await writeFile(join(folder, "empty.tsv"), "");
    expect(await contentsOf("file:empty.tsv", { base: folder })).not.toBe(before);
  });

  it.each<[string, Row[], RegExp]>([
    ["two of one id", [...facts, { id: "moths", text: "x" }], /bad\.jsonl:4 and .*bad\.jsonl:6/],
    ["no id", [{ id: " ", text: "x" }], /bad\.jsonl:1/],
    ["no text field", [{ id: "a", body: "x" }], /bad\.jsonl:1/],
    ["no text in any", [{ id: "a", text: " \n" }], /bad\.jsonl/],
  ])("says where documents are wrong: %s", async (_, rows, where) => {
    await write("bad.jsonl", rows);
    const fit = retrieve({ documents: "bad.jsonl" }).fit(listener(), given({ base: folder }));
    await expect(fit).rejects.toMatchObject({ failure: { where: expect.stringMatching(where) } });
  });

  it("takes templates, text files, empty documents and characters that are none", async () => {
    await write("odd.jsonl", [
      { n: 1, title: "Bees", body: "honey\0comb \ud800 wax" },
      { n: 2, title: "", body: "" },
    ]);
    const subject = listener();
    const odd = retrieve({ documents: "odd.jsonl", id: "doc-{{n}}", text: "{{title}}\n{{body}}" });
    expect(await odd.fit(subject, given({ base: folder }))).toMatchObject({ documents: 2, empty: 1 });
    await (await make(odd, subject, { base: folder })).respond(queryOf("wax"), context);
    expect(subject.heard[0]?.passages).toEqual([{ id: "doc-1", text: "Bees\nhoney comb \ufffd wax" }]);
    await writeFile(join(folder, "a.txt"), "The owl sees at night.");
    const file = await make(retrieve({ documents: "*.txt" }), subject, { base: folder });
    await file.respond(queryOf("owl"), context);
    expect(subject.heard[1]?.passages?.[0]?.id).toBe("a.txt");
  });

  it("indexes 20,000 passages in bounded memory", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({
      id: `${i}`,
      text: `record${i} ${"lorem ipsum dolor sit amet ".repeat(20)}`,
    }));
    await write("many.jsonl", rows);
    rows.length = 0;
    const before = process.memoryUsage().rss;
    const subject = listener();
    const specialist = await make(retrieve({ documents: "many.jsonl", k: 1 }), subject, { base: folder });
    await specialist.respond(queryOf("record13579"), context);
    expect(subject.heard[0]?.passages?.[0]?.id).toBe("13579");
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(200);
  }, 20_000);
});

describe("cutPassages", () => {
  const text = Array.from({ length: 100 }, (_, i) => `w${i}${i % 10 === 9 ? "." : ""}`).join(" ");

  it("covers every word, overlaps by as many as asked, and ends with sentences", () => {
    const cut = cutPassages({ id: "d", text }, { words: 24, overlap: 4 }).map((one) => one.text.split(" "));
    expect(new Set(cut.flat()).size).toBe(100);
    for (const [i, one] of cut.entries()) {
      expect(one.length).toBeLessThanOrEqual(24);
      expect(one.at(-1)).toMatch(/\.$/);
      if (i > 0) expect(one.slice(0, 4)).toEqual(cut[i - 1]?.slice(-4));
    }
  });

  it("ends also where there are neither sentences nor spaces, and keeps characters whole", () => {
    const long = "\u{1f41d}".repeat(5000);
    const cut = cutPassages({ id: "d", text: long }, { words: 10, overlap: 5 });
    expect(cut.length).toBe(24);
    expect(cut.every((one) => Buffer.from(one.text).toString() === one.text)).toBe(true);
    expect(cutPassages({ id: "d", text: " \n " }, { words: 10, overlap: 0 })).toEqual([]);
  });
});

const abstracts = join(process.env.HONE_TEST_DATA ?? "", "med", "pubmedqa_test.jsonl");

describe.skipIf(!process.env.HONE_TEST_DATA || !existsSync(abstracts))("on PubMedQA (HONE_TEST_DATA)", () => {
  it("finds a question's own abstract among five for more than 9 of 10", async () => {
    const subject = listener();
    const options = { documents: abstracts, text: "context", k: 5, with: ["input" as const] };
    const specialist = await make(retrieve(options), subject);
    const { readRows } = await import("../../src/data/readers.js");
    let n = 0;
    let right = 0;
    for await (const { row } of readRows(abstracts)) {
      if (n++ === 50) break;
      const { trail = [] } = await specialist.respond(queryOf(row.question as string), context);
      if (trail.some((step) => step.kind === "passage" && step.id === row.id)) right++;
    }
    expect(right).toBeGreaterThan(45);
  }, 20_000);
});
