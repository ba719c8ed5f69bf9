// Medprompt's reproduction over the mock, on a few made questions. A stand-in with the same options takes the place of the
// ladder's specializer: what is tested is the reproduction, not the rungs.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";
import { readTask } from "../../src/papers/medprompt/read.js";
import { reproduceMedprompt } from "../../src/papers/medprompt/reproduce.js";
import { coalitionArms, presets } from "../../src/papers/medprompt/settings.js";
import { fewShot } from "../../src/specializers/few-shot.js";
import { specializers } from "../../src/specializers/index.js";

const folder = mkdtempSync(join(tmpdir(), "hone-medprompt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const standIn = {
  ...specializers.fewShot,
  options: z.looseObject({}),
  make: (options: { without?: string[] }) => ({
    ...fewShot({ k: 1 }),
    label: `medprompt without ${options.without?.join(" ") ?? "nothing"}`,
  }),
};

it("has twelve distinct coalitions", () => {
  const written = coalitionArms(presets.full.ladder).map(({ arm }) => JSON.stringify(arm));
  expect([written.length, new Set(written).size]).toEqual([16, 12]);
});

it("runs the ladder and every coalition, judges the claims, names what is missing", async () => {
  for (const [name, n] of Object.entries({ train1030: 6, dev: 4, test: 6 })) {
    const words = ["heart", "kidney", "liver", "lung", "spleen", "bone"];
    const rows = Array.from({ length: n }, (_, i) => ({
      id: `${name}-${i}`,
      question: `Which ${words[i]} finding of ${name} case ${i * 37} fits best?`,
      options: { A: "one", B: "two", C: "three", D: "four" },
      answer: "ABCD"[i % 4],
    }));
    writeFileSync(
      join(folder, `medqa_${name}.jsonl`),
      rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
    );
  }
  const settings = { ...presets.smoke, tasks: ["medqa", "pubmedqa"], shapley: "medqa" };
  const done = await reproduceMedprompt(
    {
      preset: "smoke",
      data: folder,
      models: ["mock:"],
      store: join(folder, "store"),
      specializers: { ...specializers, medprompt: standIn } as never,
    },
    settings,
  );
  expect(done.stopped).toBeNull();
  expect(done.missing).toEqual(["pubmedqa"]);
  expect(done.claims.map(({ id }) => id)).toEqual(["m1.1", "m2.1", "m3.1", "m4.1", "m5.1"]);
  expect(done.claims.every(({ measured, n }) => measured !== null && n === 6)).toBe(true);
  const values = done.shapley as { mean: number }[];
  const whole = done.claims[4]?.measured as number;
  expect(values.reduce((sum, { mean }) => sum + mean, 0)).toBeCloseTo(whole, 9);
});

it.skipIf(!process.env.HONE_TEST_DATA)(
  "reads the real sets without overlap (needs HONE_TEST_DATA)",
  async () => {
    for (const task of ["medqa", "pubmedqa", "medmcqa"]) {
      const rows = await readTask(join(process.env.HONE_TEST_DATA as string, "med"), task, presets.full);
      const ids = Object.values(rows ?? {}).flatMap((split) => split.map(({ id }) => id));
      expect([ids.length, new Set(ids).size]).toEqual([110, 110]);
    }
  },
);
