// head on a llama of two layers: it learns, what it answers is what training saw, a saved one gives the same, and its files
// are those that transformers loads.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { LanguageModel, OpenWeights } from "../../src/core/model.js";
import type { Sample } from "../../src/core/sample.js";
import { taskContext } from "../../src/core/task.js";
import { generalist } from "../../src/models/generalist.js";
import { openLlama } from "../../src/models/llama.js";
import { lora } from "../../src/nets/changes/lora.js";
import { netConfig } from "../../src/nets/config.js";
import { hidden, type Weights } from "../../src/nets/decoder.js";
import { loadWeights } from "../../src/nets/weights.js";
import { chain, fewShot, head } from "../../src/specializers/index.js";
import type { TrainingReport } from "../../src/specializers/training/finetune/fit.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { choice } from "../../src/tasks/choice.js";
import { readArrays } from "../../src/tensor/arrays-file.js";
import { compile, type Tensors } from "../../src/tensor/compile.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { readTensor } from "../../src/tensor/gguf-tensors.js";
import { readSafetensors } from "../../src/tensor/safetensors.js";
import { ggufBytes, tinyLlama, twice } from "../models/llama-make.js";
import { given } from "./fakes.js";

const folder = mkdtempSync(join(tmpdir(), "hone-head-"));
const context = taskContext(new AbortController().signal);
// Of three labels train has two: the third has an output, and is not learnt.
const task = choice("letters", { instruction: "Which?", question: "Which letters?" }, [
  { key: "x", text: "ab" },
  { key: "y", text: "cd" },
  { key: "z", text: "ef" },
]);
const samplesOf = (split: string, count: number): Sample[] =>
  Array.from({ length: count }, (_, i) => {
    const gold = i % 3 === 0 ? "x" : "y";
    return { id: `${split}${i}`, input: `${(gold === "x" ? "ab" : "cd").repeat(1 + (i % 4))} ${i}`, gold };
  });
const parts = { task, train: samplesOf("train", 24), dev: samplesOf("dev", 9), context };
const common = { rank: 4, alpha: 8, epochs: 6, batch: 4, rowTokens: 128, learningRate: 0.01 };
type State = { artifact: string; classes: string[]; report: TrainingReport };

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

