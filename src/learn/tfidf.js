// TF-IDF: texts as sparse unit-length vectors over words and pairs of neighbouring words. With the same settings equal
// to scikit-learn's TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).
import { words } from "./text.js";
export function learnVocabulary(texts, { minTexts = 2, maxTerms = 20_000 } = {}) {
  const counts = new Map();
  for (const text of texts) {
    for (const term of new Set(termsOf(text))) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  const kept = [...counts]
    .filter(([, count]) => count >= minTexts)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, maxTerms);
  return {
    terms: kept.map(([term]) => term),
    idf: Float64Array.from(kept, ([, count]) => Math.log((1 + texts.length) / (1 + count)) + 1),
  };
}
export function vectoriser({ terms, idf }) {
  const columnOf = new Map(terms.map((term, i) => [term, i]));
  return (text) => {
    const counts = new Map();
    for (const term of termsOf(text)) {
      const column = columnOf.get(term);
      if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1);
    }
    const columns = [...counts.keys()].sort((a, b) => a - b);
    const values = columns.map((column) => (1 + Math.log(counts.get(column))) * idf[column]);
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return { columns, values: values.map((value) => value / length) };
  };
}
/** Words, and pairs of neighbouring words joined by a space, which no word contains. */
function termsOf(text) {
  const all = words(text);
  const pairs = all.slice(1).map((word, i) => `${all[i]} ${word}`);
  return all.concat(pairs);
}
/** Rows of pairs as one compressed matrix. */
export function toSparseRows(rows, columns) {
  const starts = new Int32Array(rows.length + 1);
  for (const [i, row] of rows.entries()) starts[i + 1] = starts[i] + row.columns.length;
  const size = starts[rows.length];
  const matrix = {
    columns,
    starts,
    indices: new Int32Array(size),
    values: new Float64Array(size),
  };
  for (const [i, row] of rows.entries()) {
    matrix.indices.set(row.columns, starts[i]);
    matrix.values.set(row.values, starts[i]);
  }
  return matrix;
}
