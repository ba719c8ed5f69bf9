// Seeded random numbers. Everything random in Hone draws from these, so that a seed fixes every figure.

import { createHash } from "node:crypto";

/** A uniform number in [0, 1). */
export type Random = () => number;

/**
 * A generator for a seed and a purpose ("fit/fewShot", sample id, ...): streams with different purposes are independent.
 * sfc32 (Chris Doty-Humphrey's Small Fast Counting generator), seeded from SHA-256; period about 2^127.
 */
export function randomFor(seed: number, ...purpose: (string | number)[]): Random {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...purpose]))
    .digest();
  let a = digest.readUInt32LE(0);
  let b = digest.readUInt32LE(4);
  let c = digest.readUInt32LE(8);
  let counter = 1;
  const next = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** A new array with the items in random order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = items.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** A standard normal number (Box and Muller). */
export function normal(random: Random): number {
  const u = 1 - random();
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * random());
}
