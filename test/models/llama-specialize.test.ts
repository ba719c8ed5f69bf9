// Specialists over a base's own weights: on a llama of one layer, made here, and on the real embedded model.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { ScoreRequest, Scores } from "../../src/core/model.js";
import { normal, randomFor } from "../../src/core/random.js";
import { type LlamaModel, openLlama } from "../../src/models/llama.js";
import { openModel } from "../../src/models/registry.js";
import { openJournal } from "../../src/store/journal.js";
import { journaled } from "../../src/store/journaled.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { ggufBytes, type Made, tinyLlama, withValue } from "./llama-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-specialize-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context = { signal: new AbortController().signal };
let files = 0;
function file(bytes: Buffer): string {
  const path = join(folder, `${++files}.gguf`);
  writeFileSync(path, bytes);
  return path;
}

/** An adapter of random numbers on some of a model's matrices; B is zero where `size` is. */
function adapter(
  shapes: Record<string, readonly [input: number, output: number]>,
  size: number,
  architecture = "llama",
): Made {
  const rank = 4;
  const tensor = (name: string, shape: number[], scale: number) => {
    const random = randomFor(7, name);
    const values = Float32Array.from({ length: (shape[0] as number) * (shape[1] as number) }, () =>
      scale === 0 ? 0 : scale * normal(random),
    );
    return { name, shape, type: 0, data: Buffer.from(values.buffer) };
  };
  return {
    magic: "GGUF",
    version: 3,
    metadata: [
      ["general.architecture", { type: "string", value: architecture }],
      ["general.type", { type: "string", value: "adapter" }],
      ["adapter.type", { type: "string", value: "lora" }],
      ["adapter.lora.alpha", { type: "f32", value: 8 }],
    ],
    tensors: Object.entries(shapes).flatMap(([name, [input, output]]) => [
      tensor(`${name}.lora_a`, [input, rank], 1 / Math.sqrt(input)),
      tensor(`${name}.lora_b`, [rank, output], size),
    ]),
  };
}

const request: ScoreRequest = {
  messages: [{ role: "user", content: "The ship left the harbour in the storm and" }],
  format: "plain",
  options: [" sank", " came home", " the"],
};
async function scores(model: Scores, asked = request): Promise<number[]> {
  return (await model.score(asked, context)).options.map(({ logprob }) => logprob);
}

const tinyShapes = { "blk.0.attn_q.weight": [32, 32], "blk.0.ffn_down.weight": [64, 32] } as const;

