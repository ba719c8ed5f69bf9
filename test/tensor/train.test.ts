// The training loop on a loss that can be checked by hand, its optimizer against a plain loop, its schedules, and what it
// does when numbers go wrong.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { adamWStep, trainingArrays } from "../../src/tensor/fused-adamw.js";
import { copyOf, schedule, zerosLike } from "../../src/tensor/optimizer.js";
import { makeTrainer, type TrainOptions, train } from "../../src/tensor/train.js";

const folder = mkdtempSync(join(tmpdir(), "hone-train-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tensor = (...values: number[]) => new Tensor("float32", Float32Array.from(values), [values.length]);
const target = [3, -2, 0.5];
const optimizer = { beta1: 0.9, beta2: 0.99, weightDecay: 0.1, clipNorm: 1 };

/** Σ share · (w - target)², so that two batches of half a share are one of a whole. */
const loss = (
  _frozen: unknown,
  params: Record<string, JaxArray>,
  inputs: { to: JaxArray; share: JaxArray },
) => np.sum(np.square((params.w as JaxArray).sub(inputs.to.ref))).mul(inputs.share.ref.reshape([]));

const batch = (share: number, ids = ["a"]) => ({
  inputs: { to: tensor(...target), share: tensor(share) } as never,
  ids,
  tokens: 1,
});

const base = (): TrainOptions => ({
  trainer: makeTrainer({ loss, optimizer }),
  frozen: {},
  params: { w: tensor(0, 0, 0) },
  batches: () => [batch(1)],
  steps: 12,
  schedule: () => 0.1,
});

/** AdamW as the paper writes it, in doubles. */
function byHand(steps: number): number[] {
  let w = [0, 0, 0];
  let m = [0, 0, 0];
  let v = [0, 0, 0];
  for (let t = 1; t <= steps; t++) {
    const raw = w.map((one, i) => 2 * (one - (target[i] as number)));
    const norm = Math.hypot(...raw);
    const g = raw.map((one) => one * Math.min(1, 1 / (norm + 1e-6)));
    m = m.map((one, i) => 0.9 * one + 0.1 * (g[i] as number));
    v = v.map((one, i) => 0.99 * one + 0.01 * (g[i] as number) ** 2);
    w = w.map((one, i) => {
      const step = (m[i] as number) / (1 - 0.9 ** t) / (Math.sqrt((v[i] as number) / (1 - 0.99 ** t)) + 1e-8);
      return one - 0.1 * (step + 0.1 * one);
    });
  }
  return w;
}

const numbers = ({ data }: Tensor) => Array.from(data as Float32Array);

describe("train", () => {
  it("makes AdamW's steps", async () => {
    const { params, losses } = await train(base());
    for (const [i, value] of numbers(params.w as Tensor).entries())
      expect(value).toBeCloseTo(byHand(12)[i] as number, 5);
    expect(losses[0]).toBeCloseTo(13.25, 5);
  });

  it("adds the gradients of a step's batches up", async () => {
    const whole = await train(base());
    const halves = await train({ ...base(), batches: () => [batch(0.5), batch(0.25), batch(0.25)] });
    for (const [i, value] of numbers(halves.params.w as Tensor).entries())
      expect(value).toBeCloseTo(numbers(whole.params.w as Tensor)[i] as number, 5);
    // One batch may come twice.
    const half = batch(0.5);
    const twice = await train({ ...base(), batches: () => [half, half] });
    for (const [i, value] of numbers(twice.params.w as Tensor).entries())
      expect(value).toBeCloseTo(numbers(whole.params.w as Tensor)[i] as number, 5);
  });

  it("keeps the best held-out parameters and stops when they get no better", async () => {
    const looks: number[] = [];
    const { params, steps, bestStep, heldOut } = await train({
      ...base(),
      steps: 100,
      evaluate: {
        every: 2,
        patience: 2,
        look: async ({ w }) => {
          looks.push(numbers(w as Tensor)[0] as number);
          // Falls until the third look, then rises.
          return { loss: Math.abs(looks.length - 3) };
        },
      },
    });
    expect(heldOut.map(({ step }) => step)).toEqual([2, 4, 6, 8, 10]);
    expect([steps, bestStep]).toEqual([10, 6]);
    expect(numbers(params.w as Tensor)[0]).toBe(looks[2]);
  });

  it("has patience without end until something has been learnt", async () => {
    let look = 0;
    const evaluate = {
      every: 1,
      patience: 2,
      learnt: 0.5,
      look: async () => ({ loss: losses[look++] as number }),
    };
    // Flat at guessing for six looks, then it learns, then no more.
    const losses = [1, 1.1, 1.2, 1.1, 1.2, 1.1, 0.4, 0.6, 0.5, 0.3];
    const { steps, bestStep } = await train({ ...base(), steps: 10, evaluate });
    expect([steps, bestStep]).toEqual([9, 7]);
  });

  it("chooses by the score where there is one, of equals by the loss, and learns by the loss", async () => {
    const looks = [
      { loss: 0.9, score: 0.5 },
      { loss: 0.4, score: 0.7 },
      { loss: 0.8, score: 0.8 },
      { loss: 0.6, score: 0.8 },
      { loss: 0.3, score: 0.7 },
      { loss: 0.2, score: 0.8 },
      { loss: 0.1, score: 0.6 },
      { loss: 0.1, score: 0.6 },
    ];
    let at = 0;
    const evaluate = {
      every: 1,
      patience: 2,
      learnt: 0.5,
      look: async () => looks[at++] as (typeof looks)[0],
    };
    const checkpoint = { folder: join(folder, "score"), key: "k", seconds: 0 };
    const cut = train({
      ...{ ...base(), steps: 20, evaluate, checkpoint },
      onStep: ({ step }) => {
        if (step === 4) throw new Error("killed");
      },
    });
    await expect(cut).rejects.toThrow("killed");
    const { steps, bestStep, heldOut } = await train({ ...base(), steps: 20, evaluate, checkpoint });
    expect([steps, bestStep]).toEqual([8, 6]);
    expect(heldOut).toEqual(looks.map((look, i) => ({ step: i + 1, ...look })));
  });

  it("takes any score for better than none, over a stop too", async () => {
    const looks = [
      { loss: 0.9, score: Number.NaN },
      { loss: 0.8, score: Number.NaN },
      { loss: 0.7, score: -0.5 },
      { loss: 0.6, score: Number.NaN },
    ];
    for (const kill of [0, 1, 2]) {
      let at = 0;
      const evaluate = { every: 1, patience: 9, look: async () => looks[at++] as (typeof looks)[0] };
      const checkpoint = { folder: join(folder, `none ${kill}`), key: "k", seconds: 0 };
      const options = { ...base(), steps: 4, evaluate, checkpoint };
      const onStep = ({ step }: { step: number }) => {
        if (step === kill) throw new Error("killed");
      };
      if (kill > 0) await expect(train({ ...options, onStep })).rejects.toThrow("killed");
      expect((await train(options)).bestStep).toBe(3);
    }
  });

  it("goes on after a stop with the same bits", async () => {
    const evaluate = {
      every: 3,
      patience: 9,
      look: async ({ w }: Record<string, Tensor>) => ({ loss: -(numbers(w as Tensor)[0] as number) }),
    };
    const whole = await train({ ...base(), evaluate });
    const checkpoint = { folder: join(folder, "resume"), key: "k", seconds: 0 };
    const stop = new AbortController();
    const options = { ...base(), evaluate, checkpoint };
    const cut = train({ ...options, signal: stop.signal, onStep: ({ step }) => step === 5 && stop.abort() });
    await expect(cut).rejects.toThrow();
    const seen: number[] = [];
    const rest = await train({ ...options, onStep: ({ step }) => seen.push(step) });
    expect(seen[0]).toBe(6);
    expect(numbers(rest.params.w as Tensor)).toEqual(numbers(whole.params.w as Tensor));
    expect([rest.losses, rest.heldOut, rest.bestStep]).toEqual([whole.losses, whole.heldOut, whole.bestStep]);
    // A checkpoint of another training is not taken for this one's.
    const other = await train({ ...base(), checkpoint: { ...checkpoint, key: "other" }, steps: 1 });
    expect(other.losses[0]).toBeCloseTo(13.25, 5);
  });

  it("stops at a loss that is not a number, naming the batch", async () => {
    const bad = train({
      ...base(),
      batches: (step) => [batch(1), batch(step === 3 ? Number.NaN : 1, ["case-17", "case-18"])],
    });
    await expect(bad).rejects.toThrow(/loss[\s\S]*step 3, samples case-17, case-18/);
    const infinite = train({
      ...base(),
      schedule: () => 1e30,
      trainer: makeTrainer({ loss, optimizer: { clipNorm: 0 } }),
    });
    await expect(infinite).rejects.toThrow(/no longer a number/);
  });

  it("stops at a held-out loss that is not a number, and again when it is called again", async () => {
    const checkpoint = { folder: join(folder, "held-out"), key: "k", seconds: 60 };
    const evaluate = { every: 4, patience: 1, look: async () => ({ loss: Number.NaN }) };
    for (let call = 0; call < 2; call++)
      await expect(train({ ...base(), checkpoint, evaluate })).rejects.toThrow(
        /held-out loss is no longer a number[\s\S]*step 4/,
      );
    const mended = {
      ...evaluate,
      patience: 9,
      look: async ({ w }: Record<string, Tensor>) => ({ loss: numbers(w as Tensor)[0] as number }),
    };
    const { heldOut } = await train({ ...base(), checkpoint, evaluate: mended });
    expect(heldOut.map(({ step }) => step)).toEqual([4, 8, 12]);
  });
});

describe("AdamW in one pass", () => {
  // Below and above a vector, a slice and several of them, none a multiple of the other.
  const lengths = { a: 1, b: 7, c: 8192, d: 8195, e: 20_001 };
  const drawn = (purpose: string): Record<string, Tensor> => {
    const random = randomFor(1, "adamw", purpose);
    return Object.fromEntries(
      Object.entries(lengths).map(([key, n]) => [
        key,
        tensor(...Array.from({ length: n }, () => random() - 0.5)),
      ]),
    );
  };
  const options = { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.2, clipNorm: 0.5 };

  it("is what the paper writes, whatever the length of a tensor", () => {
    const params = drawn("params");
    const exact = Object.fromEntries(Object.entries(params).map(([key, one]) => [key, numbers(one)]));
    const m = Object.fromEntries(Object.entries(lengths).map(([key, n]) => [key, new Array(n).fill(0)]));
    const v = structuredClone(m);
    const state = { m: zerosLike(params), v: zerosLike(params) };
    for (let step = 1; step <= 4; step++) {
      const gradients = drawn(`step ${step}`);
      const all = Object.values(gradients).flatMap(numbers);
      const norm = Math.sqrt(all.reduce((sum, one) => sum + one * one, 0));
      const scale = Math.min(1, 0.5 / (norm + 1e-6));
      expect(adamWStep(options, params, state, gradients, step, 0.01)).toBeCloseTo(norm, 6);
      for (const [key, one] of Object.entries(gradients))
        for (const [i, raw] of numbers(one).entries()) {
          const [ms, vs, ps] = [m[key], v[key], exact[key]] as [number[], number[], number[]];
          ms[i] = 0.8 * (ms[i] as number) + 0.2 * scale * raw;
          vs[i] = 0.95 * (vs[i] as number) + 0.05 * (scale * raw) ** 2;
          const moved = ms[i] / (1 - 0.8 ** step) / (Math.sqrt(vs[i] / (1 - 0.95 ** step)) + 1e-6);
          ps[i] = (ps[i] as number) - 0.01 * (moved + 0.2 * (ps[i] as number));
        }
    }
    for (const [key, one] of Object.entries(params)) {
      const apart = numbers(one).map((value, i) => Math.abs(value - (exact[key]?.[i] as number)));
      expect(Math.max(...apart), key).toBeLessThan(3e-6);
    }
  });

  it("gives the same bits in its own memory as in slices, and touches nothing beside a tensor", () => {
    const given = drawn("params");
    const outside = { params: copyOf(given), state: { m: zerosLike(given), v: zerosLike(given) } };
    const { params, moments, gradients } = trainingArrays(given);
    const all = [params, moments.m, moments.v, gradients].flatMap((list) => Object.values(list));
    const buffers = new Set(all.map(({ data }) => (data as Float32Array).buffer));
    expect(buffers.size).toBe(1);
    for (let step = 1; step <= 3; step++) {
      const found = drawn(`step ${step}`);
      for (const [key, { data }] of Object.entries(found))
        ((gradients[key] as Tensor).data as Float32Array).set(data as Float32Array);
      const norm = adamWStep(options, outside.params, outside.state, found, step, 0.01);
      expect(adamWStep(options, params, moments, gradients, step, 0.01)).toBe(norm);
    }
    for (const key of Object.keys(lengths)) {
      expect(numbers(params[key] as Tensor), key).toEqual(numbers(outside.params[key] as Tensor));
      expect(numbers(moments.v[key] as Tensor), key).toEqual(numbers(outside.state.v[key] as Tensor));
    }
    expect(numbers(given.a as Tensor)).toEqual(numbers(drawn("params").a as Tensor));
  });

  it("moves signed parameters by one length, and leaves them out of the norm", () => {
    const params = { w: tensor(1, 2), "x.bias": tensor(0, 0, 0) };
    const state = { m: zerosLike(params), v: zerosLike(params) };
    const gradients = { w: tensor(3, 4), "x.bias": tensor(100, -7, 0) };
    const signed = { ending: ".bias", rate: 0.25 };
    expect(adamWStep({ signed }, params, state, gradients, 1, 0.1)).toBeCloseTo(5, 6);
    expect(numbers(params["x.bias"])).toEqual([-0.25, 0.25, 0]);
    expect(numbers(state.m["x.bias"] as Tensor)).toEqual([0, 0, 0]);
    // The first step has the length of the rate.
    expect(numbers(params.w)[0]).toBeCloseTo(0.9, 4);
  });

  it("changes nothing where the norm is not finite", () => {
    const params = { w: tensor(1, 2) };
    const state = { m: zerosLike(params), v: zerosLike(params) };
    expect(adamWStep({}, params, state, { w: tensor(1, Number.NaN) }, 1, 0.1)).toBeNaN();
    expect([numbers(params.w), numbers(state.m.w as Tensor)]).toEqual([
      [1, 2],
      [0, 0],
    ]);
  });

  it("leaves what a training was given as it was, and gives memory that holds the parameters alone", async () => {
    const given = { w: tensor(0, 0, 0) };
    const { params } = await train({ ...base(), params: given });
    expect(numbers(given.w)).toEqual([0, 0, 0]);
    const { data } = params.w as Tensor;
    expect((data as Float32Array).buffer.byteLength).toBe(12);
  });
});

describe("schedule", () => {
  it("rises, falls and ends as it says", () => {
    const cosine = schedule({ shape: "cosine", peak: 1, steps: 110, warmup: 10, floor: 0.1 });
    expect([cosine(1), cosine(5), cosine(10)]).toEqual([0.1, 0.5, 1]);
    expect(cosine(60)).toBeCloseTo(0.55, 10);
    expect(cosine(110)).toBeCloseTo(0.1, 10);
    const linear = schedule({ shape: "linear", peak: 2, steps: 100 });
    expect([linear(50), linear(100)]).toEqual([1, 0]);
    const constant = schedule({ shape: "constant", peak: 2, steps: 100, warmup: 4 });
    expect([constant(2), constant(4), constant(99)]).toEqual([1, 2, 2]);
    const steps = schedule({ shape: { at: [10, 20], factor: 0.1 }, peak: 1, steps: 100 });
    expect([steps(10), steps(11), steps(21)]).toEqual([1, 0.1, 0.010000000000000002]);
  });
});
