import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareTones } from "../../examples/library.js";
import { writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-library-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("examples/library.ts runs a study with a specializer of one's own, the same twice", async () => {
  const source = join(folder, "tones.jsonl");
  writeTones(source, 450);
  const record = await compareTones(source, join(folder, "store"));
  expect(record.results.map(({ subject }) => subject)).toEqual([
    "zeroShot",
    "keywords(3)",
    "calibrate",
    "linear(tfidf)",
    "majority",
  ]);
  expect(record.verdict?.champion).toBeTruthy();
  // Another store, nothing reused: the same seed gives the same figures.
  const again = await compareTones(source, join(folder, "other"));
  const figures = ({ results }: typeof record) =>
    results.map(({ subject, n, mean, low, high }) => [subject, n, mean, low, high]);
  expect(figures(again)).toEqual(figures(record));
  expect(again.comparisons).toEqual(record.comparisons);
});
