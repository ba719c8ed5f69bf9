// Experts: outputs, gates and losses against plain loops over tokens, experts and neurons.

import { numpy as np, valueAndGrad } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import type { NetConfig } from "../../src/nets/config.js";
import { hidden } from "../../src/nets/decoder.js";
import type { ExpertConfig } from "../../src/nets/experts.js";
import { textLoss } from "../../src/nets/language.js";
import { balanceLoss, experts, hashTable, loadError, maxViolation, type Probe } from "../../src/nets/moe.js";
import { compile } from "../../src/tensor/compile.js";
import { hostWeights, startWasm, tinyConfig } from "./tiny.js";

// biome-ignore lint/suspicious/noExplicitAny: traced arrays.
type Any = any;

function configWith(settings: Partial<ExpertConfig>): NetConfig {
  const base = tinyConfig("deepseek");
  const own: ExpertConfig = {
    routing: "top",
    routed: 6,
    chosen: 2,
    shared: 1,
    neurons: 5,
    dense: 0,
    affinity: "softmax",
    normalize: false,
    scale: 1,
    bias: false,
    vocab: base.vocab,
    ...settings,
  };
  return { ...base, experts: own };
}

const rows = 9;
const ids = Int32Array.from({ length: rows }, (_, i) => (5 * i + 2) % 23);
const states = (width: number) =>
  Float32Array.from({ length: rows * width }, (_, i) => 2 * Math.sin(1.3 * i + 0.2));

