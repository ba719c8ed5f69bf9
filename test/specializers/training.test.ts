// Training through the whole way on a llama of one layer: samples, tokens, packed rows, compiled steps, files, and the
// specialist asked through llama.cpp. What is served must score what training saw.

import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Call } from "../../src/core/call.js";
import { requireCapability } from "../../src/core/capabilities.js";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { Model } from "../../src/core/model.js";
import type { Sample } from "../../src/core/sample.js";
import type { Given, LanguageSpecializer } from "../../src/core/specializer.js";
import { taskContext } from "../../src/core/task.js";
import { generalist } from "../../src/models/generalist.js";
import { type LlamaModel, openLlama } from "../../src/models/llama.js";
import { renderPrompt } from "../../src/models/prompt.js";
import { calibrate, chain } from "../../src/specializers/index.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";
import { adapter } from "../../src/specializers/training/adapter.js";
import { bitfit } from "../../src/specializers/training/bitfit.js";
import type { TrainedState } from "../../src/specializers/training/finetune/define.js";
import { full } from "../../src/specializers/training/full.js";
import { head } from "../../src/specializers/training/head.js";
import { lora } from "../../src/specializers/training/lora.js";
import { softPrompt } from "../../src/specializers/training/soft-prompt.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { choice } from "../../src/tasks/choice.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { ggufBytes, tinyLlama, twice } from "../models/llama-make.js";

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
const common = { epochs: 6, batch: 4, rowTokens: 128, learningRate: 0.01, evalsPerEpoch: 1 };
const ways: Record<string, LanguageSpecializer> = {
  lora: lora({ ...common, rank: 4, alpha: 8 }),
  "lora with dropout": lora({ ...common, rank: 4, alpha: 8, dropout: 0.1 }),
  adapter: adapter({ ...common, size: 32 }),
  softPrompt: softPrompt({ ...common, tokens: 4, learningRate: 0.05 }),
  bitfit: bitfit({ ...common, learningRate: 0.02 }),
  full: full({ ...common, learningRate: 0.003 }),
};

let model: LlamaModel;
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

/** Of one layer, and that one trained, nothing is below. The file with its layer twice has one below. */
function openTwoLayers(): Promise<LlamaModel> {
  const path = join(folder, "two.gguf");
  writeFileSync(path, ggufBytes(twice(tinyLlama())));
  return openLlama(path, { format: "plain", context: 256, lanes: 1, threads: 1 });
}

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
  context: taskContext(signal),
  progress: () => {},
  ...over,
});
const trainedBy = async (way: LanguageSpecializer, given: Given, from = subject) =>
  (await way.fit(from, given)) as unknown as TrainedState;

