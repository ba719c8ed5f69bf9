// A saved index of word vectors: words by language, vectors as 8-bit numbers with a scale each, and signs for a first pass. A query
// compares signs with all words of a language, which are stored together, then vectors with the nearest of these.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";

/** Minimum number of words that are compared exactly after the first pass. */
const candidates = 500;

export interface IndexedWord {
  readonly language: string;
  readonly word: string;
}

export interface WordIndex {
  /** Reference of the encoder that made it, for words that it lacks. */
  readonly model: string;
  readonly width: number;
  readonly words: readonly IndexedWord[];
  readonly languages: readonly string[];
  /** A word's vector, if the index has it; in any language if none is named. */
  find(word: string, language?: string): Float32Array | undefined;
  /** The k words of a language that are most similar to a vector of unit length, the most similar first. */
  nearest(vector: ArrayLike<number>, language: string, k: number): { word: string; score: number }[];
}

interface Header {
  hone: "word index";
  version: 2;
  model: string;
  width: number;
  count: number;
}

/**
 * Writes an index. Words are put in the order of their languages.
 * @param vectors rows of unit length, in the order of the words
 */
export async function writeWordIndex(
  folder: string,
  model: string,
  words: readonly IndexedWord[],
  { vectors, width }: { vectors: Float32Array; width: number },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const count = words.length;
  const languages = new Map([...new Set(words.map(({ language }) => language))].map((one, i) => [one, i]));
  const place = (at: number) => languages.get((words[at] as IndexedWord).language) as number;
  const order = [...words.keys()].sort((a, b) => place(a) - place(b));
  // Signs are of the difference from the mean, because raw vectors of a language model all point one way.
  const mean = new Float32Array(width);
  for (let row = 0; row < count; row++)
    for (let i = 0; i < width; i++)
      mean[i] = (mean[i] as number) + (vectors[row * width + i] as number) / count;
  const packs = Math.ceil(width / 32);
  const numbers = new Int8Array(count * width);
  const scales = new Float32Array(count);
  const signs = new Int32Array(count * packs);
  for (const [row, from] of order.entries()) {
    const own = vectors.subarray(from * width, (from + 1) * width);
    const most = own.reduce((top, value) => Math.max(top, Math.abs(value)), 0) || 1;
    scales[row] = most / 127;
    for (let i = 0; i < width; i++) numbers[row * width + i] = Math.round(((own[i] as number) * 127) / most);
    setSigns(signs, row * packs, own, mean);
  }
  const header: Header = { hone: "word index", version: 2, model, width, count };
  const lines = order.map((at) => {
    const { language, word } = words[at] as IndexedWord;
    return `${language}\t${word}\n`;
  });
  await writeFile(join(folder, "words.tsv"), lines.join(""));
  await writeFile(join(folder, "vectors.i8"), numbers);
  for (const [name, { buffer }] of Object.entries({
    "scales.f32": scales,
    "mean.f32": mean,
    "signs.i32": signs,
  }))
    await writeFile(join(folder, name), new Uint8Array(buffer));
  await writeFile(join(folder, "index.json"), `${JSON.stringify(header, null, 2)}\n`);
}

/** One bit per number: whether it is above the mean's. */
function setSigns(signs: Int32Array, start: number, vector: ArrayLike<number>, mean: Float32Array): void {
  for (let i = 0; i < mean.length; i++) {
    if ((vector[i] as number) <= (mean[i] as number)) continue;
    const at = start + (i >> 5);
    signs[at] = (signs[at] as number) | (1 << (i & 31));
  }
}

