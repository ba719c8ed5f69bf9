// The ONNX file of BERT and XLM-R against Hone's own forward pass: tiny random nets, several shapes, padding, weights beside the model.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { type BertConfig, type BertInput, bertHidden, bertShapes } from "../../src/nets/bert.js";
import { writeBertOnnx } from "../../src/nets/bert-onnx.js";
import type { Weights } from "../../src/nets/decoder.js";
import { type Compiled, compile } from "../../src/tensor/compile.js";

const folder = mkdtempSync(join(tmpdir(), "hone-bert-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const sizes = { layers: 2, width: 24, heads: 3, hidden: 40, vocab: 50, normEps: 1e-12 };
const bert: BertConfig = { ...sizes, architecture: "bert", places: 16, firstPlace: 0, types: 2 };
const xlmr: BertConfig = { ...sizes, architecture: "xlm-roberta", places: 18, firstPlace: 2, types: 1 };

function randomWeights(config: BertConfig, seed: number): Record<string, Tensor> {
  const random = randomFor(seed, "weights");
  return Object.fromEntries(
    [...bertShapes(config)].map(([name, shape]) => {
      const size = shape.reduce((all, dim) => all * dim, 1);
      const centre = name.endsWith("LayerNorm.weight") ? 1 : 0;
      const data = Float32Array.from({ length: size }, () => centre + 0.8 * (random() - 0.5));
      return [name, new Tensor("float32", data, [...shape])];
    }),
  );
}

const cosine = (a: Float32Array, b: Float32Array) => {
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

const open = (at: string) =>
  InferenceSession.create(join(at, "model.onnx"), { intraOpNumThreads: 1, logSeverityLevel: 3 });

type Own = Compiled<[Record<string, Tensor>, Record<string, Tensor>], Tensor>;
const ownPass = (config: BertConfig): Own =>
  compile((w: Weights, input) => bertHidden(config, w, input as BertInput), { threads: 1 });

/** The states of texts of these lengths, padded to the longest, by both; 1 - cosine of each real token. */
async function differences(
  config: BertConfig,
  own: Own,
  weights: Record<string, Tensor>,
  session: InferenceSession,
  lengths: readonly number[],
) {
  const [batch, length] = [lengths.length, Math.max(...lengths)];
  const random = randomFor(batch * 100 + length, "tokens");
  const each = (of: (real: boolean, place: number) => number) =>
    lengths.flatMap((tokens) => Array.from({ length }, (_, place) => of(place < tokens, place)));
  const pad = config.firstPlace === 0 ? 0 : config.firstPlace - 1;
  const tokens = each((real) => (real ? 3 + Math.floor(random() * (config.vocab - 3)) : pad));
  const small = (list: number[]) => new Tensor("int32", Int32Array.from(list), [batch, length]);
  const wanted = await own(weights, {
    tokens: small(tokens),
    positions: small(each((real, place) => (real ? place : 0))),
    segments: small(each((real) => (real ? 1 : 0))),
  });
  const large = (list: number[]) => new Tensor("int64", BigInt64Array.from(list, BigInt), [batch, length]);
  const { last_hidden_state: found } = await session.run({
    input_ids: large(tokens),
    attention_mask: large(each((real) => (real ? 1 : 0))),
    ...(config.types > 1 ? { token_type_ids: large(each(() => 0)) } : {}),
  });
  expect(found?.dims).toEqual([batch, length, config.width]);
  const rowOf = (tensor: Tensor | undefined, at: number) =>
    ((tensor as Tensor).data as Float32Array).subarray(at * config.width, (at + 1) * config.width);
  const real = each((is) => (is ? 1 : 0));
  return real.flatMap((is, at) => (is ? [1 - cosine(rowOf(found, at), rowOf(wanted, at))] : []));
}

describe.each([
  ["BERT", bert],
  ["XLM-R", xlmr],
] as const)("%s, tiny and random", (name, config) => {
  const weights = randomWeights(config, 1);
  const own = ownPass(config);
  afterAll(() => own.release());
  it("gives in ONNX what the own forward pass gives, for every shape of a batch", async () => {
    const at = join(folder, name);
    expect(await writeBertOnnx(at, config, weights)).toBe(false);
    expect(readdirSync(at)).toEqual(["model.onnx"]);
    const session = await open(at);
    expect(session.inputNames).toEqual(
      config.types > 1 ? ["input_ids", "attention_mask", "token_type_ids"] : ["input_ids", "attention_mask"],
    );
    for (const lengths of [[1], [3, 7], [5, 1, 2, 16]]) {
      const apart = await differences(config, own, weights, session, lengths);
      expect(apart).toHaveLength(lengths.reduce((a, b) => a + b));
      expect(Math.max(...apart)).toBeLessThan(1e-5);
    }
    // Other weights are not equal: the comparison can fail.
    const others = await differences(config, own, randomWeights(config, 2), session, [3, 7]);
    expect(Math.max(...others)).toBeGreaterThan(0.1);
    await session.release();
  });

  it("reads weights from a file of their own where they are large", async () => {
    const at = join(folder, `${name} beside`);
    expect(await writeBertOnnx(at, config, weights, 1000)).toBe(true);
    expect(readdirSync(at).sort()).toEqual(["model.onnx", "model.onnx_data"]);
    const session = await open(at);
    expect(Math.max(...(await differences(config, own, weights, session, [3, 7])))).toBeLessThan(1e-5);
    await session.release();
  });
});

it("tells the types of tokens apart, as BERT does", async () => {
  const at = join(folder, "types");
  await writeBertOnnx(at, bert, randomWeights(bert, 1));
  const session = await open(at);
  const large = (list: number[]) => new Tensor("int64", BigInt64Array.from(list, BigInt), [1, 3]);
  const run = async (types: number[]) => {
    const found = await session.run({
      input_ids: large([5, 6, 7]),
      attention_mask: large([1, 1, 1]),
      token_type_ids: large(types),
    });
    return found.last_hidden_state?.data as Float32Array;
  };
  expect(cosine(await run([0, 0, 0]), await run([0, 1, 1]))).toBeLessThan(0.999);
  await session.release();
});