describe("on a tiny model", () => {
  let base: LlamaModel;
  beforeAll(async () => {
    base = await openLlama(file(ggufBytes(tinyLlama())), { name: "tiny", lanes: 1, threads: 1 });
  });
  afterAll(() => base.close());
  const specialize = (id: string, change: { lora?: string; weights?: string; prefix?: readonly number[] }) =>
    base.weights!.specialize({ id, name: id, ...change });

  it("an adapter of zeros changes nothing; a random one does, and changes it back when it is gone", async () => {
    const plain = await scores(base);
    const zero = specialize("zero", { lora: file(ggufBytes(adapter(tinyShapes, 0))) });
    const random = specialize("random", { lora: file(ggufBytes(adapter(tinyShapes, 1))) });
    expect(await scores(zero)).toEqual(plain);
    const changed = await scores(random);
    for (const [i, score] of changed.entries()) expect(Math.abs(score - plain[i]!)).toBeGreaterThan(1e-3);
    expect(await scores(base)).toEqual(plain);
    expect([zero.id, random.name]).toEqual([`${base.id}+zero`, "tiny + random"]);
  });

  it("more specialists than are held at once give the same after they were unloaded, also asked all together", async () => {
    const many = [1, 2, 3, 4, 5].map((n) =>
      specialize(`n${n}`, { lora: file(ggufBytes(adapter(tinyShapes, n / 5))) }),
    );
    const first: number[][] = [];
    for (const model of many) first.push(await scores(model));
    expect(new Set(first.map(String)).size).toBe(5);
    for (const [i, model] of many.toReversed().entries()) expect(await scores(model)).toEqual(first[4 - i]);
    const together = await Promise.all([...many, ...many, ...many].map((model) => scores(model)));
    for (const [i, found] of together.entries()) expect(found).toEqual(first[i % 5]);
  });

  it("whole weights replace the base's", async () => {
    const other = tinyLlama();
    for (const tensor of other.tensors) {
      if (tensor.name !== "blk.0.ffn_up.weight") continue;
      const values = new Float32Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.length / 4);
      values.forEach((value, i) => {
        values[i] = -value;
      });
    }
    const path = file(ggufBytes(other));
    const replaced = specialize("full", { weights: path });
    const alone = await openLlama(path, { lanes: 1, threads: 1 });
    expect(await scores(replaced)).toEqual(await scores(alone));
    expect(await scores(replaced)).not.toEqual(await scores(base));
    const vectors = await replaced.embed!(["a ship"], context);
    expect(vectors.vectors).toEqual((await alone.embed(["a ship"], context)).vectors);
    await alone.close();
  });

  it("a prefix follows the begin token, as if it stood in the prompt", async () => {
    const { prompt, options } = await base.weights!.tokenize(request);
    expect(prompt[0]).toBe(1);
    const letters = await base.weights!.tokenize({
      ...request,
      messages: [{ role: "user", content: "xyz" }],
    });
    const prefixed = specialize("prefix", { prefix: letters.prompt.slice(1) });
    const content = `xyz${request.messages[0]!.content}`;
    const written = { ...request, messages: [{ role: "user" as const, content }] };
    expect(await scores(prefixed)).toEqual(await scores(base, written));
    expect(await scores(prefixed)).not.toEqual(await scores(base));
    const { cost } = await prefixed.score(request, context);
    expect(cost.inputTokens).toBe(prompt.length + options.flat().length + letters.prompt.length - 1);
    expect("embed" in prefixed).toBe(false);
  });

  it("what does not fit is refused with its reason before llama.cpp sees it", () => {
    const good = adapter(tinyShapes, 1);
    const bytes = ggufBytes(good);
    const refuse = (change: { lora?: string; weights?: string; prefix?: readonly number[] }, why: RegExp) => {
      expect(() => specialize("bad", change)).toThrow(HoneError);
      expect(() => specialize("bad", change)).toThrow(why);
    };
    const lora = (made: Made) => ({ lora: file(ggufBytes(made)) });
    refuse(lora(adapter(tinyShapes, 1, "gemma3")), /made for gemma3, and the base is llama/);
    refuse(lora(adapter({ "blk.1.attn_q.weight": [32, 32] }, 1)), /blk\.1\.attn_q\.weight, which the base/);
    refuse(lora(adapter({ "blk.0.attn_q.weight": [64, 32] }, 1)), /does not make 32 x 32/);
    refuse(lora(adapter({ "blk.0.attn_q.weight": [32, 4096] }, 1)), /does not make 32 x 32/);
    refuse(lora({ ...good, tensors: good.tensors.slice(1) }), /only one half/);
    refuse(lora({ ...good, tensors: [] }), /no matrices/);
    refuse(lora(adapter({ "token_embd.weight": [32, 260] }, 1)), /cannot carry an adapter/);
    refuse(lora(withValue(good, "adapter.lora.alpha", undefined)), /alpha is undefined/);
    refuse(lora(withValue(good, "general.type", undefined)), /does not say that it is a LoRA/);
    refuse({ lora: file(bytes.subarray(0, bytes.length - 64)) }, /cut short/);
    refuse({ lora: file(Buffer.from("not a model")) }, /GGUF/);
    refuse({ lora: join(folder, "nowhere.gguf") }, /ENOENT/);
    const full = tinyLlama();
    const widened = withValue(full, "llama.feed_forward_length", { type: "u32", value: 64 });
    refuse({ weights: file(ggufBytes({ ...widened, tensors: full.tensors.slice(0, -1) })) }, /no tensor blk/);
    refuse({ weights: file(bytes) }, /Cannot use this model file|tensor/);
    refuse({ prefix: [5, 260] }, /token 260 is outside a vocabulary of 260/);
    refuse({ prefix: Array(300).fill(5) }, /fill the context/);
  });

  it("an adapter that goes away before its first call is an error, and the base goes on", async () => {
    const path = file(ggufBytes(adapter(tinyShapes, 1)));
    const gone = specialize("gone", { lora: path });
    rmSync(path);
    await expect(scores(gone)).rejects.toThrow(HoneError);
    expect(await scores(base)).toHaveLength(3);
  });

  it("calls of a specialist are journaled under its own id", async () => {
    const journal = openJournal(":memory:");
    const made: string[] = [];
    const wrapped = journaled(base, journal, { made: (call) => void made.push(call.model) });
    const lora = file(ggufBytes(adapter(tinyShapes, 1)));
    const change = { id: "kept", name: "kept", lora };
    const first = await scores(wrapped.weights!.specialize(change));
    expect(await scores(wrapped.weights!.specialize(change))).toEqual(first);
    await scores(wrapped);
    expect(made).toEqual([`${base.id}+kept`, base.id]);
    journal.close();
  });

  it("is closed with its base, which lets calls end first", async () => {
    const own = await openLlama(file(ggufBytes(tinyLlama())), { lanes: 2, threads: 1 });
    const lora = file(ggufBytes(adapter(tinyShapes, 1)));
    const child = own.weights!.specialize({ id: "a", name: "a", lora });
    const running = Promise.all([scores(child), scores(own), scores(child)]);
    await running.then(() => {});
    const last = scores(child);
    await new Promise((resolve) => setImmediate(resolve));
    await own.close();
    expect(await last).toHaveLength(3);
    await expect(scores(child)).rejects.toThrow(/closed/);
  });
});

