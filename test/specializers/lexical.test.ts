// lexical and setfit on a tiny random XLM-R: the loss against a plain computation, training, keeping, opening again, studies.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { randomFor } from "../../src/core/random.js";
import {
  cleanWord,
  constraintStatistics,
  drawPairs,
  pairsOf,
  readOmw,
  readPairs,
  withoutWords,
  writePairs,
} from "../../src/data/constraints.js";
import { predict } from "../../src/deploy/predict.js";
import type { Prediction } from "../../src/deploy/predictor.js";
import { hubness, ranks, search } from "../../src/learn/search.js";
import { openBertFolder } from "../../src/models/net/open.js";
import { contrastLoss } from "../../src/nets/contrast.js";
import { lexical } from "../../src/specializers/training/lexical.js";
import { spearman } from "../../src/statistics/spearman.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { compile } from "../../src/tensor/compile.js";

const folder = mkdtempSync(join(tmpdir(), "hone-lexical-"));
afterAll(() => rmSync(folder, { recursive: true }));
const model = fileURLToPath(new URL("../nets/fixtures/xlmr", import.meta.url));
const { signal } = new AbortController();

describe("contrastive losses", () => {
  const labels = [0, 0, 1, 1, 1, 2, -1];
  const random = randomFor(1, "vectors");
  const vectors = labels.map(() => Array.from({ length: 5 }, () => random() - 0.5));
  // A word that is drawn twice has one vector.
  vectors[4] = vectors[3] as number[];
  const unit = vectors.map((v) => v.map((x) => x / Math.hypot(...v)));
  const cosine = (a: number, b: number) =>
    (unit[a] as number[]).reduce((sum, x, i) => sum + x * ((unit[b] as number[])[i] as number), 0);
  const used = [...labels.keys()].filter((i) => (labels[i] as number) >= 0);
  const run = async (kind: "ntxent" | "supcon", csls: number, temperature: number) => {
    const program = compile<[Tensor, Tensor], Tensor>((x: np.Array, y: np.Array) =>
      contrastLoss(x, y, { kind, temperature, csls }),
    );
    const { data } = await program(
      new Tensor("float32", Float32Array.from(vectors.flat()), [7, 5]),
      new Tensor("int32", Int32Array.from(labels), [7]),
    );
    await program.release();
    return (data as Float32Array)[0] as number;
  };
  const nearness = (a: number, k: number) => {
    const others = used.filter((b) => labels[b] !== labels[a]).map((b) => cosine(a, b));
    return (
      others
        .sort((x, y) => y - x)
        .slice(0, k)
        .reduce((x, y) => x + y, 0) / Math.min(k, others.length)
    );
  };
  const plain = (kind: "ntxent" | "supcon", csls: number, temperature: number) => {
    const s = (a: number, b: number) =>
      (csls ? 2 * cosine(a, b) - nearness(a, csls) - nearness(b, csls) : cosine(a, b)) / temperature;
    const perPair: number[] = [];
    const perAnchor: number[] = [];
    for (const a of used) {
      const positives = used.filter((b) => b !== a && labels[b] === labels[a]);
      const negatives = used.filter((b) => labels[b] !== labels[a]);
      const sum = (list: number[]) => list.reduce((total, b) => total + Math.exp(s(a, b)), 0);
      for (const p of positives)
        perPair.push(-Math.log(Math.exp(s(a, p)) / (Math.exp(s(a, p)) + sum(negatives))));
      if (positives.length === 0) continue;
      const all = sum(used.filter((b) => b !== a));
      perAnchor.push(positives.reduce((t, p) => t - s(a, p) + Math.log(all), 0) / positives.length);
    }
    const list = kind === "ntxent" ? perPair : perAnchor;
    return list.reduce((a, b) => a + b, 0) / list.length;
  };
  it.each([
    ["ntxent", 0, 0.1],
    ["supcon", 0, 0.1],
    ["ntxent", 2, 0.1],
    ["supcon", 4, 0.1],
    ["ntxent", 50, 0.1],
    ["ntxent", 0, 0.005],
    ["supcon", 0, 0.005],
  ] as const)(
    "%s with csls %i at temperature %f is what its formula says",
    async (kind, csls, temperature) => {
      const wanted = plain(kind, csls, temperature);
      expect((await run(kind, csls, temperature)) / wanted).toBeCloseTo(1, 5);
    },
  );
});

