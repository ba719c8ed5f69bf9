// Training through the whole way on a llama of one layer: samples, tokens, packed rows, compiled steps, files, and the
// specialist asked through llama.cpp. What is served must score what training saw.

import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Call } from "../../src/core/call.js";
import type { LanguageModel, LanguageSubject } from "../../src/core/language.js";
import type { Sample } from "../../src/core/sample.js";
import type { Given, Specializer } from "../../src/core/specializer.js";
import { generalist } from "../../src/models/generalist.js";
import { openLlama } from "../../src/models/llama.js";
import { renderPrompt } from "../../src/models/prompt.js";
import { adapter } from "../../src/specializers/adapter.js";
import { bitfit } from "../../src/specializers/bitfit.js";
import { fewShot } from "../../src/specializers/few-shot.js";
import { full } from "../../src/specializers/full.js";
import { calibrate, chain } from "../../src/specializers/index.js";
import { lora } from "../../src/specializers/lora.js";
import { softPrompt } from "../../src/specializers/soft-prompt.js";
import type { TrainedState } from "../../src/specializers/training/define.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { choice } from "../../src/tasks/choice.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { ggufBytes, tinyLlama } from "../models/llama-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-training-"));
const signal = new AbortController().signal;
const task = choice("letters", { instruction: "Which?", question: "Which letters?" }, [
  { key: "x", text: "ab" },
  { key: "y", text: "cd" },
]);
const samplesOf = (split: string, count: number): Sample[] =>
  Array.from({ length: count }, (_, i) => {
    const gold = i % 3 === 0 ? "x" : "y";
    return { id: `${split}${i}`, input: `${(gold === "x" ? "ab" : "cd").repeat(1 + (i % 4))} ${i}`, gold };
  });
const train = samplesOf("train", 24);
const dev = samplesOf("dev", 9);
const common = { epochs: 6, batch: 4, rowTokens: 128, learningRate: 0.01, looksPerEpoch: 1 };
const ways: Record<string, Specializer> = {
  lora: lora({ ...common, rank: 4, alpha: 8 }),
  adapter: adapter({ ...common, size: 32 }),
  softPrompt: softPrompt({ ...common, tokens: 4, learningRate: 0.05 }),
  bitfit: bitfit({ ...common, learningRate: 0.02 }),
  full: full({ ...common, learningRate: 0.003 }),
};

