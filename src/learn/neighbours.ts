// The train examples as sentence vectors, and each one's similarity to a query. It does not rank or vote.

import type { CallContext } from "../core/call.js";
import type { Query } from "../core/language.js";
import type { Given, Tools } from "../core/specializer.js";
import { readText } from "./text.js";
import { encodeTexts, packFloats, requireEncoder, unpackFloats } from "./vectors.js";

/** Vectors as a state keeps them: one row per example. */
export type KeptVectors = { encoder: string; dimensions: number; packed: string };

/** Similarity of a query to every example, in the examples' order. */
export type Likeness = (query: Query, context: CallContext) => Promise<ArrayLike<number>>;

/** Encodes the examples' texts for a state. */
export async function keepVectors(texts: readonly string[], given: Given): Promise<KeptVectors> {
  const { encoder, dimensions, vectors } = await encodeTexts(texts, given);
  return { encoder, dimensions, packed: packFloats(vectors) };
}

/**
 * Cosines of a query's vector with the kept ones, in [-1, 1].
 *
 * @param count how many examples were kept
 * @param question whether the query's question is part of what is compared
 * @throws HoneError where the vectors are damaged or from another encoder
 */
export function likenessByVectors(
  { encoder: encoderId, dimensions, packed }: KeptVectors,
  count: number,
  question: boolean,
  tools: Pick<Tools, "encoder">,
): Likeness {
  const rows = unpackFloats(packed, count * dimensions, "the examples' vectors");
  return async (query, context) => {
    const encoder = requireEncoder(await tools.encoder(), encoderId);
    const { vectors } = await encoder.embed([readText(query, question)], context);
    const vector = vectors[0] ?? [];
    const scores = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      let dot = 0;
      for (let i = 0; i < dimensions; i++)
        dot += (rows[row * dimensions + i] as number) * (vector[i] as number);
      // Vectors have unit length, so this is the cosine. A broken vector must not break the order.
      scores[row] = Number.isFinite(dot) ? dot : -1;
    }
    return scores;
  };
}
