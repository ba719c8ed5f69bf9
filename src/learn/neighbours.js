// The train examples as sentence vectors, and how like a query each of them is. It ranks and votes nothing.
import { readText } from "./text.js";
import { encodeTexts, packFloats, requireEncoder, unpackFloats } from "./vectors.js";
/** Encodes the examples' texts for a state. */
export async function keepVectors(texts, given) {
  const { encoder, dimensions, vectors } = await encodeTexts(texts, given);
  return { encoder, dimensions, packed: packFloats(vectors) };
}
/**
 * Cosines of a query's vector with the kept ones, in [-1, 1].
 *
 * @param count how many examples were kept
 * @param question whether the query's question is part of what is compared
 * @throws HoneError where the vectors are damaged or the encoder is another one
 */
export function likenessByVectors({ encoder: encoderId, dimensions, packed }, count, question, tools) {
  const rows = unpackFloats(packed, count * dimensions, "the examples' vectors");
  return async (query, context) => {
    const encoder = requireEncoder(await tools.encoder(), encoderId);
    const { vectors } = await encoder.embed([readText(query, question)], context);
    const vector = vectors[0] ?? [];
    const scores = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      let dot = 0;
      for (let i = 0; i < dimensions; i++) dot += rows[row * dimensions + i] * vector[i];
      // Vectors have unit length, so this is the cosine. A broken vector must not break the order.
      scores[row] = Number.isFinite(dot) ? dot : -1;
    }
    return scores;
  };
}
