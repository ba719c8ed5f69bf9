// Which mistakes were made: confusion, per-class recall, macro-F1, agreement between two predictors, and the bounds that
// unscored samples leave open.

/** Counts of gold against predicted. */
export interface Confusion {
  /** Row and column order. A prediction outside the labels is counted under `other`. */
  labels: readonly string[];
  /** counts[gold][predicted], indices into `labels`. */
  counts: number[][];
  /** Per gold label: predictions that are none of the labels. */
  other: number[];
}

/** Counts gold against predicted, one row per sample. Every gold must be among the labels. */
export function confusion(
  rows: readonly { gold: string; prediction: string }[],
  labels: readonly string[],
): Confusion {
  const index = new Map(labels.map((label, i) => [label, i]));
  const counts = labels.map(() => labels.map(() => 0));
  const other = labels.map(() => 0);
  for (const { gold, prediction } of rows) {
    const row = index.get(gold);
    if (row === undefined) throw new RangeError(`gold label ${JSON.stringify(gold)} is not among the labels`);
    const column = index.get(prediction);
    if (column === undefined) other[row]! += 1;
    else counts[row]![column]! += 1;
  }
  return { labels, counts, other };
}

/** Precision, recall and F1 of one class. */
export interface ClassFigures {
  label: string;
  /** Samples whose gold is this label. */
  n: number;
  recall: number;
  precision: number;
  f1: number;
}

/** Recall, precision and F1 per label. Recall is NaN without gold samples; precision NaN where never predicted. */
export function classFigures({ labels, counts, other }: Confusion): ClassFigures[] {
  return labels.map((label, i) => {
    const hits = counts[i]![i]!;
    const n = counts[i]!.reduce((sum, count) => sum + count, 0) + other[i]!;
    const predicted = counts.reduce((sum, row) => sum + row[i]!, 0);
    const f1 = n + predicted === 0 ? Number.NaN : (2 * hits) / (n + predicted);
    return { label, n, recall: hits / n, precision: hits / predicted, f1 };
  });
}

/** Mean F1 over those of the labels that occur in gold or predictions; a prediction outside them lowers its gold label's recall. */
export function macroF1(table: Confusion): number {
  const f1s = classFigures(table)
    .map((figures) => figures.f1)
    .filter((f1) => !Number.isNaN(f1));
  return f1s.reduce((sum, f1) => sum + f1, 0) / f1s.length;
}

/** Mean recall over the labels that occur in gold. */
export function balancedAccuracy(table: Confusion): number {
  const recalls = classFigures(table).filter((figures) => figures.n > 0);
  return recalls.reduce((sum, figures) => sum + figures.recall, 0) / recalls.length;
}

/**
 * How often two predictors agree, and Cohen's kappa (Cohen 1960): (agreement - chance) / (1 - chance), chance
 * from both predictors' own label frequencies. Kappa is NaN if both always give one and the same label.
 */
export function agreement(
  a: readonly string[],
  b: readonly string[],
): { n: number; agreement: number; kappa: number } {
  if (a.length !== b.length) throw new RangeError("the two lists of predictions differ in length");
  const frequencies = (predictions: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const label of predictions) counts.set(label, (counts.get(label) ?? 0) + 1);
    return counts;
  };
  const n = a.length;
  const same = a.reduce((count, label, i) => count + (label === b[i] ? 1 : 0), 0) / n;
  const others = frequencies(b);
  let chance = 0;
  for (const [label, count] of frequencies(a)) chance += (count / n) * ((others.get(label) ?? 0) / n);
  return { n, agreement: same, kappa: chance === 1 ? Number.NaN : (same - chance) / (1 - chance) };
}

/**
 * The mean over scored and unscored samples if every unscored one had scored the least, and if every one the most
 * (Manski 1990). With nothing scored and nothing unscored: the whole range.
 */
export function unscoredBounds(
  scores: ArrayLike<number>,
  unscored: number,
  [least, most]: readonly [number, number] = [0, 1],
): [number, number] {
  const n = scores.length + unscored;
  if (n === 0) return [least, most];
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += scores[i]!;
  return [(sum + unscored * least) / n, (sum + unscored * most) / n];
}
