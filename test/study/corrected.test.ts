// What is said of a pair never contradicts its p: one p wherever it is told, and what n could have shown at the level at
// which that p was judged.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomFor } from "../../src/core/random.js";
import type { Comparison, StudyRecord } from "../../src/core/record.js";
import { formatP, sayP } from "../../src/report/format.js";
import { comparisonNote, copiesFound } from "../../src/report/tables.js";
import { renderSummary } from "../../src/report/terminal.js";
import { holm, holmLevels } from "../../src/statistics/index.js";
import { adjustFamily, allPairs, compareScores } from "../../src/study/compare.js";
import { writeToneStudy } from "./fixture.js";

describe("levels", () => {
  const ps = fc.array(
    fc.double({ min: 0, max: 1, noNaN: true }).map((u) => u ** 6),
    { minLength: 1, maxLength: 40 },
  );

  test("a hypothesis is rejected by Holm's procedure exactly where its p is below its level", () => {
    fc.assert(
      fc.property(ps, fc.nat(), fc.double({ min: 1e-9, max: 1, noNaN: true }), (family, at, other) => {
        const i = at % family.length;
        const level = holmLevels(family, 0.05)[i]!;
        expect(holm(family)[i]! < 0.05).toBe(family[i]! < level);
        // The level is the pair's whatever its own p is.
        const changed = family.with(i, other);
        expect(holm(changed)[i]! < 0.05).toBe(other < level);
      }),
      { numRuns: 500 },
    );
  });
});

describe("detectable", () => {
  /** Systems of increasing skill on the same samples, right/wrong or on a scale, alone or in groups. */
  const scored = (seed: number, n: number, kind: "binary" | "scale" | "groups") =>
    Array.from({ length: 4 }, (_, k) => ({
      name: `s${k}`,
      binary: kind !== "scale",
      scores: Array.from({ length: n }, (_, i) => {
        const random = randomFor(seed, kind, k, i);
        const score = kind === "scale" ? Math.min(1, random() + 0.12 * k) : Number(random() < 0.4 + 0.13 * k);
        return { sample: `x${i}`, score, ...(kind === "groups" ? { group: `g${i % 12}` } : {}) };
      }),
    }));

  test("is more than any difference that was not shown, at every n and for every test", () => {
    let unshown = 0;
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom("binary" as const, "scale" as const, "groups" as const),
        (seed, n, kind) => {
          const systems = scored(seed, n, kind);
          const pairs = allPairs(systems.map(({ name }) => name));
          for (const c of adjustFamily(compareScores({ task: "t", systems, pairs, seed: 1 }))) {
            if (c.pAdjusted < 0.05) continue;
            unshown++;
            expect(c.detectable).toBeGreaterThan(Math.abs(c.delta));
          }
        },
      ),
      { numRuns: 150, seed: 5 },
    );
    expect(unshown).toBeGreaterThan(100);
  });

  test("grows with the family that a pair stands in", () => {
    const systems = scored(1, 100, "binary").slice(0, 2);
    const one = compareScores({ task: "t", systems, pairs: [["s0", "s1"]], seed: 1 });
    const alone = adjustFamily(one)[0]!;
    const among = adjustFamily([...one, ...Array.from({ length: 30 }, () => ({ ...one[0]!, p: 0.9 }))])[0]!;
    expect(among.detectable).toBeGreaterThan(1.2 * alone.detectable);
  });
});

test("a pair has one p, whichever of the two stands first and in whatever order they were answered", () => {
  const scores = (k: number) =>
    Array.from({ length: 70 }, (_, i) => ({ sample: `x${i}`, score: randomFor(1, k, i)() * (1 + 0.3 * k) }));
  const a = { name: "a", binary: false, scores: scores(0) };
  const b = { name: "b", binary: false, scores: scores(1) };
  const shuffled = { ...b, scores: b.scores.toReversed() };
  const [one] = compareScores({ task: "t", systems: [a, b], pairs: [["a", "b"]], seed: 1 });
  const [other] = compareScores({ task: "t", systems: [shuffled, a], pairs: [["b", "a"]], seed: 1 });
  expect(other?.p).toBe(one?.p);
  expect(other?.delta).toBeCloseTo(-one!.delta, 12);
});

