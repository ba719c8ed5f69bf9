// Converts the two 16-bit floats to and from float32: IEEE 754 binary16 ("half") and bfloat16, the upper half of a float32.
// Rounding is to nearest, ties to even. Arrays are little-endian bytes, as in files.

let halves: Float32Array | undefined;

/** The value of every binary16, by its bits; computed on first use (256 KiB). */
export function halfTable(): Float32Array {
  if (!halves) {
    halves = new Float32Array(65_536);
    for (let bits = 0; bits < 65_536; bits++) {
      const sign = bits & 0x8000 ? -1 : 1;
      const exponent = (bits >> 10) & 31;
      const mantissa = bits & 1023;
      if (exponent === 0) halves[bits] = sign * mantissa * 2 ** -24;
      else if (exponent === 31) halves[bits] = mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
      else halves[bits] = sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
    }
  }
  return halves;
}

/** Tables to convert a float32 to binary16 by its sign and exponent (9 bits): an addend, and how far to shift. */
interface ToHalf {
  base: Uint16Array;
  shift: Uint8Array;
}
let toHalves: ToHalf | undefined;

function toHalfTable(): ToHalf {
  if (!toHalves) {
    toHalves = { base: new Uint16Array(512), shift: new Uint8Array(512).fill(31) };
    for (let index = 0; index < 512; index++) {
      const exponent = index & 255;
      const sign = (index >> 8) << 15;
      // The mantissa is shifted together with its implicit leading one, which adds the exponent's last unit.
      const [base, shift] =
        exponent >= 143
          ? [0x7c00, 31]
          : exponent >= 113
            ? [(exponent - 113) << 10, 13]
            : exponent >= 102
              ? [0, 126 - exponent]
              : [0, 31];
      toHalves.base[index] = sign | base;
      toHalves.shift[index] = shift;
    }
  }
  return toHalves;
}

const one = new Float32Array(1);
const oneBits = new Uint32Array(one.buffer);

/** A number's nearest binary16, as bits; from a magnitude of 65520 on it is infinite. The number is first rounded to float32. */
export function toHalf(value: number): number {
  one[0] = value;
  return halfOf(oneBits[0] as number, toHalfTable());
}

/** The value of a binary16's bits. */
export function fromHalf(bits: number): number {
  return halfTable()[bits] as number;
}

function halfOf(bits: number, { base, shift }: ToHalf): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7e00 | ((bits >>> 13) & 0x1ff);
  const index = bits >>> 23;
  const by = shift[index] as number;
  const mantissa = (bits & 0x7fffff) | 0x800000;
  // Adds half a unit less one bit, and that bit if the unit is odd, so ties go to even. A carry into the exponent is
  // correct, up to infinity.
  return (base[index] as number) + ((mantissa + (1 << (by - 1)) - 1 + ((mantissa >>> by) & 1)) >>> by);
}

/** Little-endian binary16 to float32, exactly. `into` has one number per two bytes. */
export function decodeHalf(bytes: Uint8Array, into: Float32Array): void {
  const table = halfTable();
  for (let i = 0, at = 0; i < into.length; i++, at += 2) {
    into[i] = table[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
  }
}

/** Float32 to little-endian binary16. */
export function encodeHalf(values: Float32Array): Uint8Array {
  const table = toHalfTable();
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bytes = new Uint8Array(values.length * 2);
  for (let i = 0, at = 0; i < source.length; i++, at += 2) {
    const half = halfOf(source[i] as number, table);
    bytes[at] = half;
    bytes[at + 1] = half >>> 8;
  }
  return bytes;
}

/** Little-endian bfloat16 to float32, exactly. `into` has one number per two bytes. */
export function decodeBfloat(bytes: Uint8Array, into: Float32Array): void {
  const target = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0, at = 0; i < target.length; i++, at += 2) {
    target[i] = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 24);
  }
}

/** Float32 to little-endian bfloat16; a NaN becomes a quiet one. */
export function encodeBfloat(values: Float32Array): Uint8Array {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bytes = new Uint8Array(values.length * 2);
  for (let i = 0, at = 0; i < source.length; i++, at += 2) {
    const bits = source[i] as number;
    const nan = (bits & 0x7fffffff) > 0x7f800000;
    const rounded = nan ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
    bytes[at] = rounded;
    bytes[at + 1] = rounded >>> 8;
  }
  return bytes;
}
