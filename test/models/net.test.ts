// Encoders with an open network against transformers: tokens, every layer, pooled vectors. Golden files are made by
// bench/golden/encoders.py.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { bpe } from "../../src/learn/bpe.js";
import { openBertFolder, openDecoderNet } from "../../src/models/net/open.js";
import type { NetEncoder } from "../../src/models/net/types.js";
import { openModel } from "../../src/models/registry.js";
import { buildNet, initWeights } from "../../src/nets/build.js";
import { writeNetGguf } from "../../src/nets/text/checkpoint.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { copyGguf } from "../../src/tensor/gguf-write.js";

interface Golden {
  text: string;
  ids: number[];
  /** First 16 numbers of each layer's mean without the markers. */
  layers: number[][];
  /** The last layer's mean over all tokens, of unit length. */
  all: number[];
}
const fixtures = fileURLToPath(new URL("../nets/fixtures/", import.meta.url));
const golden = JSON.parse(readFileSync(join(fixtures, "encoders.json"), "utf8")) as Record<
  "xlmr" | "minilm",
  Golden[]
>;
const { signal } = new AbortController();

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    [ab, aa, bb] = [ab + x * y, aa + x * x, bb + y * y];
  }
  return ab / Math.sqrt(aa * bb);
};

async function compare(encoder: NetEncoder, wanted: readonly Golden[]) {
  const { net } = encoder;
  for (const { text, ids } of wanted) expect(net.read(text, "all").ids).toEqual(ids);
  const texts = wanted.map(({ text }) => text);
  const found = await encoder.vectors(texts, signal);
  for (const [i, { all }] of wanted.entries()) {
    const mine = found.subarray(i * net.width, (i + 1) * net.width);
    expect(1 - cosine(mine, all)).toBeLessThan(1e-5);
  }
}

describe("XLM-R, tiny and random", () => {
  it("agrees with transformers on tokens, every layer and vectors", async () => {
    const encoder = await openBertFolder(join(fixtures, "xlmr"), { name: "tiny", threads: 1 });
    await compare(encoder, golden.xlmr);
    const own = await openBertFolder(join(fixtures, "xlmr"), { name: "tiny", threads: 1, pool: "own" });
    const layers = await own.layers(
      golden.xlmr.map(({ text }) => text),
      [0, 1, 2],
      signal,
    );
    for (const [l, flat] of layers.entries())
      for (const [i, { layers: theirs }] of golden.xlmr.entries())
        expect(1 - cosine(flat.subarray(i * 24, i * 24 + 16), theirs[l] as number[])).toBeLessThan(1e-5);
    await own.close();
    await encoder.close();
  });

  it("has room for the whole gloss, a part of it, or none, and never more tokens than it reads", async () => {
    const encoder = await openBertFolder(join(fixtures, "xlmr"), { name: "tiny", threads: 1 });
    for (let most = 3; most < 20; most++) {
      const { ids, from, to } = encoder.net.read("court law", "own", { gloss: "tax union", most });
      expect(ids.length).toBeLessThanOrEqual(most);
      expect([from, ids.at(-1)]).toEqual([1, 2]);
      expect(to).toBe(Math.min(most - 1, encoder.net.read("court law", "own").to));
    }
    await encoder.close();
  });

  it("gives a text the same vector whatever stands beside it", async () => {
    const encoder = await openBertFolder(join(fixtures, "xlmr"), { name: "tiny", threads: 1 });
    const alone = await encoder.vectors(["court"], signal);
    const texts = Array.from({ length: 300 }, (_, i) => `word ${i}`);
    const among = await encoder.vectors([...texts, "court", "court"], signal);
    expect(1 - cosine(among.subarray(300 * 24, 301 * 24), alone)).toBeLessThan(1e-6);
    expect(among.subarray(301 * 24)).toEqual(among.subarray(300 * 24, 301 * 24));
    await encoder.close();
  });

  it("reads a tab as a part of the text, and a gloss only where one is given", async () => {
    const encoder = await openBertFolder(join(fixtures, "xlmr"), { name: "tiny", threads: 1 });
    const texts = ["court law", "\tcourt law", "\tunion", "court\tlaw"];
    const read = texts.map((text) => encoder.read(text));
    // XLM-R's unknown token stands for the tab in this small vocabulary.
    expect(read.map(({ ids }) => ids.includes(3))).toEqual([false, true, true, true]);
    expect(read.map(({ from, to, ids }) => [from, ids.length - to])).toEqual(texts.map(() => [0, 0]));
    expect(new Set(read.map(({ ids }) => ids.join())).size).toBe(texts.length);
    const [word, gloss] = ["court", "law"].map((text) => encoder.net.read(text, "own").ids.slice(1, -1));
    expect(encoder.read("court", "law")).toEqual({
      ids: [0, ...(word as number[]), 2, ...(gloss as number[]), 2],
      from: 1,
      to: 1 + (word as number[]).length,
    });
    await encoder.close();
  });

  it("writes a folder that it opens again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hone-net-"));
    const encoder = await openBertFolder(join(fixtures, "xlmr"), { name: "tiny", threads: 1 });
    // One that is read at another layer ends there.
    for (const layer of [2, 1]) {
      const at = join(folder, `${layer}`);
      await encoder.net.write(at, await encoder.net.weights(), { layer, pieces: 64 });
      const copy = await openBertFolder(at, { name: "copy", threads: 1 });
      expect(copy.net.layers).toBe(layer);
      const limits = JSON.parse(readFileSync(join(at, "tokenizer_config.json"), "utf8"));
      expect(limits.model_max_length).toBe(64);
      const wanted = await encoder.atLayer(layer).vectors(["court"], signal);
      expect(await copy.vectors(["court"], signal)).toEqual(wanted);
      await copy.close();
      // The ONNX file beside it, asked as other libraries ask it.
      const session = await InferenceSession.create(join(at, "onnx/model.onnx"), { logSeverityLevel: 3 });
      const { ids } = encoder.net.read("court", "all");
      const large = (list: readonly number[]) =>
        new Tensor("int64", BigInt64Array.from(list, BigInt), [1, ids.length]);
      const { last_hidden_state: states } = await session.run({
        input_ids: large(ids),
        attention_mask: large(ids.map(() => 1)),
      });
      const data = (states as Tensor).data as Float32Array;
      const sums = Array.from({ length: 24 }, (_, i) =>
        ids.reduce((sum, _, token) => sum + (data[token * 24 + i] as number), 0),
      );
      expect(1 - cosine(wanted, sums)).toBeLessThan(1e-5);
      await session.release();
    }
    await encoder.close();
    rmSync(folder, { recursive: true });
  });

  it("refuses what it cannot run", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hone-net-"));
    await expect(openBertFolder(folder, { name: "none" })).rejects.toThrow(HoneError);
    for (const config of ["[", "[]", '{"model_type":"t5"}', '{"model_type":"bert","hidden_act":"gelu"}']) {
      writeFileSync(join(folder, "config.json"), config);
      await expect(openBertFolder(folder, { name: "bad" })).rejects.toThrow(HoneError);
    }
    await expect(openBertFolder(join(fixtures, "xlmr"), { name: "tiny", layer: 3 })).rejects.toThrow(
      "no layer",
    );
    rmSync(folder, { recursive: true });
  });
});

