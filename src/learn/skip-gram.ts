// Word vectors from a corpus: skip-gram with negative sampling over subwords (Bojanowski et al. 2017, Enriching Word Vectors with
// Subword Information, arXiv 1607.04606, the method of fastText). A word is the mean of its own vector and those of its character
// n-grams, so that words outside of the corpus have vectors too.

import { setImmediate } from "node:timers/promises";
import { randomFor } from "../core/random.js";

export interface SkipGramOptions {
  dimensions: number;
  /** Words to each side that are predicted, at most: the window of each word is drawn from 1 to this. */
  window: number;
  /** Words drawn as negatives for each true one, in proportion to their count to the power 0.5 (fastText). */
  negatives: number;
  epochs: number;
  /** The rate of the first step; it falls to zero. */
  learningRate: number;
  /** Words that are more frequent than this share are left out at random (fastText's t); 0 keeps all. */
  subsample: number;
  /** Rows of hashed n-grams. */
  buckets: number;
  /** Letters of an n-gram, the marks of the word's ends included. */
  shortest: number;
  longest: number;
  seed: number;
  signal?: AbortSignal;
  onEpoch?: (done: number, of: number) => void;
}

/** The result of training: rows of the words and n-grams that occur in the corpus. */
export interface SubwordVectors {
  dimensions: number;
  buckets: number;
  shortest: number;
  longest: number;
  words: readonly string[];
  /** Buckets of n-grams that occur in the corpus, ascending. */
  grams: Int32Array;
  /** Rows of the words, then of the n-grams: `(words.length + grams.length) · dimensions`. */
  vectors: Float32Array;
}

const pauseMs = 50;

/**
 * Trains on sentences that are split into words. The same seed gives the same numbers.
 *
 * Unlike in fastText, an update is made once per word with its whole window, not once per pair.
 */
export async function trainSkipGram(
  sentences: readonly (readonly string[])[],
  options: SkipGramOptions,
): Promise<SubwordVectors> {
  const { dimensions, window, negatives, epochs, buckets, shortest, longest, signal } = options;
  const counts = new Map<string, number>();
  for (const sentence of sentences)
    for (const word of sentence) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts.keys()].sort((a, b) => (counts.get(b) as number) - (counts.get(a) as number));
  const numbers = new Map(words.map((word, i) => [word, i]));
  const total = [...counts.values()].reduce((a, b) => a + b, 0);

  const hashed = words.map((word) => gramsOf(word, options));
  const grams = Int32Array.from(new Set(hashed.flat())).sort();
  const places = new Map([...grams].map((bucket, i) => [bucket, words.length + i]));
  // The rows that a word is the mean of: its own, then its n-grams'.
  const rowsOf = hashed.map((own, i) =>
    Int32Array.from([i, ...own.map((bucket) => places.get(bucket) as number)]),
  );

  const random = randomFor(options.seed, "skip-gram");
  const input = new Float32Array((words.length + grams.length) * dimensions);
  for (let i = 0; i < input.length; i++) input[i] = (2 * random() - 1) / dimensions;
  const output = new Float32Array(words.length * dimensions);
  const negative = negativeTable(words.map((word) => counts.get(word) as number));
  const keep = words.map((word) => {
    const share = (counts.get(word) as number) / total;
    return options.subsample > 0 ? Math.sqrt(options.subsample / share) + options.subsample / share : 1;
  });
  const coded = sentences.map((sentence) => Int32Array.from(sentence, (word) => numbers.get(word) as number));

  const hidden = new Float32Array(dimensions);
  const gradient = new Float32Array(dimensions);
  let seen = 0;
  let paused = performance.now();
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const sentence of coded) {
      if (performance.now() - paused > pauseMs) {
        await setImmediate();
        signal?.throwIfAborted();
        paused = performance.now();
      }
      const rate = options.learningRate * Math.max(1e-4, 1 - seen / (total * epochs));
      seen += sentence.length;
      const line = sentence.filter(
        (word) => (keep[word] as number) >= 1 || random() < (keep[word] as number),
      );
      for (let at = 0; at < line.length; at++) {
        const own = rowsOf[line[at] as number] as Int32Array;
        mean(input, own, hidden);
        gradient.fill(0);
        const reach = 1 + Math.floor(random() * window);
        const [from, to] = [Math.max(0, at - reach), Math.min(line.length - 1, at + reach)];
        for (let near = from; near <= to; near++) {
          if (near === at) continue;
          const target = line[near] as number;
          predict(output, target, 1, rate, hidden, gradient);
          for (let n = 0; n < negatives; n++) {
            const drawn = negative[Math.floor(random() * negative.length)] as number;
            if (drawn !== target) predict(output, drawn, 0, rate, hidden, gradient);
          }
        }
        // fastText adds the whole gradient to every row of the mean.
        for (const row of own) {
          const start = row * dimensions;
          for (let i = 0; i < dimensions; i++)
            input[start + i] = (input[start + i] as number) + (gradient[i] as number);
        }
      }
    }
    options.onEpoch?.(epoch + 1, epochs);
  }
  return { dimensions, buckets, shortest, longest, words, grams, vectors: input };
}

