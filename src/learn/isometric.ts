// Fewer columns for the same regression: rows with the same inner products, in as many dimensions as there are rows. An
// L2-penalised fit depends on its rows by their inner products alone, so probabilities under every penalty are the same.

import type { Row } from "./tfidf.js";

/**
 * The rows of the Gram matrix's Cholesky factor, where that is less work than the rows themselves: few rows of long texts.
 * Otherwise the rows as they are.
 */
export function isometric(rows: readonly Row[], columns: number): { rows: readonly Row[]; columns: number } {
  const n = rows.length;
  const entries = rows.reduce((sum, row) => sum + row.columns.length, 0);
  // A factor's row has n / 2 entries on average. It must win clearly, for the factor itself takes n³ / 6 products.
  if (n > 3000 || n * n > entries) return { rows, columns };

  const factor: Float64Array[] = [];
  const dense = new Float64Array(columns);
  for (let i = 0; i < n; i++) {
    const row = rows[i] as Row;
    for (const [at, column] of row.columns.entries()) dense[column] = row.values[at] as number;
    const out = new Float64Array(i + 1);
    for (let j = 0; j <= i; j++) {
      const other = rows[j] as Row;
      let sum = 0;
      for (let at = 0; at < other.columns.length; at++)
        sum += (other.values[at] as number) * (dense[other.columns[at] as number] as number);
      const before = j === i ? out : (factor[j] as Float64Array);
      for (let k = 0; k < j; k++) sum -= (out[k] as number) * (before[k] as number);
      // A row that depends on earlier ones (a copy) adds no dimension; rounding must not make one of it.
      const pivot = j === i ? Math.sqrt(sum > 1e-10 ? sum : 0) : (before[j] as number);
      out[j] = j === i ? pivot : pivot > 0 ? sum / pivot : 0;
    }
    for (const column of row.columns) dense[column] = 0;
    factor.push(out);
  }
  const all = Array.from({ length: n }, (_, i) => i);
  return {
    rows: factor.map((values, i) => ({ columns: all.slice(0, i + 1), values: [...values] })),
    columns: n,
  };
}
