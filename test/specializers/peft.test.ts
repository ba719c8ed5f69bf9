// The export for peft: names, configuration, and that the matrices mean the same where heads turn otherwise.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { normal, randomFor } from "../../src/core/random.js";
import { type PeftLora, writePeft } from "../../src/specializers/training/finetune/peft.js";
import type { DenseTensor } from "../../src/tensor/gguf-tensors.js";
import { readSafetensor, readSafetensors } from "../../src/tensor/safetensors.js";

const root = mkdtempSync(join(tmpdir(), "hone-peft-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const [heads, kvHeads, headWidth, width, rank, alpha] = [4, 2, 6, 5, 3, 12] as const;
const rope = (pairs: "neighbours" | "halves") => ({ pairs, base: 10_000, windowBase: 10_000 });

function matrix(name: string, rows: number, columns: number): DenseTensor {
  const random = randomFor(3, name);
  const data = Float32Array.from({ length: rows * columns }, () => normal(random));
  return { shape: [rows, columns], data };
}
const pair = (name: string, out: number, input: number = width) => ({
  a: matrix(`${name} a`, rank, input),
  b: matrix(`${name} b`, out, rank),
});

/** y = M x in doubles. */
function times({ shape, data }: DenseTensor, x: readonly number[]): number[] {
  const [rows, columns] = shape as [number, number];
  return Array.from({ length: rows }, (_, i) =>
    x.reduce((sum, value, j) => sum + value * (data[i * columns + j] as number), 0),
  );
}

/** A head's vector turned for a position, as ggml does for Llama (neighbours) or as transformers does (halves). */
function turned(vector: readonly number[], position: number, pairs: "neighbours" | "halves"): number[] {
  const half = vector.length / 2;
  const out = [...vector];
  for (let i = 0; i < half; i++) {
    const [p, q] = pairs === "neighbours" ? [2 * i, 2 * i + 1] : [i, i + half];
    const angle = position * 10_000 ** (-i / half);
    const [x, y] = [vector[p] as number, vector[q] as number];
    out[p] = x * Math.cos(angle) - y * Math.sin(angle);
    out[q] = x * Math.sin(angle) + y * Math.cos(angle);
  }
  return out;
}

/** Attention scores of every query head between two inputs at two positions. */
function attention(
  q: (x: readonly number[]) => number[],
  k: (x: readonly number[]) => number[],
  pairs: "neighbours" | "halves",
): number[] {
  const [x, y] = [matrix("x", 1, width), matrix("y", 1, width)].map(({ data }) => [...data]);
  const head = (all: number[], h: number) => all.slice(h * headWidth, (h + 1) * headWidth);
  return Array.from({ length: heads }, (_, h) => {
    const query = turned(head(q(x!), h), 7, pairs);
    const key = turned(head(k(y!), Math.floor((h * kvHeads) / heads)), 2, pairs);
    return query.reduce((sum, value, i) => sum + value * (key[i] as number), 0);
  });
}

const sum = (a: readonly number[], b: readonly number[], scale: number) =>
  a.map((value, i) => value + scale * (b[i] as number));

/** Rows in the order of llama.cpp's converter: `reshape(heads, 2, half).swapaxes(1, 2)`, written out. */
function converted({ shape, data }: DenseTensor, count: number): DenseTensor {
  const [rows, columns] = shape as [number, number];
  const half = rows / count / 2;
  const order: number[] = [];
  for (let h = 0; h < count; h++)
    for (let i = 0; i < half; i++) for (let j = 0; j < 2; j++) order.push((h * 2 + j) * half + i);
  const out = order.flatMap((row) => [...data.subarray(row * columns, (row + 1) * columns)]);
  return { shape, data: Float32Array.from(out) };
}

const made: PeftLora = {
  base: "owner/model",
  net: { layers: 30, heads, kvHeads, rope: rope("neighbours") },
  rank,
  alpha,
  tensors: {
    "blk.0.attn_q.weight": pair("q", heads * headWidth),
    "blk.0.attn_k.weight": pair("k", kvHeads * headWidth),
    "blk.0.attn_v.weight": pair("v", kvHeads * headWidth),
    "blk.11.attn_output.weight": pair("o", width, heads * headWidth),
    "blk.0.ffn_down.weight": pair("down", width, 9),
  },
};

async function written(lora: PeftLora, name: string): Promise<Map<string, DenseTensor>> {
  const folder = join(root, name);
  await writePeft(folder, lora);
  const file = await readSafetensors(join(folder, "adapter_model.safetensors"));
  const found = new Map<string, DenseTensor>();
  for (const key of file.tensors.keys()) {
    const { shape, data } = await readSafetensor(file, key);
    found.set(key, { shape, data: data as Float32Array });
  }
  return found;
}
const at = "base_model.model.model.layers";

describe("writePeft", () => {
  it("names and shapes everything as peft does", async () => {
    const found = await written(made, "names");
    expect([...found].map(([name, { shape }]) => `${name} ${shape.join("x")}`).sort()).toEqual(
      [
        `${at}.0.self_attn.q_proj.lora_A.weight 3x5`,
        `${at}.0.self_attn.q_proj.lora_B.weight 24x3`,
        `${at}.0.self_attn.k_proj.lora_A.weight 3x5`,
        `${at}.0.self_attn.k_proj.lora_B.weight 12x3`,
        `${at}.0.self_attn.v_proj.lora_A.weight 3x5`,
        `${at}.0.self_attn.v_proj.lora_B.weight 12x3`,
        `${at}.11.self_attn.o_proj.lora_A.weight 3x24`,
        `${at}.11.self_attn.o_proj.lora_B.weight 5x3`,
        `${at}.0.mlp.down_proj.lora_A.weight 3x9`,
        `${at}.0.mlp.down_proj.lora_B.weight 5x3`,
      ].sort(),
    );
    const config = JSON.parse(readFileSync(join(root, "names", "adapter_config.json"), "utf8"));
    expect(config).toMatchObject({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      base_model_name_or_path: "owner/model",
      r: 3,
      lora_alpha: 12,
      bias: "none",
      fan_in_fan_out: false,
      use_rslora: false,
      layers_to_transform: [0, 11],
      layers_pattern: "layers",
      target_modules: ["down_proj", "k_proj", "o_proj", "q_proj", "v_proj"],
    });
  });

  it("gives a Llama the same attention as before, though its heads turn by halves there", async () => {
    const found = await written(made, "llama");
    const part = (module: string, half: "A" | "B") =>
      found.get(`${at}.0.self_attn.${module}.lora_${half}.weight`) as DenseTensor;
    // The checkpoint's own q and k; the GGUF file has their rows in the converter's order.
    const [q, k] = [matrix("Wq", heads * headWidth, width), matrix("Wk", kvHeads * headWidth, width)];
    const scale = alpha / rank;
    const there = attention(
      (x) => sum(times(q, x), times(part("q_proj", "B"), times(part("q_proj", "A"), x)), scale),
      (x) => sum(times(k, x), times(part("k_proj", "B"), times(part("k_proj", "A"), x)), scale),
      "halves",
    );
    const { "blk.0.attn_q.weight": loraQ, "blk.0.attn_k.weight": loraK } = made.tensors;
    const here = attention(
      (x) => sum(times(converted(q, heads), x), times(loraQ!.b, times(loraQ!.a, x)), scale),
      (x) => sum(times(converted(k, kvHeads), x), times(loraK!.b, times(loraK!.a, x)), scale),
      "neighbours",
    );
    for (const [h, score] of there.entries()) expect(score).toBeCloseTo(here[h] as number, 4);
    // Left in the file's order it would be another model.
    const wrong = attention(
      (x) => sum(times(q, x), times(loraQ!.b, times(loraQ!.a, x)), scale),
      (x) => sum(times(k, x), times(loraK!.b, times(loraK!.a, x)), scale),
      "halves",
    );
    expect(Math.max(...wrong.map((score, h) => Math.abs(score - (here[h] as number))))).toBeGreaterThan(1);
  });

  it("leaves rows alone that the converter leaves alone", async () => {
    const llama = await written(made, "values");
    const value = llama.get(`${at}.0.self_attn.v_proj.lora_B.weight`) as DenseTensor;
    expect(value.data).toEqual(made.tensors["blk.0.attn_v.weight"]!.b.data);
    const gemma = await written(
      { ...made, net: { layers: 30, heads, kvHeads, rope: rope("halves") } },
      "gemma",
    );
    const query = gemma.get(`${at}.0.self_attn.q_proj.lora_B.weight`) as DenseTensor;
    expect(query.data).toEqual(made.tensors["blk.0.attn_q.weight"]!.b.data);
  });

  it("refuses what peft cannot load here", async () => {
    const refuse = (tensors: PeftLora["tensors"], why: RegExp, rankThere: number = rank) =>
      expect(writePeft(join(root, "no"), { ...made, rank: rankThere, tensors })).rejects.toThrow(why);
    await refuse({ "token_embd.weight": pair("e", 9) }, /no place/);
    await refuse({ "blk.0.attn_norm.weight": pair("n", 9) }, /no place/);
    await refuse({ "blk.0.constructor.weight": pair("n", 9) }, /no place/);
    await refuse({ "blk.0.attn_q.weight": pair("q", 10) }, /10 rows are not 4 heads/);
    await refuse(made.tensors, /the rank is 4/, 4);
    await refuse({}, /no matrices/);
  });
});
