// Word vectors: the decomposition against its definition, a rotation found again, skip-gram on a corpus whose answer is known, and
// the reference and the probing task in a study.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { normal, randomFor } from "../../src/core/random.js";
import { mapped, procrustes, svd } from "../../src/learn/procrustes.js";
import { subwordReader, trainSkipGram, wordsOf } from "../../src/learn/skip-gram.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";

const folder = mkdtempSync(join(tmpdir(), "hone-word-vectors-"));
afterAll(() => rmSync(folder, { recursive: true }));
const model = fileURLToPath(new URL("../nets/fixtures/xlmr", import.meta.url));

describe("Procrustes", () => {
  const random = randomFor(1, "matrix");
  it.each([8, 3])("decomposes a matrix of rank %i of 8", (rank) => {
    const width = 8;
    const left = Array.from({ length: width * rank }, () => normal(random));
    const right = Array.from({ length: width * rank }, () => normal(random));
    const a = Float64Array.from({ length: width * width }, (_, at) => {
      const [i, j] = [Math.floor(at / width), at % width];
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += (left[i * rank + k] as number) * (right[j * rank + k] as number);
      return sum;
    });
    const { u, s, v } = svd(a, width);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        let [back, uu, vv] = [0, 0, 0];
        for (let k = 0; k < width; k++) {
          back += (u[k * width + i] as number) * (s[k] as number) * (v[k * width + j] as number);
          uu += (u[i * width + k] as number) * (u[j * width + k] as number);
          vv += (v[i * width + k] as number) * (v[j * width + k] as number);
        }
        expect(back).toBeCloseTo(a[i * width + j] as number, 9);
        expect(uu).toBeCloseTo(i === j ? 1 : 0, 9);
        expect(vv).toBeCloseTo(i === j ? 1 : 0, 9);
      }
    }
  });

  it("finds the rotation between two spaces, through noise", () => {
    const width = 6;
    const from = Float32Array.from({ length: 200 * width }, () => normal(random));
    const turn = procrustes(
      Float32Array.from({ length: 40 * width }, () => normal(random)),
      Float32Array.from({ length: 40 * width }, () => normal(random)),
      width,
    );
    const to = mapped(from, turn, width).map((value) => value + 0.01 * normal(random));
    const found = procrustes(from, to, width);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(turn[i] as number, 2);
  });
});

/** Sentences in which words of one topic stand together. */
function topics(seed: number, word: (topic: number, i: number) => string): string[] {
  const random = randomFor(seed, "topics");
  return Array.from({ length: 400 }, () => {
    const topic = Math.floor(random() * 4);
    return Array.from({ length: 8 }, () => word(topic, Math.floor(random() * 5))).join(" ");
  });
}
const name = (topic: number, i: number) =>
  `${["ba", "ke", "lo", "mu"][topic]}${["rrt", "ddf", "nns", "ppl", "vvz"][i]}`;
const mirrored = (word: string) => [...word].reverse().join("");

it("brings words together that stand together, the same for the same seed, and unknown words by their n-grams", async () => {
  const sentences = topics(1, name).map(wordsOf);
  const options = {
    dimensions: 16,
    window: 4,
    negatives: 5,
    epochs: 6,
    learningRate: 0.05,
    subsample: 0,
    buckets: 1_000_000,
    shortest: 3,
    longest: 6,
    seed: 3,
  };
  const trained = await trainSkipGram(sentences, options);
  expect((await trainSkipGram(sentences, options)).vectors).toEqual(trained.vectors);
  const read = subwordReader(trained);
  const cosine = (a: string, b: string) => {
    const [x, y] = [read(a), read(b)];
    return (
      x.reduce((sum, value, i) => sum + value * (y[i] as number), 0) / (Math.hypot(...x) * Math.hypot(...y))
    );
  };
  let [within, across] = [0, 0];
  for (let topic = 0; topic < 4; topic++) {
    within += cosine(name(topic, 0), name(topic, 1)) / 4;
    across += cosine(name(topic, 0), name((topic + 1) % 4, 1)) / 4;
  }
  expect(within).toBeGreaterThan(across + 0.3);
  expect(cosine("barrtx", "barrt")).toBeGreaterThan(cosine("barrtx", "lonns"));
  expect(Math.hypot(...read("ßßß"))).toBe(0);
});

it("maps languages into one space in a study, and probes encoders", { timeout: 60_000 }, async () => {
  const lines = (of: string[]) => of.map((line) => `${line}\n`).join("");
  const words = Array.from({ length: 20 }, (_, at) => name(at % 4, Math.floor(at / 4)));
  writeFileSync(
    join(folder, "corpora.tsv"),
    lines([
      ...topics(1, name).map((text) => `en\t${text}`),
      ...topics(1, (topic, i) => mirrored(name(topic, i))).map((text) => `xx\t${text}`),
    ]),
  );
  writeFileSync(
    join(folder, "dictionaries.tsv"),
    lines(words.slice(0, 12).map((word) => `en\t${word}\txx\t${mirrored(word)}`)),
  );
  writeFileSync(join(folder, "vocabulary.tsv"), lines(words.map((word) => `xx\t${mirrored(word)}`)));
  const areas = (word: string) => (word.startsWith("b") || word.startsWith("k") ? "first" : "second");
  writeFileSync(
    join(folder, "examples.tsv"),
    lines(words.slice(0, 12).map((word) => `${areas(word)}\t${word}`)),
  );
  const row = (word: string, answer: string) =>
    JSON.stringify({ id: `${answer} ${word}`, text: word, answer, stratum: "en-xx" });
  const parts = { train: words.slice(0, 1), dev: words.slice(1, 12), test: words.slice(12) };
  for (const [split, own] of Object.entries(parts)) {
    writeFileSync(join(folder, `${split}.jsonl`), lines(own.map((word) => row(word, mirrored(word)))));
    writeFileSync(join(folder, `areas-${split}.jsonl`), lines(own.map((word) => row(word, areas(word)))));
  }
  const data = (prefix: string) => ({
    splits: Object.fromEntries(
      ["train", "dev", "test"].map((split) => [split, `file:${prefix}${split}.jsonl`]),
    ),
    id: "id",
    input: "text",
    label: "answer",
    stratum: "stratum",
    leakage: "report",
  });
  const study = parseStudy(
    {
      study: "word-vectors-test",
      model: `encoder:file:${model}?threads=1`,
      task: {
        name: "words",
        kind: "lexicon",
        vocabulary: "file:vocabulary.tsv",
        measure: "csls",
        neighbours: 3,
        data: data(""),
      },
      elsewhere: [{ name: "areas", kind: "probing", examples: "file:examples.tsv", data: data("areas-") }],
      specialists: [
        {
          wordVectors: {
            corpora: "file:corpora.tsv",
            dictionaries: "file:dictionaries.tsv",
            dimensions: 16,
            tokens: 30_000,
            buckets: 5000,
          },
        },
      ],
    },
    join(folder, "word-vectors.study.yaml"),
  );
  // CSLS needs the words of the source.
  writeFileSync(
    join(folder, "vocabulary.tsv"),
    lines(words.flatMap((word) => [`en\t${word}`, `xx\t${mirrored(word)}`])),
  );
  const record = await runStudy(study, { base: folder, store: join(folder, "store") });
  const mean = (task: string) =>
    record.results.find((one) => one.task === task && one.subject === "wordVectors")?.mean as number;
  // Among 20 words, and 5 of the right topic: chance is 0.18, knowing the topic alone about 0.46.
  expect(mean("words")).toBeGreaterThan(0.35);
  expect(mean("areas")).toBeGreaterThan(0.8);
});