describe("head", () => {
  it.each([
    ["all layers", head(common), 2],
    ["the last layer, over kept states", head({ ...common, layers: 1 }), 1],
    ["behind few-shot", chain([fewShot({ k: 2 }), head({ ...common, layers: 1, epochs: 16 })]), 1],
  ])("learns with %s, and answers as training saw it", async (name, way, layers) => {
    const artifacts = openArtifacts(join(folder, `store ${name}`));
    const fitted = await way.fit(subject, given({ ...parts, artifacts }));
    const state = (Array.isArray(fitted) ? fitted.at(-1) : fitted) as State;
    const { report, classes } = state;
    expect(classes).toEqual(["x", "y", "z"]);
    // From zero every class is as likely.
    expect(report.firstLoss).toBeCloseTo(Math.log(3), 1);
    const best = Math.min(...report.heldOut.map(({ loss }) => loss));
    expect(best).toBeLessThan(0.3);

    const tools = { encoder: () => Promise.reject(new Error("none")), artifacts };
    const made = way.apply(subject, fitted as never, tools) as LanguageSubject;
    const saved = way.apply(subject, JSON.parse(JSON.stringify(fitted)), tools) as LanguageSubject;
    expect(saved.id).toBe(made.id);
    let loss = 0;
    for (const sample of parts.dev) {
      const answer = await made.respond(task.query(sample), context);
      expect(await saved.respond(task.query(sample), context)).toEqual(answer);
      const scores = answer.scores as Record<string, number>;
      expect(Object.values(scores).reduce((sum, score) => sum + Math.exp(score), 0)).toBeCloseTo(1, 5);
      expect(answer.choice).toBe(sample.gold);
      loss -= (scores[sample.gold as string] as number) / parts.dev.length;
    }
    // Training computes with ONNX Runtime, and answers come from llama.cpp.
    expect(Math.abs(loss - best)).toBeLessThan(0.005);

    const path = artifacts.path(state.artifact);
    expect(readdirSync(path).sort()).toEqual(["adapter.gguf", "head.safetensors", "manifest.json", "peft"]);
    const trained = await readArrays(join(path, "head.safetensors"));
    expect(Object.keys(trained)).toEqual(["output.weight"]);
    const peft = await readSafetensors(join(path, "peft/adapter_model.safetensors"));
    expect(peft.tensors.get("base_model.model.score.weight")?.shape).toEqual(trained["output.weight"]?.dims);
    expect([...peft.tensors.keys()].filter((key) => key.includes("lora_A"))).toHaveLength(7 * layers);
    const config = JSON.parse(readFileSync(join(path, "peft/adapter_config.json"), "utf8"));
    expect(config).toMatchObject({ task_type: "SEQ_CLS", modules_to_save: ["score"] });
  });

  it("reads from llama.cpp the state that ONNX Runtime gives under the same adapter, in any order", async () => {
    const artifacts = openArtifacts(join(folder, "store parity"));
    const state = (await head(common).fit(subject, given({ ...parts, artifacts }))) as State;
    const adapter = join(artifacts.path(state.artifact), "adapter.gguf");
    const { path } = model.weights as OpenWeights;
    const [gguf, halves] = [readGguf(path), readGguf(adapter)];
    const config = netConfig(gguf);
    const trained: Record<string, Tensor> = {};
    for (const { name } of halves.tensors) {
      const { data, shape } = await readTensor(halves, name);
      trained[name] = new Tensor("float32", data, [...shape]);
    }
    const program = compile<[Tensors, Tensors, Tensors], Tensor>(
      (fixed: Weights, learnt: Weights, { tokens, at }: Record<"tokens" | "at", np.Array>) =>
        hidden(config, fixed, tokens, { at, changes: [lora({ rank: 4, alpha: 8 }, learnt)] }),
    );
    const weights = await loadWeights(gguf, config);
    const read = (model.weights as OpenWeights).states(adapter);
    const prompts = [
      [1, 40, 41, 42, 43, 44, 60],
      [1, 70],
      [1, 40, 41, 42, 43, 44, 61, 62, 63],
    ];
    const [first] = await Promise.all(prompts.map((prompt) => read(prompt, context)));
    for (const prompt of prompts) {
      const [found, other] = [await read(prompt, context), await read(prompt.with(-1, 99), context)];
      const tokens = new Tensor("int32", Int32Array.from(prompt), [1, prompt.length]);
      const at = new Tensor("int32", Int32Array.of(prompt.length - 1), [1]);
      const own = [...((await program(weights, trained, { tokens, at })).data as Float32Array)];
      const size = Math.hypot(...own);
      expect(found).toHaveLength(config.width);
      expect(Math.hypot(...found.map((value, i) => value - (own[i] as number))) / size).toBeLessThan(0.01);
      expect(Math.hypot(...found.map((value, i) => value - (other[i] as number))) / size).toBeGreaterThan(
        0.05,
      );
    }
    expect(await read(prompts[0] as number[], context)).toEqual(first);
    await expect(read(new Array(257).fill(40), context)).rejects.toThrow(/holds 256/);
    expect(() => (model.weights as OpenWeights).states(path)).toThrow(/LoRA adapter/);
  });

  it("trains what it says it trains, on another draw with another seed", async () => {
    const way = head({ ...common, layers: 1, epochs: 1 });
    const fits = [];
    for (const seed of [1, 1, 2]) fits.push((await way.fit(subject, given({ ...parts, seed }))) as State);
    const [one, again, other] = fits as [State, State, State];
    expect(again.artifact).toBe(one.artifact);
    expect(other.artifact).not.toBe(one.artifact);
    expect(one.report.trainable).toBeGreaterThan(3 * 8);
  });

  it("leaves other labels unscored, and refuses what it cannot learn or read", async () => {
    const way = head({ ...common, layers: 1, epochs: 1 });
    const artifacts = openArtifacts(join(folder, "store refused"));
    const state = await way.fit(subject, given({ ...parts, artifacts }));
    const tools = { encoder: () => Promise.reject(new Error("none")), artifacts };
    const made = way.apply(subject, state as never, tools) as LanguageSubject;
    const query = task.query(parts.dev[0] as Sample);
    const strange = { ...query, options: [{ key: "q", text: "gh" }] };
    expect(await made.respond(strange, context)).toEqual({ unscored: "other-labels" });
    const long = task.query({ ...(parts.dev[0] as Sample), input: "ab ".repeat(400) });
    await expect(made.respond(long, context)).rejects.toThrow(/the context holds 256/);
    const labels = undefined;
    await expect(way.fit(subject, given({ ...parts, task: { ...task, labels } as never }))).rejects.toThrow(
      /do not share their labels/,
    );
  });
});
