// Files that pass Hone's own check and end llama.cpp's process: one error here, and Hone goes on. The engine is real.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { Scores } from "../../src/core/model.js";
import { checkModel } from "../../src/models/llama/check.js";
import { tryFirst } from "../../src/models/llama/trial.js";
import { openLlama } from "../../src/models/llama.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { ggufBytes, type Made, tinyLlama, type Value, withValue } from "./llama-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-trial-"));
const cache = join(folder, "cache");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
// Starting the engine takes a second of a core's time, and cores may be busy.
vi.setConfig({ testTimeout: 300_000 });

let files = 0;
function file(made: Made): string {
  const path = join(folder, `${++files}.gguf`);
  writeFileSync(path, ggufBytes(made));
  return path;
}
/** Sound, and unlike any other file: its trial is never remembered. */
const sound = () =>
  file(withValue(tinyLlama(), "general.name", { type: "string", value: `number ${files}` }));
/** llama.cpp asserts that there are at most some hundred experts, and aborts. */
function deadly(): string {
  const experts = withValue(tinyLlama(), "llama.expert_count", { type: "u32", value: 100_000 });
  const path = file(withValue(experts, "llama.expert_used_count", { type: "u32", value: 2 }));
  checkModel(readGguf(path));
  return path;
}
/** llama.cpp asserts that alpha is a 32-bit float, and aborts. */
function deadlyAdapter(): string {
  return file({
    ...tinyLlama(),
    metadata: [
      ["general.architecture", { type: "string", value: "llama" }],
      ["general.type", { type: "string", value: "adapter" }],
      ["adapter.type", { type: "string", value: "lora" }],
      ["adapter.lora.alpha", { type: "u32", value: 8 }],
    ],
  });
}
const open = (path: string) => openLlama(path, { lanes: 1, threads: 1, cache });
const score = (model: Scores) =>
  model.score(
    { messages: [{ role: "user", content: "ab" }], format: "plain", options: ["ab", "cd"] },
    { signal },
  );
async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("a file that ends the engine's process", () => {
  it("is one error with the engine's words, and the next file is not blamed for it", async () => {
    const path = deadly();
    const model = await open(path);
    const error = await thrownBy(score(model));
    expect(error).toBeInstanceOf(HoneError);
    const { failure, exitCode } = error as HoneError;
    expect(exitCode).toBe(1);
    expect(failure).toMatchObject({ what: "This file crashes llama.cpp", where: path });
    expect(failure.why).toMatch(/SIGABRT.*GGML_ASSERT.*expert/);
    expect(failure.why, "no folders of whoever built the engine").not.toMatch(/\/home\//);
    expect(failure.next).toBeTruthy();
    // A second call says the same and tries nothing.
    expect(await thrownBy(score(model))).toBe(error);
    await model.close();
    const other = await open(sound());
    expect((await score(other)).options).toHaveLength(2);
    await other.close();
  });

  it("is one error as whole weights of a specialist too, and the base goes on", async () => {
    const base = await open(sound());
    const bad = base.weights!.specialize({ id: "bad", name: "bad", weights: deadly() });
    const error = await thrownBy(score(bad));
    expect((error as HoneError).failure.what).toBe("This file crashes llama.cpp");
    expect((await score(base)).options).toHaveLength(2);
    await base.close();
  });
});

it("an adapter that ends the engine's process is one error with its own place", async () => {
  const lora = deadlyAdapter();
  const error = await thrownBy(tryFirst({ model: sound(), lora, gpu: "off" }, { cache }));
  expect((error as HoneError).failure).toMatchObject({ what: "This file crashes llama.cpp", where: lora });
  expect((error as HoneError).failure.why).toMatch(/GGML_ASSERT/);
});

describe("a file that is new", () => {
  it("is tried once: what passed is remembered by its contents, not by its path", async () => {
    const path = sound();
    await tryFirst({ model: path, gpu: "off" }, { cache });
    const remembered = readdirSync(join(cache, "models", "tried")).length;
    // No trial ends in a millisecond.
    await tryFirst({ model: path, gpu: "off" }, { cache, seconds: 0.001 });
    const copy = join(folder, "copy.gguf");
    writeFileSync(
      copy,
      ggufBytes(withValue(tinyLlama(), "general.name", { type: "string", value: "copied" })),
    );
    expect(await thrownBy(tryFirst({ model: copy, gpu: "off" }, { cache, seconds: 0.001 }))).toBeInstanceOf(
      HoneError,
    );
    expect(readdirSync(join(cache, "models", "tried"))).toHaveLength(remembered);
    rmSync(copy);
    writeFileSync(
      copy,
      ggufBytes(withValue(tinyLlama(), "general.name", { type: "string", value: `number ${files - 1}` })),
    );
    await tryFirst({ model: copy, gpu: "off" }, { cache, seconds: 0.001 });
  });

  it("does not count the time in which this process was stopped", async () => {
    // Its process is kept, so that what follows waits for no engine to start.
    await tryFirst({ model: sound(), gpu: "off" }, { cache });
    const tried = tryFirst({ model: sound(), gpu: "off" }, { cache, seconds: 3 });
    // Past its hash, until the trial's clock runs; then what SIGSTOP and a sleeping machine do to a timer.
    await new Promise((resolve) => setTimeout(resolve, 300));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000);
    await expect(tried).resolves.toBeUndefined();
  });

  it("has a limit of time", async () => {
    const error = await thrownBy(tryFirst({ model: sound(), gpu: "off" }, { cache, seconds: 0.001 }));
    expect((error as HoneError).failure.what).toBe("llama.cpp does not finish with this file");
    expect((error as HoneError).exitCode).toBe(1);
  });

  it("is given up when its call is, and the next call tries it again", async () => {
    const model = await open(sound());
    const stop = new AbortController();
    const request = {
      messages: [{ role: "user", content: "ab" }],
      format: "plain",
      options: ["ab"],
    } as const;
    const given = model.score(request, { signal: stop.signal });
    // Another call that waits for the same load is not given up with it.
    const other = score(model);
    setTimeout(() => stop.abort(new Error("no longer wanted")), 5);
    await expect(given).rejects.toThrow("no longer wanted");
    expect((await other).options).toHaveLength(2);
    await model.close();
  });
});

