// What `hone init --data` says of data that it takes as they are.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fromData } from "../../src/advise/own-data.js";
import { randomFor } from "../../src/core/random.js";
import { type Row, sentences, tickets, writeCsv } from "./datasets.js";

const folder = mkdtempSync(join(tmpdir(), "hone-notes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = tickets(240).map(({ body }) => body as string);
const of = (row: (body: string, i: number) => Row) => rows.map(row);

async function notesOf(name: string, data: readonly Row[], said: object = {}): Promise<string[]> {
  const { about } = await aboutOf(join(folder, writeCsv(folder, `${name}.csv`, data)), said);
  return [...about.notes];
}
const aboutOf = (source: string, said: object = {}) =>
  fromData("s", join(folder, "s.study.yaml"), source, said);

describe("a note", () => {
  it("is not written where there is nothing to say", async () => {
    expect(
      await notesOf(
        "plain",
        of((body, i) => ({ body, team: ["a", "b"][i % 2] })),
      ),
    ).toEqual([]);
  });

  it("is not needed for labels with few rows: dev has its part of them", async () => {
    const random = randomFor(3, "few");
    const data = Array.from({ length: 600 }, (_, i) => ({
      body: sentences(random),
      team: `team ${i % 150}`,
    }));
    const { about } = await aboutOf(join(folder, writeCsv(folder, "few.csv", data)), { label: "team" });
    expect(about.counts.dev).toBeGreaterThan(30);
    expect(about.notes.join()).not.toMatch(/near-duplicates of each other/);
  });

  it("says how many texts the template cuts, and where that is set", async () => {
    const data = of((body, i) => ({ body: i % 3 ? body : body.repeat(9), team: ["a", "b"][i % 2] }));
    expect(await notesOf("long", data)).toContain(
      "80 of 240 texts in body are cut to 1,500 characters: {{body|1500}} under `input` sets that.",
    );
  });

  it("says that a column of splits is not kept, and that column is no label; files of splits are kept", async () => {
    const split = (i: number) => ["train", "train", "dev", "test"][i % 4];
    const data = of((body, i) => ({ body, kind: ["x", "y"][i % 2], split: split(i) }));
    const file = join(folder, writeCsv(folder, "split.csv", data));
    const { about } = await aboutOf(file);
    expect(about.taken.find(({ role }) => role === "label")).toMatchObject({
      fields: ["kind"],
      why: "few values",
    });
    expect(about.notes).toEqual([
      expect.stringMatching(
        /^The field split \(train 120, dev 60, test 60\) is not kept: rows are divided anew/,
      ),
    ]);
    mkdirSync(join(folder, "apart"));
    for (const part of ["train", "dev", "test"])
      writeCsv(
        join(folder, "apart"),
        `${part}.csv`,
        data.filter((row) => row.split === part),
      );
    const kept = await aboutOf(join(folder, "apart/*"));
    expect(kept.about.counts).toMatchObject({ test: 60 });
    expect(kept.about.notes.join()).not.toMatch(/divided anew/);
    const folds = data.map(({ split: _, ...row }, i) => ({ ...row, fold: i % 4 }));
    expect((await notesOf("folds", folds, { label: "kind" })).join()).not.toMatch(/not kept/);
  });

  it("counts labels that say there is none, and names tags that are joined", async () => {
    const missing = of((body, i) => ({ body, label: ["good", "bad", "N/A", "nan", "NaN", "-"][i % 6] }));
    const notes = await notesOf("missing", missing);
    expect(notes[1]).toMatch(/^"NaN" \(80 rows\), "-" \(40 rows\), "N\/A" \(40 rows\) count as labels/);
    expect(notes[1]).toContain('not: ["NaN", "nan", "-", "N/A"]');
    const tags = of((body, i) => ({ body, label: ["ship,tech", "tech; ship", "bill", "tech"][i % 4] }));
    expect((await notesOf("tags", tags)).join()).toMatch(
      /^2 labels look like several tags in one \("ship,tech", "tech; ship"\)/,
    );
    const places = of((body, i) => ({ body, label: ["Troy, NY", "Rome, NY", "Oslo"][i % 3] }));
    expect(await notesOf("places", places)).toEqual([]);
  });

  it("names a first row that looks like data", async () => {
    const bare = (name: string, line: (body: string, i: number) => string, said: object = {}) => {
      writeFileSync(join(folder, name), rows.map((body, i) => `${line(body, i)}\n`).join(""));
      return aboutOf(join(folder, name), said).then(({ about }) => about.notes.join());
    };
    const teams = (body: string, i: number) => `${body.replaceAll(",", "")},${["good", "bad"][i % 2]}`;
    expect(await bare("bare.csv", teams)).toMatch(
      /The first row is read as the names.*…" looks like data: .*--columns/,
    );
    expect(await bare("named.csv", teams, { columns: ["text", "team"] })).toBe("");
    expect(
      await bare("ids.tsv", (body, i) => `${1000 + i * 7}\t${body.slice(0, 30)}\t${"ab"[i % 2]}`),
    ).toMatch(/"1000" looks like data/);
    // As pandas writes a table without names.
    const numbered = of((body, i) => ({ 0: body, 1: "ab"[i % 2] }));
    expect(await notesOf("numbered", numbered, { label: "1" })).toEqual([]);
  });
});
