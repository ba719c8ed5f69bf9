// The texts of the DeepSeekMoE reproduction: as much as the issue asks, nothing told twice across splits. Reads the folder that
// HONE_TEST_DATA names, and says so when it skips.

import { expect, it } from "vitest";
import { openData } from "../../src/papers/data.js";
import { readTexts } from "../../src/papers/deepseekmoe/read.js";
import { presets } from "../../src/papers/deepseekmoe/settings.js";

const folder = process.env.HONE_TEST_DATA;
/** Share of a text's sequences of 13 words that train has too. */
const shared = (text: string, train: ReadonlySet<string>) => {
  const runs = runsOf(text);
  return runs.length === 0 ? 0 : runs.filter((run) => train.has(run)).length / runs.length;
};
const runsOf = (text: string) => {
  const words = text.split(/\s+/);
  return words.slice(12).map((_, i) => words.slice(i, i + 13).join(" "));
};

it.skipIf(!folder)(
  "holds ten megabytes in nine domains, each document in one split (skips without HONE_TEST_DATA)",
  async () => {
    const needs = { folders: ["law", "med", "social", "lexical"] as const, holding: "texts" };
    const { train, dev, test, bytes } = await readTexts(
      await openData("deepseekmoe", needs, folder),
      presets.full,
      new AbortController().signal,
    );
    const sizes = Object.values(bytes);
    expect(sizes.length).toBe(9);
    expect(sizes.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(10e6);
    expect(Math.min(...sizes)).toBeGreaterThan(100e3);
    const groups = (rows: typeof train) => new Set(rows.map(({ group }) => group));
    const own = groups(train);
    for (const part of [dev, test]) expect([...groups(part)].filter((group) => own.has(group))).toEqual([]);
    for (const domain of presets.full.domains) {
      const rows = test.filter((row) => row.domain === domain);
      expect(rows.length, domain).toBe(presets.full.texts.test);
      expect(new Set(rows.map(({ group }) => group)).size, domain).toBe(rows.length);
    }
    for (const domain of ["stories", "code", "dictionary"] as const) {
      const seen = new Set(train.filter((row) => row.domain === domain).flatMap(({ text }) => runsOf(text)));
      const rows = test.filter((row) => row.domain === domain);
      const mean = rows.reduce((sum, { text }) => sum + shared(text, seen), 0) / rows.length;
      expect(mean, domain).toBeLessThan(0.1);
    }
  },
  120_000,
);