describe("on the real model", () => {
  let base: LlamaModel;
  beforeAll(async () => {
    base = await openModel("llama:smollm2-135m-instruct?lanes=1&threads=1&context=512");
  }, 300_000);
  afterAll(() => base?.close());

  it("tokenizes as it scores; zeros change nothing, random numbers do, and reloading changes nothing", async () => {
    expect([...base.grants]).toEqual(expect.arrayContaining(["gradients", "weights"]));
    const { tensors } = readGguf(base.weights!.path);
    const shapes = Object.fromEntries(
      tensors
        .filter(({ name }) => /attn_[qv]\.weight$/.test(name))
        .map(({ name, shape }) => [name, shape as unknown as [number, number]]),
    );
    const asked: ScoreRequest = { ...request, format: "chat" };
    const { prompt, options } = await base.weights!.tokenize(asked);
    const plain = await base.score(asked, context);
    expect(plain.cost.inputTokens).toBe(prompt.length + options.flat().length);
    expect(plain.options.map(({ tokens }) => tokens)).toEqual(options.map((one) => one.length));
    const make = (id: string, size: number) =>
      base.weights!.specialize({ id, name: id, lora: file(ggufBytes(adapter(shapes, size))) });
    const expected = plain.options.map(({ logprob }) => logprob);
    const zero = make("zero", 0);
    const [a, b] = [make("a", 0.01), make("b", 0.02)];
    expect(await scores(zero, asked)).toEqual(expected);
    const first = await scores(a, asked);
    expect(first).not.toEqual(expected);
    expect(await scores(b, asked)).not.toEqual(first);
    expect(await scores(zero, asked)).toEqual(expected);
    expect(await scores(a, asked)).toEqual(first);
    expect(await scores(base, asked)).toEqual(expected);
  }, 120_000);
});
