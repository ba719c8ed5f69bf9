// Weights and 16-bit floats against llama.cpp's own Python package (fixtures made by bench/dequantize_reference.py).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { dequantize, readableTypes } from "../../src/tensor/dequantize.js";
import { ggmlTypes } from "../../src/tensor/gguf.js";
import {
  decodeBfloat,
  decodeHalf,
  encodeBfloat,
  encodeHalf,
  fromHalf,
  toHalf,
} from "../../src/tensor/half.js";
import { quantize } from "../../src/tensor/quantize.js";

const fixture = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures/dequantize.json"), "utf8")) as {
  blocks: Record<string, { bytes: string; weights: string }>;
  floats: { float32: string; half: string; bfloat: string };
};
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const floatsOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer);
/** Bits, with every NaN the same: which one it is depends on the machine. */
const bitsOf = (values: Float32Array): number[] =>
  [...new Uint32Array(values.buffer, values.byteOffset, values.length)].map((bits, i) =>
    Number.isNaN(values[i]) ? 0x7fc00000 : bits,
  );
const numberOf = (name: string): number =>
  Number(Object.entries(ggmlTypes).find(([, [known]]) => known === name)?.[0]);

describe("weights of each storage type", () => {
  it("has a fixture for every type that can be read", () => {
    expect(Object.keys(fixture.blocks).sort()).toEqual([...readableTypes].sort());
  });

  it.each(readableTypes)("%s is llama.cpp's own, bit for bit", (name) => {
    const { bytes, weights } = fixture.blocks[name] as { bytes: string; weights: string };
    const expected = floatsOf(weights);
    expect(expected.length).toBeGreaterThanOrEqual(64);
    expect(bitsOf(dequantize(numberOf(name), bytesOf(bytes), expected.length))).toEqual(bitsOf(expected));
  });

  it.each(readableTypes)("%s is the same from bytes that lie at an odd place", (name) => {
    const bytes = bytesOf((fixture.blocks[name] as { bytes: string }).bytes);
    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    const count = floatsOf((fixture.blocks[name] as { weights: string }).weights).length;
    const type = numberOf(name);
    expect(bitsOf(dequantize(type, shifted, count))).toEqual(bitsOf(dequantize(type, bytes, count)));
  });

  it("refuses types it does not know and blocks that are not whole", () => {
    expect(() => dequantize(numberOf("IQ2_S"), new Uint8Array(82), 256)).toThrow(/the type is IQ2_S/);
    expect(() => dequantize(99, new Uint8Array(82), 256)).toThrow(/number 99/);
    expect(() => dequantize(numberOf("Q8_0"), new Uint8Array(33), 32)).toThrow(HoneError);
    expect(() => dequantize(numberOf("Q8_0"), new Uint8Array(34), 31)).toThrow(HoneError);
    expect(() => dequantize(numberOf("F32"), new Uint8Array(8), 2, new Float32Array(3))).toThrow(HoneError);
  });
});

describe("16-bit floats", () => {
  const values = floatsOf(fixture.floats.float32);

  it("binary16 rounds as NumPy does", () => {
    const expected = new Uint16Array(bytesOf(fixture.floats.half).buffer);
    const made = new Uint16Array(encodeHalf(values).buffer);
    const quiet = (bits: number) => ((bits & 0x7fff) > 0x7c00 ? 0x7e00 : bits);
    expect([...made].map(quiet)).toEqual([...expected].map(quiet));
  });

  it("bfloat16 rounds as ggml does", () => {
    expect([...encodeBfloat(values)]).toEqual([...bytesOf(fixture.floats.bfloat)]);
  });

  it("every binary16 and every bfloat16 survives the way there and back", () => {
    const all = new Uint16Array(65_536).map((_, bits) => bits);
    const floats = new Float32Array(65_536);
    decodeBfloat(new Uint8Array(all.buffer), floats);
    const bfloats = new Uint16Array(encodeBfloat(floats).buffer);
    expect(all.filter((bits) => bfloats[bits] !== bits && !Number.isNaN(floats[bits]))).toHaveLength(0);
    decodeHalf(new Uint8Array(all.buffer), floats);
    const halves = new Uint16Array(encodeHalf(floats).buffer);
    expect(all.filter((bits) => halves[bits] !== bits && !Number.isNaN(floats[bits]))).toHaveLength(0);
    expect(all.filter((bits) => toHalf(fromHalf(bits)) !== bits && (bits & 0x7fff) <= 0x7c00)).toHaveLength(
      0,
    );
  });

  it("knows fixed values (IEEE 754-2008, table 3.5)", () => {
    expect([0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555].map(fromHalf)).toEqual([
      1,
      -2,
      65504,
      2 ** -14,
      2 ** -24,
      0.333251953125,
    ]);
    expect(fromHalf(0x7c00)).toBe(Number.POSITIVE_INFINITY);
    expect([1, 65504, 2 ** -14, 2 ** -24, 1 / 3, 0, 2049, 2051, 65520, -2].map(toHalf)).toEqual([
      0x3c00, 0x7bff, 0x0400, 0x0001, 0x3555, 0, 0x6800, 0x6802, 0x7c00, 0xc000,
    ]);
  });
});

