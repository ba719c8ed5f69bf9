// Log-probabilities of answers, alone, and packed with shared beginnings: always the same, and those of
// plain loops.

import type { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { answerLogprobs, answerLoss, type TokenExample } from "../../src/nets/answer.js";
import type { NetConfig } from "../../src/nets/config.js";
import { hidden } from "../../src/nets/decoder.js";
import { type Block, largestOf, packBlock, planBlocks } from "../../src/nets/packing.js";
import { naiveLogits, naiveLogSoftmax } from "./naive.js";
import { hostWeights, packed, startWasm, tinyConfig, toArrays, toBatch } from "./tiny.js";

beforeAll(startWasm);

const examples = [
  { prompt: [3, 7, 1, 9, 2], answer: [5, 6, 4] },
  { prompt: [3, 7, 1, 9], answer: [8] },
  { prompt: [3, 7, 1, 22, 0, 12], answer: [11, 2] },
];

function naive(config: NetConfig, weights: Record<string, Tensor>, { prompt, answer }: TokenExample): number {
  const logits = naiveLogits(config, weights, [...prompt, ...answer.slice(0, -1)]);
  return answer.reduce(
    (sum, token, i) => sum + (naiveLogSoftmax(logits[prompt.length - 1 + i] as number[])[token] as number),
    0,
  );
}

describe.each(["llama", "gemma3"] as const)("answers under %s", (family) => {
  const config = tinyConfig(family);
  const host = hostWeights(config);
  const expected = examples.map((example) => naive(config, host, example));

  it("have the log-probability that plain loops give, packed behind a beginning that they share", () => {
    const { batch, ids, heads } = packed(examples, 12, 1 / 3);
    expect(heads).toEqual([3, 3, 3]);
    const weights = toArrays(host);
    const found = [...answerLogprobs(config, weights, batch).dataSync()];
    expect([...ids].sort()).toEqual(["0", "1", "2"]);
    for (const [i, id] of ids.entries()) expect(found[i]).toBeCloseTo(expected[Number(id)] as number, 4);
    expect(found.slice(3).every((none) => none === 0)).toBe(true);
    const loss = answerLoss(config, weights, batch).item();
    expect(loss).toBeCloseTo(-expected.reduce((a, b) => a + b, 0) / 3, 4);
  });

  it("have it in a row that examples of several groups share", () => {
    const mixed = examples.map((example, i) => ({ ...example, id: `${i}`, group: `${i}`, head: 2 }));
    const blocks = planBlocks(mixed, [0, 1, 2], { rows: 1, length: 32 });
    expect(blocks).toEqual([[[0, 1, 2]]]);
    const shape = { rows: 1, length: 32, ...largestOf(mixed, 3) };
    const { inputs } = packBlock(mixed, blocks[0] as Block, shape, 1);
    const found = [...answerLogprobs(config, toArrays(host), toBatch(inputs)).dataSync()];
    for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4);
  });

  it("have it where the lower layers' states are given", () => {
    const { batch, ids } = packed(examples, 12);
    const weights = toArrays(host);
    const { tokens, packing } = batch;
    const states = hidden(config, weights, tokens, { until: 1, ...(packing ? { packing } : {}) });
    const found = [...answerLogprobs(config, weights, { ...batch, states }, [], 1).dataSync()];
    for (const [i, id] of ids.entries()) expect(found[i]).toBeCloseTo(expected[Number(id)] as number, 4);
  });
});

it("keeps a log-probability finite where a softmax would underflow", () => {
  const config = tinyConfig("llama");
  const { "output.weight": output, ...rest } = toArrays(hostWeights(config));
  const weights = { ...rest, "output.weight": (output as NonNullable<typeof output>).mul(3000) };
  const { batch } = packed(examples, 12);
  const found = [...answerLogprobs(config, weights, batch).dataSync()];
  for (const value of found) expect(Number.isFinite(value)).toBe(true);
  expect(Math.min(...found)).toBeLessThan(-1000);
});