describe("constraints", () => {
  const tab = join(folder, "wn.tab");
  writeFileSync(
    tab,
    "# Test\teng\n00000001-n\teng:lemma\tcourt\n00000001-n\teng:lemma\ttribunal\n00000001-n\teng:def\t0\tan assembly of judges\n00000001-n\teng:exe\t0\tshe went to court\n00000002-s\tlemma\tbig_one\n",
  );
  it("reads wordnets, pairs, and writes what it reads", async () => {
    const senses = await readOmw(tab);
    expect(senses).toContainEqual({ synset: "00000002-a", lang: "eng", kind: "lemma", value: "big_one" });
    const pairs = pairsOf([...senses, { synset: "00000001-n", lang: "fra", kind: "lemma", value: "cour" }], {
      perSynset: 4,
      seed: 1,
    });
    expect(pairs.map(({ word1, word2 }) => [word1, word2].sort().join())).toEqual(
      expect.arrayContaining(["court,tribunal", "cour,court"]),
    );
    expect(pairs[0]?.gloss1).toBe("an assembly of judges");
    const path = join(folder, "pairs.tsv");
    writeFileSync(path, writePairs(pairs));
    expect(await readPairs(path)).toEqual(pairs);
    expect(
      withoutWords(pairs, ["COURT"]).every(({ word1, word2 }) => ![word1, word2].includes("court")),
    ).toBe(true);
    expect(constraintStatistics(pairs).languages.fra?.words).toBe(1);
  });
  it("cleans words, and names the line of what is no wordnet", async () => {
    expect(["big_one", "A4", "", "a b c d", "x (a)", "東京"].map(cleanWord)).toEqual([
      "big one",
      undefined,
      undefined,
      undefined,
      "x",
      "東京",
    ]);
    writeFileSync(join(folder, "bad.tab"), "# x\teng\nnonsense\n");
    await expect(readOmw(join(folder, "bad.tab"))).rejects.toThrow(/bad\.tab:2/);
    writeFileSync(join(folder, "bad.csv"), "a,b\n1,2\n");
    await expect(readPairs(join(folder, "bad.csv"))).rejects.toThrow(HoneError);
  });
  it("draws small pairs of languages more often than their share", () => {
    const pair = (lang2: string) => ({
      synset: "1",
      lang1: "a",
      word1: "x",
      gloss1: "",
      lang2,
      word2: "y",
      gloss2: "",
    });
    const pairs = [
      ...Array.from({ length: 90 }, () => pair("b")),
      ...Array.from({ length: 10 }, () => pair("c")),
    ];
    const share = (alpha: number) => {
      const next = drawPairs(pairs, alpha, randomFor(1, "draw"));
      return Array.from({ length: 4000 }, next).filter((i) => i >= 90).length / 4000;
    };
    expect(share(1)).toBeCloseTo(0.1, 1);
    expect(Math.abs(share(0.5) - 0.25)).toBeLessThan(0.03);
  });
});

it("searches exactly: best rows, ranks and hubness as a plain loop finds them", async () => {
  const random = randomFor(2, "search");
  const make = (n: number) => {
    const vectors = new Float32Array(n * 8).map(() => random() - 0.5);
    for (let i = 0; i < n; i++) {
      const row = vectors.subarray(i * 8, i * 8 + 8);
      row.set(row.map((x) => x / Math.hypot(...row)));
    }
    return { vectors, width: 8 };
  };
  const [queries, rows] = [make(20), make(600)];
  const dot = (q: number, r: number) =>
    Array.from(
      { length: 8 },
      (_, i) => (queries.vectors[q * 8 + i] as number) * (rows.vectors[r * 8 + i] as number),
    ).reduce((a, b) => a + b, 0);
  const all = Array.from({ length: 20 }, (_, q) => Array.from({ length: 600 }, (_, r) => dot(q, r)));
  const found = await search(queries, rows, 3, signal);
  for (const [q, list] of found.entries()) {
    const best = [...(all[q] as number[])].sort((a, b) => b - a);
    for (const [i, { score }] of list.entries()) expect(score).toBeCloseTo(best[i] as number, 5);
  }
  const { rank } = await ranks(
    queries,
    rows,
    all.map((_, q) => (q === 0 ? [] : [q * 7])),
    signal,
  );
  expect(rank[0]).toBe(Number.POSITIVE_INFINITY);
  for (let q = 1; q < 20; q++)
    expect(rank[q]).toBe(1 + (all[q] as number[]).filter((score) => score > dot(q, q * 7) + 1e-6).length);
  // Rows that score the same share their ranks.
  const twice = {
    vectors: new Float32Array([...rows.vectors.slice(0, 16), ...rows.vectors.slice(0, 8)]),
    width: 8,
  };
  const first = { vectors: rows.vectors.slice(0, 8), width: 8 };
  expect((await ranks(first, twice, [[0]], signal)).rank[0]).toBe(1.5);
  // A vector of zeros is as near to all rows, and finds none.
  const nothing = { vectors: new Float32Array(8), width: 8 };
  expect((await ranks(nothing, rows, [[3]], signal)).rank[0]).toBe(Number.POSITIVE_INFINITY);
  const near = await hubness(queries, rows, 5, signal);
  expect(near[3]).toBeCloseTo(
    [...(all[3] as number[])]
      .sort((a, b) => b - a)
      .slice(0, 5)
      .reduce((a, b) => a + b, 0) / 5,
    5,
  );
});

