// Okapi BM25: how well each text of a fixed pool matches a query of words. Plain scores over whole texts, without the
// prefix matches, fields and boosts of a search engine.
//
// Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", §3.4, with the inverse document
// frequency ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative.

import { words } from "./text.js";

/** Scores of every text of the pool for a query, in the pool's order; 0 where they share no word. */
export type Bm25 = (query: string) => Float64Array;

/**
 * Indexes the pool.
 * @param k1 how soon repeated words stop counting
 * @param b how much long texts are discounted, 0 to 1
 */
export function bm25(texts: readonly string[], { k1 = 1.2, b = 0.75 } = {}): Bm25 {
  const postings = new Map<string, { text: number; count: number }[]>();
  const lengths = texts.map((text, i) => {
    const all = words(text);
    for (const [word, count] of countWords(all)) {
      const list = postings.get(word);
      if (list) list.push({ text: i, count });
      else postings.set(word, [{ text: i, count }]);
    }
    return all.length;
  });
  const meanLength =
    Math.max(
      1,
      lengths.reduce((sum, length) => sum + length, 0),
    ) / Math.max(1, texts.length);

  return (query) => {
    const scores = new Float64Array(texts.length);
    for (const [word, times] of countWords(words(query))) {
      const list = postings.get(word) ?? [];
      const idf = Math.log(1 + (texts.length - list.length + 0.5) / (list.length + 0.5));
      for (const { text, count } of list) {
        const saturation = count + k1 * (1 - b + (b * (lengths[text] as number)) / meanLength);
        scores[text] = (scores[text] as number) + (times * idf * count * (k1 + 1)) / saturation;
      }
    }
    return scores;
  };
}

function countWords(all: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of all) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
