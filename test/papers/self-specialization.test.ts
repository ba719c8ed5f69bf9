// Self-Specialization's reproduction over the mock, on a few made questions: what is tested is the reproduction. A stand-in takes
// the place of the specializer, which needs weights; the smoke has the real one.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";
import { openData } from "../../src/papers/data.js";
import { selfSpecialization } from "../../src/papers/self-specialization/paper.js";
import { armsOf } from "../../src/papers/self-specialization/plans.js";
import { readDomain } from "../../src/papers/self-specialization/read.js";
import { presets } from "../../src/papers/self-specialization/settings.js";
import { makeSpecializer, specializers } from "../../src/specializers/index.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";

const folder = mkdtempSync(join(tmpdir(), "hone-self-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const needs = { folders: ["med", "law", "social"], holding: "", elsewhere: true } as const;

const standIn = {
  ...specializers.selfSpecialize,
  options: z.looseObject({}),
  make: (options: object) => ({
    ...fewShot({ k: 1 }),
    options: options as never,
    label: JSON.stringify(options),
  }),
};

it("has every arm of the issue, each written so that a study takes it", () => {
  const all = armsOf(presets.original, { law: true, documents: true, generator: "openai:big" });
  expect(Object.keys(all)).toHaveLength(11);
  const made = Object.entries(all).map(([name, arm]) => makeSpecializer(arm, name));
  expect(new Set(made.map(({ name, options }) => JSON.stringify([name, options]))).size).toBe(11);
  expect(JSON.stringify(all["seeds alone"])).toContain('"pairs":0');
});

it("runs every arm, judges the claims, leaves out what is missing and names it", async () => {
  mkdirSync(join(folder, "med"));
  const write = (name: string, rows: readonly object[]) =>
    writeFileSync(join(folder, "med", name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const words = "heart kidney liver lung spleen bone skin nerve vein gland".split(" ");
  write(
    "medmcqa_dev.jsonl",
    Array.from({ length: 60 }, (_, i) => ({
      id: `m${i}`,
      question: `Which finding of the ${words[i % 10]} fits case ${i * 37} of the ${words[(i * 3) % 10]} ward best?`,
      options: { A: "one", B: "two", C: "three", D: "four" },
      answer: "ABCD"[i % 4],
    })),
  );
  const settings = { ...presets.smoke, sets: ["medmcqa", "pubmedqa"] as const, without: [] };
  const done = await selfSpecialization.reproduce(
    {
      preset: "smoke",
      data: folder,
      models: ["mock:?skill=0.6"],
      store: join(folder, "store"),
      use: { specializers: { ...specializers, selfSpecialize: standIn } as never },
    },
    settings,
  );
  expect(done.stopped).toBeNull();
  const judged = new Map(done.claims.map((claim) => [claim.id, claim]));
  expect(judged.get("s1.1")).toMatchObject({ published: 0.1148, n: 4 });
  expect(judged.get("s1.1")?.measured).not.toBeNull();
  // Neither law nor a corpus is there.
  for (const id of ["s4.1", "s6.1", "k2.1"])
    expect(judged.get(id)).toMatchObject({ measured: null, holds: null });
  // Not every value is the successor's: what this preset has stands first.
  expect(done.deviations.join(" ")).toMatch(/learningRate 0\.001, .*successor's are .*learningRate 0\.0003/);
  expect(done.deviations.join(" ")).toMatch(/Left out: pubmedqa.*Left out: law/);
  expect(done.tables.map(({ title }) => title.split(",")[0])).toEqual([
    "Scores",
    "Gain over the base",
    "Label priors",
  ]);
});

it("refuses a folder without any of its sets", async () => {
  mkdirSync(join(folder, "empty", "med"), { recursive: true });
  const options = {
    preset: "smoke",
    data: join(folder, "empty"),
    models: ["mock:"],
    store: join(folder, "s"),
  } as const;
  await expect(selfSpecialization.reproduce(options)).rejects.toThrow(/none of the biomedical sets/);
});

it.skipIf(!process.env.HONE_TEST_DATA)("keeps seeds, corpus and test apart in the real data", async () => {
  const data = await readDomain(await openData("x", needs, process.env.HONE_TEST_DATA), presets.full);
  const count = (set: string) => data.domain.test.filter(({ stratum }) => stratum === set).length;
  for (const set of presets.full.sets) expect(count(set)).toBe(300);
  expect(data.factoid.test).toHaveLength(300);
  expect(data.seeds).toHaveLength(80);
  const test = new Set([...data.domain.test, ...data.factoid.test].map(({ id }) => id));
  for (const { id, response, options } of data.seeds) {
    expect(test.has(id)).toBe(false);
    if (options) expect(options).toContain(response);
  }
  // PubMedQA is shown whole, its question last; its documents of test are in no passage.
  const abstracts = data.domain.test.filter(({ stratum }) => stratum === "pubmedqa");
  expect(Math.max(...abstracts.map(({ input }) => input.length))).toBeGreaterThan(1500);
  const ids = new Set(data.documents.map(({ id }) => id));
  for (const { id } of abstracts) expect(ids.has(id.replace("pubmedqa/", ""))).toBe(false);
  expect(data.documents.length).toBeGreaterThan(1000);
  expect(data.law?.seeds).toHaveLength(80);
  expect(new Set(data.law?.seeds.map(({ options }) => options?.length ?? 0))).toEqual(new Set([4, 2, 0]));
});
