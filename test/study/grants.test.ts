// What a specializer needs and the model does not grant is refused before the first call, and by a dry run.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openModel } from "../../src/models/registry.js";
import { planStudy } from "../../src/study/dryrun.js";
import { runStudy } from "../../src/study/run.js";
import { ggufBytes, tinyLlama, withValue } from "../models/llama-make.js";
import { toneSpec, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-grants-"));
  writeTones(join(folder, "tones.jsonl"), 300);
  writeFileSync(join(folder, "tiny.gguf"), ggufBytes(tinyLlama()));
  const scaled = withValue(tinyLlama(), "llama.rope.scaling.factor", { type: "f32", value: 4 });
  writeFileSync(join(folder, "scaled.gguf"), ggufBytes(scaled));
  const [table, ...others] = tinyLlama().tensors;
  const packed = {
    ...table!,
    type: 20,
    data: Buffer.alloc((18 / 32) * table!.shape.reduce((a, b) => a * b)),
  };
  writeFileSync(join(folder, "packed.gguf"), ggufBytes({ ...tinyLlama(), tensors: [packed, ...others] }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("a file that cannot be trained grants no weights, and says why", async () => {
  const grants = async (name: string) => {
    const model = await openModel(`llama:file:${name}.gguf`, { base: folder });
    await model.close();
    return [[...model.grants], model.weights.untrainable];
  };
  const prompted = ["text", "logprobs", "embeddings"];
  expect(await grants("tiny")).toEqual([[...prompted, "gradients", "weights"], undefined]);
  expect(await grants("scaled")).toEqual([prompted, expect.stringMatching(/scaled \(linear, by 4\)/)]);
  expect(await grants("packed")).toEqual([
    prompted,
    expect.stringMatching(/token_embd.weight is stored as IQ4_NL/),
  ]);
});

it.each([
  ["an endpoint", () => "mock:?skill=0.9", /Cannot use lora[\s\S]*it needs weights/],
  [
    "such a file",
    () => `llama:file:${join(folder, "scaled.gguf")}`,
    /Cannot use lora[\s\S]*it needs weights[\s\S]*scaled \(linear, by 4\)/,
  ],
])("lora on %s is refused before any call", async (_what, ref, why) => {
  const model = ref();
  const study = toneSpec({ model, specialists: [{ fewShot: { k: 3 } }, "lora"] });
  await expect(planStudy(study, { store: join(folder, "dry"), base: folder })).rejects.toThrow(why);
  const called: string[] = [];
  const run = runStudy(study, {
    store: join(folder, "store"),
    base: folder,
    open: async (ref) => {
      const found = await openModel(ref);
      const call = (name: string) => async () => {
        called.push(name);
        throw new Error("called");
      };
      return { ...found, generate: call("generate"), score: call("score") };
    },
  });
  await expect(run).rejects.toThrow(why);
  expect(called).toEqual([]);
});
