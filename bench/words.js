// npm run bench:words
// The word index: a query among 100,000 words (three languages of five), its recall against an exact search, opening; and bilingual
// lexicon induction, 2,000 queries among 100,000 words, exact. Vectors are drawn in clusters, with the width of Gemma 3 270M.
// Writes bench/recorded/words.json; medians of three rounds in one process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { normal, randomFor } from "../dist/core/random.js";
import { ranks, search } from "../dist/learn/search.js";
import { openWordIndex, writeWordIndex } from "../dist/learn/word-index.js";
import { record } from "./record.js";

const { values } = parseArgs({
  options: { words: { type: "string", default: "100000" }, queries: { type: "string", default: "2000" } },
});
const [count, asked] = [Number(values.words), Number(values.queries)];
const [width, clusters, rounds, k] = [640, 500, 3, 10];
const languages = ["de", "en", "fr", "ru", "tr"];
const to = ["de", "fr", "tr"];
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

const random = randomFor(1, "bench words");
// Noise from a table: a hundred million draws would take longer than the measurement.
const noise = Float32Array.from({ length: 1 << 20 }, () => normal(random));
const centres = Float32Array.from({ length: clusters * width }, (_, i) => noise[(i * 7919) % noise.length]);
const vectors = new Float32Array(count * width);
for (let row = 0; row < count; row++) {
  const own = vectors.subarray(row * width, (row + 1) * width);
  const shift = Math.floor(random() * noise.length);
  for (let i = 0; i < width; i++)
    own[i] = centres[(row % clusters) * width + i] + 0.9 * noise[(shift + i) % noise.length] + 0.5;
  let square = 0;
  for (const value of own) square += value * value;
  const scale = 1 / Math.sqrt(square);
  for (let i = 0; i < width; i++) own[i] *= scale;
}
const words = Array.from({ length: count }, (_, row) => ({
  language: languages[Math.floor((row * languages.length) / count)],
  word: `w${row}`,
}));
const per = count / languages.length;

const folder = mkdtempSync(join(tmpdir(), "hone-bench-words-"));
try {
  await writeWordIndex(folder, "encoder:none", words, { vectors, width });
  const openings = [];
  let index;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    index = await openWordIndex(folder);
    openings.push(performance.now() - start);
  }
  const queries = Array.from({ length: 60 }, () => `w${Math.floor(random() * count)}`);
  for (const word of queries.slice(0, 10)) index.nearest(index.find(word), "de", k);
  const byRound = [];
  const cpuByRound = [];
  const found = new Map();
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    const times = queries.map((word) => {
      const start = performance.now();
      const vector = index.find(word);
      found.set(
        word,
        to.map((language) => index.nearest(vector, language, k)),
      );
      return performance.now() - start;
    });
    const { user, system } = process.cpuUsage(before);
    cpuByRound.push((user + system) / 1000 / queries.length);
    byRound.push(median(times));
  }

  const { signal } = new AbortController();
  const rowsOf = (list) => {
    const own = new Float32Array(list.length * width);
    for (const [i, row] of list.entries())
      own.set(vectors.subarray(row * width, (row + 1) * width), i * width);
    return { vectors: own, width };
  };
  let [shared, all] = [0, 0];
  for (const [l, language] of to.entries()) {
    const first = languages.indexOf(language) * per;
    const exact = await search(
      rowsOf(queries.map((word) => Number(word.slice(1)))),
      { vectors: vectors.subarray(first * width, (first + per) * width), width },
      k,
      signal,
    );
    for (const [q, list] of exact.entries()) {
      const own = new Set(found.get(queries[q])[l].map(({ word }) => word));
      shared += list.filter(({ index: row }) => own.has(`w${first + row}`)).length;
      all += k;
    }
  }

  const source = rowsOf(Array.from({ length: asked }, () => Math.floor(random() * count)));
  const gold = Array.from({ length: asked }, (_, i) => [(i * 37) % count]);
  const inductions = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await ranks(source, { vectors, width }, gold, signal);
    inductions.push((performance.now() - start) / 1000);
  }
  const result = {
    words: count,
    width,
    rounds,
    languages: to.length,
    queryMs: median(byRound),
    queryMsByRound: byRound,
    queryCpuMs: median(cpuByRound),
    recallAt10: shared / all,
    recallN: queries.length * to.length,
    openMs: median(openings),
    inductionQueries: asked,
    inductionSeconds: median(inductions),
    inductionSecondsByRound: inductions,
  };
  if (count === 100_000 && asked === 2000) record("words", result);
  else console.log(result);
  console.log(
    `words: ${result.queryMs.toFixed(1)} ms a query (recall ${result.recallAt10.toFixed(3)}), ${asked} queries of bilingual lexicon induction in ${result.inductionSeconds.toFixed(1)} s`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
