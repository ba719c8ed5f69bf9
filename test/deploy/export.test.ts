// A specialist as a folder: it runs elsewhere and gives the same, and what was changed in it is refused.

import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { readRows } from "../../src/data/index.js";
import { exportSpecialist, importSpecialist } from "../../src/deploy/export.js";
import { predict } from "../../src/deploy/predict.js";
import type { Prediction } from "../../src/deploy/predictor.js";
import { vectorizer } from "../../src/learn/tfidf.js";
import { openServed } from "../../src/serve/served.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { loadSpecialist } from "../../src/study/specialist.js";
import { toneSpec, writeTones } from "../study/fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-export-"));
const store = join(root, ".hone");
const elsewhere = join(root, "elsewhere");
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(async () => {
  writeTones(join(root, "tones.jsonl"), 300);
  writeTones(join(root, "new.jsonl"), 30, 7);
  const specialists = ["linear", { fewShot: { k: 2 } }];
  await runStudy(toneSpec({ model: "mock:?skill=0.4&seed=1", specialists }), { store, base: root });
});

async function labels(ref: string, where: string): Promise<Prediction[]> {
  const run = await predict(ref, readRows(join(root, "new.jsonl")), { store: where });
  const found: Prediction[] = [];
  for await (const one of run.predictions) found.push(one);
  await run.close();
  return found;
}

describe("export", () => {
  it("gives a folder that another store takes, with the same answers", async () => {
    for (const subject of ["linear(tfidf)", "fewShot(k=2)"]) {
      const out = join(root, subject.slice(0, 6));
      const { files } = await exportSpecialist("tones", out, { store, subject });
      expect(files).toEqual(expect.arrayContaining(["README.md", "specialist.json", "SHA256SUMS"]));
      expect(readFileSync(join(out, "README.md"), "utf8")).toMatch(
        /Of the test split, none of \d+ rows opened before\./,
      );
      const name = subject.slice(0, 6);
      await importSpecialist(out, { store: elsewhere, name });
      const run = await predict("tones", readRows(join(root, "new.jsonl")), { store, subject });
      const own: Prediction[] = [];
      for await (const one of run.predictions) own.push(one);
      await run.close();
      expect(await labels(name, elsewhere)).toEqual(own);
      // Straight from the folder, too.
      expect(await labels(out, elsewhere)).toEqual(own);
      await expect(importSpecialist(out, { store: elsewhere, name })).rejects.toThrow(
        /Something is already there/,
      );
    }
    expect(readFileSync(join(root, "fewSho", "prompt.txt"), "utf8")).toMatch(
      /What is the tone\?[\s\S]*\{\{input\}\}/,
    );
  });

  it("writes a linear classifier as ONNX with the same probabilities", async () => {
    const out = join(root, "onnx");
    await exportSpecialist("tones", out, { store, subject: "linear(tfidf)" });
    const { classes, words, characters } = JSON.parse(readFileSync(join(out, "features.json"), "utf8"));
    const blocks = [
      { size: words.terms.length, read: vectorizer({ by: "words", ...words }) },
      { size: characters.terms.length, read: vectorizer({ by: "characters", ...characters }) },
    ];
    const session = await InferenceSession.create(join(out, "classifier.onnx"));
    const said = await labels("tones", store);
    const width = blocks.reduce((sum, { size }) => sum + size, 0);
    const features = new Float32Array(said.length * width);
    let i = 0;
    for await (const { row } of readRows(join(root, "new.jsonl"))) {
      let offset = i++ * width;
      for (const { size, read } of blocks) {
        const { columns, values } = read(row.text as string);
        for (const [k, column] of columns.entries()) features[offset + column] = values[k] as number;
        offset += size;
      }
    }
    const { probabilities } = await session.run({
      features: new Tensor("float32", features, [said.length, width]),
    });
    const given = probabilities?.data as Float32Array;
    for (const [row, { probabilities: known }] of said.entries())
      for (const [k, name] of classes.entries())
        expect(given[row * classes.length + k]).toBeCloseTo(known?.[name] as number, 4);
    await session.release();
  });

  it("is refused where a file was changed, added, removed or is a link, and where it asks an endpoint", async () => {
    const whole = join(root, "whole");
    await exportSpecialist("tones", whole, { store });
    await expect(exportSpecialist("tones", whole, { store })).rejects.toThrow(/Something is already there/);
    const spoilt: [why: RegExp, spoil: (folder: string) => void][] = [
      [/not what was exported/, (folder) => writeFileSync(join(folder, "README.md"), "changed")],
      [/does not list it/, (folder) => writeFileSync(join(folder, "more.js"), "x")],
      [/is missing/, (folder) => rmSync(join(folder, "specialist.json"))],
      [/is a link/, (folder) => symlinkSync("/etc/passwd", join(folder, "artifacts"))],
      [/SHA256SUMS[\s\S]*is missing/, (folder) => rmSync(join(folder, "SHA256SUMS"))],
      [/not a checksum/, (folder) => writeFileSync(join(folder, "SHA256SUMS"), "nothing\n")],
      [
        /is missing/,
        (folder) => writeFileSync(join(folder, "SHA256SUMS"), `${"0".repeat(64)}  ../../secret\n`),
      ],
    ];
    for (const [i, [why, spoil]] of spoilt.entries()) {
      const copy = join(root, `spoilt-${i}`);
      cpSync(whole, copy, { recursive: true });
      spoil(copy);
      await expect(importSpecialist(copy, { store: elsewhere, name: `s${i}` }), String(why)).rejects.toThrow(
        i === 6 ? /does not list it|is missing/ : why,
      );
    }
    await expect(importSpecialist(whole, { store: elsewhere, name: "../x" })).rejects.toThrow(
      /cannot be used/,
    );
    const remote = join(root, "remote.json");
    const saved = JSON.parse(readFileSync(join(whole, "specialist.json"), "utf8"));
    writeFileSync(
      remote,
      JSON.stringify({ ...saved, model: "openai:gpt?base=http://127.0.0.1:9/v1&key=AWS_SECRET" }),
    );
    await expect(predict(remote, [], { store: elsewhere })).rejects.toThrow(
      /calls an endpoint[\s\S]*--allow-endpoint/,
    );
  });
});

