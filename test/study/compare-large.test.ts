// hone compare at its limits: the most systems it takes, and more rows than its heap could hold as objects.

import { execFile } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { comparePredictionsFile } from "../../src/study/predictions.js";

const bin = resolve(import.meta.dirname, "../../bin/hone.js");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-compare-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of predictions: `systems` answer `n` samples, the k-th of them right with probability `skill(k)`. */
async function written(
  n: number,
  systems: number,
  skill: (k: number) => number,
  more: (i: number) => object,
) {
  const random = randomFor(1, "compare-large", n);
  const path = join(folder, `${n}x${systems}.jsonl`);
  const out = createWriteStream(path);
  for (let i = 0; i < n; i++) {
    const answers: Record<string, string> = {};
    for (let k = 0; k < systems; k++) answers[`s${k}`] = random() < skill(k) ? "A" : "B";
    const row = { id: `case-${i}`, gold: "A", answers, ...more(i) };
    if (!out.write(`${JSON.stringify(row)}\n`))
      await new Promise<void>((go) => out.once("drain", () => go()));
  }
  await new Promise<void>((go) => out.end(() => go()));
  return path;
}

describe("hone compare at its limits", () => {
  test("100 systems on 1,500 samples: 4,950 pairs, their letters, in seconds", async () => {
    const path = await written(
      1500,
      100,
      (k) => 0.5 + 0.2 * (k & 1),
      () => ({}),
    );
    const begun = performance.now();
    const { comparisons, ranking } = await comparePredictionsFile(path);
    // Two seconds on an idle machine. The letters alone used to take longer than anyone would wait.
    expect(performance.now() - begun).toBeLessThan(60_000);
    expect(comparisons).toHaveLength(4950);
    const letters = new Map(
      ranking[0]!.ranks.map(({ subject, letters }) => [subject, letters.match(/[a-z]\d*/g)!]),
    );
    for (const { a, b, pAdjusted } of comparisons)
      expect(letters.get(a)!.some((letter) => letters.get(b)!.includes(letter))).toBe(pAdjusted >= 0.05);
  }, 120_000);

  test("rows are not held as objects: 250,000 of them in two tasks and 5,000 groups fit a heap of 40 MB", async () => {
    const path = await written(
      250_000,
      2,
      (k) => 0.7 + 0.01 * k,
      (i) => ({ task: i % 2 === 0 ? "even" : "odd", group: `g${i % 5000}` }),
    );
    const args = ["--max-old-space-size=40", bin, "compare", "--predictions", path, "--json"];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { results } = JSON.parse(stdout.trim()) as {
      results: { subject: string; task: string; n: number }[];
    };
    expect(results.find(({ subject, task }) => subject === "s1" && task === "(all samples)")?.n).toBe(
      250_000,
    );
  }, 180_000);
});
