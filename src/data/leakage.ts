// Finds texts that occur twice: exactly after normalization, or nearly (Jaccard similarity of word 5-shingles). Candidates
// come from MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, ch. 3) and each is
// verified exactly, so a reported pair is never a guess; at the threshold itself fewer than 1 pair in 1,000 is missed.

import { createHash } from "node:crypto";

/** A text and the id by which a leak names it. */
export interface TextItem {
  id: string;
  text: string;
}

/** One training text and the most similar test text. */
export interface Leak {
  train: string;
  test: string;
  kind: "exact" | "near";
  /** Jaccard similarity; 1 for exact copies. */
  similarity: number;
}

const shingleWords = 5;
const signatureSize = 128;

/** NFKC, lower case, letters and digits only, single spaces. */
export function normalizeText(text: string): string {
  return words(text).join(" ");
}

// Scripts written without spaces: each character counts as a word; otherwise whole sentences would be one word.
const wordPattern =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{N}\p{M}])+/gu;

function words(text: string): string[] {
  const lower = text.normalize("NFKC").toLowerCase();
  // Almost all legal and medical English is ASCII, where a plain pattern is several times as fast.
  return (/^[\x00-\x7f]*$/.test(lower) ? lower.match(/[a-z0-9]+/g) : lower.match(wordPattern)) ?? [];
}

interface Prepared {
  /** Equal for texts that are the same after normalization. */
  exact: string;
  /** Sorted, distinct hashes of the shingles. */
  shingles: Uint32Array;
}

/** 32-bit FNV-1a, finished with MurmurHash3's mixer. */
function hashWord(word: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193);
  return mix(h);
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function prepare(texts: readonly string[]): Prepared[] {
  const known = new Map<string, number>();
  return texts.map((text) => {
    const tokens = words(text);
    const ids = new Uint32Array(tokens.length);
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!;
      let id = known.get(token);
      if (id === undefined) {
        id = hashWord(token);
        if (known.size < 1_000_000) known.set(token, id);
      }
      ids[i] = id;
    }
    // A text of symbols only (formulas, emoji) normalizes to nothing and is then compared as it is.
    const normal = tokens.length > 0 ? tokens.join(" ") : `\0${text.normalize("NFKC").trim()}`;
    const exact = createHash("sha256").update(normal).digest("base64");
    return { exact, shingles: shinglesOf(ids) };
  });
}

/** Five words form a shingle; a text of fewer words is the set of its words. */
function shinglesOf(ids: Uint32Array): Uint32Array {
  const short = ids.length < shingleWords;
  const out = new Uint32Array(short ? ids.length : ids.length - shingleWords + 1);
  for (let i = 0; i < out.length; i++) {
    let h = short ? 1 : 0;
    for (let j = 0; j < (short ? 1 : shingleWords); j++) h = mix(Math.imul(h, 31) + ids[i + j]!);
    out[i] = h;
  }
  out.sort();
  let n = 0;
  for (let i = 0; i < out.length; i++) if (i === 0 || out[i] !== out[i - 1]) out[n++] = out[i]!;
  return out.slice(0, n);
}

function jaccard(a: Uint32Array, b: Uint32Array): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const x = a[i]!;
    const y = b[j]!;
    if (x === y) common++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  const union = a.length + b.length - common;
  return union === 0 ? 0 : common / union;
}

/** Rows per band: as many as possible while a pair at the threshold is missed with probability below 1 in 1,000. */
function bandRows(threshold: number): number {
  for (let rows = 8; rows > 1; rows--) {
    if ((1 - threshold ** rows) ** Math.floor(signatureSize / rows) < 1e-3) return rows;
  }
  return 1;
}

/** Keys of a text's bands. Two texts that share a key are candidates. */
function bandKeys(shingles: Uint32Array, rows: number): Float64Array {
  const signature = new Uint32Array(signatureSize).fill(0xffffffff);
  for (let i = 0; i < shingles.length; i++) {
    const shingle = shingles[i]!;
    for (let k = 0; k < signatureSize; k++) {
      const h = (Math.imul(shingle ^ xors[k]!, multipliers[k]!) ^ (shingle >>> 15)) >>> 0;
      if (h < signature[k]!) signature[k] = h;
    }
  }
  const bands = Math.floor(signatureSize / rows);
  return Float64Array.from({ length: bands }, (_, band) => {
    let high = mix(band + 1);
    let low = mix(band + 0x9e3779b9);
    for (let r = 0; r < rows; r++) {
      high = mix(Math.imul(high, 31) + signature[band * rows + r]!);
      low = mix(Math.imul(low, 37) + signature[band * rows + r]!);
    }
    return high * 2 ** 21 + (low >>> 11);
  });
}

