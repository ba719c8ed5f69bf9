// The same decoders written once more in plain loops over float64, from the papers and llama.cpp's graph, as the tests'
// measure. Slow, and nothing of src/nets is used but the configuration.

import type { Tensor } from "onnxruntime-node";
import type { NetConfig } from "../../src/nets/config.js";

type Vector = number[];

/** Logits [T][vocab] of one sequence. */
export function naiveLogits(
  config: NetConfig,
  weights: Readonly<Record<string, Tensor>>,
  tokens: readonly number[],
): Vector[] {
  const data = (name: string) => {
    const tensor = weights[name];
    if (!tensor) throw new Error(name);
    return { values: tensor.data as Float32Array, dims: tensor.dims };
  };
  const row = (name: string, i: number): Vector => {
    const { values, dims } = data(name);
    const length = dims.at(-1) as number;
    return [...values.subarray(i * length, (i + 1) * length)];
  };
  const times = (name: string, x: Vector): Vector => {
    const bias = weights[name.replace(/weight$/, "bias")]?.data as Float32Array | undefined;
    const biased = config.biases.some((part) => name.endsWith(`.${part}.weight`));
    return Array.from(
      { length: data(name).dims[0] as number },
      (_, i) => dot(row(name, i), x) + (biased ? (bias as Float32Array)[i]! : 0),
    );
  };
  const norm = (name: string, x: Vector): Vector => {
    const rms = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + config.normEps);
    return x.map((v, i) => (v / rms) * (data(name).values[i] as number));
  };
  const act = (v: number): number =>
    config.activation === "silu"
      ? v / (1 + Math.exp(-v))
      : 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
  const { heads, kvHeads, headWidth: d } = config;

  let states = tokens.map((token) => row("token_embd.weight", token).map((v) => v * config.embeddingScale));
  for (let layer = 0; layer < config.layers; layer++) {
    const blk = (part: string) => `blk.${layer}.${part}.weight`;
    const windowed = config.window !== undefined && layer % config.window.every !== config.window.every - 1;
    const base = windowed ? config.rope.windowBase : config.rope.base;
    const still = config.rope.skip !== undefined && (layer + 1) % config.rope.skip === 0;
    const turned = (x: Vector, at: number): Vector => {
      const out = [...x];
      for (let i = 0; i < d / 2; i++) {
        const [a, b] = config.rope.pairs === "neighbours" ? [2 * i, 2 * i + 1] : [i, i + d / 2];
        const angle = still ? 0 : at / base ** ((2 * i) / d) / (config.rope.factors?.[i] ?? 1);
        out[a] = x[a]! * Math.cos(angle) - x[b]! * Math.sin(angle);
        out[b] = x[a]! * Math.sin(angle) + x[b]! * Math.cos(angle);
      }
      return out;
    };
    const cut = (x: Vector, count: number) =>
      Array.from({ length: count }, (_, h) => x.slice(h * d, (h + 1) * d));
    const inner = (part: string, x: Vector) => (config.queryNorms ? norm(blk(part), x) : x);
    const after = (part: string, x: Vector) => (config.outputNorms ? norm(blk(part), x) : x);
    const ins = states.map((x) => norm(blk("attn_norm"), x));
    const q = ins.map((x, t) =>
      cut(times(blk("attn_q"), x), heads).map((h) => turned(inner("attn_q_norm", h), t)),
    );
    const k = ins.map((x, t) =>
      cut(times(blk("attn_k"), x), kvHeads).map((h) => turned(inner("attn_k_norm", h), t)),
    );
    const v = ins.map((x) => cut(times(blk("attn_v"), x), kvHeads));
    states = states.map((x, t) => {
      const seen = q[t]!.flatMap((query, h) => {
        const group = Math.floor(h / (heads / kvHeads));
        const first = windowed ? Math.max(0, t - (config.window?.tokens ?? 0) + 1) : 0;
        const scores = Array.from({ length: t - first + 1 }, (_, i) =>
          Math.exp(dot(query, k[first + i]![group]!) / Math.sqrt(d)),
        );
        const total = scores.reduce((a, b) => a + b, 0);
        return Array.from({ length: d }, (_, c) =>
          scores.reduce((sum, s, i) => sum + (s / total) * v[first + i]![group]![c]!, 0),
        );
      });
      const mid = plus(x, after("post_attention_norm", times(blk("attn_output"), seen)));
      const f = norm(blk("ffn_norm"), mid);
      const up = times(blk("ffn_up"), f);
      const neurons = times(blk("ffn_gate"), f).map((g, i) => act(g) * up[i]!);
      return plus(mid, after("post_ffw_norm", times(blk("ffn_down"), neurons)));
    });
  }
  const output = config.tied ? "token_embd.weight" : "output.weight";
  return states.map((x) => times(output, norm("output_norm.weight", x)));
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, v, i) => sum + v * b[i]!, 0);
}

function plus(a: Vector, b: Vector): Vector {
  return a.map((v, i) => v + b[i]!);
}

/** log softmax. */
export function naiveLogSoftmax(x: Vector): Vector {
  const most = Math.max(...x);
  const total = Math.log(x.reduce((sum, v) => sum + Math.exp(v - most), 0));
  return x.map((v) => v - most - total);
}
