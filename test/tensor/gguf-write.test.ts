// GGUF files that Hone writes: read back by itself, by llama.cpp, and compared byte for byte where nothing should change.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getLlama, type Token } from "node-llama-cpp";
import { afterAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { randomFor } from "../../src/core/random.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { readTensor, readTensors } from "../../src/tensor/gguf-tensors.js";
import { copyGguf, type GgufContents, writeGguf, writeLoraGguf } from "../../src/tensor/gguf-write.js";
import { ggufBytes, tinyLlama } from "../models/llama-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-gguf-write-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const tiny = at("tiny.gguf");
writeFileSync(tiny, ggufBytes(tinyLlama()));

function randomWeights(seed: number, count: number): Float32Array {
  const random = randomFor(seed, "weights");
  return new Float32Array(count).map(() => random() - 0.5);
}

const contents: GgufContents = {
  metadata: {
    "general.architecture": { type: "string", value: "test" },
    "a.u32": { type: "uint32", value: 2 ** 32 - 1 },
    "a.i32": { type: "int32", value: -5 },
    "a.f32": { type: "float32", value: 0.1 },
    "a.bool": { type: "bool", value: true },
    "a.strings": { type: "strings", value: ["", "é", "漢字"] },
    "a.numbers": { type: "int32s", value: [1, -1, 2 ** 31 - 1] },
    "a.none": { type: "float32s", value: [] },
  },
  tensors: {
    "one.weight": { shape: [3, 64], type: "F32", data: randomWeights(1, 192) },
    "two.weight": { shape: [5], type: "F16", data: Float32Array.of(1, -2, 0.5, 65504, 0) },
    "three.weight": { shape: [2, 2, 32], type: "Q8_0", data: randomWeights(3, 128) },
    "four.weight": { shape: [7], type: "BF16", data: Float32Array.of(1, -2, 0.5, 3, 0, 4, 8) },
  },
};

describe("a file written", () => {
  it("has the metadata, shapes and weights that were given", async () => {
    await writeGguf(at("whole.gguf"), contents);
    const gguf = readGguf(at("whole.gguf"));
    expect(Object.fromEntries(gguf.metadata)).toEqual({
      "general.architecture": "test",
      "a.u32": 2 ** 32 - 1,
      "a.i32": -5,
      "a.f32": Math.fround(0.1),
      "a.bool": true,
      "a.strings": ["", "é", "漢字"],
      "a.numbers": [1, -1, 2 ** 31 - 1],
      "a.none": [],
    });
    const read = await readTensors(gguf, Object.keys(contents.tensors));
    for (const [name, { shape, type, data }] of Object.entries(contents.tensors)) {
      expect(read.get(name)?.shape).toEqual(shape);
      for (const [i, weight] of (data as Float32Array).entries()) {
        // Q8_0 is off by at most half a step, and no weight here is above 0.5.
        const off = Math.abs((read.get(name)?.data[i] as number) - weight);
        expect(off).toBeLessThanOrEqual(type === "Q8_0" ? 0.5 / 254 + 1e-4 : 0);
      }
    }
  });

  it("is the same from pieces, and leaves nothing else in the folder", async () => {
    const before = readdirSync(folder).length;
    async function* pieces() {
      for (let from = 0; from < 128; from += 32) yield randomWeights(3, 128).subarray(from, from + 32);
    }
    const three = { shape: [2, 2, 32], type: "Q8_0" as const, data: pieces };
    await writeGguf(at("pieces.gguf"), {
      ...contents,
      tensors: { ...contents.tensors, "three.weight": three },
    });
    await writeGguf(at("whole.gguf"), contents);
    expect(readFileSync(at("pieces.gguf"))).toEqual(readFileSync(at("whole.gguf")));
    expect(readdirSync(folder).length).toBe(before + 1);
  });

  const one = (change: object): GgufContents => ({
    ...contents,
    tensors: { "x.weight": { shape: [32], type: "F32", data: new Float32Array(32), ...change } },
  });
  const meta = (key: string, value: unknown): GgufContents => ({
    ...contents,
    metadata: { ...contents.metadata, [key]: value as never },
  });
  const short = async function* () {
    yield new Float32Array(16);
  };
  it.each<[string, GgufContents, RegExp]>([
    ["no architecture", { ...contents, metadata: {} }, /no general\.architecture/],
    ["too few weights", one({ data: new Float32Array(31) }), /31 weights for the shape \[32\]/],
    ["pieces that end early", one({ data: short }), /gave 64 bytes of 128/],
    ["no dimensions", one({ shape: [] }), /has the shape \[\]/],
    ["a length of zero", one({ shape: [0] }), /has the shape \[0\]/],
    ["rows that fill no block", one({ shape: [2, 16], type: "Q8_0" }), /rows of 16 do not fill/],
    [
      "a weight that is not a number",
      one({ data: new Float32Array(32).fill(Number.NaN) }),
      /weight 0 is NaN/,
    ],
    [
      "a name of 64 bytes",
      { ...contents, tensors: { ["x".repeat(64)]: one({}).tensors["x.weight"] as never } },
      /64 bytes/,
    ],
    ["a crooked alignment", meta("general.alignment", { type: "uint32", value: 33 }), /alignment 33/],
    ["a negative uint32", meta("a", { type: "uint32", value: -1 }), /-1 is not a valid uint32/],
    [
      "an int32 of 33 bits",
      meta("a", { type: "int32s", value: [2 ** 31] }),
      /2147483648 is not a valid int32/,
    ],
    ["an infinite float32", meta("a", { type: "float32", value: 1e39 }), /1e\+39 is not a valid float32/],
    ["an empty key", meta("", { type: "bool", value: true }), /key is empty/],
  ])("is refused and not made: %s", async (_name, given, why) => {
    const before = readdirSync(folder);
    const error = await writeGguf(at("refused.gguf"), given).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HoneError);
    expect((error as HoneError).message).toMatch(why);
    expect(readdirSync(folder)).toEqual(before);
  });

  it("is an error where its folder cannot be", async () => {
    const error = await writeGguf(join(tiny, "below-a-file.gguf"), contents).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(HoneError);
  });
});