describe("a specialist that searches a list", () => {
  it("takes the list along, and nothing outside its folder", async () => {
    const words = ["red", "green", "blue", "yellow", "black", "white", "brown", "grey"].flatMap((word) =>
      ["", "ish", "ness"].map((end) => word + end),
    );
    writeFileSync(
      join(root, "list.tsv"),
      words.flatMap((word) => [`en\t${word}`, `de\t${word}e`]).join("\n"),
    );
    const rows = words.map((word, i) => ({ id: `w${i}`, text: word, gold: `${word}e`, pair: "en-de" }));
    writeFileSync(join(root, "words.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const spec = parseStudy(
      {
        study: "lexicon",
        model: "encoder:minilm",
        task: {
          name: "colours",
          kind: "lexicon",
          vocabulary: "file:list.tsv",
          data: {
            source: "file:words.jsonl",
            input: "text",
            label: "gold",
            stratum: "pair",
            split: { fractions: { train: 0, dev: 0.25, test: 0.75 } },
            leakage: "report",
          },
        },
        specialists: ["ngrams"],
      },
      "lexicon.study.yaml",
    );
    await runStudy(spec, { store, base: root });
    const out = join(root, "list");
    const { files } = await exportSpecialist("lexicon", out, { store, subject: "ngrams" });
    expect(files).toContain("vocabulary.tsv");
    const saved = readFileSync(join(out, "specialist.json"), "utf8");
    expect(JSON.parse(saved).task.options.vocabulary).toBe("vocabulary.tsv");
    expect(saved).not.toContain(root);
    rmSync(join(root, "list.tsv"));
    await importSpecialist(out, { store: elsewhere, name: "colours" });
    const run = await predict("colours", readRows(join(root, "words.jsonl")), { store: elsewhere });
    const said: Prediction[] = [];
    for await (const one of run.predictions) said.push(one);
    await run.close();
    expect(said.map(({ text }) => text)).toEqual(words.map((word) => `${word}e`));
    const signal = new AbortController().signal;
    const served = await openServed(["colours", `own=${out}`], { store: elsewhere, signal });
    expect(served.map(({ id }) => id)).toEqual(["colours", "own"]);
    for (const one of served) await one.close();

    // From there it can be exported again, with its list.
    const again = join(root, "again");
    await exportSpecialist("colours", again, { store: elsewhere });
    expect(readFileSync(join(again, "vocabulary.tsv"), "utf8")).toMatch(/^en\tred\n/);

    // Its own list is gone here, and the export says so.
    await expect(exportSpecialist("lexicon", join(root, "late"), { store })).rejects.toThrow(
      /The vocabulary of its task cannot be copied/,
    );
    // Hostile folders: the list is a whole one, but lies elsewhere.
    const outside = join(root, "outside");
    mkdirSync(outside);
    cpSync(join(out, "vocabulary.tsv"), join(outside, "vocabulary.tsv"));
    const hash = (text: string) => createHash("sha256").update(text).digest("hex");
    const hostile: [named: string, why: RegExp, spoil: (folder: string) => void][] = [
      [join(outside, "vocabulary.tsv"), /an absolute path/, () => {}],
      [`file:${join(outside, "vocabulary.tsv")}`, /an absolute path/, () => {}],
      ["../outside/vocabulary.tsv", /leaves its folder/, () => {}],
      ["artifacts/../../outside/vocabulary.tsv", /leaves its folder/, () => {}],
      [
        "file:../outside/vocabulary.tsv",
        /leaves its folder/,
        (folder) => {
          mkdirSync(join(folder, "file:..", "outside"), { recursive: true });
          cpSync(join(outside, "vocabulary.tsv"), join(folder, "file:..", "outside", "vocabulary.tsv"));
        },
      ],
      [
        "link.tsv",
        /it is a link/,
        (folder) => symlinkSync(join(outside, "vocabulary.tsv"), join(folder, "link.tsv")),
      ],
      [
        "way/vocabulary.tsv",
        /on the way to it is a link/,
        (folder) => symlinkSync(outside, join(folder, "way")),
      ],
      ["none.tsv", /no such file/, () => {}],
      ["vocabulary.tsv\0", /control characters/, () => {}],
    ];
    for (const [i, [named, why, spoil]] of hostile.entries()) {
      const bad = join(root, `bad-${i}`);
      cpSync(out, bad, { recursive: true });
      const changed = saved.replace('"vocabulary.tsv"', JSON.stringify(named));
      writeFileSync(join(bad, "specialist.json"), changed);
      spoil(bad);
      const refused = async (made: Promise<unknown>) => {
        const error = await made.then(
          () => "taken",
          (thrown: Error) => thrown,
        );
        expect(error, named).toBeInstanceOf(HoneError);
        expect((error as HoneError).message).toMatch(/names a file that is not its own/);
        expect((error as HoneError).message).toMatch(why);
      };
      for (const path of [bad, join(bad, "specialist.json")]) {
        await refused(predict(path, [], { store: elsewhere }));
        await refused(openServed([path], { store: elsewhere, signal }));
        await refused(loadSpecialist(path, { signal }));
      }
      await refused(exportSpecialist(bad, join(root, "stolen"), { store: elsewhere }));
      expect(existsSync(join(root, "stolen"))).toBe(false);
      // Links and what is not listed are refused before by import.
      if (i >= 4 && i <= 6) continue;
      const sums = readFileSync(join(bad, "SHA256SUMS"), "utf8").replace(hash(saved), hash(changed));
      writeFileSync(join(bad, "SHA256SUMS"), sums);
      await refused(importSpecialist(bad, { store: elsewhere, name: `bad${i}` }));
    }
    // A study's own names its list where it lies, and a program may allow that.
    const named = join(root, "named");
    cpSync(out, named, { recursive: true });
    const absolute = JSON.stringify(join(outside, "vocabulary.tsv"));
    writeFileSync(join(named, "specialist.json"), saved.replace('"vocabulary.tsv"', absolute));
    const loaded = await loadSpecialist(named, { signal, allowFiles: true });
    expect(loaded.task().kind).toBe("lexicon");
    await loaded.close();
  }, 120_000);

  it("brings no generalist that is a link", async () => {
    const folder = join(root, "base");
    await exportSpecialist("tones", folder, { store, subject: "linear(tfidf)" });
    const saved = JSON.parse(readFileSync(join(folder, "specialist.json"), "utf8"));
    writeFileSync(join(folder, "specialist.json"), JSON.stringify({ ...saved, base: "model.gguf" }));
    symlinkSync("/dev/zero", join(folder, "model.gguf"));
    await expect(predict(folder, [], { store: elsewhere })).rejects.toThrow(
      /specialist\.json, base[\s\S]*is a link/,
    );
  });
});
