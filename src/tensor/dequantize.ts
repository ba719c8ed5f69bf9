// Dequantizes ggml's storage types to float32: one loop over the blocks of each type. Layouts: ggml's ggml-common.h and ggml-quants.c.
//
// Every product here is exact in a double and is rounded once, when it is stored. ggml rounds at the same place, so the
// weights match its own to the last bit; bench/dequantize_reference.py makes the fixtures that the tests check against.

import { HoneError } from "../core/errors.js";
import { ggmlTypes } from "./gguf.js";
import { decodeBfloat, decodeHalf, halfTable } from "./half.js";

/** Decodes whole blocks. `into` has exactly as many numbers as `bytes` has weights. */
type Decode = (bytes: Uint8Array, into: Float32Array) => void;

const decoders: Readonly<Record<string, Decode>> = {
  F32: (bytes, into) => new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes),
  F16: decodeHalf,
  BF16: decodeBfloat,
  Q8_0: decodeQ8,
  Q4_0: smallBlocks({ zero: 8, minimum: false, fifthBit: false }),
  Q4_1: smallBlocks({ zero: 0, minimum: true, fifthBit: false }),
  Q5_0: smallBlocks({ zero: 16, minimum: false, fifthBit: true }),
  Q5_1: smallBlocks({ zero: 0, minimum: true, fifthBit: true }),
  Q4_K: superBlocks(false),
  Q5_K: superBlocks(true),
  Q6_K: decodeQ6K,
};

/** Names of the storage types whose weights can be read. */
export const readableTypes: readonly string[] = Object.keys(decoders);

/**
 * Weights as float32.
 *
 * @param type ggml's number of the storage type, see `ggmlTypes`
 * @param bytes whole blocks, `count` weights
 * @param into where to put them; a new array by default
 * @throws HoneError for a type that cannot be read, and if bytes and count do not match
 */
export function dequantize(
  type: number,
  bytes: Uint8Array,
  count: number,
  into: Float32Array = new Float32Array(count),
): Float32Array {
  const [name, weights, blockBytes] = ggmlTypes[type] ?? [`number ${type}`, 1, 0];
  const decode = decoders[name];
  if (!decode) {
    throw new HoneError({
      what: "Cannot read weights of this storage type",
      why: `the type is ${name}; those that can be read are ${readableTypes.join(", ")}`,
      next: "Use the model in another quantization, such as Q8_0 or Q4_K_M.",
    });
  }
  if (count % weights !== 0 || bytes.length !== (count / weights) * blockBytes || into.length !== count) {
    throw new HoneError({
      what: "The bytes do not match the number of weights",
      why: `${bytes.length} bytes of ${name} are not ${count} weights for ${into.length} places`,
      next: "Give whole blocks.",
    });
  }
  decode(bytes, into);
  return into;
}

/** Q8_0: blocks of 32, a scale (half) and 32 signed bytes. */
function decodeQ8(bytes: Uint8Array, into: Float32Array): void {
  const half = halfTable();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0, to = 0; to < into.length; to += 32) {
    const scale = half[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
    at += 2;
    for (let i = 0; i < 32; i++) into[to + i] = scale * (signed[at + i] as number);
    at += 32;
  }
}

/**
 * Blocks of 32 with four bits per weight: a scale, for some a minimum, for some a fifth bit of each weight (32 bits), then 16
 * bytes whose low halves are weights 0 to 15. weight = scale * (bits - zero) + minimum
 */
function smallBlocks({
  zero,
  minimum,
  fifthBit,
}: {
  zero: number;
  minimum: boolean;
  fifthBit: boolean;
}): Decode {
  return (bytes, into) => {
    const half = halfTable();
    for (let at = 0, to = 0; to < into.length; to += 32) {
      const scale = half[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
      at += 2;
      // Adding -0 changes nothing; adding 0 would lose the sign of a zero.
      let lowest = -0;
      if (minimum) {
        lowest = half[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
        at += 2;
      }
      let fifth = 0;
      if (fifthBit) {
        const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
        fifth = low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
        at += 4;
      }
      for (let i = 0; i < 16; i++) {
        const byte = bytes[at + i] as number;
        const first = (byte & 15) | (((fifth >>> i) & 1) << 4);
        const second = (byte >> 4) | (((fifth >>> (i + 16)) & 1) << 4);
        into[to + i] = scale * (first - zero) + lowest;
        into[to + i + 16] = scale * (second - zero) + lowest;
      }
      at += 16;
    }
  };
}

/**
 * Q4_K and Q5_K: blocks of 256 in eight parts of 32. A scale and a minimum for the block (half), six bits of scale and of
 * minimum for each part packed into 12 bytes, for Q5_K the fifth bits (bit p of byte i is that of weight i in part p), then
 * four runs of 32 bytes, each with two parts: low halves, then high halves.
 */
function superBlocks(fifthBit: boolean): Decode {
  return (bytes, into) => {
    const half = halfTable();
    for (let block = 0, to = 0; to < into.length; block += fifthBit ? 176 : 144) {
      const scale = half[(bytes[block] as number) | ((bytes[block + 1] as number) << 8)] as number;
      const lowest = half[(bytes[block + 2] as number) | ((bytes[block + 3] as number) << 8)] as number;
      const packed = block + 4;
      const fifths = packed + 12;
      const nibbles = fifthBit ? fifths + 32 : fifths;
      for (let part = 0; part < 8; part++, to += 32) {
        let own: number;
        let ownLowest: number;
        if (part < 4) {
          own = (bytes[packed + part] as number) & 63;
          ownLowest = (bytes[packed + part + 4] as number) & 63;
        } else {
          // The upper four parts have four bits in the last bytes and two above the lower parts' six.
          const both = bytes[packed + part + 4] as number;
          own = (both & 15) | (((bytes[packed + part - 4] as number) >> 6) << 4);
          ownLowest = (both >> 4) | (((bytes[packed + part] as number) >> 6) << 4);
        }
        const step = scale * own;
        const floor = lowest * ownLowest;
        const run = nibbles + (part >> 1) * 32;
        const shift = (part & 1) * 4;
        for (let i = 0; i < 32; i++) {
          let bits = ((bytes[run + i] as number) >> shift) & 15;
          if (fifthBit) bits |= (((bytes[fifths + i] as number) >> part) & 1) << 4;
          into[to + i] = step * bits - floor;
        }
      }
    }
  };
}

/**
 * Q6_K: blocks of 256 in two halves. 128 bytes of low four bits, 64 bytes of high two bits, 16 signed scales (one per 16
 * weights), a scale for the block (half). weight = scale * own scale * (bits - 32)
 */
function decodeQ6K(bytes: Uint8Array, into: Float32Array): void {
  const half = halfTable();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let block = 0, to = 0; to < into.length; block += 210) {
    const scale = half[(bytes[block + 208] as number) | ((bytes[block + 209] as number) << 8)] as number;
    for (let upper = 0; upper < 2; upper++) {
      const high = block + 128 + upper * 32;
      const scales = block + 192 + upper * 8;
      for (let part = 0; part < 4; part++, to += 32) {
        const low = block + upper * 64 + (part & 1) * 32;
        const shift = (part >> 1) * 4;
        const first = scale * (signed[scales + part * 2] as number);
        const second = scale * (signed[scales + part * 2 + 1] as number);
        for (let i = 0; i < 32; i++) {
          const bits =
            (((bytes[low + i] as number) >> shift) & 15) |
            ((((bytes[high + i] as number) >> (part * 2)) & 3) << 4);
          into[to + i] = (i < 16 ? first : second) * (bits - 32);
        }
      }
    }
  }
}
