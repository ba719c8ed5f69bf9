// Two measures of experts: how much an expert reveals about a token's domain, and how similar two experts' outputs are.

import type { Tensor } from "onnxruntime-node";
import type { ExpertConfig } from "../../../nets/experts.js";
import type { TrainedNet } from "../../../nets/text/checkpoint.js";

/** Normalized mutual information of rows and columns of a table of counts: I / sqrt(H H); 0 if either has no entropy. */
export function information(table: readonly (readonly number[])[]): number {
  const all = table.flat().reduce((sum, one) => sum + one, 0);
  const rows = table.map((row) => row.reduce((sum, one) => sum + one, 0) / all);
  const columns = (table[0] ?? []).map(
    (_, d) => table.reduce((sum, row) => sum + (row[d] as number), 0) / all,
  );
  const entropy = (shares: readonly number[]) =>
    -shares.reduce((sum, one) => sum + (one > 0 ? one * Math.log(one) : 0), 0);
  const [h, k] = [entropy(rows), entropy(columns)];
  const joint = entropy(table.flat().map((one) => one / all));
  return h > 1e-12 && k > 1e-12 ? Math.max(0, (h + k - joint) / Math.sqrt(h * k)) : 0;
}

/**
 * Linear CKA (Kornblith et al. 2019) of each pair of routed experts' outputs on the same tokens.
 * @param inputs what goes into the layer's experts, [tokens, width]
 */
export function alikeness({ config, weights }: TrainedNet, layer: number, inputs: Float32Array): number[][] {
  const { routed, neurons } = config.experts as ExpertConfig;
  const { width } = config;
  const n = inputs.length / width;
  const matrix = (part: string) =>
    (weights[`blk.${layer}.ffn_${part}_exps.weight`] as Tensor).data as Float32Array;
  const [gate, up, down] = [matrix("gate"), matrix("up"), matrix("down")];
  const grams = Array.from({ length: routed }, (_, e) => {
    const from = e * neurons * width;
    const out = new Float64Array(n * width);
    for (let t = 0; t < n; t++) {
      for (let h = 0; h < neurons; h++) {
        let [g, u] = [0, 0];
        for (let d = 0; d < width; d++) {
          const x = inputs[t * width + d] as number;
          g += x * (gate[from + h * width + d] as number);
          u += x * (up[from + h * width + d] as number);
        }
        const value = (g / (1 + Math.exp(-g))) * u;
        for (let d = 0; d < width; d++)
          out[t * width + d] =
            (out[t * width + d] as number) + value * (down[from + d * neurons + h] as number);
      }
    }
    return centred(out, n, width);
  });
  const norms = grams.map((gram) => Math.sqrt(inner(gram, gram)));
  return grams.map((a, i) =>
    grams.map((b, j) => {
      const norm = (norms[i] as number) * (norms[j] as number);
      return norm > 0 ? inner(a, b) / norm : 0;
    }),
  );
}

/** The Gram matrix [n, n] of mean-centred rows [n, width]. */
function centred(rows: Float64Array, n: number, width: number): Float64Array {
  for (let d = 0; d < width; d++) {
    let mean = 0;
    for (let t = 0; t < n; t++) mean += (rows[t * width + d] as number) / n;
    for (let t = 0; t < n; t++) rows[t * width + d] = (rows[t * width + d] as number) - mean;
  }
  const gram = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let d = 0; d < width; d++)
        sum += (rows[a * width + d] as number) * (rows[b * width + d] as number);
      gram[a * n + b] = sum;
      gram[b * n + a] = sum;
    }
  return gram;
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
