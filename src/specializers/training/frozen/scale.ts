// Standardizes hidden states: every number has mean 0 and the same spread over train, and a row has length about 1, as
// TF-IDF rows have, so that one grid of penalties suits both. A few of a state's numbers are a thousand times the others
// (Sun et al. 2024, Massive Activations) and would otherwise dominate the penalty.

export interface Scaling {
  centre: Float32Array;
  /** What a number's difference from its mean is multiplied by; 0 where it is the same on all of train. */
  scale: Float32Array;
}

/** Mean and scale of each of `columns` numbers over rows. */
export function scaling(rows: readonly Float32Array[], columns: number): Scaling {
  const sums = new Float64Array(columns);
  const squares = new Float64Array(columns);
  for (const row of rows)
    for (let i = 0; i < columns; i++) sums[i] = (sums[i] as number) + (row[i] as number);
  const centre = Float32Array.from(sums, (sum) => sum / Math.max(1, rows.length));
  for (const row of rows) {
    for (let i = 0; i < columns; i++) {
      squares[i] = (squares[i] as number) + ((row[i] as number) - (centre[i] as number)) ** 2;
    }
  }
  const scale = Float32Array.from(squares, (sum, i) => {
    const spread = Math.sqrt(sum / Math.max(1, rows.length));
    // A spread that float32 cannot resolve around the mean is noise.
    return spread > 1e-6 * Math.abs(centre[i] as number) + 1e-12 ? 1 / (spread * Math.sqrt(columns)) : 0;
  });
  return { centre, scale };
}

/** A row on that scale. */
export function scaled(row: Float32Array, centre: Float32Array, scale: Float32Array): Float32Array {
  return Float32Array.from(row, (value, i) => (value - (centre[i] as number)) * (scale[i] as number));
}
