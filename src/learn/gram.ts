// Inner products of rows with each other (the Gram matrix), and its products with vectors, in double precision by ONNX Runtime: of
// a fit on some thousand rows, most of the time goes into the latter.

import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeModel } from "../tensor/onnx.js";
import type { SparseRows } from "./tfidf.js";

/** Inner products of all rows with each other, n by n. */
export function gramOf({ columns, starts, indices, values }: SparseRows): Float64Array {
  const n = starts.length - 1;
  const gram = new Float64Array(n * n);
  // By columns: which rows have an entry there, in order.
  const begins = new Int32Array(columns + 1);
  for (const column of indices) begins[column + 1] = (begins[column + 1] as number) + 1;
  for (let i = 0; i < columns; i++) begins[i + 1] = (begins[i + 1] as number) + (begins[i] as number);
  const ends = begins.slice(0, columns);
  const rows = new Int32Array(indices.length);
  const entries = new Float64Array(indices.length);
  for (let i = 0; i < n; i++) {
    // Filled up to this row, so that each pair is visited once.
    for (let at = starts[i] as number; at < (starts[i + 1] as number); at++) {
      const column = indices[at] as number;
      const value = values[at] as number;
      const end = ends[column] as number;
      rows[end] = i;
      entries[end] = value;
      ends[column] = end + 1;
      for (let p = begins[column] as number; p <= end; p++) {
        const to = i * n + (rows[p] as number);
        gram[to] = (gram[to] as number) + value * (entries[p] as number);
      }
    }
    for (let j = 0; j < i; j++) gram[j * n + i] = gram[i * n + j] as number;
  }
  return gram;
}

/**
 * The Gram matrix [n, n] times the beginning of `vector` [n, classes], written into the same vector from `offset` on.
 */
export async function multiplyGram(
  gram: Float64Array,
  vector: Float64Array,
  n: number,
  classes: number,
  offset: number,
): Promise<void> {
  product ??= openProduct();
  const session = await product;
  const size = n * classes;
  const part = (from: number) => new Tensor("float64", vector.subarray(from, from + size), [n, classes]);
  await session.run({ gram: new Tensor("float64", gram, [n, n]), by: part(0) }, { out: part(offset) });
}

let product: Promise<InferenceSession> | undefined;

/** One product for all sizes. One thread: it waits for memory, and a second one would only spin between the calls. */
function openProduct(): Promise<InferenceSession> {
  const value = (name: string, dims: readonly string[]) => ({ name, type: "float64" as const, dims });
  const model = encodeModel({
    nodes: [{ op: "MatMul", domain: "", inputs: ["gram", "by"], outputs: ["out"], attributes: {} }],
    inputs: [value("gram", ["n", "n"]), value("by", ["n", "classes"])],
    outputs: [value("out", ["n", "classes"])],
    initializers: [],
  });
  return InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
}