it("cuts a decoder's long text at its end, and a long gloss before its word", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hone-net-"));
  const config = buildNet(
    { layers: 1, width: 8, heads: 1, hidden: 4, context: 64, vocab: 257 },
    { kind: "dense" },
  );
  const net = { config, weights: initWeights(config, 1), tokenizer: bpe({ merges: [] }) };
  const path = join(folder, "net.gguf");
  await writeNetGguf(path, net);
  // SentencePiece's way to write a vocabulary: here of letters.
  const named = ["<unk>", "<eos>", "<bos>", "▁", ":", ..."abcdefghijklmnopqrstuvwxyz"];
  const tokens = Array.from({ length: 257 }, (_, id) => named[id] ?? `<unused${id}>`);
  const types = tokens.map((token) => (/^<(eos|bos|unused)/.test(token) ? 3 : token === "<unk>" ? 2 : 1));
  await copyGguf(readGguf(path), path, {
    metadata: {
      "tokenizer.ggml.model": { type: "string", value: "llama" },
      "tokenizer.ggml.tokens": { type: "strings", value: tokens },
      "tokenizer.ggml.scores": { type: "float32s", value: tokens.map((_, id) => -id) },
      "tokenizer.ggml.token_type": { type: "int32s", value: types },
      "tokenizer.ggml.bos_token_id": { type: "uint32", value: 2 },
      "tokenizer.ggml.eos_token_id": { type: "uint32", value: 1 },
    },
  });
  const letters = (text: string) => Array.from(text, (letter) => named.indexOf(letter));
  for (const pool of ["own", "all"] as const) {
    const encoder = await openDecoderNet(path, { name: "tiny", threads: 1, pool, maxPieces: 8 });
    const from = pool === "own" ? 1 : 0;
    expect(encoder.read("abcdefghijk")).toEqual({ ids: [2, ...letters("abcdefg")], from, to: 8 });
    expect(encoder.read("ab", "defghijk")).toEqual({ ids: [2, ...letters("defghab")], from: 6, to: 8 });
    await encoder.close();
  }
  rmSync(folder, { recursive: true });
});

it("agrees with transformers on MiniLM's own weights", { timeout: 120_000 }, async () => {
  const encoder = (await openModel("encoder:minilm-f32?threads=1&pieces=512")) as NetEncoder;
  await compare(encoder, golden.minilm);
  expect(await encoder.cut?.(["word ".repeat(400), "word ".repeat(600)])).toEqual({ texts: 1, pieces: 512 });
  await encoder.close();
});
