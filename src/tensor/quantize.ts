// Converts float32 weights to the bytes of the storage types that Hone writes: F32, F16, BF16 and Q8_0.
// `gguf-write.ts` and `safetensors.ts` write files, `dequantize.ts` reads blocks.

import { HoneError } from "../core/errors.js";
import { encodeBfloat, encodeHalf, fromHalf, toHalf } from "./half.js";

/** Storage types that can be written: name, ggml's number, weights and bytes of a block. */
export const writableTypes = {
  F32: { number: 0, weights: 1, bytes: 4 },
  F16: { number: 1, weights: 1, bytes: 2 },
  BF16: { number: 30, weights: 1, bytes: 2 },
  Q8_0: { number: 8, weights: 32, bytes: 34 },
} as const;

/** The smallest number that would be written as infinity. A block of Q8_0 is limited to 127 times the largest half. */
const infiniteFrom: Readonly<Record<WritableType, number>> = {
  F32: Number.POSITIVE_INFINITY,
  F16: 65_520,
  BF16: 255.5 * 2 ** 120,
  Q8_0: 65_520 * 127,
};

export type WritableType = keyof typeof writableTypes;

/**
 * The weights' bytes.
 *
 * @param values whole blocks: for Q8_0 a multiple of 32
 * @param where the tensor, for error messages
 * @throws HoneError for a weight that is not finite, or would not be once written
 */
export function quantize(type: WritableType, values: Float32Array, where: string): Uint8Array {
  const limit = infiniteFrom[type];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(Math.abs(value) < limit)) throw unwritable(type, where, `weight ${i} is ${value}`);
  }
  switch (type) {
    case "F32":
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    case "F16":
      return encodeHalf(values);
    case "BF16":
      return encodeBfloat(values);
    case "Q8_0":
      return q8Blocks(values, where);
  }
}

function unwritable(type: WritableType, where: string, why: string): HoneError {
  return new HoneError({
    what: `Cannot write weights as ${type}`,
    where,
    why,
    next: "A training that diverged leaves such weights: lower its learning rate. Otherwise write them as F32.",
  });
}

/**
 * Blocks of 32 as Q8_0: a scale as half (the largest weight / 127), then signed bytes. The bytes are rounded against the
 * stored scale, not, as in ggml, against the scale before rounding to a half: no weight is off by more than half a step.
 */
function q8Blocks(values: Float32Array, where: string): Uint8Array {
  if (values.length % 32 !== 0)
    throw unwritable("Q8_0", where, `${values.length} weights do not fill blocks of 32`);
  const bytes = new Uint8Array((values.length / 32) * 34);
  for (let from = 0, at = 0; from < values.length; from += 32) {
    let largest = 0;
    for (let i = from; i < from + 32; i++) {
      const size = Math.abs(values[i] as number);
      if (size > largest) largest = size;
    }
    const half = toHalf(largest / 127);
    const step = fromHalf(half);
    bytes[at] = half;
    bytes[at + 1] = half >> 8;
    at += 2;
    // A step below the smallest half yields a block of zeros.
    if (step > 0) {
      for (let i = 0; i < 32; i++) {
        const units = Math.round((values[from + i] as number) / step);
        bytes[at + i] = units > 127 ? 127 : units < -127 ? -127 : units;
      }
    }
    at += 32;
  }
  return bytes;
}
