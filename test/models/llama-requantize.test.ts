import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasQ4, requantize } from "../../src/models/llama/requantize.js";
import { ggmlTypes, readGguf } from "../../src/tensor/gguf.js";
import { readTensor } from "../../src/tensor/gguf-tensors.js";
import { toHalf } from "../../src/tensor/half.js";
import { ggufBytes, type Made, tinyLlama } from "./llama-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-requantize-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The tiny llama with two tensors as blocks of Q4_1: of many sizes, and of zeros. */
function withQ4(): Made {
  const made = tinyLlama();
  const blocks = (count: number, zero: boolean) => {
    const data = Buffer.alloc(count * 20);
    if (zero) return data;
    for (let block = 0; block < count; block++) {
      data.writeUInt16LE(toHalf(2 ** ((block % 17) - 12)), block * 20);
      data.writeUInt16LE(toHalf((block % 5) - 8 * 2 ** ((block % 17) - 12)), block * 20 + 2);
      for (let i = 4; i < 20; i++) data[block * 20 + i] = (block * 31 + i * 101) % 256;
    }
    return data;
  };
  return {
    ...made,
    tensors: made.tensors.map((tensor) => {
      const zero = tensor.name.includes("attn_k");
      if (!zero && !tensor.name.includes("ffn_up")) return tensor;
      const [width, rows] = tensor.shape as [number, number];
      return { ...tensor, type: 3, data: blocks((width / 32) * rows, zero) };
    }),
  };
}

describe("Q4_1 as Q8_0", () => {
  it("keeps every weight to within 1/254 of the block's largest, and everything else as it was", async () => {
    const path = join(folder, "q4.gguf");
    writeFileSync(path, ggufBytes(withQ4()));
    const before = readGguf(path);
    expect(hasQ4(before)).toBe(true);
    const target = join(folder, "q8.gguf");
    await requantize(before, target);
    const after = readGguf(target);
    expect(hasQ4(after)).toBe(false);
    expect([...after.metadata]).toEqual([...before.metadata]);
    expect(after.tensors.map(({ name }) => name)).toEqual(before.tensors.map(({ name }) => name));
    for (const [i, { name, type }] of before.tensors.entries()) {
      const old = await readTensor(before, name);
      const made = await readTensor(after, name);
      expect(made.shape).toEqual(old.shape);
      const typeName = ggmlTypes[type]?.[0];
      expect(ggmlTypes[after.tensors[i]?.type as number]?.[0]).toBe(typeName === "Q4_1" ? "Q8_0" : typeName);
      if (typeName !== "Q4_1") {
        expect(made.data).toEqual(old.data);
        continue;
      }
      for (let block = 0; block < old.data.length; block += 32) {
        const weights = old.data.subarray(block, block + 32);
        const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
        // Half a step, and the scale's own rounding to 11 bits.
        const bound = largest / 254 + largest * 2 ** -10 + 2 ** -24 * 127;
        for (const [j, weight] of weights.entries()) {
          expect(Math.abs((made.data[block + j] as number) - weight)).toBeLessThanOrEqual(bound);
        }
      }
    }
  });
});