describe("a copy", () => {
  it("without changes is the file itself, byte for byte", async () => {
    await copyGguf(readGguf(tiny), at("copy.gguf"), {});
    expect(readFileSync(at("copy.gguf"))).toEqual(readFileSync(tiny));
  });

  it("has what was changed, replaced, added and left out, and the rest as it was", async () => {
    const source = readGguf(tiny);
    await copyGguf(source, at("changed.gguf"), {
      metadata: {
        "llama.feed_forward_length": { type: "uint32", value: 32 },
        "hone.note": { type: "string", value: "pruned" },
        "tokenizer.ggml.merges": null,
      },
      replace: { "blk.0.ffn_down.weight": { shape: [32, 32], type: "F16", data: randomWeights(5, 1024) } },
      add: { "new.weight": { shape: [2, 3], type: "F32", data: randomWeights(6, 6) } },
    });
    const copy = readGguf(at("changed.gguf"));
    const expected = new Map(source.metadata);
    expected.set("llama.feed_forward_length", 32);
    expected.delete("tokenizer.ggml.merges");
    expect([...copy.metadata]).toEqual([...expected, ["hone.note", "pruned"]]);
    expect(copy.tensors.map(({ name }) => name)).toEqual([
      ...source.tensors.map(({ name }) => name),
      "new.weight",
    ]);
    for (const { name } of source.tensors) {
      const { shape, data } = await readTensor(copy, name);
      if (name === "blk.0.ffn_down.weight") {
        expect(shape).toEqual([32, 32]);
        expect(data[7]).toBeCloseTo(randomWeights(5, 1024)[7] as number, 3);
      } else expect({ shape, data }).toEqual(await readTensor(source, name));
    }
    expect(await readTensor(copy, "new.weight")).toEqual({ shape: [2, 3], data: randomWeights(6, 6) });
  });

  it("may replace its own source, and another alignment moves the weights", async () => {
    await copyGguf(readGguf(tiny), at("self.gguf"), {});
    const wide = { "general.alignment": { type: "uint32", value: 512 } } as const;
    await copyGguf(readGguf(at("self.gguf")), at("self.gguf"), { metadata: wide });
    const copy = readGguf(at("self.gguf"));
    expect(copy.dataStart % 512).toBe(0);
    const source = readGguf(tiny);
    for (const { name } of source.tensors)
      expect(await readTensor(copy, name)).toEqual(await readTensor(source, name));
  });

  it("refuses to replace what is not there and to add what is", async () => {
    const some = { shape: [1], type: "F32", data: new Float32Array(1) } as const;
    const source = readGguf(tiny);
    await expect(copyGguf(source, at("no.gguf"), { replace: { nothing: some } })).rejects.toThrow(
      /no tensor nothing/,
    );
    await expect(copyGguf(source, at("no.gguf"), { add: { "output_norm.weight": some } })).rejects.toThrow(
      /has a tensor output_norm\.weight already/,
    );
  });

  it("names a tensor that is missing, and a file that was cut after its header was read", async () => {
    const source = readGguf(tiny);
    await expect(readTensor(source, "blk.9.x")).rejects.toThrow(
      /Cannot read tensor "blk\.9\.x"[\s\S]*none of that name/,
    );
    writeFileSync(at("cut.gguf"), readFileSync(tiny));
    const cut = readGguf(at("cut.gguf"));
    writeFileSync(at("cut.gguf"), readFileSync(tiny).subarray(0, cut.dataStart + 100));
    await expect(readTensor(cut, "output_norm.weight")).rejects.toThrow(/the file ends at byte/);
    await expect(copyGguf(cut, at("no.gguf"), {})).rejects.toThrow(/the file ends at byte/);
    rmSync(at("cut.gguf"));
    await expect(readTensor(cut, "output_norm.weight")).rejects.toThrow(/Cannot read tensor[\s\S]*ENOENT/);
    await expect(copyGguf(cut, at("no.gguf"), {})).rejects.toThrow(
      /Cannot write[\s\S]*cannot be read: ENOENT/,
    );
    expect(readdirSync(folder)).not.toContain("no.gguf");
  });
});