describe("a study", () => {
  let folder: string;
  let record: StudyRecord;
  let markdown: string;
  let page: string;
  const hone = (...args: string[]): string =>
    execFileSync(process.execPath, [resolve(import.meta.dirname, "../../bin/hone.js"), ...args], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "hone-corrected-"));
    const specialists = [{ fewShot: { k: 3 } }, "calibrate", "linear", "majority"];
    const study = writeToneStudy(folder, { model: "mock:?skill=0.55&seed=1", specialists });
    record = JSON.parse(hone("run", study, "--json").trim().split("\n").at(-1)!) as StudyRecord;
    markdown = readFileSync(join(folder, ".hone/reports/tones/report.md"), "utf8");
    page = readFileSync(join(folder, ".hone/reports/tones/report.html"), "utf8");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("tells the same p of a pair in terminal, report and `hone compare`, also of some of its subjects", () => {
    expect(record.comparisons.length).toBeGreaterThan(3);
    const text = renderSummary(record, { colour: false, width: 110 }).replace(/\s+/g, " ");
    const compared = JSON.parse(hone("compare", "tones", "--json")).comparisons as Comparison[];
    const names = record.subjects.map(({ name }) => name);
    expect(compared).toHaveLength((names.length * (names.length - 1)) / 2);
    for (const { a, b, pAdjusted } of record.comparisons) {
      expect(compared.find((c) => c.a === a && c.b === b)?.pAdjusted).toBe(pAdjusted);
      const few = JSON.parse(hone("compare", "tones", a, b, "--json")).comparisons as Comparison[];
      expect(few.map((c) => c.pAdjusted)).toEqual([pAdjusted]);
      const told = text.split(`${a} against ${b}: `)[1];
      if (told) expect(told).toMatch(new RegExp(`^[^:]*\\), ${sayP(pAdjusted)}`));
      const line = markdown.split("\n").find((row) => row.startsWith(`| ${a} against ${b} |`));
      expect(line?.split(" | ")[3]).toBe(formatP(pAdjusted).replace("<", "&lt;").replace(">", "&gt;"));
    }
  });

  test("a pair that was not planned keeps its p when fewer subjects are asked for", () => {
    const pairs = (...chosen: string[]) =>
      JSON.parse(hone("compare", "tones", ...chosen, "--json")).comparisons as Comparison[];
    const planned = (c: Comparison) => record.comparisons.some(({ a, b }) => a === c.a && b === c.b);
    const other = pairs().find((c) => !planned(c) && !planned({ ...c, a: c.b, b: c.a }))!;
    expect(pairs(other.a, other.b)[0]?.pAdjusted).toBe(other.pAdjusted);
  });

  test("the caption names the test that was used, and no other", () => {
    expect(comparisonNote(record)).toContain("Test: McNemar's, exact.");
    expect(markdown).toContain("Test: McNemar's, exact.");
    expect(page.replaceAll("&#39;", "'")).toContain("Test: McNemar's, exact.");
    const flipped = {
      ...record,
      comparisons: record.comparisons.map((c) => ({ ...c, test: "sign-flip" as const })),
    };
    expect(comparisonNote(flipped)).toMatch(/sign-flip/);
    expect(comparisonNote(flipped)).not.toMatch(/McNemar/);
    const both = { ...record, comparisons: [record.comparisons[0]!, flipped.comparisons[1]!] };
    expect(comparisonNote(both)).toMatch(/McNemar.*sign-flip/);
  });
});

test("the seal tells copies that are in test from those that were left out", () => {
  expect(copiesFound({ exact: 0, near: 0, checked: true, dropped: 12 })).toBe(
    "no copy of a training sample in test (12 copies left out of train and dev)",
  );
  expect(copiesFound({ exact: 1, near: 2, checked: true })).toBe(
    "1 exact copy and 2 near copies of training samples in test",
  );
  expect(copiesFound({ exact: 0, near: 0, checked: false })).toMatch(/not checked/);
});
