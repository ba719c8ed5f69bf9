// The layout of DeepSeekMoE-16B: config.json and safetensors load into this net, which gives the logits that transformers' own
// parts gave (bench/deepseek_reference.py).

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { taskContext } from "../../src/core/task.js";
import { openModel } from "../../src/models/registry.js";
import { tensorShapes } from "../../src/nets/config.js";
import { hidden, logitsOf } from "../../src/nets/decoder.js";
import { deepseekConfig, loadDeepseek, readDeepseekConfig } from "../../src/nets/deepseek.js";
import { schemes, begin as start } from "../../src/study/kinds.js";
import { compile } from "../../src/tensor/compile.js";
import type { DenseTensor } from "../../src/tensor/gguf-tensors.js";
import { writeSafetensors } from "../../src/tensor/safetensors.js";
import { naiveLogSoftmax } from "./naive.js";
import { startWasm } from "./tiny.js";

// biome-ignore lint/suspicious/noExplicitAny: traced arrays.
type Any = any;

const golden = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "fixtures/deepseek-16b-tiny.json"), "utf8"),
) as { config: Record<string, Any>; tokens: number[]; logits: number[][] };
const folder = mkdtempSync(join(tmpdir(), "hone-deepseek-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The reference's formula. */
function drawn(name: string, shape: readonly number[]): DenseTensor {
  const seed = [...name].reduce((sum, c, i) => sum + (i + 1) * c.charCodeAt(0), 0) % 1000;
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, (_, i) => {
    const value = Math.sin(seed + 1.618 * i + 0.001 * (i % 97) ** 2);
    return shape.length === 1 ? 1 + 0.1 * value : value * (1.7 / Math.sqrt(shape.at(-1) as number));
  });
  return { shape: [...shape], data };
}

function publishedTensors(): Record<string, DenseTensor> {
  const { hidden_size: d, intermediate_size: f, moe_intermediate_size: m } = golden.config;
  const made: Record<string, DenseTensor> = {};
  const put = (name: string, ...shape: number[]) => {
    made[name] = drawn(name, shape);
  };
  const mlp = (base: string, n: number) => {
    put(`${base}.gate_proj.weight`, n, d);
    put(`${base}.up_proj.weight`, n, d);
    put(`${base}.down_proj.weight`, d, n);
  };
  put("model.embed_tokens.weight", golden.config.vocab_size, d);
  put("model.norm.weight", d);
  put("lm_head.weight", golden.config.vocab_size, d);
  for (let i = 0; i < golden.config.num_hidden_layers; i++) {
    const base = `model.layers.${i}`;
    for (const part of ["q", "k", "v", "o"]) put(`${base}.self_attn.${part}_proj.weight`, d, d);
    put(`${base}.input_layernorm.weight`, d);
    put(`${base}.post_attention_layernorm.weight`, d);
    if (i < golden.config.first_k_dense_replace) mlp(`${base}.mlp`, f);
    else {
      put(`${base}.mlp.gate.weight`, golden.config.n_routed_experts, d);
      mlp(`${base}.mlp.shared_experts`, golden.config.n_shared_experts * m);
      for (let e = 0; e < golden.config.n_routed_experts; e++) mlp(`${base}.mlp.experts.${e}`, m);
    }
  }
  return made;
}

describe("the layout of DeepSeekMoE-16B", () => {
  beforeAll(startWasm);

  test("loads, from several files, and gives transformers' logits", async () => {
    const tensors = Object.entries(publishedTensors());
    const half = tensors.length >> 1;
    const parts = [tensors.slice(0, half), tensors.slice(half)];
    for (const [i, part] of parts.entries())
      await writeSafetensors(
        join(folder, `model-0000${i + 1}-of-00002.safetensors`),
        Object.fromEntries(part),
        {},
      );
    writeFileSync(join(folder, "config.json"), JSON.stringify(golden.config));
    const config = await readDeepseekConfig(folder);
    const weights = await loadDeepseek(folder, config);
    const logits = await compile<Any, Any>((params: Any, tokens: np.Array) => {
      const states = hidden(config, params, tokens).reshape([-1, config.width]);
      return logitsOf(config, params, states);
    })(weights as Any, new Tensor("int32", Int32Array.from(golden.tokens), [1, golden.tokens.length]));
    const wanted = golden.logits.flat();
    expect(logits.data.length).toBe(wanted.length);
    expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.5);
    for (const [i, one] of wanted.entries())
      expect(Math.abs((logits.data[i] as number) - one)).toBeLessThan(1e-3);
  });

  test("is a model of a study by net:file:, and says texts as the logits have it", async () => {
    const [begin, ...rest] = golden.tokens as [number, ...number[]];
    const letter = (id: number) => String.fromCodePoint(0x4e00 + id);
    const vocab = Object.fromEntries(
      Array.from({ length: golden.config.vocab_size }, (_, id) => [letter(id), id]),
    );
    writeFileSync(
      join(folder, "tokenizer.json"),
      JSON.stringify({
        version: "1.0",
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: null,
        post_processor: null,
        decoder: null,
        model: { type: "BPE", vocab, merges: [], unk_token: null },
      }),
    );
    writeFileSync(join(folder, "tokenizer_config.json"), "{}");
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...golden.config, bos_token_id: begin }));
    const model = await openModel(`net:file:${folder}`, { schemes });
    const subject = start(model);
    if (subject.kind !== "text") throw new Error(subject.kind);
    const text = rest.map(letter).join("");
    const wanted = rest.reduce((sum, id, t) => sum - (naiveLogSoftmax(golden.logits[t] ?? [])[id] ?? 0), 0);
    const reply = await subject.respond({ text }, taskContext(new AbortController().signal));
    expect(reply).toMatchObject({ tokens: rest.length, bytes: 3 * rest.length });
    expect(reply.nats).toBeCloseTo(wanted, 2);
    await model.close();
    const large = {
      ...golden.config,
      hidden_size: 65536,
      num_attention_heads: 512,
      num_key_value_heads: 512,
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(large));
    await expect(openModel(`net:file:${folder}`, { schemes })).rejects.toThrow("does not fit");
    rmSync(join(folder, "tokenizer.json"));
    writeFileSync(join(folder, "config.json"), JSON.stringify(golden.config));
    await expect(openModel(`net:file:${folder}`, { schemes })).rejects.toThrow("Cannot read a file");
  });

  test("the published configuration makes the published net", () => {
    const config = deepseekConfig(
      {
        ...golden.config,
        hidden_size: 2048,
        intermediate_size: 10944,
        moe_intermediate_size: 1408,
        num_hidden_layers: 28,
        num_attention_heads: 16,
        num_key_value_heads: 16,
        n_routed_experts: 64,
        num_experts_per_tok: 6,
        vocab_size: 102400,
        max_position_embeddings: 4096,
      },
      "config.json",
    );
    const total = [...tensorShapes(config).values()].reduce(
      (sum, shape) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    expect(total / 1e9).toBeCloseTo(16.4, 1);
  });

  test("what is not computed here, or missing, is one error", async () => {
    const wrong = (more: object) => () => deepseekConfig({ ...golden.config, ...more }, "config.json");
    expect(wrong({ scoring_func: "sigmoid" })).toThrow(/DeepSeekMoE/);
    expect(wrong({ rope_scaling: { type: "yarn" } })).toThrow(/rope_scaling/);
    expect(wrong({ num_experts_per_tok: 9 })).toThrow(/cannot be chosen/);
    await expect(readDeepseekConfig(join(tmpdir(), "no such folder"))).rejects.toThrow(
      /config\.json|DeepSeekMoE/,
    );
  });
});
