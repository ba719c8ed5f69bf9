// Exact vector search in blocks: one matrix product in ONNX Runtime scores many queries against many rows, and only the results are
// kept.

import { lax, type numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { compile } from "../tensor/compile.js";

/** Rows of unit length, one after the other. */
export interface Rows {
  readonly vectors: Float32Array;
  readonly width: number;
}

export const countOf = ({ vectors, width }: Rows): number => vectors.length / width;

const [queryBlock, rowBlock] = [256, 4096];

const scoresOf = compile<[Tensor, Tensor], Tensor>(
  (queries: np.Array, rows: np.Array) =>
    lax.dot(queries, rows, { lhsContractingDims: [1], rhsContractingDims: [1] }),
  { name: "the search" },
);

/** Passes on the scores block by block: `scores[q · columns + r]` is that of query `query + q` with row `row + r`. */
async function eachBlock(
  queries: Rows,
  rows: Rows,
  signal: AbortSignal,
  see: (scores: Float32Array, query: number, queryCount: number, row: number, columns: number) => void,
): Promise<void> {
  const { width } = rows;
  const [n, m] = [countOf(queries), countOf(rows)];
  // Few shapes, so that few programs are compiled: the last block of each kind is padded with zeros.
  const tensor = ({ vectors }: Rows, from: number, count: number, size: number) => {
    const own = vectors.subarray(from * width, (from + count) * width);
    if (count === size) return new Tensor("float32", own, [size, width]);
    const filled = new Float32Array(size * width);
    filled.set(own);
    return new Tensor("float32", filled, [size, width]);
  };
  const [queriesAt, rowsAt] = [n <= 16 ? 16 : queryBlock, m <= 512 ? 512 : rowBlock];
  for (let query = 0; query < n; query += queriesAt) {
    const queryCount = Math.min(queriesAt, n - query);
    const left = tensor(queries, query, queryCount, queriesAt);
    for (let row = 0; row < m; row += rowsAt) {
      signal.throwIfAborted();
      const columns = Math.min(rowsAt, m - row);
      const found = (await scoresOf(left, tensor(rows, row, columns, rowsAt))).data as Float32Array;
      const scores = columns === rowsAt ? found : squeezed(found, queryCount, rowsAt, columns);
      see(scores, query, queryCount, row, columns);
    }
  }
}

function squeezed(scores: Float32Array, count: number, from: number, to: number): Float32Array {
  const made = new Float32Array(count * to);
  for (let i = 0; i < count; i++) made.set(scores.subarray(i * from, i * from + to), i * to);
  return made;
}

/** A row found for a query, with its score. */
export interface Found {
  readonly index: number;
  readonly score: number;
}

/**
 * @param less subtracted from each row's score (CSLS's second term)
 * @returns for each query its k best rows, the best first
 */
export async function search(
  queries: Rows,
  rows: Rows,
  k: number,
  signal: AbortSignal,
  less?: Float32Array,
): Promise<Found[][]> {
  const best: Found[][] = Array.from({ length: countOf(queries) }, () => []);
  await eachBlock(queries, rows, signal, (scores, query, queryCount, row, columns) => {
    for (let q = 0; q < queryCount; q++) {
      const list = best[query + q] as Found[];
      let worst = list.length < k ? Number.NEGATIVE_INFINITY : (list[k - 1] as Found).score;
      const from = q * columns;
      for (let r = 0; r < columns; r++) {
        const score = (scores[from + r] as number) - (less ? (less[row + r] as number) : 0);
        if (!(score > worst)) continue;
        let at = list.length < k ? list.length : k - 1;
        while (at > 0 && (list[at - 1] as Found).score < score) {
          list[at] = list[at - 1] as Found;
          at--;
        }
        list[at] = { index: row + r, score };
        if (list.length === k) worst = (list[k - 1] as Found).score;
      }
    }
  });
  return best;
}

/**
 * The rank that each query gives to the best of its own rows: 1, plus the number of other rows that score higher and half of those
 * that score the same (to 1e-6).
 * @param gold each query's own rows; the rank is infinite if there are none, and for a vector of zeros on either side, which would
 *   be equally near to all
 */
export async function ranks(
  queries: Rows,
  rows: Rows,
  gold: readonly (readonly number[])[],
  signal: AbortSignal,
  less?: Float32Array,
): Promise<{ rank: Float64Array; first: Found[] }> {
  const { width } = rows;
  const target = gold.map((own, q) =>
    own.reduce((top, index) => {
      let dot = 0;
      for (let i = 0; i < width; i++)
        dot += (queries.vectors[q * width + i] as number) * (rows.vectors[index * width + i] as number);
      return Math.max(top, dot - (less ? (less[index] as number) : 0));
    }, Number.NEGATIVE_INFINITY),
  );
  const own = gold.map((list) => new Set(list));
  const says = ({ vectors }: Rows, at: number) =>
    vectors.subarray(at * width, (at + 1) * width).some((value) => value !== 0);
  const rank = Float64Array.from(gold, (list, q) =>
    says(queries, q) && list.some((index) => says(rows, index)) ? 1 : Number.POSITIVE_INFINITY,
  );
  const first: Found[] = gold.map(() => ({ index: -1, score: Number.NEGATIVE_INFINITY }));
  await eachBlock(queries, rows, signal, (scores, query, queryCount, row, columns) => {
    for (let q = 0; q < queryCount; q++) {
      const level = target[query + q] as number;
      const mine = own[query + q] as Set<number>;
      for (let r = 0; r < columns; r++) {
        const score = (scores[q * columns + r] as number) - (less ? (less[row + r] as number) : 0);
        if (score > (first[query + q] as Found).score) first[query + q] = { index: row + r, score };
        if (score < level - 1e-6 || mine.has(row + r)) continue;
        rank[query + q] = (rank[query + q] as number) + (score > level + 1e-6 ? 1 : 0.5);
      }
    }
  });
  return { rank, first };
}

/** For each row the mean of its k highest cosines with other vectors: what CSLS (Conneau et al. 2018) subtracts. */
export async function hubness(
  rows: Rows,
  others: Rows,
  k: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  const found = await search(rows, others, Math.min(k, countOf(others)), signal);
  return Float32Array.from(
    found,
    (list) => list.reduce((sum, { score }) => sum + score, 0) / Math.max(1, list.length),
  );
}
