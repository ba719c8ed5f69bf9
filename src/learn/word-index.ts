// A saved index of word vectors: words by language, vectors as 8-bit numbers with a scale each, and signs for a first pass. A query
// compares signs with all words of the languages, then exactly with the nearest of these.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";

/** Words that are compared exactly after the first pass, at least. */
const candidates = 1000;

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
  /** A word's vector, where it has it; in any language where none is named. */
  find(word: string, language?: string): Float32Array | undefined;
  /** The k words of a language that are most like a vector of unit length, the most like first. */
  nearest(vector: ArrayLike<number>, language: string, k: number): { word: string; score: number }[];
}

interface Header {
  hone: "word index";
  version: 1;
  model: string;
  width: number;
  count: number;
}

/**
 * Writes an index.
 * @param vectors rows of unit length, in the order of the words
 */
export async function writeWordIndex(
  folder: string,
  model: string,
  words: readonly IndexedWord[],
  { vectors, width }: { vectors: Float32Array; width: number },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const numbers = new Int8Array(words.length * width);
  const scales = new Float32Array(words.length);
  for (let row = 0; row < words.length; row++) {
    const own = vectors.subarray(row * width, (row + 1) * width);
    const most = own.reduce((top, value) => Math.max(top, Math.abs(value)), 0) || 1;
    scales[row] = most / 127;
    for (let i = 0; i < width; i++) numbers[row * width + i] = Math.round(((own[i] as number) * 127) / most);
  }
  const header: Header = { hone: "word index", version: 1, model, width, count: words.length };
  await writeFile(
    join(folder, "words.tsv"),
    words.map(({ language, word }) => `${language}\t${word}\n`).join(""),
  );
  await writeFile(join(folder, "vectors.i8"), numbers);
  await writeFile(join(folder, "scales.f32"), new Uint8Array(scales.buffer));
  await writeFile(join(folder, "index.json"), `${JSON.stringify(header, null, 2)}\n`);
}

/** Opens an index. @throws HoneError where it is missing, cut or no index */
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
  try {
    header = JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as Header;
    lines = (await readFile(join(folder, "words.tsv"), "utf8")).split("\n").slice(0, -1);
    const read = await readFile(join(folder, "vectors.i8"));
    numbers = new Int8Array(read.buffer, read.byteOffset, read.length);
    scales = new Float32Array(Uint8Array.from(await readFile(join(folder, "scales.f32"))).buffer);
  } catch (error) {
    throw fail(messageOf(error));
  }
  const { width, count, model } = header;
  if (header.hone !== "word index" || header.version !== 1) throw fail("index.json is of something else");
  if (!Number.isSafeInteger(width) || width < 1 || typeof model !== "string")
    throw fail("index.json is damaged");
  if (lines.length !== count || scales.length !== count || numbers.length !== count * width)
    throw fail(`its files do not hold ${count} words of ${width} numbers`);
  const words = lines.map((line): IndexedWord => {
    const tab = line.indexOf("\t");
    return { language: line.slice(0, tab), word: line.slice(tab + 1) };
  });

  // Signs are of what differs from the mean: raw vectors of a language model all point one way.
  const mean = new Float64Array(width);
  for (let row = 0; row < count; row++)
    for (let i = 0; i < width; i++)
      mean[i] =
        (mean[i] as number) + ((numbers[row * width + i] as number) * (scales[row] as number)) / count;
  const packs = Math.ceil(width / 32);
  const signs = new Int32Array(count * packs);
  for (let row = 0; row < count; row++) {
    const scale = scales[row] as number;
    for (let i = 0; i < width; i++) {
      if ((numbers[row * width + i] as number) * scale <= (mean[i] as number)) continue;
      const at = row * packs + (i >> 5);
      signs[at] = (signs[at] as number) | (1 << (i & 31));
    }
  }
  const members = new Map<string, number[]>();
  const places = new Map<string, number>();
  for (const [row, { language, word }] of words.entries()) {
    const own = members.get(language) ?? [];
    members.set(language, own);
    own.push(row);
    for (const key of [`${language}\t${folded(word)}`, `\t${folded(word)}`])
      if (!places.has(key)) places.set(key, row);
  }
  const rowsOf = new Map([...members].map(([language, list]) => [language, Int32Array.from(list)]));
  const distance = new Uint16Array(count);
  const counts = new Int32Array(packs * 32 + 1);

  return {
    model,
    width,
    words,
    languages: [...rowsOf.keys()],
    find(word, language = "") {
      const row = places.get(`${language}\t${folded(word)}`);
      if (row === undefined) return undefined;
      const vector = Float32Array.from(numbers.subarray(row * width, (row + 1) * width));
      const length = Math.hypot(...vector) || 1;
      return vector.map((value) => value / length);
    },
    nearest(vector, language, k) {
      const rows = rowsOf.get(language);
      if (!rows) return [];
      const own = new Int32Array(packs);
      for (let i = 0; i < width; i++)
        if ((vector[i] as number) > (mean[i] as number))
          own[i >> 5] = (own[i >> 5] as number) | (1 << (i & 31));
      counts.fill(0);
      for (let at = 0; at < rows.length; at++) {
        const from = (rows[at] as number) * packs;
        let bits = 0;
        for (let i = 0; i < packs; i++) bits += ones((signs[from + i] as number) ^ (own[i] as number));
        distance[at] = bits;
        counts[bits] = (counts[bits] as number) + 1;
      }
      // The distance within which lie as many words as are compared exactly.
      let limit = 0;
      for (let seen = counts[0] as number; seen < candidates && limit < packs * 32; )
        seen += counts[++limit] as number;
      const found: { word: string; score: number }[] = [];
      for (let at = 0; at < rows.length; at++) {
        if ((distance[at] as number) > limit) continue;
        const row = rows[at] as number;
        let dot = 0;
        for (let i = 0; i < width; i++) dot += (numbers[row * width + i] as number) * (vector[i] as number);
        found.push({ word: (words[row] as IndexedWord).word, score: dot * (scales[row] as number) });
      }
      return found.sort((a, b) => b.score - a.score).slice(0, k);
    },
  };
}

const folded = (word: string) => word.normalize("NFC").toLowerCase();

/** How many bits of a 32-bit number are 1. */
function ones(bits: number): number {
  let left = bits - ((bits >>> 1) & 0x55555555);
  left = (left & 0x33333333) + ((left >>> 2) & 0x33333333);
  return Math.imul((left + (left >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