/** Mean -log p of the right option over dev, as the served model scores it. */
async function servedLoss(specialist: LanguageSubject): Promise<number> {
  let sum = 0;
  for (const sample of dev) {
    const { messages, continuations } = renderPrompt(task.query(sample), "plain");
    const right = sample.gold === "x" ? 0 : 1;
    const scored = await requireCapability(specialist.model as Model, "logprobs").score(
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
    const state = await trainedBy(way, givenFor(artifacts, { context: taskContext(signal, { trace }) }));
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

it("looks at a dev of short texts alone, more of which meet in a row than train has in one", async () => {
  const brief = choice("letters", { instruction: "?" }, [
    { key: "x", text: "ab" },
    { key: "y", text: "cd" },
  ]);
  const sized = (split: string, count: number, times: number): Sample[] =>
    samplesOf(split, count).map((one) => ({ ...one, input: (one.gold === "x" ? "ab" : "cd").repeat(times) }));
  const state = await trainedBy(
    lora({ ...common, epochs: 1, rowTokens: 256, rank: 4, alpha: 8 }),
    givenFor(storeOf(), { task: brief, train: sized("t", 16, 45), dev: sized("d", 24, 1) }),
  );
  expect(state.report.heldOut.length).toBeGreaterThan(0);
  for (const { loss } of state.report.heldOut) expect(Number.isFinite(loss)).toBe(true);
});

describe("the loss over the options alone", () => {
  const way = lora({ ...common, rank: 4, alpha: 8, loss: "options" });

  it("is what the served model's labels have among themselves", async () => {
    const artifacts = storeOf();
    const lettered = {
      ...task,
      query: (sample: Sample) => ({ ...task.query(sample), answerBy: "label" as const }),
    };
    const state = await trainedBy(way, givenFor(artifacts, { task: lettered }));
    const { heldOut, bestStep } = state.report;
    const best = heldOut.find(({ step }) => step === bestStep)?.loss as number;
    expect(best).toBeLessThan((heldOut[0]?.loss as number) - 0.02);
    const encoder = () => Promise.reject(new Error("none"));
    const { model: served } = way.apply(subject, state as never, { encoder, artifacts });
    let loss = 0;
    for (const sample of dev) {
      const { messages, continuations: options } = renderPrompt(lettered.query(sample), "plain");
      const scored = await requireCapability(served as Model, "logprobs").score(
        { messages, format: "plain", options },
        { signal },
      );
      const [x, y] = scored.options.map(({ logprob }) => logprob) as [number, number];
      loss += Math.log(1 + Math.exp(sample.gold === "x" ? y - x : x - y)) / dev.length;
    }
    expect(Math.abs(loss - best)).toBeLessThan(0.005);
  });

  it("refuses options of several tokens", async () => {
    const long = choice("long", { instruction: "Which?" }, [
      { key: "x", text: "abab ab" },
      { key: "y", text: "cdcd" },
    ]);
    const text = {
      ...long,
      query: (sample: Sample) => ({ ...long.query(sample), answerBy: "text" as const }),
    };
    await expect(way.fit(subject, givenFor(storeOf(), { task: text }))).rejects.toThrow(
      /by more than one token/,
    );
  });
});

describe("a step chosen by the metric", () => {
  const numbered = choice("letters", { instruction: "Which?", answerBy: "label" }, [
    { key: "x", text: "ab" },
    { key: "y", text: "cd" },
    { key: "z", text: "ef" },
  ]);
  // As few looks differ in it, so that equals are among them.
  const options = { ...common, rank: 4, alpha: 8, epochs: 4, patience: 99, evalsPerEpoch: 2 };

  it.each([
    ["lora", lora({ ...options, choose: "metric" }), lora(options)],
    [
      "lora over options",
      lora({ ...options, loss: "options", choose: "metric" }),
      lora({ ...options, loss: "options" }),
    ],
    ["head", head({ ...options, choose: "metric" }), head(options)],
  ])(
    "is the best of %s, of equals that of the lower loss, and scores as it is served",
    async (_name, way, usual) => {
      const artifacts = storeOf();
      const given = givenFor(artifacts, { task: numbered });
      const state = await trainedBy(way, given);
      const { heldOut, bestStep, chosenBy } = state.report;
      expect(chosenBy).toBe("accuracy");
      expect(way.choosesOnDev).toBe(true);
      expect(way.label).toMatch(/, chosen by metric\)$/);
      const most = Math.max(...heldOut.map(({ metric }) => metric as number));
      const best = heldOut.find(({ step }) => step === bestStep) as (typeof heldOut)[0];
      expect(best.metric).toBe(most);
      expect(best.loss).toBe(
        Math.min(...heldOut.flatMap(({ metric, loss }) => (metric === most ? [loss] : []))),
      );
      const tools = { encoder: () => Promise.reject(new Error("none")), artifacts };
      const made = way.apply(subject, state as never, tools);
      let right = 0;
      for (const sample of dev) {
        const grade = await numbered.evaluate(made, sample, taskContext(signal));
        right += grade.status === "scored" ? grade.score : 0;
      }
      expect(right / dev.length).toBeCloseTo(most, 10);
      // Looking otherwise changes no step.
      const { report, ...rest } = await trainedBy(usual, givenFor(storeOf(), { task: numbered }));
      expect(report.heldOut.map(({ step }) => step)).toEqual(heldOut.map(({ step }) => step));
      for (const [i, { loss }] of report.heldOut.entries())
        expect(loss).toBeCloseTo(heldOut[i]?.loss as number, 5);
      expect(report).not.toHaveProperty("chosenBy");
      expect(rest).toHaveProperty("artifact");
    },
  );

  it("is the same after a kill, and that of the loss where there is no dev", async () => {
    const way = lora({ ...options, epochs: 2, choose: "metric" });
    const whole = await trainedBy(way, givenFor(storeOf(), { task: numbered }));
    const artifacts = storeOf();
    const progress: Given["progress"] = (done, _total, note) => {
      if (done === 7 && note?.startsWith("loss")) throw new Error("killed");
    };
    await expect(trainedBy(way, givenFor(artifacts, { task: numbered, progress }))).rejects.toThrow("killed");
    expect(await trainedBy(way, givenFor(artifacts, { task: numbered }))).toEqual(whole);
    const blind = await trainedBy(way, givenFor(storeOf(), { task: numbered, dev: [] }));
    expect(blind.report.bestStep).toBe(blind.report.steps);
    expect(blind.report).not.toHaveProperty("chosenBy");
  });

  it("is refused where options differ by more tokens, answers are written, or a sample is asked twice", async () => {
    const way = lora({ ...options, choose: "metric" });
    const refused = async (over: Partial<Given["task"]>, why: RegExp) =>
      expect(way.fit(subject, givenFor(storeOf(), { task: { ...numbered, ...over } }))).rejects.toThrow(why);
    const texts = [
      { key: "x", text: "abab ab" },
      { key: "y", text: "cdcd" },
    ];
    const query = (sample: Sample) => numbered.query(sample);
    await refused(
      {
        query: (sample) => ({ ...query(sample), options: texts, answerBy: "text" }),
        evaluate: async () => ({ status: "scored", score: 1, prediction: "x" }),
      },
      /chosen by the metric[\s\S]*more than one token[\s\S]*leave out `choose: metric`/,
    );
    await refused(
      {
        query: (sample) => {
          const { options: _options, ...written } = query(sample);
          return written;
        },
      },
      /answers are written/,
    );
    await refused(
      { evaluate: async (asked, sample, own) => numbered.evaluate(asked, { ...sample, input: "else" }, own) },
      /more than one query for a sample/,
    );
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

  it("drops what A reads by the step's number alone: the same bytes after a kill, none for 0", async () => {
    const options = { ...common, rank: 4, alpha: 8, epochs: 3 };
    const plain = await trainedBy(lora(options), givenFor(storeOf()));
    expect(await trainedBy(lora({ ...options, dropout: 0 }), givenFor(storeOf()))).toEqual(plain);
    const dropping = lora({ ...options, dropout: 0.3 });
    const whole = await trainedBy(dropping, givenFor(storeOf()));
    expect(whole.artifact).not.toBe(plain.artifact);
    // B is zero at first, so that the first loss is the same with any mask.
    expect(whole.report.firstLoss).toBe(plain.report.firstLoss);
    expect(whole.report.lastLoss).not.toBe(plain.report.lastLoss);
    const artifacts = storeOf("killed-dropping");
    const progress: Given["progress"] = (done, _total, note) => {
      if (done === 7 && note?.startsWith("loss")) throw new Error("killed");
    };
    await expect(trainedBy(dropping, givenFor(artifacts, { progress }))).rejects.toThrow("killed");
    expect(await trainedBy(dropping, givenFor(artifacts))).toEqual(whole);
    const config = join(artifacts.path(whole.artifact), "peft/adapter_config.json");
    expect(JSON.parse(readFileSync(config, "utf8")).lora_dropout).toBe(0.3);
    for (const dropout of [-0.1, 0.6, 1]) expect(() => lora({ dropout })).toThrow(/dropout/);
  });

  it("makes a step of every batch, however many samples a row could hold", async () => {
    const wide = lora({ ...common, rank: 4, rowTokens: 4096, epochs: 2, batch: 5, patience: 99 });
    const { report } = await trainedBy(wide, givenFor(storeOf()));
    expect(report.steps).toBe(2 * Math.ceil(24 / 5));
    // Three rows at once are another shape and the same training.
    const rows = lora({ ...common, rank: 4, rowTokens: 64, rows: 3, epochs: 2, batch: 5, patience: 99 });
    const other = (await trainedBy(rows, givenFor(storeOf()))).report;
    expect(other.steps).toBe(report.steps);
    for (const [i, { loss }] of other.heldOut.entries())
      expect(loss).toBeCloseTo(report.heldOut[i]?.loss as number, 3);
  });

  it("chooses rate and epochs on a part of train where none are given, over a kill too", async () => {
    const { epochs: _, learningRate: __, ...open } = common;
    const unset = lora({ ...open, rank: 4, alpha: 8 });
    const more = { train: samplesOf("more", 48) };
    const notes = new Set<string>();
    const whole = await trainedBy(
      unset,
      givenFor(storeOf(), {
        ...more,
        progress: (_done, _total, note = "") => void notes.add(note.split(":")[0] ?? ""),
      }),
    );
    const { sweep, learningRate, epochs, guessing, steps } = whole.report;
    const tried = sweep.map((trial) => trial.learningRate);
    expect(tried.slice(0, 2)).toEqual([0.001, 0.002]);
    expect(tried).toContain(learningRate);
    expect(epochs).toBeGreaterThanOrEqual(2);
    expect(steps).toBeLessThanOrEqual(epochs * 12);
    expect([...notes].some((note) => note === "twice the rate, 0.002")).toBe(true);
    // A third of dev is x; train has as many.
    expect(guessing).toBeCloseTo(-(Math.log(17 / 50) + 2 * Math.log(33 / 50)) / 3, 6);

    const artifacts = storeOf("killed-sweep");
    const progress: Given["progress"] = (done, _total, note) => {
      if (done === 5 && note?.startsWith("twice the rate")) throw new Error("killed");
    };
    await expect(trainedBy(unset, givenFor(artifacts, { ...more, progress }))).rejects.toThrow("killed");
    expect(await trainedBy(unset, givenFor(artifacts, more))).toEqual(whole);
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
    const [deep, again] = await Promise.all([openTwoLayers(), openTwoLayers()]);
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

  it("keeps over a kill what the layers below gave, but for a torn end", async () => {
    const upper = lora({ ...common, rank: 4, alpha: 8, layers: 1, epochs: 1 });
    const artifacts = storeOf("below");
    /** Rounds of the layers below that a process new to the model makes. */
    const roundsOf = async (stopAt?: string): Promise<{ rounds: number; state?: TrainedState }> => {
      const own = await openTwoLayers();
      let rounds = 0;
      const progress: Given["progress"] = (_done, _total, note = "") => {
        if (note.startsWith("computing the layers below")) rounds++;
        if (stopAt !== undefined && note.startsWith(stopAt)) throw new Error("killed");
      };
      try {
        return { state: await trainedBy(upper, givenFor(artifacts, { progress }), generalist(own)), rounds };
      } catch (error) {
        expect((error as Error).message).toBe("killed");
        return { rounds };
      } finally {
        await own.close();
      }
    };
    const first = await roundsOf("loss");
    expect(first.rounds).toBeGreaterThan(1);
    expect((await roundsOf("loss")).rounds).toBe(0);
    const file = readdirSync(join(folder, "below"), { recursive: true, encoding: "utf8" }).find((name) =>
      name.endsWith("states.f32"),
    );
    const path = join(folder, "below", file as string);
    truncateSync(path, statSync(path).size / 2 + 1);
    const torn = await roundsOf("loss");
    expect(torn.rounds).toBeGreaterThan(0);
    expect(torn.rounds).toBeLessThan(first.rounds);
    const { rounds, state } = await roundsOf();
    expect(rounds).toBe(0);
    const own = await openTwoLayers();
    const fresh = await trainedBy(upper, givenFor(storeOf()), generalist(own));
    await own.close();
    expect(state?.report.heldOut.map(({ loss }) => loss.toFixed(4))).toEqual(
      fresh.report.heldOut.map(({ loss }) => loss.toFixed(4)),
    );
  });

  it("names the sample whose answer is no option, and one that is too long", async () => {
    const strange = [{ id: "odd", input: "ab", gold: "z" }];
    await expect(trainedBy(way, givenFor(storeOf(), { train: strange }))).rejects.toThrow(/odd/);
    const long = [{ id: "long", input: "ab ".repeat(400), gold: "x" }];
    await expect(trainedBy(way, givenFor(storeOf(), { train: long }))).rejects.toThrow(/long[\s\S]*context/);
  });
});