let model: LanguageModel;
let subject: LanguageSubject;
beforeAll(async () => {
  const path = join(folder, "tiny.gguf");
  writeFileSync(path, ggufBytes(tinyLlama()));
  model = await openLlama(path, { format: "plain", context: 256, lanes: 1, threads: 1 });
  subject = generalist(model);
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

let stores = 0;
const storeOf = (name = `store${++stores}`) => openArtifacts(join(folder, name));
const givenFor = (artifacts: Given["artifacts"], over: Partial<Given> = {}): Given => ({
  task,
  train,
  dev,
  seed: 1,
  encoder: () => Promise.reject(new Error("no encoder here")),
  artifacts,
  base: process.cwd(),
  context: { signal },
  progress: () => {},
  ...over,
});
const trainedBy = async (way: Specializer, given: Given, from = subject) =>
  (await way.fit(from, given)) as unknown as TrainedState;

/** Mean -log p of the right option over dev, as the served model scores it. */
async function servedLoss(specialist: LanguageSubject): Promise<number> {
  let sum = 0;
  for (const sample of dev) {
    const { messages, continuations } = renderPrompt(task.query(sample), "plain");
    const right = sample.gold === "x" ? 0 : 1;
    const scored = await (specialist.model as LanguageModel).score(
      { messages, format: "plain", options: continuations },
      { signal },
    );
    sum -= scored.options[right]?.logprob as number;
  }
  return sum / dev.length;
}

describe.each(Object.entries(ways))("%s", (name, way) => {
  it("learns, and is served as it was trained", async () => {
    const artifacts = storeOf();
    const read: number[] = [];
    const trace = ({ cost }: Call) => void read.push(cost.inputTokens);
    const state = await trainedBy(way, givenFor(artifacts, { context: { signal, trace } }));
    expect(read).toEqual([state.report.tokens]);
    const { heldOut, bestStep } = state.report;
    const best = heldOut.find(({ step }) => step === bestStep)?.loss as number;
    expect(best).toBeLessThan((heldOut[0]?.loss as number) - 0.05);
    const specialist = way.apply(subject, state as never, {
      encoder: () => Promise.reject(new Error("none")),
      artifacts,
    });
    // `full` is stored in half precision; a soft prompt's own tokens are in the served softmax, of 260 tokens here.
    const loose = name === "full" || name === "softPrompt";
    expect(Math.abs((await servedLoss(specialist)) - best)).toBeLessThan(loose ? 0.02 : 0.002);
    expect(specialist.id).not.toBe(subject.id);
  });
});

describe("a training", () => {
  const way = lora({ ...common, rank: 4, alpha: 8, learningRate: 0.02 });

  it("gives the same bytes for the same seed, and others for another", async () => {
    const [a, b, c] = await Promise.all([
      trainedBy(way, givenFor(storeOf())),
      trainedBy(way, givenFor(storeOf())),
      trainedBy(way, givenFor(storeOf(), { seed: 2 })),
    ]);
    expect(b).toEqual(a);
    expect(c?.artifact).not.toBe(a?.artifact);
  });

  it("killed in the middle and begun again ends with the same bytes", async () => {
    const whole = await trainedBy(way, givenFor(storeOf()));
    for (const stopAt of [1, 7, 20]) {
      const artifacts = storeOf(`killed${stopAt}`);
      const progress: Given["progress"] = (done, _total, note) => {
        if (done === stopAt && note?.startsWith("loss")) throw new Error("killed");
      };
      await expect(trainedBy(way, givenFor(artifacts, { progress }))).rejects.toThrow("killed");
      let first = Number.POSITIVE_INFINITY;
      const seen: Given["progress"] = (done, _total, note) => {
        if (note?.startsWith("loss")) first = Math.min(first, done);
      };
      const resumed = await trainedBy(way, givenFor(artifacts, { progress: seen }));
      expect(first, "it goes on and does not begin again").toBe(stopAt + 1);
      expect(resumed).toEqual(whole);
    }
  });

  it("starts over where the samples or the options are others, and refuses a damaged checkpoint", async () => {
    const artifacts = storeOf("other");
    const stop: Given["progress"] = (done, _total, note) => {
      if (done === 3 && note?.startsWith("loss")) throw new Error("killed");
    };
    await expect(trainedBy(way, givenFor(artifacts, { progress: stop }))).rejects.toThrow("killed");
    const fewer = { train: train.slice(1) };
    expect(await trainedBy(way, givenFor(artifacts, fewer))).toEqual(
      await trainedBy(way, givenFor(storeOf(), fewer)),
    );
    await expect(trainedBy(way, givenFor(artifacts, { progress: stop }))).rejects.toThrow("killed");
    const scratch = await artifacts.scratch("training");
    for (const file of readdirSync(scratch)) writeFileSync(join(scratch, file), "nothing like it");
    await expect(trainedBy(way, givenFor(artifacts))).rejects.toThrow(/next:|safetensors|checkpoint/);
  });

  it("learns behind a specializer that changes queries, and not behind one that changes answers", async () => {
    const artifacts = storeOf();
    const shots = chain([fewShot({ k: 2 }), way]);
    const state = await shots.fit(subject, givenFor(artifacts));
    const specialist = shots.apply(subject, state, {
      encoder: () => Promise.reject(new Error("none")),
      artifacts,
    });
    const answer = await specialist.respond(task.query(dev[0] as Sample), { signal });
    expect(["x", "y"]).toContain(answer.choice);
    await expect(chain([calibrate(), way]).fit(subject, givenFor(artifacts))).rejects.toThrow(/cannot train/);
  });

  it("does not depend on what the layers below were computed for before", async () => {
    // One layer, and that one trained: nothing is below. The file with its layer twice has one below.
    const made = tinyLlama();
    const twice = {
      ...made,
      metadata: made.metadata.map(([key, value]): (typeof made.metadata)[number] =>
        key === "llama.block_count" ? [key, { type: "u32", value: 2 }] : [key, value],
      ),
      tensors: made.tensors.flatMap((one) =>
        one.name.startsWith("blk.0.") ? [one, { ...one, name: one.name.replace("blk.0.", "blk.1.") }] : [one],
      ),
    };
    const path = join(folder, "two.gguf");
    writeFileSync(path, ggufBytes(twice));
    const open = () => openLlama(path, { format: "plain", context: 256, lanes: 1, threads: 1 });
    const [deep, again] = await Promise.all([open(), open()]);
    try {
      const upper = lora({ ...common, rank: 4, alpha: 8, layers: 1, epochs: 2 });
      const fresh = await trainedBy(upper, givenFor(storeOf()), generalist(deep));
      await trainedBy(upper, givenFor(storeOf(), { train: train.slice(0, 5) }), generalist(again));
      const after = await trainedBy(upper, givenFor(storeOf()), generalist(again));
      expect(after.report.heldOut).toHaveLength(fresh.report.heldOut.length);
      for (const [i, { loss }] of fresh.report.heldOut.entries()) {
        expect(after.report.heldOut[i]?.loss).toBeCloseTo(loss, 3);
      }
      const folderOf = join(folder, "peek");
      const artifacts = storeOf();
      const state = await trainedBy(upper, givenFor(artifacts), generalist(again));
      cpSync(artifacts.path(state.artifact), folderOf, { recursive: true });
      const names = readGguf(join(folderOf, "adapter.gguf")).tensors.map((one) => one.name);
      expect(names.length).toBeGreaterThan(0);
      expect(names.every((one) => one.startsWith("blk.1."))).toBe(true);
      expect(readdirSync(join(folderOf, "peft")).sort()).toEqual([
        "adapter_config.json",
        "adapter_model.safetensors",
      ]);
    } finally {
      await deep.close();
      await again.close();
    }
  });

  it("names the sample whose answer is no option, and one that is too long", async () => {
    const strange = [{ id: "odd", input: "ab", gold: "z" }];
    await expect(trainedBy(way, givenFor(storeOf(), { train: strange }))).rejects.toThrow(/odd/);
    const long = [{ id: "long", input: "ab ".repeat(400), gold: "x" }];
    await expect(trainedBy(way, givenFor(storeOf(), { train: long }))).rejects.toThrow(/long[\s\S]*context/);
  });
});
