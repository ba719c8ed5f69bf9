// The decoder against the same written in plain loops, and what must hold of padding, packing and changes.

import { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { normal, randomFor } from "../../src/core/random.js";
import { adapter, initAdapter, widened } from "../../src/nets/changes/adapter.js";
import { bitfit, initBitfit } from "../../src/nets/changes/bitfit.js";
import { initLora, lora, matricesOf } from "../../src/nets/changes/lora.js";
import { initSoftPrompt, softPrompt, softTokens } from "../../src/nets/changes/soft-prompt.js";
import type { NetConfig } from "../../src/nets/config.js";
import { activate, type Change, hidden, logitsAt, logitsOf } from "../../src/nets/decoder.js";
import { beginningOf } from "../../src/nets/states.js";
import { compile } from "../../src/tensor/compile.js";
import { naiveLogits } from "./naive.js";
import { hostWeights, int, startWasm, tinyConfig, toArrays } from "./tiny.js";

type Host = Record<string, Tensor>;

beforeAll(startWasm);

const tokens = [3, 7, 1, 9, 2, 5, 22, 0];

/** Logits of every position of a sequence. */
function allLogits(
  config: NetConfig,
  weights: Host,
  row: readonly number[],
  changes: readonly Change[] = [],
) {
  const arrays = toArrays(weights);
  const states = hidden(config, arrays, int(row, 1, row.length), { changes });
  const logits = logitsAt(config, arrays, states, int([...row.keys()]), changes);
  return rowsOf(logits);
}

function rowsOf(array: np.Array): number[][] {
  const width = array.shape[1] as number;
  const flat = [...array.dataSync()];
  return Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width));
}

function furthest(a: readonly number[][], b: readonly number[][]): number {
  expect(a.length).toBe(b.length);
  return Math.max(
    ...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - (b[i]?.[j] ?? Number.NaN)))),
  );
}

function shaken(host: Host): Host {
  const random = randomFor(5, "shake");
  return Object.fromEntries(
    Object.entries(host).map(([name, { data, dims }]) => [
      name,
      new Tensor(
        "float32",
        Float32Array.from(data as Float32Array, (v) => v + 0.3 * normal(random)),
        dims,
      ),
    ]),
  );
}