/** Opens an index. @throws HoneError where it is missing, truncated or not an index */
export async function openWordIndex(folder: string): Promise<WordIndex> {
  const fail = (why: string): HoneError =>
    new HoneError({
      what: "Cannot open the word index",
      where: folder,
      why,
      next: "Make it with `hone words --index FOLDER --build WORDS.tsv --model MODEL`.",
      kind: "usage",
    });
  let header: Header;
  let lines: string[];
  let numbers: Int8Array;
  let scales: Float32Array;
  let mean: Float32Array;
  let signs: Int32Array;
  // A copy, which is aligned for four-byte numbers.
  const bytes = async (name: string) => Uint8Array.from(await readFile(join(folder, name))).buffer;
  try {
    header = JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as Header;
    lines = (await readFile(join(folder, "words.tsv"), "utf8")).split("\n").slice(0, -1);
    const read = await readFile(join(folder, "vectors.i8"));
    numbers = new Int8Array(read.buffer, read.byteOffset, read.length);
    scales = new Float32Array(await bytes("scales.f32"));
    mean = new Float32Array(await bytes("mean.f32"));
    signs = new Int32Array(await bytes("signs.i32"));
  } catch (error) {
    throw fail(messageOf(error));
  }
  const { width, count, model } = header;
  if (header.hone !== "word index" || header.version !== 2)
    throw fail("index.json belongs to something else, or to another version of Hone");
  if (!Number.isSafeInteger(width) || width < 1 || typeof model !== "string")
    throw fail("index.json is damaged");
  const packs = Math.ceil(width / 32);
  if (
    lines.length !== count ||
    scales.length !== count ||
    numbers.length !== count * width ||
    mean.length !== width ||
    signs.length !== count * packs
  )
    throw fail(`its files do not hold ${count} words of ${width} numbers`);
  const words = lines.map((line): IndexedWord => {
    const tab = line.indexOf("\t");
    return { language: line.slice(0, tab), word: line.slice(tab + 1) };
  });

  // Rows of a language are contiguous, from its first to its last.
  const ranges = new Map<string, { from: number; to: number }>();
  const places = new Map<string, number>();
  for (const [row, { language, word }] of words.entries()) {
    const own = ranges.get(language);
    if (own && own.to !== row) throw fail(`its words of ${JSON.stringify(language)} are not contiguous`);
    ranges.set(language, { from: own?.from ?? row, to: row + 1 });
    const key = folded(word);
    for (const one of [`${language}\t${key}`, `\t${key}`]) if (!places.has(one)) places.set(one, row);
  }
  const distance = new Uint16Array(count);
  const counts = new Int32Array(packs * 32 + 1);
  const own = new Int32Array(packs);

  return {
    model,
    width,
    words,
    languages: [...ranges.keys()],
    find(word, language = "") {
      const row = places.get(`${language}\t${folded(word)}`);
      if (row === undefined) return undefined;
      const vector = Float32Array.from(numbers.subarray(row * width, (row + 1) * width));
      const length = Math.hypot(...vector) || 1;
      return vector.map((value) => value / length);
    },
    nearest(vector, language, k) {
      const range = ranges.get(language);
      if (!range) return [];
      const { from, to } = range;
      own.fill(0);
      setSigns(own, 0, vector, mean);
      counts.fill(0);
      for (let row = from; row < to; row++) {
        const bits = differing(signs, row * packs, own);
        distance[row] = bits;
        counts[bits] = (counts[bits] as number) + 1;
      }
      // The distance within which there are enough words to compare exactly.
      let limit = 0;
      for (let seen = counts[0] as number; seen < candidates && limit < packs * 32; )
        seen += counts[++limit] as number;
      const query = Float32Array.from(vector);
      const found: { row: number; score: number }[] = [];
      for (let row = from; row < to; row++) {
        if ((distance[row] as number) > limit) continue;
        const start = row * width;
        let dot = 0;
        for (let i = 0; i < width; i++) dot += (numbers[start + i] as number) * (query[i] as number);
        found.push({ row, score: dot * (scales[row] as number) });
      }
      return found
        .sort((a, b) => b.score - a.score)
        .slice(0, k)
        .map(({ row, score }) => ({ word: (words[row] as IndexedWord).word, score }));
    },
  };
}

const folded = (word: string) => word.normalize("NFC").toLowerCase();

/** The Hamming distance of two rows of signs: bits are counted four at a time, and eight numbers' counts added at once. */
function differing(signs: Int32Array, start: number, own: Int32Array): number {
  let bits = 0;
  for (let from = 0; from < own.length; from += 8) {
    const to = Math.min(own.length, from + 8);
    let sums = 0;
    for (let i = from; i < to; i++) {
      let left = (signs[start + i] as number) ^ (own[i] as number);
      left -= (left >>> 1) & 0x55555555;
      left = (left & 0x33333333) + ((left >>> 2) & 0x33333333);
      sums += (left + (left >>> 4)) & 0x0f0f0f0f;
    }
    // Each byte is at most 64.
    bits += Math.imul((sums & 0x00ff00ff) + ((sums >>> 8) & 0x00ff00ff), 0x00010001) >>> 16;
  }
  return bits;
}
