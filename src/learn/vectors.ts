// Arrays of numbers as text, for states that are plain JSON, and texts as vectors, a batch at a time.

import { HoneError } from "../core/errors.js";
import type { Encoder } from "../core/model.js";
import type { Given } from "../core/specializer.js";

/** Base64 of 32-bit floats, little-endian. A quarter of the size of JSON numbers, and exact on the way back. */
export function packFloats(values: ArrayLike<number>): string {
  const floats = Float32Array.from(values);
  return Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString("base64");
}

/**
 * @param length how many there must be; a state that was cut or edited is refused here rather than read past its end
 * @param what names the array for the error
 */
export function unpackFloats(text: string, length: number, what: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  if (bytes.byteLength !== length * 4) {
    throw new HoneError({
      what: `The saved specialist is damaged: ${what}`,
      why: `${bytes.byteLength} bytes where ${length} numbers need ${length * 4}`,
      next: "Make the specialist again from its study.",
    });
  }
  return new Float32Array(bytes.buffer);
}

export interface EncodedTexts {
  /** Identity of the encoder; vectors of another one cannot be compared with these. */
  encoder: string;
  dimensions: number;
  /** Row by row: `texts.length * dimensions`. */
  vectors: Float32Array;
}

const batchSize = 64;

/** Vectors of all texts, batch by batch, reporting progress. The encoder reports its costs to the context. */
export async function encodeTexts(texts: readonly string[], given: Given): Promise<EncodedTexts> {
  const encoder = await given.encoder();
  let vectors = new Float32Array(0);
  let dimensions = 0;
  for (let start = 0; start < texts.length; start += batchSize) {
    const batch = texts.slice(start, start + batchSize);
    const embedded = await encoder.embed(batch, given.context);
    dimensions ||= embedded.vectors[0]?.length ?? 0;
    if (start === 0) vectors = new Float32Array(texts.length * dimensions);
    for (const [i, vector] of embedded.vectors.entries()) {
      if (vector.length !== dimensions) throw new Error(`${encoder.name}: vectors of different lengths`);
      vectors.set(vector, (start + i) * dimensions);
    }
    given.progress(Math.min(start + batchSize, texts.length), texts.length, "vectors");
  }
  return { encoder: encoder.id, dimensions, vectors };
}

/** Refuses an encoder other than the one that the state was made with. */
export function requireEncoder(encoder: Encoder, expected: string): Encoder {
  if (encoder.id === expected) return encoder;
  throw new HoneError({
    what: "This specialist was made with another sentence encoder",
    why: `made with ${expected}, given ${encoder.id}`,
    next: "Open it with the encoder it was made with, or make it again.",
  });
}
