// hone words: an index made and asked, with and without the word in it, and broken ones.

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { normal, randomFor } from "../../src/core/random.js";
import { openWordIndex, writeWordIndex } from "../../src/learn/word-index.js";

const folder = mkdtempSync(join(tmpdir(), "hone-words-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("finds what an exact search finds, and refuses damaged files", async () => {
  const [count, width] = [4000, 96];
  const random = randomFor(1, "index");
  const centres = Float32Array.from({ length: 200 * width }, () => normal(random));
  const vectors = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const own = vectors.subarray(row * width, (row + 1) * width);
    for (let i = 0; i < width; i++)
      own[i] = (centres[(row % 200) * width + i] as number) + 0.6 * normal(random) + 0.5;
    own.set(own.map((value) => value / Math.hypot(...own)));
  }
  const words = Array.from({ length: count }, (_, row) => ({
    language: row < 2000 ? "de" : "fr",
    word: `W${row}`,
  }));
  const path = join(folder, "index");
  await writeWordIndex(path, "encoder:none", words, { vectors, width });
  const index = await openWordIndex(path);
  expect(index.languages).toEqual(["de", "fr"]);
  const query = index.find("w2345") as Float32Array;
  const exact = Array.from({ length: 2000 }, (_, row) => {
    let dot = 0;
    for (let i = 0; i < width; i++) dot += (vectors[row * width + i] as number) * (query[i] as number);
    return { word: `W${row}`, score: dot };
  }).sort((a, b) => b.score - a.score);
  const found = index.nearest(query, "de", 5);
  // Numbers of 8 bits: scores to a hundredth, and the best among the best.
  for (const [i, { word, score }] of found.entries()) {
    expect(Math.abs(score - (exact[i]?.score as number))).toBeLessThan(0.01);
    expect(exact.slice(0, 8).map((one) => one.word)).toContain(word);
  }
  expect(index.find("nothing")).toBeUndefined();
  expect(index.nearest(query, "xx", 5)).toEqual([]);
  truncateSync(join(path, "vectors.i8"), 100);
  await expect(openWordIndex(path)).rejects.toThrow(HoneError);
  writeFileSync(join(path, "index.json"), "{");
  await expect(openWordIndex(path)).rejects.toThrow(HoneError);
  await expect(openWordIndex(join(folder, "none"))).rejects.toThrow(HoneError);
});
