// Gradients of the answer's loss against finite differences, for both families and every change.

import { type numpy as np, valueAndGrad } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { normal, randomFor } from "../../src/core/random.js";
import { answerLoss, type TokenExample } from "../../src/nets/answer.js";
import { adapter, initAdapter } from "../../src/nets/changes/adapter.js";
import { bitfit, initBitfit } from "../../src/nets/changes/bitfit.js";
import { drawDropout } from "../../src/nets/changes/dropout.js";
import { initLora, lora, matricesOf } from "../../src/nets/changes/lora.js";
import { initSoftPrompt, softPrompt, softTokens } from "../../src/nets/changes/soft-prompt.js";
import type { Family } from "../../src/nets/config.js";
import type { Change } from "../../src/nets/decoder.js";
import { hostWeights, packed, startWasm, tinyConfig, tinyWeights, toArray, toArrays } from "./tiny.js";

type Host = Record<string, Tensor>;
type Changing = (trained: Record<string, np.Array>) => Change;

beforeAll(startWasm);

const examples = [
  { prompt: [3, 7, 1, 9, 2], answer: [5, 6] },
  { prompt: [4, 4, 8], answer: [11] },
];

/** Moves every number away from its start, where half the gradients would be zero. */
function shaken(host: Host): Host {
  const random = randomFor(5, "shake");
  return Object.fromEntries(
    Object.entries(host).map(([name, { data, dims }]) => {
      const moved = Float32Array.from(data as Float32Array, (value) => value + 0.3 * normal(random));
      return [name, new Tensor("float32", moved, dims)];
    }),
  );
}

/** The loss's slope along a random direction, by autodiff and by central difference. */
function slopes(family: Family, trained: Host, change: Changing, on: readonly TokenExample[]) {
  const config = tinyConfig(family);
  const weights = tinyWeights(config);
  const { batch } = packed(on, 10, 0.5);
  const loss = (x: Record<string, np.Array>) => answerLoss(config, weights, batch, [change(x)]);
  const [, gradient] = valueAndGrad(loss)(toArrays(trained));
  const random = randomFor(9, "direction");
  const direction = Object.fromEntries(
    Object.entries(trained).map(([name, { data }]) => [
      name,
      Float32Array.from(data as Float32Array, () => normal(random)),
    ]),
  );
  let slope = 0;
  let size = 0;
  for (const [name, along] of Object.entries(direction)) {
    const found = (gradient as Record<string, np.Array>)[name]!.dataSync();
    for (let i = 0; i < along.length; i++) slope += along[i]! * found[i]!;
    for (const value of found) size += value * value;
  }
  const at = (step: number): number => {
    const moved = Object.entries(trained).map(([name, { data, dims }]) => {
      const along = direction[name]!;
      const next = Float32Array.from(data as Float32Array, (value, i) => value + step * along[i]!);
      return [name, new Tensor("float32", next, dims)] as const;
    });
    return loss(toArrays(Object.fromEntries(moved))).item();
  };
  const step = 2e-3;
  return { slope, numeric: (at(step) - at(-step)) / (2 * step), size: Math.sqrt(size) };
}

const families = ["llama", "gemma3"] as const;

describe.each(families)("gradients of %s", (family) => {
  const config = tinyConfig(family);
  const check = (trained: Host, change: Changing, on = examples) => {
    const { slope, numeric, size } = slopes(family, trained, change, on);
    expect(size).toBeGreaterThan(0.01);
    expect(Math.abs(slope - numeric)).toBeLessThan(0.01 * size);
  };

  it("through LoRA", () => {
    const shape = { rank: 2, alpha: 4 };
    check(shaken(initLora(config, shape, 1)), (trained) => lora(shape, trained));
  });

  it("through LoRA with dropout", () => {
    const [shape, names] = [{ rank: 2, alpha: 4 }, matricesOf(config)];
    const { rows, order } = drawDropout(config, names, 0.3, 20, randomFor(2, "dropout"));
    check(shaken(initLora(config, shape, 1)), (trained) =>
      lora(shape, trained, { drawn: { rows: toArrays(rows), order: toArray(order) }, names }),
    );
  });

  it("through a parallel adapter", () => {
    check(shaken(initAdapter(config, 32, 1)), adapter);
  });

  it("through a soft prompt", () => {
    const table = hostWeights(config)["token_embd.weight"]!.data as Float32Array;
    const start = initSoftPrompt(config, 2, table, [3, 8, 9], 1);
    const soft = softTokens(config, 2);
    const prompted = examples.map(({ prompt, answer }) => ({
      prompt: [prompt[0] as number, ...soft, ...prompt.slice(1)],
      answer,
    }));
    check(shaken(start), (trained) => softPrompt(config, trained), prompted);
  });

  it("through biases and gains", () => {
    const own = hostWeights(config);
    const start = initBitfit(config, (name) => own[name]!.data as Float32Array);
    check(shaken(start), (trained) => bitfit(config, trained));
  });

  it("through the weights themselves", () => {
    check(hostWeights(config), (weights) => ({ weights }));
  });
});

it("goes through biases that the model has", () => {
  const own = hostWeights(tinyConfig("qwen2"));
  const start = initBitfit(tinyConfig("qwen2"), (name) => own[name]!.data as Float32Array);
  const change = (trained: Parameters<typeof bitfit>[1]) => bitfit(tinyConfig("qwen2"), trained);
  const { slope, numeric, size } = slopes("qwen2", shaken(start), change, examples);
  expect(Math.abs(slope - numeric)).toBeLessThan(0.01 * size);
});
