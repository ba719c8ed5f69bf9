// Predictions on new rows: the champion and any subject by name, bad rows, drift, formats, and a kill that loses nothing.

import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HoneError } from "../../src/core/errors.js";
import { readRows } from "../../src/data/index.js";
import { fileSink, streamSink } from "../../src/deploy/outputs.js";
import { predict } from "../../src/deploy/predict.js";
import type { Prediction } from "../../src/deploy/predictor.js";
import { startMockServer } from "../../src/models/mock-server.js";
import { runStudy } from "../../src/study/run.js";
import { hone, start } from "../cli/spawned.js";
import { toneSpec, tones, writeTones } from "../study/fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-predict-"));
const store = join(root, ".hone");
const fresh = join(root, "new.jsonl");
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(async () => {
  writeTones(join(root, "tones.jsonl"), 400);
  // Later numbers than those of the study, which has none of them.
  writeTones(fresh, 560, 7);
  writeFileSync(fresh, readFileSync(fresh, "utf8").trim().split("\n").slice(500).join("\n"));
  const specialists = [{ fewShot: { k: 3 } }, "linear", "majority"];
  const spec = toneSpec({ model: "mock:?skill=0.4&seed=1", specialists });
  await runStudy(spec, { store, base: root });
});

async function all(ref: string, file: string, options: Parameters<typeof predict>[2] = {}) {
  const run = await predict(ref, readRows(file, { onBad: options.onBad }), { store, ...options });
  const predictions: Prediction[] = [];
  try {
    for await (const one of run.predictions) predictions.push(one);
    return { predictions, summary: run.summary() };
  } finally {
    await run.close();
  }
}

