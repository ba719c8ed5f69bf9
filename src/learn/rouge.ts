// ROUGE-L between two texts (Lin 2004), and an index that finds the most similar text in a growing pool without comparing
// all of them. Nothing above the threshold is missed: lengths and shared rare words rule texts out, and what is left is
// compared exactly.

/** Maximum number of words of a text that are compared. */
const mostWords = 4000;

/** Lower-case words, as ROUGE-L compares them. */
function rougeWords(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter(Boolean)
    .slice(0, mostWords);
}

/** ROUGE-L F1: the longest common subsequence of lower-case words (Lin 2004, eq. 2-4 with beta = 1). In [0, 1]. */
export function rougeL(text: string, other: string): number {
  const a = rougeWords(text);
  const b = rougeWords(other);
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const numbers = new Map<string, number>();
  const number = (word: string): number => {
    const known = numbers.get(word) ?? numbers.size;
    numbers.set(word, known);
    return known;
  };
  const left = Int32Array.from(a, number);
  const right = Int32Array.from(b, number);
  return (2 * subsequence(left)(right, 0, right.length)) / (a.length + b.length);
}

/**
 * Length of the longest common subsequence with `words`, 32 of them at a time (Hyyrö 2004, "Bit-parallel LCS-length
 * computation revisited": V' = (V + (V & M)) | (V & ~M), and the zeros of V are counted).
 */
function subsequence(words: Int32Array): (other: Int32Array, from: number, to: number) => number {
  const cells = Math.ceil(words.length / 32);
  const masks = new Map<number, Uint32Array>();
  for (const [i, word] of words.entries()) {
    let mask = masks.get(word);
    if (!mask) {
      mask = new Uint32Array(cells);
      masks.set(word, mask);
    }
    mask[i >> 5] = ((mask[i >> 5] as number) | (1 << (i & 31))) >>> 0;
  }
  const row = new Uint32Array(cells);
  return (other, from, to) => {
    row.fill(0xffffffff);
    for (let j = from; j < to; j++) {
      const mask = masks.get(other[j] as number);
      if (!mask) continue;
      let carry = 0;
      for (let c = 0; c < cells; c++) {
        const value = row[c] as number;
        const both = (value & (mask[c] as number)) >>> 0;
        const sum = value + both + carry;
        carry = sum > 0xffffffff ? 1 : 0;
        row[c] = ((sum >>> 0) | (value & ~both)) >>> 0;
      }
    }
    let zeros = 0;
    for (let i = 0; i < words.length; i++) if ((((row[i >> 5] as number) >>> (i & 31)) & 1) === 0) zeros++;
    return zeros;
  };
}

/** The pool's text that is most similar to a query text. */
export interface Nearest {
  /** Number of the text, in the order in which they were added. */
  index: number;
  /** ROUGE-L F1, at least the threshold. */
  score: number;
}

export interface RougeIndex {
  readonly size: number;
  /** The most similar text whose ROUGE-L is at least the threshold; ties go to the earliest, and undefined if there is none. */
  nearest(text: string): Nearest | undefined;
  add(text: string): void;
}

/** The order of words is recomputed when the pool has grown by this factor. */
const growth = 2;
const first = 1024;
const epsilon = 1e-9;

/**
 * A pool for ROUGE-L. Two texts of m and n words whose F1 is t share at least t (m + n) / 2 words, so that in any order of
 * words they share one of their first m - t m / (2 - t) + 1 (prefix filtering: Bayardo, Ma and Srikant 2007; with the
 * position of the match, Xiao et al. 2008). With rare words first, few texts are left to compare.
 *
 * @param threshold in (0, 1]
 * @param words how many words of each text, from the first, are compared
 */