/** Eq. 9 to 11 for layer 0, one token after the other. */
function byHand(config: NetConfig, weights: Record<string, Tensor>, probe: Probe = {}) {
  const own = config.experts as ExpertConfig;
  const { width } = config;
  const read = (part: string) => weights[`blk.0.${part}`]?.data as Float32Array;
  const at = (data: Float32Array, i: number) => data[i] as number;
  const x = states(width);
  const neuronsOf = (
    gate: Float32Array,
    up: Float32Array,
    down: Float32Array,
    from: number,
    count: number,
    t: number,
  ) => {
    const out = new Array<number>(width).fill(0);
    for (let n = 0; n < count; n++) {
      let [g, u] = [0, 0];
      for (let d = 0; d < width; d++) {
        g += at(gate, (from + n) * width + d) * at(x, t * width + d);
        u += at(up, (from + n) * width + d) * at(x, t * width + d);
      }
      const value = (g / (1 + Math.exp(-g))) * u;
      // A routed expert's down matrix is [width, neurons] of its own, the shared one is [width, all].
      const block = down.length / width;
      const [first, stride] = from === 0 && block === count ? [0, count] : [from * width, own.neurons];
      for (let d = 0; d < width; d++) out[d] = (out[d] as number) + at(down, first + d * stride + n) * value;
    }
    return out;
  };
  const load = new Array<number>(own.routed).fill(0);
  const probabilities: number[][] = [];
  const ys = Array.from({ length: rows }, (_, t) => {
    const y = new Array<number>(width).fill(0);
    const add = (part: number[], times: number) => {
      for (const [d, v] of part.entries()) y[d] = (y[d] as number) + times * v;
    };
    let chosen: { expert: number; gate: number }[];
    if (own.routing === "hash") {
      chosen = [{ expert: hashTable(own, 0)[ids[t] as number] as number, gate: 1 }];
    } else {
      const router = read("ffn_gate_inp.weight");
      const logits = Array.from({ length: own.routed }, (_, e) => {
        let sum = 0;
        for (let d = 0; d < width; d++) sum += at(router, e * width + d) * at(x, t * width + d);
        return sum;
      });
      const total = logits.reduce((sum, one) => sum + Math.exp(one), 0);
      const scores = logits.map((one) =>
        own.affinity === "sigmoid" ? 1 / (1 + Math.exp(-one)) : Math.exp(one) / total,
      );
      probabilities.push(scores);
      const bias = own.bias ? [...read("exp_probs_b.bias")] : scores.map(() => 0);
      const wanted = scores.map((s, e) => s + (bias[e] as number));
      const order = scores.map((_, e) => e).sort((a, b) => (wanted[b] as number) - (wanted[a] as number));
      const first = probe.masked ?? 0;
      const taken = order.slice(first, first + (probe.chosen ?? own.chosen));
      const sum = own.normalize ? taken.reduce((all, e) => all + (scores[e] as number), 0) : 1;
      chosen = taken.map((expert) => ({ expert, gate: (own.scale * (scores[expert] as number)) / sum }));
    }
    for (const { expert, gate } of chosen) {
      load[expert] = (load[expert] as number) + 1;
      const parts = ["gate", "up", "down"].map((part) => read(`ffn_${part}_exps.weight`)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      add(neuronsOf(...parts, expert * own.neurons, own.neurons, t), gate);
    }
    if (own.shared > 0 && probe.shared !== false) {
      const parts = ["gate", "up", "down"].map((part) => read(`ffn_${part}_shexp.weight`)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      add(neuronsOf(...parts, 0, own.shared * own.neurons, t), 1);
    }
    return y;
  });
  return { ys: ys.flat(), load, probabilities };
}

function layerOf(config: NetConfig, weights: Record<string, Tensor>, probe: Probe = {}) {
  return compile<Any, Any>((params: Any, x: np.Array, tokens: np.Array) => {
    const net = {
      weight: (name: string) => params[name].ref,
      linear: (name: string, z: np.Array) => np.matmul(z.ref, params[name].ref.transpose()),
      activate: (z: np.Array) => z.ref.div(np.exp(z.neg()).add(1)),
    };
    const { y, routing } = experts(config, net, 0, x, tokens, probe);
    return { y, load: routing.load, ids: routing.ids };
  })(
    weights as Any,
    new Tensor("float32", states(config.width), [rows, config.width]),
    new Tensor("int32", ids, [rows]),
  );
}

function close(found: ArrayLike<number>, wanted: readonly number[]): void {
  expect(found.length).toBe(wanted.length);
  for (const [i, one] of wanted.entries()) expect(found[i]).toBeCloseTo(one, 4);
}

describe("experts", () => {
  beforeAll(startWasm);

  test.each<[string, Partial<ExpertConfig>, Probe?]>([
    ["DeepSeekMoE", {}],
    ["two shared experts", { shared: 2, chosen: 3 }],
    ["GShard", { shared: 0 }],
    ["Switch", { shared: 0, chosen: 1 }],
    ["hash", { shared: 0, chosen: 1, routing: "hash" }],
    ["gates that are normalized and scaled", { normalize: true, scale: 2.5 }],
    ["sigmoid with a bias", { affinity: "sigmoid", bias: true, normalize: true }],
    ["softmax with a bias", { bias: true }],
    ["the top experts masked", {}, { masked: 2 }],
    ["no shared expert, one more routed", {}, { shared: false, chosen: 3 }],
    ["fewer experts", { chosen: 4 }, { chosen: 1 }],
  ])("%s: outputs and load are those of loops", async (_, settings, probe) => {
    const config = configWith(settings);
    const weights = hostWeights(config, 3);
    const found = await layerOf(config, weights, probe);
    const wanted = byHand(config, weights, probe);
    close(found.y.data, wanted.ys);
    close(found.load.data, wanted.load);
  });

  test("balance losses are eq. 12 to 17, and their gradient flows through P alone", async () => {
    const config = configWith({ shared: 0 });
    const own = config.experts as ExpertConfig;
    const weights = hostWeights(config, 5);
    const options = { experts: 0.01, devices: { count: 3, alpha: 0.05 } };
    const { load, probabilities } = byHand(config, weights);
    const f = load.map((count) => (own.routed * count) / (own.chosen * rows));
    const p = f.map((_, e) => probabilities.reduce((sum, row) => sum + (row[e] as number), 0) / rows);
    const expected = 0.01 * f.reduce((sum, one, e) => sum + one * (p[e] as number), 0);
    const device = [0, 1, 2].map((d) => {
      const [a, b] = [2 * d, 2 * d + 1] as const;
      return (((f[a] as number) + (f[b] as number)) / 2) * ((p[a] as number) + (p[b] as number));
    });
    const wanted = expected + 0.05 * device.reduce((sum, one) => sum + one, 0);
    const scores = Float32Array.from(probabilities.flat());
    const [value, gradient] = await compile<Any, Any>(
      (given: np.Array, counts: np.Array) =>
        valueAndGrad((s: Any) => balanceLoss(own, { load: counts, scores: s }, options))(given) as Any,
    )(
      new Tensor("float32", scores, [rows, own.routed]),
      new Tensor("float32", Float32Array.from(load), [own.routed]),
    );
    expect(value.data[0]).toBeCloseTo(wanted, 5);
    // dL/ds = (α₁ f_i + α₂ f'_d) / T, the same for every token.
    for (let t = 0; t < rows; t++) {
      for (let e = 0; e < own.routed; e++) {
        const d = e >> 1;
        const group = ((f[2 * d] as number) + (f[2 * d + 1] as number)) / 2;
        const slope = (0.01 * (f[e] as number) + 0.05 * group) / rows;
        expect(gradient.data[t * own.routed + e]).toBeCloseTo(slope, 6);
      }
    }
  });

  test("a loss is told without the balance loss, which steers the router alone", async () => {
    const config = configWith({});
    const weights = hostWeights(config, 2);
    const ids = (step: number) =>
      new Tensor(
        "int32",
        Int32Array.from({ length: 16 }, (_, i) => (step * i + 1) % 23),
        [2, 8],
      );
    const counts = new Tensor("float32", new Float32Array(16).fill(1), [2, 8]);
    const slopes = async (balance: number) =>
      await compile<Any, Any>(
        (params: Any, tokens: np.Array, targets: np.Array, weight: np.Array) =>
          valueAndGrad(
            (trained: Any) =>
              textLoss(
                config,
                trained,
                { tokens, targets, counts: weight },
                { balance: { experts: balance }, scale: 1 / 16 },
              ).loss,
          )(params) as Any,
      )(weights as Any, ids(3), ids(5), counts);
    const [[plain, a], [balanced, b]] = [await slopes(0), await slopes(10)];
    expect(balanced.data[0]).toBeCloseTo(plain.data[0], 5);
    const apart = (name: string) =>
      Math.max(...[...a[name].data].map((one: number, i: number) => Math.abs(one - b[name].data[i])));
    expect(apart("blk.0.ffn_gate_inp.weight")).toBeGreaterThan(1e-3);
    expect(apart("output_norm.weight")).toBeLessThan(1e-5);
  });

  test("perfect balance costs α₁", async () => {
    const config = configWith({ routed: 4, chosen: 1, shared: 0 });
    const value = await compile<Any, Any>((s: np.Array, counts: np.Array) =>
      balanceLoss(config.experts as ExpertConfig, { load: counts, scores: s.ref }, { experts: 0.3 }),
    )(
      new Tensor("float32", new Float32Array(32).fill(0.25), [8, 4]),
      new Tensor("float32", new Float32Array(4).fill(2), [4]),
    );
    expect(value.data[0]).toBeCloseTo(0.3, 6);
  });

  test("a bias's gradient is its expert's load less the mean, and its value nothing", async () => {
    const load = Float32Array.of(5, 1, 0, 2);
    const [value, gradient] = await compile<Any, Any>(
      (b: np.Array, counts: np.Array) =>
        valueAndGrad((bias: Any) => loadError(bias, { load: counts }))(b) as Any,
    )(new Tensor("float32", Float32Array.of(0.1, -0.2, 0.3, 0), [4]), new Tensor("float32", load, [4]));
    expect(value.data[0]).toBe(0);
    expect([...gradient.data]).toEqual([3, -1, -2, 0]);
    expect(maxViolation(load)).toBeCloseTo(1.5);
  });

  test("a decoder of experts after dense layers has finite gradients for every weight", async () => {
    const config = configWith({ dense: 1 });
    const weights = hostWeights(config, 2);
    const [value, gradient] = await compile<Any, Any>(
      (params: Any, tokens: np.Array) =>
        valueAndGrad((trained: Any) => np.square(hidden(config, trained, tokens)).mean())(params) as Any,
    )(
      weights as Any,
      new Tensor(
        "int32",
        Int32Array.from({ length: 16 }, (_, i) => (3 * i) % 23),
        [2, 8],
      ),
    );
    expect(Number.isFinite(value.data[0])).toBe(true);
    const names = Object.keys(weights).filter((name) => name !== "output.weight");
    for (const name of names) {
      const found = [...(gradient[name] as Tensor).data] as number[];
      expect(found.every(Number.isFinite), name).toBe(true);
      expect(
        found.some((one) => one !== 0),
        name,
      ).toBe(true);
    }
  });
});