describe("predict", () => {
  it("gives the champion's label, with its probability, for each row in order", async () => {
    const { predictions, summary } = await all("tones", fresh);
    const rows = readFileSync(fresh, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(predictions.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(predictions.map(({ label }) => label)).toEqual(rows.map(({ tone }) => tone));
    for (const { label, probability, probabilities } of predictions) {
      expect(probability).toBe(probabilities?.[label as string]);
      expect(Object.keys(probabilities ?? {}).sort()).toEqual(Object.keys(tones).sort());
      expect(Object.values(probabilities ?? {}).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    }
    expect(summary).toMatchObject({ n: 60, unscored: 0, bad: 0, study: "tones", subject: "linear(tfidf)" });
    expect(summary.expected).toMatchObject({ metric: "accuracy", n: 60, mean: 1 });
    expect(summary.drift.filter(({ differs }) => differs)).toEqual([]);
    expect(summary.drift.map(({ of }) => of)).toEqual(["length", "vocabulary", "predicted mix"]);
  });

  it("finds every subject of the study by its name, and asks the model once for the same row", async () => {
    const server = await startMockServer({ model: "?skill=0.5&seed=2" });
    try {
      const spec = toneSpec({ name: "remote", model: `openai:mock?base=${server.url}&format=chat` });
      const record = await runStudy(spec, { store, base: root });
      for (const { name } of record.subjects) {
        const { predictions, summary } = await all("remote", fresh, { subject: name });
        expect([summary.subject, predictions.length]).toEqual([name, 60]);
      }
      const { requests } = server.stats();
      const again = await all("remote", fresh, { subject: "fewShot(k=3)" });
      expect([again.predictions.length, server.stats().requests]).toEqual([60, requests]);
      await expect(all("remote", fresh, { subject: "nobody" })).rejects.toThrow(
        /has no subject nobody[\s\S]*fewShot/,
      );
    } finally {
      await server.close();
    }
  });

  it("warns by named tests where rows do not look like the study's", async () => {
    const file = join(root, "strange.jsonl");
    const line = (i: number) => JSON.stringify({ text: `rude ${"unheard words of ".repeat(12)} ${i}` });
    writeFileSync(file, Array.from({ length: 40 }, (_, i) => line(i)).join("\n"));
    const { drift } = (await all("tones", file)).summary;
    expect(drift.filter(({ differs }) => differs).map(({ of, test }) => [of, test])).toEqual([
      ["length", "Kolmogorov-Smirnov"],
      ["vocabulary", "Kolmogorov-Smirnov"],
      ["predicted mix", "chi-squared"],
    ]);
  });

  it("stops at a bad row with its line, and passes it over only when asked", async () => {
    const cases: [file: string, text: string, where: RegExp[]][] = [
      [
        "bad.jsonl",
        '{"text":"A rude memo"}\n{"text":\n{"texts":"x"}\n{"text":" "}\n{"text":"A polite memo"}\n',
        [/bad\.jsonl:2/, /bad\.jsonl:3/, /bad\.jsonl:4/],
      ],
      ["bad.csv", "id,text\n1,A rude memo\n2\n3,\n4,A polite memo\n", [/bad\.csv:3/, /bad\.csv:4/]],
    ];
    for (const [name, text, places] of cases) {
      const file = join(root, name);
      writeFileSync(file, text);
      await expect(all("tones", file)).rejects.toThrow(places[0] as RegExp);
      const bad: HoneError[] = [];
      const { predictions, summary } = await all("tones", file, { onBad: (error) => bad.push(error) });
      expect(predictions.map(({ label }) => label)).toEqual(["r", "p"]);
      expect(bad.length).toBe(places.length);
      for (const [i, place] of places.entries()) expect(bad[i]?.message).toMatch(place);
      expect(summary.n).toBe(2);
    }
  });

  it("writes CSV, JSON lines and Parquet that read back the same, and no file that is not whole", async () => {
    const said: Prediction[] = [
      {
        row: 1,
        place: "a:1",
        id: "=1+1",
        label: "p",
        probability: 0.25,
        trail: [{ kind: "rationale", text: "so" }],
      },
      { row: 2, place: "a:2", id: "b", unscored: "timeout", detail: "too late" },
    ];
    for (const ending of ["csv", "jsonl", "parquet"]) {
      const path = join(root, `out.${ending}`);
      const dropped = await fileSink(path, "rows.csv");
      await dropped.write(said[0] as Prediction);
      await dropped.abandon();
      await expect(readRows(path).next()).rejects.toThrow(/no such file/);
      const sink = await fileSink(path, "rows.csv");
      for (const one of said) await sink.write(one);
      await sink.finish();
      const rows = [];
      for await (const { row } of readRows(path)) rows.push(row);
      expect(rows.map(({ row, label }) => [Number(row), label || undefined])).toEqual(
        [
          [1, "p"],
          [2, undefined],
        ].map(([n, l]) => (ending === "parquet" && l === undefined ? [n, undefined] : [n, l])),
      );
      expect(Number(rows[0]?.probability)).toBe(0.25);
      expect(rows[0]?.id).toBe(ending === "csv" ? "'=1+1" : "=1+1");
      expect(rows[1]?.unscored).toBe("timeout");
    }
    await expect(fileSink(join(root, "out.txt"), "rows.csv")).rejects.toThrow(/ending is none of/);
  });

  it.skipIf(!existsSync("/dev/full"))("ends with the error where the disk is full", async () => {
    const sink = streamSink(createWriteStream("/dev/full"), "csv");
    const writing = (async () => {
      for (let row = 1; row < 1e5; row++)
        await sink.write({ row, place: `a:${row}`, id: "x".repeat(100), label: "p" });
    })();
    await expect(writing).rejects.toMatchObject({ code: "ENOSPC" });
  });

  it("killed at any moment goes on and asks for nothing twice; says what is to be expected", async () => {
    const server = await startMockServer({ model: "?skill=0.5&seed=3", latencyMs: 40 });
    try {
      const folder = join(root, "killed");
      const model = `openai:mock?base=${server.url}&format=chat&concurrency=2`;
      const spec = toneSpec({ name: "slow", model, dev: 4, test: 8, specialists: ["majority"] });
      await runStudy(spec, { store: join(folder, ".hone"), base: root });
      const args = ["predict", "slow", "--subject", "zeroShot", "--data", fresh, "--out", "out.csv"];
      for (const after of [700, 1100]) {
        const run = start(args, { cwd: folder });
        await new Promise((resolve) => setTimeout(resolve, after));
        run.child.kill("SIGKILL");
        await run.ended;
      }
      const { code, stdout } = await hone(args, { cwd: folder });
      expect(code).toBe(0);
      expect(stdout).toMatch(/60 rows predicted by zeroShot \(slow\)[\s\S]*Expected accuracy/);
      // A call that was in flight when the process died may be made again, and no other.
      expect(server.stats().repeated).toBeLessThanOrEqual(2 * 2);
      let n = 0;
      for await (const { row } of readRows(join(folder, "out.csv"))) if (row.label !== "") n++;
      expect(n).toBe(60);
    } finally {
      await server.close();
    }
  }, 60_000);

  it("streams stdin: what is known is written while more is waited for", async () => {
    const { spawn } = await import("node:child_process");
    const { bin } = await import("../cli/spawned.js");
    const child = spawn(process.execPath, [bin, "predict", "tones", "--data", "-"], { cwd: root });
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
    });
    child.stdin.write('{"id":"a","text":"A rude memo"}\n');
    for (let i = 0; i < 500 && !text.includes('"a"'); i++) await new Promise((tick) => setTimeout(tick, 20));
    expect(JSON.parse(text)).toMatchObject({ id: "a", label: "r" });
    child.stdin.end('{"id":"b","text":"A polite memo"}\n');
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect([code, text.trim().split("\n").length]).toEqual([0, 2]);
  }, 30_000);
});
