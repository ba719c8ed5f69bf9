// TF-IDF: texts as sparse unit-length vectors over words and word pairs, or over the characters within words. Equal to
// scikit-learn's TfidfVectorizer(min_df=2, sublinear_tf=True) with ngram_range=(1, 2), or with analyzer="char_wb" and
// ngram_range=(2, 5).

import { words } from "./text.js";

/** What a text's terms are: words and pairs of neighbouring words, or two to five characters of one word. */
export type Terms = "words" | "characters";

/** The terms and their weights. */
export interface Vocabulary {
  by: Terms;
  /** The most frequent first: their weights, which almost every text needs, then lie together in the cache. */
  terms: string[];
  /** Smooth inverse document frequency: ln((1 + N) / (1 + n)) + 1. */
  idf: Float64Array;
}

export interface VocabularyLimits {
  /** Terms in fewer texts are left out. */
  minTexts?: number;
  /** Maximum number of terms: those in the most texts stay (ties alphabetically). */
  maxTerms?: number;
}

export function learnVocabulary(
  texts: readonly string[],
  by: Terms = "words",
  { minTexts = 2, maxTerms = 20_000 }: VocabularyLimits = {},
): Vocabulary {
  const counts = new Map<string, number>();
  const countTerms = counters[by]();
  for (const text of texts) {
    for (const term of countTerms(text).keys()) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  const kept = [...counts]
    .filter(([, count]) => count >= minTexts)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, maxTerms);
  return {
    by,
    terms: kept.map(([term]) => term),
    idf: Float64Array.from(kept, ([, count]) => Math.log((1 + texts.length) / (1 + count)) + 1),
  };
}

/** Columns in ascending order with the values beside them. */
export type Row = { columns: number[]; values: number[] };

/** A text as a row, which is empty without known terms. */
export type Vectorize = (text: string) => Row;

export function vectorizer({
  by,
  terms,
  idf,
}: {
  by: Terms;
  terms: readonly string[];
  idf: ArrayLike<number>;
}): Vectorize {
  const columnOf = new Map(terms.map((term, i) => [term, i]));
  const countTerms = counters[by]();
  return (text) => {
    const found: [column: number, value: number][] = [];
    for (const [term, count] of countTerms(text)) {
      const column = columnOf.get(term);
      if (column !== undefined) found.push([column, (1 + Math.log(count)) * (idf[column] as number)]);
    }
    found.sort(([a], [b]) => a - b);
    const length = Math.sqrt(found.reduce((sum, [, value]) => sum + value * value, 0));
    return { columns: found.map(([column]) => column), values: found.map(([, value]) => value / length) };
  };
}

/** How often each term occurs in a text. */
type Count = (text: string) => Map<string, number>;

const counters: Record<Terms, () => Count> = {
  /** Pairs are joined by a space, which no word contains. */
  words: () => (text) => {
    const counts = new Map<string, number>();
    let before: string | undefined;
    for (const word of words(text)) {
      add(counts, word, 1);
      if (before !== undefined) add(counts, `${before} ${word}`, 1);
      before = word;
    }
    return counts;
  },
  /** Words are what white space separates, with a space before and after. */
  characters: () => {
    // Texts repeat their words, and cutting one up costs more than looking it up.
    const known = new Map<string, readonly string[]>();
    return (text) => {
      const times = new Map<string, number>();
      for (const word of text.normalize("NFKC").toLowerCase().split(/\s+/)) if (word) add(times, word, 1);
      const counts = new Map<string, number>();
      for (const [word, n] of times) {
        let grams = known.get(word);
        if (!grams) {
          grams = characterGrams(` ${word} `);
          if (word.length <= 32 && known.size < 100_000) known.set(word, grams);
        }
        for (const gram of grams) add(counts, gram, n);
      }
      return counts;
    };
  },
};

function add(counts: Map<string, number>, term: string, times: number): void {
  counts.set(term, (counts.get(term) ?? 0) + times);
}

/** Two to five neighbouring characters; a word that is shorter than that counts once, as a whole. */
function characterGrams(word: string): string[] {
  const characters = [...word];
  const grams: string[] = [];
  for (let n = 2; n <= 5; n++) {
    for (let i = 0; i === 0 || i + n <= characters.length; i++)
      grams.push(characters.slice(i, i + n).join(""));
    if (characters.length <= n) break;
  }
  return grams;
}

/** A matrix by rows: row i has columns indices[starts[i] .. starts[i + 1]] with the values beside them. */
export interface SparseRows {
  columns: number;
  starts: Int32Array;
  indices: Int32Array;
  values: Float64Array;
}

/** Rows of pairs as one compressed matrix. */
export function toSparseRows(
  rows: readonly { columns: readonly number[]; values: readonly number[] }[],
  columns: number,
): SparseRows {
  const starts = new Int32Array(rows.length + 1);
  for (const [i, row] of rows.entries()) starts[i + 1] = (starts[i] as number) + row.columns.length;
  const size = starts[rows.length] as number;
  const matrix: SparseRows = {
    columns,
    starts,
    indices: new Int32Array(size),
    values: new Float64Array(size),
  };
  for (const [i, row] of rows.entries()) {
    matrix.indices.set(row.columns, starts[i] as number);
    matrix.values.set(row.values, starts[i] as number);
  }
  return matrix;
}
