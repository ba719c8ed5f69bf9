import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHalf, q8Blocks, toHalf } from "../../src/models/llama/requantize.js";

describe("binary16", () => {
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
    expect([1, 65504, 2 ** -14, 2 ** -24, 1 / 3, 0, 2049, 2051].map(toHalf)).toEqual([
      0x3c00, 0x7bff, 0x0400, 0x0001, 0x3555, 0, 0x6800, 0x6802,
    ]);
  });

  it("every positive finite value survives the way there and back", () => {
    for (let bits = 0; bits < 0x7c00; bits++) expect(toHalf(fromHalf(bits))).toBe(bits);
  });
});

describe("Q4_1 as Q8_0", () => {
  it("keeps every weight to within 1/254 of the block's largest, and the float16 of the scale", () => {
    const scale = fc.double({ min: 1e-4, max: 4, noNaN: true });
    const offset = fc.double({ min: -8, max: 8, noNaN: true });
    const nibbles = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(scale, offset, fc.boolean(), nibbles, (d, m, negative, packed) => {
        const raw = Buffer.alloc(20);
        raw.writeUInt16LE(toHalf(d), 0);
        raw.writeUInt16LE(toHalf(Math.abs(m)) | (negative ? 0x8000 : 0), 2);
        raw.set(packed, 4);
        const before = Array.from({ length: 32 }, (_, i) => {
          const byte = packed[i % 16] as number;
          return (
            fromHalf(raw.readUInt16LE(0)) * (i < 16 ? byte & 15 : byte >> 4) + fromHalf(raw.readUInt16LE(2))
          );
        });
        const result = q8Blocks(raw);
        expect(result.length).toBe(34);
        const step = fromHalf(result.readUInt16LE(0));
        const largest = Math.max(...before.map(Math.abs));
        for (const [i, weight] of before.entries()) {
          // Half a step, and the scale's own rounding to 11 bits.
          const bound = largest / 254 + largest * 2 ** -10 + 2 ** -24 * 127;
          expect(Math.abs(result.readInt8(2 + i) * step - weight)).toBeLessThanOrEqual(bound);
        }
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("handles blocks of zeros", () => {
    expect(q8Blocks(Buffer.alloc(20))).toEqual(Buffer.alloc(34));
  });
});
