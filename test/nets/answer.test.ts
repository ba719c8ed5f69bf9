// Log-probabilities of answers, alone, in padded batches and packed with shared beginnings: always the same, and those of
// plain loops.

import type { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import {
  answerBatch,
  answerLogprobs,
  answerLoss,
  bucketOf,
  type TokenExample,
} from "../../src/nets/answer.js";
import type { NetConfig } from "../../src/nets/config.js";
import { largest, packBlock, planBlocks, shareHeads } from "../../src/nets/packing.js";
import { naiveLogits, naiveLogSoftmax } from "./naive.js";
import { hostWeights, startWasm, tinyConfig, toArrays, toBatch } from "./tiny.js";

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

  it("have the log-probability that plain loops give, in a batch with room to spare", () => {
    const batch = toBatch(answerBatch(examples, { examples: 4, length: 10, answers: 9 }));
    const [loss, logprobs] = answerLoss(config, toArrays(host), batch);
    const found = [...logprobs.dataSync()];
    for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4);
    expect(found[3]).toBe(0);
    expect(loss.item()).toBeCloseTo(-expected.reduce((a, b) => a + b, 0) / 3, 4);
  });

  it("have it packed into rows behind a beginning that they share", () => {
    const named = examples.map((example, i) => ({ ...example, id: `${i}`, group: "g" }));
    const shared = shareHeads(named);
    expect(shared.map(({ head }) => head)).toEqual([3, 3, 3]);
    const blocks = planBlocks(shared, [0, 1, 2], { rows: 2, length: 12 });
    const shape = { rows: 2, length: 12, ...largest(shared, blocks) };
    const order: string[] = [];
    const found: number[] = [];
    for (const block of blocks) {
      const { inputs, ids } = packBlock(shared, block, shape, 1);
      const { packing, ...rest } = inputs;
      const batch = { ...toBatch(rest), packing: toArrays({ ...packing }) } as never;
      found.push(...[...answerLogprobs(config, toArrays(host), batch).dataSync()].slice(0, ids.length));
      order.push(...ids);
    }
    expect([...order].sort()).toEqual(["0", "1", "2"]);
    for (const [i, id] of order.entries()) expect(found[i]).toBeCloseTo(expected[Number(id)] as number, 4);
  });
});

it("keeps a log-probability finite where a softmax would underflow", () => {
  const config = tinyConfig("llama");
  const { "output.weight": output, ...rest } = toArrays(hostWeights(config));
  const weights = { ...rest, "output.weight": (output as NonNullable<typeof output>).mul(3000) };
  const batch = toBatch(answerBatch(examples, { examples: 3, length: 8, answers: 6 }));
  const found = [...answerLogprobs(config, weights, batch).dataSync()];
  for (const value of found) expect(Number.isFinite(value)).toBe(true);
  expect(Math.min(...found)).toBeLessThan(-1000);
});

it("refuses examples that do not fit their batch", () => {
  const shape = { examples: 2, length: 6, answers: 4 };
  const one = { prompt: [1, 2], answer: [3] };
  expect(() => answerBatch([one, one, one], shape)).toThrow("3 examples do not fit");
  expect(() => answerBatch([{ prompt: [1, 2, 3, 4, 5, 6], answer: [3, 4] }], shape)).toThrow(
    "takes 7 tokens",
  );
  expect(() => answerBatch([{ prompt: [], answer: [3] }], shape)).toThrow("empty part");
  expect(() => answerBatch([{ prompt: [1], answer: [3, 3, 3, 3, 3] }], shape)).toThrow("more than 4 answer");
  expect(bucketOf({ prompt: Array(64).fill(1), answer: [1] })).toBe(64);
  expect(bucketOf({ prompt: Array(64).fill(1), answer: [1, 2] })).toBe(128);
});
