// Gates: what a metric cannot be is refused before anything is asked, and the interval's worse end decides.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { toneStudy, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-gate-"));
  writeTones(join(folder, "tones.jsonl"), 120);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (gate: object) => {
  const study = toneStudy({ model: "mock:?skill=0.9&seed=1", dev: 20, test: 60, extra: { gate } });
  return runStudy(parseStudy(study, "test"), { base: folder, store: join(folder, "store") });
};

it.each([
  [{ atLeast: 7 }, /gate\.atLeast[\s\S]*accuracy lies between 0 and 1/],
  [{ atMost: 0.5 }, /gate\.atMost[\s\S]*Write `atLeast`/],
])("refuses %j for an accuracy", async (gate, message) => {
  await expect(run(gate)).rejects.toThrow(message);
});

it("is met where the interval's lower end reaches it, and only there", async () => {
  const record = await run({ atLeast: 0 });
  const low = record.results.find(({ subject }) => subject === record.verdict?.champion)?.low as number;
  expect(record.gate?.met).toBe(true);
  expect((await run({ atLeast: low + 0.001 })).gate?.met).toBe(false);
  expect((await run({ atLeast: low - 0.001 })).gate?.met).toBe(true);
});