export function rougeIndex(threshold: number, words = 256): RougeIndex {
  const numbers = new Map<string, number>();
  let frequency = new Int32Array(1 << 12);
  // The order in which words are looked up: by their frequency when it was last computed.
  let order = new Int32Array(0);
  let ordered = 0;
  /** All texts' words in one array, and where each text begins. */
  let all = new Int32Array(1 << 16);
  let starts = new Float64Array(first + 1);
  let size = 0;
  let postings = new Map<number, number[]>();
  let shared = new Int32Array(first);

  const read = (text: string): Int32Array =>
    Int32Array.from(rougeWords(text).slice(0, words), (word) => {
      let number = numbers.get(word);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(word, number);
        if (number >= frequency.length) frequency = grown(frequency);
      }
      return number;
    });
  /** The number of words that a text of n must share with any similar text. */
  const least = (n: number) => Math.max(1, Math.ceil((threshold * n) / (2 - threshold) - epsilon));
  const rank = (word: number) => (word < order.length ? (order[word] as number) : 0);
  /** A text's words, each occurrence separately, the rarest first; only those that are looked up. */
  const prefix = (text: Int32Array): number[] => {
    const times = new Map<number, number>();
    const elements = [...text].map((word) => {
      const before = times.get(word) ?? 0;
      times.set(word, before + 1);
      return { word, before };
    });
    elements.sort((a, b) => rank(a.word) - rank(b.word) || a.word - b.word || a.before - b.before);
    return elements
      .slice(0, text.length - least(text.length) + 1)
      .map(({ word, before }) => before * 2 ** 26 + word);
  };
  const post = (index: number, text: Int32Array): void => {
    for (const [place, element] of prefix(text).entries()) {
      const list = postings.get(element);
      if (list) list.push(index, place);
      else postings.set(element, [index, place]);
    }
  };
  const textAt = (index: number) => all.subarray(starts[index] as number, starts[index + 1] as number);
  const reorder = (): void => {
    order = frequency.slice(0, numbers.size);
    postings = new Map();
    for (let i = 0; i < size; i++) post(i, textAt(i));
    ordered = size;
  };

  return {
    get size() {
      return size;
    },
    nearest(text) {
      const own = read(text);
      const m = own.length;
      if (m === 0) return undefined;
      const candidates: number[] = [];
      for (const [place, element] of prefix(own).entries()) {
        const list = postings.get(element);
        if (!list) continue;
        for (let p = 0; p < list.length; p += 2) {
          const index = list[p] as number;
          const n = (starts[index + 1] as number) - (starts[index] as number);
          const needed = Math.ceil((threshold * (m + n)) / 2 - epsilon);
          if (needed > Math.min(m, n)) continue;
          const before = shared[index] as number;
          if (before < 0) continue;
          const most = before + 1 + Math.min(m - place - 1, n - (list[p + 1] as number) - 1);
          if (before === 0) candidates.push(index);
          shared[index] = most >= needed ? before + 1 : -1;
        }
      }
      let best: Nearest | undefined;
      let compare: ReturnType<typeof subsequence> | undefined;
      for (const index of candidates) {
        const possible = (shared[index] as number) > 0;
        shared[index] = 0;
        if (!possible) continue;
        compare ??= subsequence(own);
        const from = starts[index] as number;
        const to = starts[index + 1] as number;
        const score = (2 * compare(all, from, to)) / (m + to - from);
        if (score < threshold - epsilon) continue;
        if (!best || score > best.score || (score === best.score && index < best.index))
          best = { index, score };
      }
      return best;
    },
    add(text) {
      const own = read(text);
      const from = starts[size] as number;
      while (from + own.length > all.length) all = grown(all);
      if (size + 2 > starts.length) {
        const more = new Float64Array(2 * starts.length);
        more.set(starts);
        starts = more;
        shared = grown(shared);
      }
      while (size >= shared.length) shared = grown(shared);
      all.set(own, from);
      starts[size + 1] = from + own.length;
      size++;
      for (const word of new Set(own)) frequency[word] = (frequency[word] as number) + 1;
      if (size >= Math.max(first, growth * ordered)) reorder();
      else post(size - 1, own);
    },
  };
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const more = new Int32Array(2 * array.length);
  more.set(array);
  return more;
}
