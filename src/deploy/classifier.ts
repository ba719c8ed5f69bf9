// Writes a linear classifier as ONNX: features in, log-odds and probabilities out; and a description of how text becomes features.

import { z } from "zod";
import { unpackFloats } from "../learn/vectors.js";
import type { SavedSpecialist } from "../study/specialist.js";
import { encodeModel } from "../tensor/onnx.js";

const block = z.object({ terms: z.array(z.string()), idf: z.string() });
const stateSchema = z.object({
  classes: z.array(z.string()).min(1),
  question: z.boolean(),
  terms: z.array(z.string()),
  idf: z.string(),
  characters: block.optional(),
  encoder: z.object({ id: z.string(), dimensions: z.number() }).nullable(),
  weights: z.string(),
});

/**
 * The classifier of a specialist that `linear` alone made; undefined for any other.
 *
 * Input `features` [rows, columns]; outputs `logits` and `probabilities` [rows, classes]. `features.json` has the classes and the
 * columns in order: words and pairs of them, then two to five characters within a word (both weighted (1 + ln tf) · idf and scaled
 * to unit length), then the sentence encoder's vector.
 */
export function linearOnnx(saved: SavedSpecialist): { model: Uint8Array; features: object } | undefined {
  const named = saved.specializer;
  const isLinear = named === "linear" || (typeof named === "object" && named !== null && "linear" in named);
  const parsed = isLinear ? stateSchema.safeParse(saved.state) : undefined;
  if (!parsed?.success) return undefined;
  const { classes, question, terms, idf, characters, encoder, weights } = parsed.data;
  const columns = terms.length + (characters?.terms.length ?? 0) + (encoder?.dimensions ?? 0);
  const n = classes.length;
  const all = unpackFloats(weights, (columns + 1) * n, "the weights");
  const product = Float32Array.from(all.subarray(0, columns * n));
  const bias = Float32Array.from(all.subarray(columns * n));
  const bytes = (array: Float32Array) => new Uint8Array(array.buffer);
  const node = (op: string, inputs: string[], outputs: string[], attributes = {}) => ({
    ...{ op, domain: "", inputs, outputs, attributes },
  });
  const model = encodeModel({
    nodes: [
      node("MatMul", ["features", "weights"], ["product"]),
      node("Add", ["product", "bias"], ["logits"]),
      node("Softmax", ["logits"], ["probabilities"], { axis: -1 }),
    ],
    inputs: [{ name: "features", type: "float32", dims: ["rows", columns] }],
    outputs: ["logits", "probabilities"].map((name) => ({ name, type: "float32", dims: ["rows", n] })),
    initializers: [
      { name: "weights", type: "float32", dims: [columns, n], bytes: bytes(product) },
      { name: "bias", type: "float32", dims: [n], bytes: bytes(bias) },
    ],
  });
  const floats = (text: string, length: number) => [...unpackFloats(text, length, "the idf")];
  return {
    model,
    features: {
      classes,
      question,
      words: { terms, idf: floats(idf, terms.length) },
      characters: characters && {
        terms: characters.terms,
        idf: floats(characters.idf, characters.terms.length),
      },
      encoder,
    },
  };
}