describe.each(["llama", "gemma3", "qwen2", "qwen3", "smollm3"] as const)("the decoder of %s", (family) => {
  const config = tinyConfig(family);
  const weights = hostWeights(config);
  const own = (name: string) => weights[name]?.data as Float32Array;
  const plain = naiveLogits(config, weights, tokens);

  it("computes what plain loops compute", () => {
    expect(furthest(allLogits(config, weights, tokens), plain)).toBeLessThan(2e-5);
  });

  it("computes it compiled, too", async () => {
    const at = new Tensor("int32", Int32Array.from(tokens.keys()), [tokens.length]);
    const row = new Tensor("int32", Int32Array.from(tokens), [1, tokens.length]);
    const program = compile<[Host, Tensor, Tensor], Tensor>((w, t, p) =>
      logitsOf(config, w, hidden(config, w, t, { at: p })),
    );
    const { data } = await program(weights, row, at);
    await program.release();
    const flat = [...(data as Float32Array)];
    const rows = plain.map((_, i) => flat.slice(i * config.vocab, (i + 1) * config.vocab));
    expect(furthest(rows, plain)).toBeLessThan(2e-5);
  });

  it("gives chosen positions the states they have among all", () => {
    const arrays = toArrays(weights);
    const states = hidden(config, arrays, int([...tokens, ...tokens], 2, 8), { at: int([2, 15]) });
    const found = rowsOf(logitsOf(config, arrays, states));
    expect(furthest(found, [plain[2] as number[], plain[7] as number[]])).toBeLessThan(2e-5);
  });

  it("lets padding change nothing before it", () => {
    const padded = allLogits(config, weights, [...tokens.slice(0, 5), 0, 0, 0]).slice(0, 5);
    expect(furthest(padded, plain.slice(0, 5))).toBeLessThan(2e-5);
  });

  it("keeps packed sequences apart, each with positions of its own", () => {
    const arrays = toArrays(weights);
    const [a, b] = [tokens.slice(0, 5), tokens.slice(5)];
    const packing = {
      segments: int([2, 2, 2, 2, 2, 3, 3, 3], 1, 8),
      positions: int([0, 1, 2, 3, 4, 0, 1, 2], 1, 8),
    };
    const states = hidden(config, arrays, int(tokens, 1, 8), { packing });
    const packed = rowsOf(logitsAt(config, arrays, states, int([...tokens.keys()])));
    const apart = [...naiveLogits(config, weights, a), ...naiveLogits(config, weights, b)];
    expect(furthest(packed, apart)).toBeLessThan(2e-5);
    expect(furthest(packed, plain)).toBeGreaterThan(0.01);
  });

  it("reads rows behind a beginning that was evaluated once as if each began with it", () => {
    const arrays = toArrays(weights);
    const [beginning, a, b, c] = [tokens.slice(0, 4), tokens.slice(4), [6, 11], [8, 2]];
    const packing = {
      segments: int([2, 2, 2, 2, 2, 2, 3, 3], 2, 4),
      positions: int([4, 5, 6, 7, 4, 5, 4, 5], 2, 4),
    };
    const states = hidden(config, arrays, int([...a, ...b, ...c], 2, 4), {
      packing,
      beginning: beginningOf(config, arrays, int(beginning, 1, 4), [2, config.layers]).layers,
    });
    const found = rowsOf(logitsAt(config, arrays, states, int([...tokens.keys()])));
    const whole = [a, b, c].flatMap((own) => naiveLogits(config, weights, [...beginning, ...own]).slice(4));
    expect(furthest(found, whole)).toBeLessThan(2e-5);
  });

  it("adds a LoRA as if W were W + alpha/rank · B A, and nothing when it is new", () => {
    const shape = { rank: 2, alpha: 6, targets: ["attn_q", "ffn_down"] };
    const fresh = initLora(config, shape, 3);
    expect(Object.keys(fresh)).toHaveLength(4 * config.layers);
    expect(allLogits(config, weights, tokens, [lora(shape, toArrays(fresh))])).toEqual(
      allLogits(config, weights, tokens),
    );
    const trained = shaken(fresh);
    const merged = { ...weights };
    for (const name of matricesOf(config, shape.targets)) {
      const [out, inner] = (weights[name] as Tensor).dims as [number, number];
      const a = trained[`${name}.lora_a`]?.data as Float32Array;
      const b = trained[`${name}.lora_b`]?.data as Float32Array;
      const sum = own(name).slice();
      for (let o = 0; o < out; o++)
        for (let i = 0; i < inner; i++)
          for (let r = 0; r < 2; r++) sum[o * inner + i]! += 3 * b[o * 2 + r]! * a[r * inner + i]!;
      merged[name] = new Tensor("float32", sum, [out, inner]);
    }
    const found = allLogits(config, weights, tokens, [lora(shape, toArrays(trained))]);
    expect(furthest(found, naiveLogits(config, merged, tokens))).toBeLessThan(5e-5);
    expect(furthest(found, plain)).toBeGreaterThan(0.01);
  });

  it("adds an adapter as neurons of a wider model, and nothing when it is new", () => {
    const fresh = initAdapter(config, 32, 3);
    expect(allLogits(config, weights, tokens, [adapter(toArrays(fresh))])).toEqual(
      allLogits(config, weights, tokens),
    );
    const trained = shaken(fresh);
    const wide = { ...weights, ...widened(config, trained, own) };
    const found = allLogits(config, weights, tokens, [adapter(toArrays(trained))]);
    const served = naiveLogits({ ...config, hidden: config.hidden + 32 }, wide, tokens);
    expect(furthest(found, served)).toBeLessThan(5e-5);
    expect(furthest(found, plain)).toBeGreaterThan(0.01);
  });

  it("reads a soft prompt as more rows of the embedding table", () => {
    const table = own("token_embd.weight");
    const soft = initSoftPrompt(config, 2, table, [7], 1);
    const row = [3, ...softTokens(config, 2), 1];
    // Begun from the embedding of 7, it is the token 7 twice.
    const start = allLogits(config, weights, row, [softPrompt(config, toArrays(soft))]);
    expect(furthest(start, naiveLogits(config, weights, [3, 7, 7, 1]))).toBeLessThan(2e-5);
    const trained = shaken(soft);
    const rows = trained["token_embd.soft"]?.data as Float32Array;
    const longer = new Tensor("float32", Float32Array.of(...table, ...rows), [25, config.width]);
    const output = { "output.weight": (weights["output.weight"] ?? weights["token_embd.weight"]) as Tensor };
    const served = naiveLogits(
      { ...config, vocab: 25, tied: false },
      { ...weights, ...output, "token_embd.weight": longer },
      row,
    );
    const found = allLogits(config, weights, row, [softPrompt(config, toArrays(trained))]);
    expect(furthest(found, served)).toBeLessThan(5e-5);
  });

  it("adds biases, and nothing when they are new", () => {
    const fresh = initBitfit(config, own);
    expect(allLogits(config, weights, tokens, [bitfit(config, toArrays(fresh))])).toEqual(
      allLogits(config, weights, tokens),
    );
    expect(fresh["blk.0.ffn_up.bias"]?.dims).toEqual([config.hidden]);
  });

  it("holds its gate and the gate's slope where the exponential overflows", () => {
    const at = [-200, -90, -3, -0.5, 0, 0.5, 3, 90, 200];
    const out = [...activate(config, np.array(Float32Array.from(at), { shape: [1, 9] })).dataSync()];
    const value = (v: number) =>
      config.activation === "silu"
        ? v / (1 + Math.exp(-v))
        : 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
    for (const [i, v] of at.entries()) expect(out[i]).toBeCloseTo(value(v), 5);
  });
});

it("divides the angles of Llama 3's pairs by their factors", () => {
  const tiny = tinyConfig("llama");
  const config = { ...tiny, rope: { ...tiny.rope, factors: [1, 8] } };
  const weights = hostWeights(config);
  const found = allLogits(config, weights, tokens);
  expect(furthest(found, naiveLogits(config, weights, tokens))).toBeLessThan(2e-5);
  expect(furthest(found, naiveLogits(tiny, weights, tokens))).toBeGreaterThan(1e-3);
});

it("tells which weight is missing", () => {
  const config = tinyConfig("llama");
  const { "blk.1.ffn_up.weight": _, ...weights } = toArrays(hostWeights(config));
  expect(() => hidden(config, weights, int([1], 1, 1))).toThrow("blk.1.ffn_up.weight");
  expect(() => matricesOf(config, ["attn_qkv"])).toThrow(RangeError);
});