const xors = Uint32Array.from({ length: signatureSize }, (_, k) => mix(k * 2 + 1));
const multipliers = Uint32Array.from({ length: signatureSize }, (_, k) => mix(k * 2 + 0x51ed270b) | 1);

/**
 * Training texts that also occur in test, exactly after normalization or with at least `near` similarity. Each training
 * text is reported once, with the most similar test text. Linear in the number of texts, apart from those that share
 * bands.
 */
export function findLeaks(
  train: readonly TextItem[],
  test: readonly TextItem[],
  options: { near?: number } = {},
): Leak[] {
  const near = options.near ?? 0.8;
  const prepared = prepare([...test, ...train].map(({ text }) => text));
  const testSide = prepared.slice(0, test.length);
  const exact = new Map<string, number>();
  const bands = new Map<number, number[]>();
  const rows = bandRows(near);
  for (const [t, one] of testSide.entries()) {
    if (exact.has(one.exact)) continue; // one of several equal texts stands for all
    exact.set(one.exact, t);
    if (near >= 1 || one.shingles.length === 0) continue;
    for (const key of bandKeys(one.shingles, rows)) {
      const bucket = bands.get(key);
      if (bucket) bucket.push(t);
      else bands.set(key, [t]);
    }
  }
  const found: Leak[] = [];
  const tried = new Int32Array(test.length).fill(-1);
  for (const [i, item] of train.entries()) {
    const one = prepared[test.length + i]!;
    const same = exact.get(one.exact);
    if (same !== undefined) {
      found.push({ train: item.id, test: test[same]!.id, kind: "exact", similarity: 1 });
      continue;
    }
    if (near >= 1 || one.shingles.length === 0) continue;
    let best = -1;
    let similarity = 0;
    for (const key of bandKeys(one.shingles, rows)) {
      for (const t of bands.get(key) ?? []) {
        if (tried[t] === i) continue;
        tried[t] = i;
        const s = possible(one.shingles, testSide[t]!.shingles, near)
          ? jaccard(one.shingles, testSide[t]!.shingles)
          : 0;
        if (s > similarity) {
          similarity = s;
          best = t;
        }
      }
    }
    if (best >= 0 && similarity >= near) {
      found.push({ train: item.id, test: test[best]!.id, kind: "near", similarity });
    }
  }
  return found;
}

/** False if the sizes alone rule the similarity out. */
function possible(a: Uint32Array, b: Uint32Array, near: number): boolean {
  return Math.min(a.length, b.length) >= near * Math.max(a.length, b.length);
}

/** A cluster number per text: texts connected by a chain of exact or near duplicates have the same number. */
export function nearGroups(texts: readonly string[], threshold = 0.8): Int32Array {
  const prepared = prepare(texts);
  const parent = Int32Array.from(texts, (_, i) => i);
  const root = (start: number): number => {
    let i = start;
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]!]!;
      i = parent[i]!;
    }
    return i;
  };
  const join = (a: number, b: number): void => {
    const x = root(a);
    const y = root(b);
    if (x < y) parent[y] = x;
    else parent[x] = y;
  };
  const exact = new Map<string, number>();
  const bands = new Map<number, number[]>();
  const rows = bandRows(threshold);
  for (const [i, one] of prepared.entries()) {
    const same = exact.get(one.exact);
    if (same !== undefined) {
      join(same, i);
      continue;
    }
    exact.set(one.exact, i);
    if (threshold >= 1 || one.shingles.length === 0) continue;
    const refused = new Set<number>();
    for (const key of bandKeys(one.shingles, rows)) {
      const bucket = bands.get(key);
      if (!bucket) {
        bands.set(key, [i]);
        continue;
      }
      for (const j of bucket) {
        if (refused.has(j) || root(j) === root(i)) continue;
        const other = prepared[j]!.shingles;
        if (possible(one.shingles, other, threshold) && jaccard(one.shingles, other) >= threshold) join(i, j);
        else refused.add(j);
      }
      bucket.push(i);
    }
  }
  return Int32Array.from(texts, (_, i) => root(i));
}
