// Medprompt's reproduction over the mock, on a few made questions. A stand-in with the same options takes the place of the
// ladder's specializer: what is tested is the reproduction, not the rungs.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { z } from "zod";
import { openData } from "../../src/papers/data.js";
import { lookupStudies } from "../../src/papers/medprompt/lookup.js";
import { medprompt } from "../../src/papers/medprompt/paper.js";
import { coalitionArms } from "../../src/papers/medprompt/plans.js";
import { readSet, toRow } from "../../src/papers/medprompt/read.js";
import { presets } from "../../src/papers/medprompt/settings.js";
import { specializers } from "../../src/specializers/index.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";

const folder = mkdtempSync(join(tmpdir(), "hone-medprompt-"));
afterAll(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const needs = { folders: ["med"], holding: "med/" } as const;

const standIn = {
  ...specializers.fewShot,
  options: z.looseObject({}),
  make: (options: { without?: string[] }) => ({
    ...fewShot({ k: 1 }),
    options,
    label: `medprompt without ${options.without?.join(" ") ?? "nothing"}`,
  }),
};

it("has twelve distinct coalitions", () => {
  const written = Object.values(coalitionArms(presets.full.ladder)).map((arm) => JSON.stringify(arm));
  expect([written.length, new Set(written).size]).toEqual([16, 12]);
});

it("runs the ladder and every coalition, judges the claims, names what is missing", async () => {
  mkdirSync(join(folder, "med"));
  for (const [name, n] of Object.entries({ train1030: 6, dev: 4, test: 6 })) {
    const words = ["heart", "kidney", "liver", "lung", "spleen", "bone"];
    const rows = Array.from({ length: n }, (_, i) => ({
      id: `${name}-${i}`,
      question: `Which ${words[i]} finding of ${name} case ${i * 37} fits best?`,
      options: { A: "one", B: "two", C: "three", D: "four" },
      answer: "ABCD"[i % 4],
    }));
    writeFileSync(
      join(folder, "med", `medqa_${name}.jsonl`),
      rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
    );
  }
  // Nobody listens there: what the folder lacks cannot be had.
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
  const settings = { ...presets.smoke, tasks: ["medqa", "pubmedqa"], shapley: "medqa" };
  const done = await medprompt.reproduce(
    {
      preset: "smoke",
      data: folder,
      models: ["mock:"],
      store: join(folder, "store"),
      use: { specializers: { ...specializers, medprompt: standIn } as never },
    },
    settings,
  );
  expect(done.stopped).toBeNull();
  expect(done.missing).toEqual([expect.stringMatching(/^PubMedQA: .*cannot be reached/)]);
  expect(done.claims.map(({ id }) => id)).toEqual(
    ["m1", "m2", "m3", "m4", "m5", "m6", "b.medqa"].map((id) => `${id}.1`),
  );
  expect(done.claims.every(({ measured, n }) => measured !== null && n === 6)).toBe(true);
  const values = done.shapley as { mean: number }[];
  const whole = done.claims[4]?.measured as number;
  expect(values.reduce((sum, { mean }) => sum + mean, 0)).toBeCloseTo(whole, 9);
  // Table 1, the ladder, prices, positions and both eyes are there, with a column or a row a rung.
  const tables = Object.fromEntries(done.tables.map((table) => [table.title.split(",")[0], table]));
  expect(tables["The ladder"]?.head).toHaveLength(7);
  expect(tables["The paper's Table 1 and the whole ladder here"]?.rows).toHaveLength(1);
  expect(tables["Cost of an answer by rung"]?.rows).toHaveLength(6);
  expect(tables["Eyes-on and eyes-off"]?.rows).toHaveLength(6);
  expect(tables["Where chosen options stood"]?.rows).toHaveLength(3);
});

it("refuses a data folder that is not there", async () => {
  const given = {
    preset: "smoke",
    data: join(folder, "nowhere"),
    models: ["mock:"],
    store: join(folder, "s"),
  } as const;
  await expect(medprompt.reproduce(given)).rejects.toThrow(
    /No data for medprompt[\s\S]*nowhere[\s\S]*cannot be read/,
  );
});

const abcd = (...texts: string[]) => ({ label: ["A", "B", "C", "D"].slice(0, texts.length), text: texts });

it.each([
  [
    "pubmedqa",
    { pubid: 7, question: "Does it?", context: { contexts: ["One.", "Two."] }, final_decision: "no" },
    {
      id: "pubmedqa/7",
      input: "One.\nTwo.",
      question: "Does it?",
      options: abcd("yes", "no", "maybe"),
      answer: "B",
      evidence: ["7"],
    },
  ],
  [
    "medmcqa",
    { id: "x", question: "Which?", opa: "a", opb: "b", opc: "c", opd: "d", cop: 2, exp: "c, as" },
    { id: "medmcqa/x", input: "Which?", options: abcd("a", "b", "c", "d"), answer: "C" },
  ],
  [
    "mmlu_anatomy",
    { question: "Where?", subject: "anatomy", choices: ["a", "b", "c", "d"], answer: 3 },
    { id: "mmlu_anatomy/1", options: abcd("a", "b", "c", "d"), answer: "D" },
  ],
  [
    "medqa",
    { question: "What?", answer: "two", options: { A: "one", B: "two" }, answer_idx: "B" },
    { id: "medqa/1", options: abcd("one", "two"), answer: "B" },
  ],
])("reads a row of %s as the Hub keeps it", (key, row, expected) => {
  const read = toRow(key, row, 1, presets.original.chars);
  expect(read).toMatchObject(expected);
  expect(JSON.stringify(read)).not.toContain("c, as");
});

it.skipIf(!process.env.HONE_TEST_DATA)(
  "reads the real sets without overlap (needs HONE_TEST_DATA)",
  async () => {
    const data = await openData("medprompt", needs, process.env.HONE_TEST_DATA);
    for (const task of ["medqa", "pubmedqa", "medmcqa"]) {
      const rows = await readSet(task, data, presets.full, {});
      const { train, dev, test } = presets.full.limit;
      const ids = Object.values(rows).flatMap((split) => split.map(({ id }) => id));
      expect([ids.length, new Set(ids).size]).toEqual([train + dev + test, train + dev + test]);
    }
  },
);

it.skipIf(!process.env.HONE_TEST_DATA)(
  "asks without the text, and finds it among thousands of others (needs HONE_TEST_DATA)",
  async () => {
    const data = await openData("medprompt", needs, process.env.HONE_TEST_DATA);
    const [abstracts, factoids] = await lookupStudies(data, presets.full);
    for (const one of [abstracts, factoids]) {
      const documents = one?.files["documents.jsonl"] as { id: string; text: string }[];
      const known = new Map(documents.map(({ id, text }) => [id, text]));
      expect(known.size).toBe(documents.length);
      const test = one?.files["test.jsonl"] as { input: string; evidence: string[] }[];
      expect(test).toHaveLength(100);
      for (const { evidence, input } of test) {
        expect(evidence.length).toBeGreaterThan(0);
        for (const id of evidence) {
          expect(known.has(id)).toBe(true);
          expect(input).not.toContain(known.get(id)?.slice(0, 60));
        }
        expect(documents.length - evidence.length).toBeGreaterThan(3000);
      }
    }
  },
);