it("gives Spearman's correlation, with ties", () => {
  expect(spearman([1, 2, 3, 4], [10, 20, 30, 40])).toBe(1);
  expect(spearman([1, 2, 2, 4], [4, 3, 2, 1])).toBeCloseTo(-0.9487, 4);
  expect(spearman([1, 1], [1, 2])).toBeNaN();
});

it("specializes an encoder in a study, keeps it, and the kept folder gives the same vectors", {
  timeout: 120_000,
}, async () => {
  const words = ["court", "suit", "study", "model", "paper", "test", "score", "data"];
  const other = (word: string) => [...word].reverse().join("");
  const pairs = words.map((word, i) => ({
    synset: `s${i}`,
    lang1: "en",
    word1: word,
    gloss1: "",
    lang2: "xx",
    word2: other(word),
    gloss2: "",
  }));
  writeFileSync(join(folder, "constraints.tsv"), writePairs(pairs));
  writeFileSync(
    join(folder, "vocabulary.tsv"),
    words.flatMap((word) => [`en\t${word}`, `xx\t${other(word)}`]).join("\n"),
  );
  const row = (word: string, i: number) =>
    JSON.stringify({ id: `w${i}`, text: word, answer: other(word), stratum: "en-xx" });
  for (const split of ["train", "dev", "test"])
    writeFileSync(
      join(folder, `${split}.jsonl`),
      split === "test" ? words.map(row).join("\n") : row(`${split}`, split === "dev" ? 91 : 92),
    );
  writeFileSync(
    join(folder, "vocabulary.tsv"),
    `${words
      .concat("dev")
      .map((word) => `en\t${word}\nxx\t${other(word)}`)
      .join("\n")}\n`,
  );
  const study = parseStudy(
    {
      study: "lexical-test",
      model: `encoder:file:${model}?threads=1`,
      task: {
        name: "words",
        kind: "lexicon",
        vocabulary: "file:vocabulary.tsv",
        data: {
          splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: "file:test.jsonl" },
          id: "id",
          input: "text",
          label: "answer",
          stratum: "stratum",
          leakage: "report",
        },
      },
      specialists: [
        { lexical: { source: "file:constraints.tsv", batch: 8, steps: 40, learningRate: 0.01, rank: 8 } },
        {
          lexical: {
            source: "file:constraints.tsv",
            ...{ method: "adapter", reduction: 2, batch: 8, steps: 80, learningRate: 0.02 },
          },
        },
      ],
    },
    join(folder, "lexical.study.yaml"),
  );
  const record = await runStudy(study, { base: folder, store: join(folder, "store") });
  const [plain, ...trained] = record.results.map(({ mean }) => mean as number);
  expect(plain).toBeLessThan(0.7);
  for (const mean of trained) expect(mean).toBeGreaterThan(0.85);
  expect(() => lexical({ source: "x", method: "adapter", write: true })).toThrow(/no place/);
  const state = readdirSync(join(folder, "store"), { recursive: true }).map(String);
  const kept = state.find((path) => path.endsWith("encoder/config.json"));
  expect(kept).toBeDefined();
  const opened = await openBertFolder(join(folder, "store", kept as string, ".."), {
    name: "kept",
    threads: 1,
  });
  const vectors = await opened.vectors(["court", other("court"), "data"], signal);
  const cos = (a: number, b: number) =>
    vectors.subarray(a * 24, a * 24 + 24).reduce((s, x, i) => s + x * (vectors[b * 24 + i] as number), 0);
  expect(cos(0, 1)).toBeGreaterThan(cos(0, 2));
  await opened.close();

  // New rows of the same study: the nearest word of the other language, and how near it is.
  const best = record.results.reduce((a, b) => ((b.mean ?? 0) > (a.mean ?? 0) ? b : a));
  const asked = { store: join(folder, "store"), subject: best.subject };
  const run = await predict(
    "lexical-test",
    [{ row: { text: "court", stratum: "en-xx" }, place: "row 1" }],
    asked,
  );
  const said: Prediction[] = [];
  for await (const one of run.predictions) said.push(one);
  expect(run.summary()).toMatchObject({ n: 1, expected: { metric: "MRR" } });
  await run.close();
  expect(said).toMatchObject([{ row: 1, text: other("court") }]);
  expect(said[0]?.score).toBeGreaterThan(0.5);
  const pairless = await predict("lexical-test", [{ row: { text: "court" }, place: "row 1" }], asked);
  await expect(pairless.predictions.next()).rejects.toThrow(/stratum/);
  await pairless.close();
});
