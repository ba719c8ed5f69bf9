// Arrays of numbers as text, for states that are plain JSON, and texts as vectors, a batch at a time.
import { HoneError } from "../core/errors.js";
/** Base64 of 32-bit floats, little-endian. A quarter of the size of JSON numbers, and exact on the way back. */
export function packFloats(values) {
  const floats = Float32Array.from(values);
  return Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString("base64");
}
/**
 * @param length how many there must be; a state that was cut or edited is refused here rather than read past its end
 * @param what names the array for the error
 */
export function unpackFloats(text, length, what) {
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
const batchSize = 64;
/** Vectors of all texts, batch by batch, telling the progress. Costs are told to the context by the encoder. */
export async function encodeTexts(texts, given) {
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
export function requireEncoder(encoder, expected) {
  if (encoder.id === expected) return encoder;
  throw new HoneError({
    what: "This specialist was made with another sentence encoder",
    why: `made with ${expected}, given ${encoder.id}`,
    next: "Open it with the encoder it was made with, or make it again.",
  });
}
