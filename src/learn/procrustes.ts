// Mapping one space of vectors into another by a rotation: orthogonal Procrustes (Schönemann 1966; Smith et al. 2017, Offline
// Bilingual Word Vectors, arXiv 1702.03859).

/**
 * The orthogonal matrix W that minimizes Σ ‖W x - y‖² over pairs of rows: U Vᵀ of the singular value decomposition of Σ y xᵀ.
 * @param from rows x, `n · width`
 * @param to rows y, `n · width`
 * @returns W row by row, `width · width`
 */
export function procrustes(from: Float32Array, to: Float32Array, width: number): Float64Array {
  const n = from.length / width;
  const product = new Float64Array(width * width);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < width; i++) {
      const y = to[row * width + i] as number;
      if (y === 0) continue;
      for (let j = 0; j < width; j++)
        product[i * width + j] = (product[i * width + j] as number) + y * (from[row * width + j] as number);
    }
  }
  const { u, v } = svd(product, width);
  const made = new Float64Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += (u[k * width + i] as number) * (v[k * width + j] as number);
      made[i * width + j] = sum;
    }
  return made;
}

/** W x for each row of some vectors. */
export function mapped(vectors: Float32Array, w: Float64Array, width: number): Float32Array {
  const made = new Float32Array(vectors.length);
  for (let at = 0; at < vectors.length; at += width) {
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += (w[i * width + j] as number) * (vectors[at + j] as number);
      made[at + i] = sum;
    }
  }
  return made;
}

/**
 * Singular value decomposition of a square matrix by one-sided Jacobi rotations (Hestenes 1958).
 * @returns U and V by columns: column k lies at `k · width`; singular values unordered
 */
export function svd(
  matrix: Float64Array,
  width: number,
): { u: Float64Array; s: Float64Array; v: Float64Array } {
  // The matrix's columns, stored one after the other, are rotated until all are orthogonal.
  const u = new Float64Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++) u[j * width + i] = matrix[i * width + j] as number;
  const v = new Float64Array(width * width);
  for (let i = 0; i < width; i++) v[i * width + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let turned = false;
    for (let p = 0; p < width - 1; p++) {
      for (let q = p + 1; q < width; q++) {
        let [pp, qq, pq] = [0, 0, 0];
        for (let i = 0; i < width; i++) {
          const x = u[p * width + i] as number;
          const y = u[q * width + i] as number;
          pp += x * x;
          qq += y * y;
          pq += x * y;
        }
        if (Math.abs(pq) <= 1e-12 * Math.sqrt(pp * qq) || pq === 0) continue;
        turned = true;
        const zeta = (qq - pp) / (2 * pq);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        rotate(u, p, q, width, c, c * t);
        rotate(v, p, q, width, c, c * t);
      }
    }
    if (!turned) break;
  }
  const s = new Float64Array(width);
  for (let k = 0; k < width; k++) s[k] = Math.hypot(...u.subarray(k * width, (k + 1) * width));
  const largest = s.reduce((a, b) => Math.max(a, b), 0);
  for (let k = 0; k < width; k++) {
    const column = u.subarray(k * width, (k + 1) * width);
    const length = s[k] as number;
    if (length > 1e-12 * largest) for (let i = 0; i < width; i++) column[i] = (column[i] as number) / length;
    else complete(u, k, width, s, largest);
  }
  return { u, s, v };
}

function rotate(m: Float64Array, p: number, q: number, width: number, c: number, s: number): void {
  for (let i = 0; i < width; i++) {
    const x = m[p * width + i] as number;
    const y = m[q * width + i] as number;
    m[p * width + i] = c * x - s * y;
    m[q * width + i] = s * x + c * y;
  }
}

/** Fills the column of a zero singular value with any direction orthogonal to the others. */
function complete(u: Float64Array, k: number, width: number, s: Float64Array, largest: number): void {
  const column = u.subarray(k * width, (k + 1) * width);
  for (let axis = 0; axis < width; axis++) {
    column.fill(0);
    column[axis] = 1;
    for (let twice = 0; twice < 2; twice++)
      for (let other = 0; other < width; other++) {
        if (other === k || (other > k && (s[other] as number) <= 1e-12 * largest)) continue;
        const against = u.subarray(other * width, (other + 1) * width);
        let dot = 0;
        for (let i = 0; i < width; i++) dot += (column[i] as number) * (against[i] as number);
        const scale = other > k ? dot / (s[other] as number) ** 2 : dot;
        for (let i = 0; i < width; i++) column[i] = (column[i] as number) - scale * (against[i] as number);
      }
    const length = Math.hypot(...column);
    if (length < 0.5 / Math.sqrt(width)) continue;
    for (let i = 0; i < width; i++) column[i] = (column[i] as number) / length;
    return;
  }
}