describe("what can be known without the engine is said before it", () => {
  const tiny = tinyLlama();
  const u32 = (value: number): Value => ({ type: "u32", value });
  const tokens = readGguf(file(tiny)).metadata.get("tokenizer.ggml.tokens") as readonly string[];
  const retyped = (name: string, type: number): Made => ({
    ...tiny,
    tensors: tiny.tensors.map((one) => (one.name === name ? { ...one, type } : one)),
  });
  const spelled = (change: (tokens: string[]) => string[]): Made =>
    withValue(tiny, "tokenizer.ggml.tokens", { type: "strings", value: change([...tokens]) });
  const cases: [name: string, made: Made, why: RegExp][] = [
    [
      "a token twice",
      spelled((all) => all.with(7, all[3] as string)),
      /has "cd" twice \(the second is token 7\)/,
    ],
    [
      "a token twice by the name of an empty one",
      spelled((all) => all.with(7, "").with(9, "[EMPTY_7]")),
      /twice/,
    ],
    [
      "tokens that are no texts",
      withValue(tiny, "tokenizer.ggml.tokens", { type: "i32s", value: tokens.map(() => 1) }),
      /no vocabulary/,
    ],
    [
      "a model without a vocabulary",
      withValue(tiny, "tokenizer.ggml.model", { type: "string", value: "no_vocab" }),
      /no vocabulary/,
    ],
    [
      "bytes that no token spells",
      withValue(tiny, "tokenizer.ggml.model", { type: "string", value: "llama" }),
      /no token <0x/,
    ],
    [
      "an empty scaling",
      withValue(tiny, "llama.rope.scaling.type", { type: "string", value: "" }),
      /scaling\.type is "", none of none, linear/,
    ],
    ["an unknown pooling", withValue(tiny, "llama.pooling_type", u32(8)), /pooling_type is 8/],
    [
      "no feed-forward length",
      withValue(tiny, "llama.feed_forward_length", undefined),
      /feed_forward_length is missing/,
    ],
    [
      "a feed-forward length of 0",
      withValue(tiny, "llama.feed_forward_length", u32(0)),
      /feed-forward length is 0/,
    ],
    ["no head count", withValue(tiny, "llama.attention.head_count", undefined), /head_count is missing/],
    ["keys of length 0", withValue(tiny, "llama.attention.key_length", u32(0)), /key_length is 0/],
    ["values of length 0", withValue(tiny, "llama.attention.value_length", u32(0)), /value_length is 0/],
    ["experts that are not used", withValue(tiny, "llama.expert_count", u32(8)), /uses 0 of 8 experts/],
    [
      "more experts used than there are",
      withValue(tiny, "llama.expert_used_count", u32(2)),
      /uses 2 of 0 experts/,
    ],
    ["layers beyond its own", withValue(tiny, "llama.nextn_predict_layers", u32(2)), /2 of its 1 layers/],
    [
      "a negative epsilon",
      withValue(tiny, "llama.attention.layer_norm_rms_epsilon", { type: "f32", value: -1 }),
      /epsilon is -1/,
    ],
    [
      "an epsilon that is no number",
      withValue(tiny, "llama.attention.layer_norm_rms_epsilon", { type: "f32", value: Number.NaN }),
      /epsilon is NaN/,
    ],
    ["weights as whole numbers", retyped("blk.0.ffn_up.weight", 26), /stored as I32/],
    ["norms as whole numbers", retyped("blk.0.attn_norm.weight", 26), /stored as I32/],
  ];
  it.each(cases)("%s", async (_name, made, why) => {
    const error = await thrownBy(openLlama(file(made), { cache }));
    expect(error).toBeInstanceOf(HoneError);
    expect((error as HoneError).message).toMatch(why);
  });

  it("an adapter whose alpha has another type", async () => {
    const base = await open(sound());
    const lora = deadlyAdapter();
    expect(() => base.weights!.specialize({ id: "a", name: "a", lora })).toThrow(
      /not stored as a 32-bit float/,
    );
    await base.close();
  });
});
