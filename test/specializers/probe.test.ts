// probe on a llama of two layers: what it reads of a packed row is what it reads of a prompt alone, it learns what states
// separate, and a saved one gives the same scores.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { LanguageModel } from "../../src/core/model.js";
import type { Sample } from "../../src/core/sample.js";
import { taskContext } from "../../src/core/task.js";
import { generalist } from "../../src/models/generalist.js";
import { openLlama } from "../../src/models/llama.js";
import { calibrate, chain, fewShot, probe } from "../../src/specializers/index.js";
import { sharedReader } from "../../src/specializers/training/frozen/extract.js";
import { checkReading } from "../../src/specializers/training/frozen/rows.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { choice } from "../../src/tasks/choice.js";
import { ggufBytes, tinyLlama, twice } from "../models/llama-make.js";
import { given } from "./fakes.js";

const folder = mkdtempSync(join(tmpdir(), "hone-probe-"));
const signal = new AbortController().signal;
const context = taskContext(signal);
const task = choice("letters", { instruction: "Which?", question: "Which letters?" }, [
  { key: "x", text: "ab" },
  { key: "y", text: "cd" },
]);
const samplesOf = (split: string, count: number): Sample[] =>
  Array.from({ length: count }, (_, i) => {
    const gold = i % 3 === 0 ? "x" : "y";
    return { id: `${split}${i}`, input: `${(gold === "x" ? "ab" : "cd").repeat(1 + (i % 4))} ${i}`, gold };
  });
const train = samplesOf("train", 36);
const fresh = samplesOf("test", 12).map((sample) => ({ ...sample, input: `${sample.input} 77` }));
const parts = { task, train, context };

let model: LanguageModel;
let subject: LanguageSubject;
beforeAll(async () => {
  const path = join(folder, "two.gguf");
  writeFileSync(path, ggufBytes(twice(tinyLlama())));
  model = await openLlama(path, { format: "plain", context: 256, lanes: 1, threads: 1 });
  subject = generalist(model);
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("frozen states", () => {
  it("are the same in packed rows and alone", async () => {
    const reader = await sharedReader(model, model.weights!, [1, 2]);
    const prompts = [
      [1, 9, 8, 7, 20, 21, 22],
      [1, 9, 8, 7, 30],
      [1, 9, 8, 7, 31, 40, 41, 42, 43],
    ];
    const all = await reader.all(prompts, 4, { signal, progress: () => {} });
    expect(reader.size).toBe(2 * 2 * reader.width);
    for (const [i, prompt] of prompts.entries()) {
      const alone = await reader.one(prompt, 4, true);
      expect(all[i]).toHaveLength(reader.size);
      for (const [at, value] of alone.entries()) expect(all[i]?.[at]).toBeCloseTo(value, 4);
    }
    // Where a prompt's own tokens begin moves their mean, not the last token's state.
    const whole = await reader.one(prompts[2] as number[], 0, false);
    const lasts = (states: Float32Array | undefined) =>
      [...(states ?? [])].slice(reader.width, 2 * reader.width);
    for (const [at, value] of lasts(whole).entries()) expect(lasts(all[2])[at]).toBeCloseTo(value, 4);
    expect([...whole.subarray(0, reader.width)]).not.toEqual([
      ...(all[2] as Float32Array).subarray(0, reader.width),
    ]);
    // One token of its own: its mean is that token.
    const [, one] = all as [Float32Array, Float32Array];
    expect([...one.subarray(0, reader.width)]).toEqual([...one.subarray(reader.width, 2 * reader.width)]);
    expect(Math.hypot(...one.subarray(0, reader.width))).toBeGreaterThan(0.1);
    const depth = (d: number) => [...one.subarray(2 * d * reader.width, (2 * d + 1) * reader.width)];
    expect(depth(1)).not.toEqual(depth(0));
  });
});

describe("probe", () => {
  it.each([
    ["states", probe({ depths: [0.5, 1] })],
    ["states and text", probe({ depths: [0.5], text: true })],
    ["behind few-shot", chain([fewShot({ k: 2 }), probe({ depths: [1] })])],
  ])("learns by %s, and a saved one gives the same scores", async (_, way) => {
    const artifacts = openArtifacts(join(folder, `store ${way.label}`));
    const fits = [];
    for (let i = 0; i < 2; i++) fits.push(await way.fit(subject, given({ ...parts, artifacts })));
    // The second reads the first one's states from disk.
    expect(fits[1]).toEqual(fits[0]);
    const tools = { encoder: () => Promise.reject(new Error("none")), artifacts };
    const made = way.apply(subject, fits[0] as never, tools) as LanguageSubject;
    const saved = way.apply(subject, JSON.parse(JSON.stringify(fits[0])), tools) as LanguageSubject;
    expect(saved.id).toBe(made.id);
    let right = 0;
    for (const sample of fresh) {
      const answer = await made.respond(task.query(sample), context);
      expect(await saved.respond(task.query(sample), context)).toEqual(answer);
      expect(Object.keys(answer.scores ?? {})).toEqual(["x", "y"]);
      const total = Object.values(answer.scores ?? {}).reduce((sum, score) => sum + Math.exp(score), 0);
      expect(total).toBeCloseTo(1, 5);
      if (answer.choice === sample.gold) right++;
    }
    expect(right).toBeGreaterThanOrEqual(10);
  });

  it("refuses a model that is too large for memory, with the estimate", () => {
    expect(() => checkReading("large.gguf", 16 * 2 ** 30, 8 * 2 ** 30)).toThrow(
      /16\.3 GiB; 8\.0 GiB are free/,
    );
    expect(() => checkReading("small.gguf", 2 ** 29, 2 ** 30)).not.toThrow();
  });

  it("compares depths on a part of a large train, and fits on all of it", async () => {
    const large = samplesOf("large", 1250);
    const state = (await probe({ depths: [0.5] }).fit(subject, given({ ...parts, train: large }))) as {
      chosen: { n: number; grid: { features: string }[] };
    };
    const names = state.chosen.grid.map(({ features }) => features);
    expect(new Set(names).size).toBe(3);
    // What was fitted last is the chosen features on all of train.
    expect(state.chosen.n).toBeGreaterThanOrEqual(1000);
  }, 120_000);

  it("tells what it read, and refuses what it cannot read", async () => {
    const read: number[] = [];
    const watched = taskContext(signal, { trace: ({ cost }) => void read.push(cost.inputTokens) });
    const way = probe({ depths: [0.5] });
    const state = await way.fit(subject, given({ ...parts, context: watched }));
    expect(read).toHaveLength(1);
    expect(read[0]).toBeGreaterThan(36 * 5);
    const tools = { encoder: () => Promise.reject(new Error("none")), artifacts: openArtifacts() };
    const made = way.apply(subject, state, tools);
    const query = task.query(fresh[0] as Sample);
    expect(await made.respond({ ...query, options: [{ key: "z", text: "ef" }] }, context)).toEqual({
      unscored: "other-labels",
    });
    await expect(made.respond({ ...query, input: "ab ".repeat(300) }, context)).rejects.toThrow(
      /context holds 256/,
    );
    const long = [...train, { id: "long", input: "ab ".repeat(300), gold: "x" }];
    await expect(way.fit(subject, given({ ...parts, train: long }))).rejects.toThrow(HoneError);
    await expect(chain([calibrate(), way]).fit(subject, given(parts))).rejects.toThrow(
      /cannot train this subject/,
    );
    const cut = { ...(state as object), centre: "AAAA" };
    expect(() => way.apply(subject, cut as never, tools)).toThrow(/damaged/);
  });
});