/** Returns vectors of words, in the corpus or not; all zeros for a word without any known row. */
export function subwordReader(model: SubwordVectors): (word: string) => Float32Array {
  const words = new Map(model.words.map((word, i) => [word, i]));
  const places = new Map([...model.grams].map((bucket, i) => [bucket, model.words.length + i]));
  return (word) => {
    const own = words.get(word);
    const rows = gramsOf(word, model).flatMap((bucket) => places.get(bucket) ?? []);
    const made = new Float32Array(model.dimensions);
    if (own !== undefined) rows.push(own);
    if (rows.length > 0) mean(model.vectors, Int32Array.from(rows), made);
    return made;
  };
}

/** Words of a text: runs of letters with their marks and apostrophes, in lower case. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize("NFC")
      .toLowerCase()
      .match(/\p{L}[\p{L}\p{M}'’-]*/gu) ?? []
  );
}

/** Hashes (FNV-1a) of a word's n-grams between `<` and `>`, the whole word left out. */
function gramsOf(
  word: string,
  { buckets, shortest, longest }: Pick<SubwordVectors, "buckets" | "shortest" | "longest">,
): number[] {
  const letters = Array.from(`<${word}>`, (letter) => letter.codePointAt(0) as number);
  const found: number[] = [];
  for (let from = 0; from < letters.length; from++) {
    let hash = 0x811c9dc5;
    for (let n = 1; n <= longest && from + n <= letters.length; n++) {
      hash = Math.imul(hash ^ (letters[from + n - 1] as number), 0x01000193) >>> 0;
      if (n >= shortest && n < letters.length) found.push(hash % buckets);
    }
  }
  return found;
}

function mean(vectors: Float32Array, rows: Int32Array, into: Float32Array): void {
  const width = into.length;
  into.fill(0);
  for (let r = 0; r < rows.length; r++) {
    const start = (rows[r] as number) * width;
    for (let i = 0; i < width; i++) into[i] = (into[i] as number) + (vectors[start + i] as number);
  }
  const scale = 1 / rows.length;
  for (let i = 0; i < width; i++) into[i] = (into[i] as number) * scale;
}

/** One step of logistic regression on whether `target` is near: updates its row, and adds to the hidden vector's gradient. */
function predict(
  output: Float32Array,
  target: number,
  label: 0 | 1,
  rate: number,
  hidden: Float32Array,
  gradient: Float32Array,
): void {
  const width = hidden.length;
  const start = target * width;
  let dot = 0;
  for (let i = 0; i < width; i++) dot += (output[start + i] as number) * (hidden[i] as number);
  const step = rate * (label - 1 / (1 + Math.exp(-dot)));
  for (let i = 0; i < width; i++) {
    const value = output[start + i] as number;
    gradient[i] = (gradient[i] as number) + step * value;
    output[start + i] = value + step * (hidden[i] as number);
  }
}

/** Words in proportion to the square root of their counts. */
function negativeTable(counts: readonly number[]): Int32Array {
  const size = Math.max(1 << 16, 8 * counts.length);
  const weights = counts.map(Math.sqrt);
  const sum = weights.reduce((a, b) => a + b, 0);
  const table = new Int32Array(size);
  let word = 0;
  let upTo = (weights[0] ?? 0) / sum;
  for (let i = 0; i < size; i++) {
    while (i / size >= upTo && word < counts.length - 1) upTo += (weights[++word] as number) / sum;
    table[i] = word;
  }
  return table;
}