describe("a LoRA adapter", () => {
  const pair = (b: Float32Array) => ({
    "blk.0.attn_q.weight": {
      a: { shape: [2, 32], data: randomWeights(8, 64) },
      b: { shape: [32, 2], data: b },
    },
  });

  it("is taken by llama.cpp: a zero one changes nothing, another does what changed weights do", async () => {
    const b = randomWeights(9, 64);
    const zero = { architecture: "llama", alpha: 4, tensors: pair(new Float32Array(64)) };
    await writeLoraGguf(at("zero.gguf"), zero);
    await writeLoraGguf(at("lora.gguf"), { ...zero, tensors: pair(b) });
    // The same change made in the weights: W + (alpha / r) B A.
    const source = readGguf(tiny);
    const { data } = await readTensor(source, "blk.0.attn_q.weight");
    const a = randomWeights(8, 64);
    for (let row = 0; row < 32; row++) {
      for (let column = 0; column < 32; column++) {
        for (let r = 0; r < 2; r++) {
          data[row * 32 + column]! += (4 / 2) * (b[row * 2 + r] as number) * (a[r * 32 + column] as number);
        }
      }
    }
    await copyGguf(source, at("merged.gguf"), {
      replace: { "blk.0.attn_q.weight": { shape: [32, 32], type: "F32", data } },
    });

    const llama = await getLlama({ gpu: false, logLevel: "error" as never, build: "never" });
    const probabilities = async (modelPath: string, adapter?: string): Promise<Map<Token, number>> => {
      const model = await llama.loadModel({ modelPath });
      const lora = adapter === undefined ? {} : { lora: { adapters: [{ filePath: adapter, scale: 1 }] } };
      const context = await model.createContext({ contextSize: 32, threads: 1, ...lora });
      const next = await context
        .getSequence()
        .controlledEvaluate([2, 3, 70, 71, [72, { generateNext: { probabilities: true } }]] as never);
      await model.dispose();
      return (next.at(-1) as { next: { probabilities: Map<Token, number> } }).next.probabilities;
    };
    const furthest = (one: Map<Token, number>, other: Map<Token, number>) =>
      Math.max(...[...one].map(([token, p]) => Math.abs(p - (other.get(token) as number))));
    const plain = await probabilities(tiny);
    expect(plain.size).toBe(260);
    expect(furthest(await probabilities(tiny, at("zero.gguf")), plain)).toBe(0);
    const changed = await probabilities(tiny, at("lora.gguf"));
    expect(furthest(changed, plain)).toBeGreaterThan(1e-4);
    // llama.cpp computes the two in different orders, in float32.
    expect(furthest(changed, await probabilities(at("merged.gguf")))).toBeLessThan(1e-6);
  });

  it("is the same bytes whatever the order of its tensors", async () => {
    const tensors = {
      ...pair(randomWeights(9, 64)),
      "blk.0.attn_k.weight": pair(randomWeights(7, 64))["blk.0.attn_q.weight"],
    };
    await writeLoraGguf(at("one.gguf"), { architecture: "llama", alpha: 1, tensors });
    const turned = Object.fromEntries(Object.entries(tensors).reverse()) as typeof tensors;
    await writeLoraGguf(at("other.gguf"), { architecture: "llama", alpha: 1, tensors: turned });
    expect(readFileSync(at("one.gguf"))).toEqual(readFileSync(at("other.gguf")));
  });

  it("refuses pairs that do not fit each other", async () => {
    const tensors = {
      "blk.0.attn_q.weight": {
        a: { shape: [3, 32], data: randomWeights(1, 96) },
        b: { shape: [32, 2], data: randomWeights(1, 64) },
      },
    };
    await expect(writeLoraGguf(at("no.gguf"), { architecture: "llama", alpha: 1, tensors })).rejects.toThrow(
      /\[3,32\] and \[32,2\] are not \[r, in\] and \[out, r\]/,
    );
  });
});