describe("writing weights", () => {
  it("Q8_0 keeps every weight to within half a step of its block's scale", () => {
    const values = floatsOf(fixture.floats.float32)
      .filter((value) => Number.isFinite(value) && Math.abs(value) < 1e5 && Math.abs(value) > 1e-5)
      .slice(0, 512);
    expect(values.length).toBe(512);
    const bytes = quantize("Q8_0", values, "test");
    expect(bytes.length).toBe((512 / 32) * 34);
    const back = dequantize(numberOf("Q8_0"), bytes, 512);
    for (const [i, value] of values.entries()) {
      const at = Math.floor(i / 32) * 34;
      const step = fromHalf((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
      const block = values.subarray(i - (i % 32), i - (i % 32) + 32);
      const largest = block.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      // Where the scale was rounded down, the largest weights are cut off at 127 steps.
      const slack = Math.max(step / 2, largest - 127 * step) * (1 + 1e-6);
      expect(Math.abs((back[i] as number) - value)).toBeLessThanOrEqual(slack);
      expect(Math.abs(127 * step - largest)).toBeLessThanOrEqual(largest * 2 ** -11 + 127 * 2 ** -25);
    }
  });

  it("Q8_0 of what was Q8_0 is the same bytes, and zeros are zeros", () => {
    const values = new Float32Array(64).map((_, i) => (i < 32 ? (i - 16) * 0.125 : 0));
    const once = quantize("Q8_0", values, "test");
    expect(quantize("Q8_0", dequantize(8, once, 64), "test")).toEqual(once);
    expect([...once.subarray(34)]).toEqual(Array(34).fill(0));
  });

  it("F16 and BF16 round, F32 keeps", () => {
    const values = Float32Array.of(1, -0.1, 65504, 0);
    expect([...dequantize(0, quantize("F32", values, "test"), 4)]).toEqual([...values]);
    expect(dequantize(1, quantize("F16", values, "test"), 4)[1]).toBeCloseTo(-0.0999756, 7);
    expect(dequantize(1, quantize("F16", Float32Array.of(65519.996), "test"), 1)[0]).toBe(65504);
    expect(dequantize(30, quantize("BF16", values, "test"), 4)[1]).toBeCloseTo(-0.1000977, 7);
  });

  it.each([
    ["F32", Number.NaN, /weight 1 is NaN/],
    ["BF16", Number.POSITIVE_INFINITY, /weight 1 is Infinity/],
    ["F16", 65_520, /weight 1 is 65520/],
    ["Q8_0", Number.NEGATIVE_INFINITY, /weight 1 is -Infinity/],
    ["BF16", 3.4e38, /weight 1 is 3\.3999/],
    ["Q8_0", 1e9, /weight 1 is 1000000000/],
  ] as const)("%s refuses %s", (type, value, why) => {
    const values = new Float32Array(32);
    values[1] = value;
    expect(() => quantize(type, values, "blk.0")).toThrow(why);
  });

  it("Q8_0 refuses half a block", () => {
    expect(() => quantize("Q8_0", new Float32Array(33), "blk.0")).toThrow(/do not fill blocks/);
  });
});
