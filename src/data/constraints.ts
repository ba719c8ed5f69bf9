// Lexical constraints: pairs of words from one synset, in one language or two, with their glosses. They are read from wordnets'
// tab files or from files of pairs, cleaned, counted, and sampled by language pair.

import { readFile } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import { HoneError, messageOf } from "../core/errors.js";
import { type Random, randomFor } from "../core/random.js";

/** Two words of one synset: the seven columns of Green et al. 2023. */
export interface Constraint {
  readonly synset: string;
  readonly lang1: string;
  readonly word1: string;
  /** The synset's gloss in the word's language, or in English; empty if there is none. */
  readonly gloss1: string;
  readonly lang2: string;
  readonly word2: string;
  readonly gloss2: string;
}

/** A word of a synset, or its gloss. */
export interface Sense {
  readonly synset: string;
  readonly lang: string;
  readonly kind: "lemma" | "def";
  readonly value: string;
}

/** The columns of a file of pairs, named as in the published one. */
const columns = ["synsetID", "lang1", "word1", "sent1", "lang2", "word2", "sent2"] as const;

const broken = (path: string, line: number | null, why: string): HoneError =>
  new HoneError({
    what: "Cannot read lexical constraints",
    where: line === null ? path : `${path}:${line}`,
    why,
    next: "Give OMW tab files (synset, lang:lemma, value), or CSV or TSV with synsetID, lang1, word1, sent1, lang2, word2, sent2.",
    kind: "usage",
  });

async function textOf(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throw broken(path, null, messageOf(error));
  }
}

/**
 * Senses of an OMW tab file: `synset<TAB>lang:lemma<TAB>value` under a `# name<TAB>lang` header (glosses have a number before
 * their text), or four columns `synset, lang, type, value` with a header. Kinds other than lemma and def are skipped.
 * @throws HoneError with the line
 */
export async function readOmw(path: string): Promise<Sense[]> {
  const senses: Sense[] = [];
  let language = "";
  let four = false;
  for (const [i, raw] of (await textOf(path)).split("\n").entries()) {
    const line = raw.replace(/\r$/, "");
    if (line === "") continue;
    const cells = line.split("\t");
    if (line.startsWith("#")) {
      language ||= cells[1]?.trim() ?? "";
      continue;
    }
    if (i === 0 && cells.join() === "synset,lang,type,value") {
      four = true;
      continue;
    }
    const [synset = "", second = "", third] = cells;
    const [lang = "", kind = ""] = four
      ? [second, third]
      : second.includes(":")
        ? second.split(":")
        : [language, second];
    const value = four ? cells[3] : kind === "def" ? cells.at(-1) : third;
    if (!/^\d{8}-[a-z]$/.test(synset) || value === undefined || lang === "")
      throw broken(path, i + 1, "it is not a row of a wordnet file");
    if (kind === "lemma" || kind === "def")
      senses.push({ synset: synset.replace(/-s$/, "-a"), lang, kind, value });
  }
  return senses;
}

/** Rows of a file of pairs, separated by tabs or commas. @throws HoneError with the row */
export async function readPairs(path: string): Promise<Constraint[]> {
  const text = await textOf(path);
  const delimiter = text.slice(0, text.indexOf("\n")).includes("\t") ? "\t" : ",";
  let rows: Record<string, string>[];
  try {
    rows = parse(text, { columns: true, delimiter, bom: true, relax_quotes: true, skip_empty_lines: true });
  } catch (error) {
    throw broken(path, null, messageOf(error));
  }
  const lacking = columns.filter((name) => !Object.hasOwn(rows[0] ?? {}, name));
  if (lacking.length > 0) throw broken(path, 1, `it lacks ${lacking.join(", ")}`);
  return rows.map((row) => ({
    synset: row.synsetID as string,
    lang1: row.lang1 as string,
    word1: row.word1 as string,
    gloss1: row.sent1 as string,
    lang2: row.lang2 as string,
    word2: row.word2 as string,
    gloss2: row.sent2 as string,
  }));
}

/** Writes a file of pairs in the form that `readPairs` reads. */
export function writePairs(pairs: readonly Constraint[]): string {
  const cell = (value: string) => value.replace(/[\t\r\n"]+/g, " ");
  const rows = pairs.map((one) =>
    [one.synset, one.lang1, one.word1, one.gloss1, one.lang2, one.word2, one.gloss2].map(cell).join("\t"),
  );
  return `${[columns.join("\t"), ...rows].join("\n")}\n`;
}

/**
 * A word as it is written in text: underscores become spaces, wordnet marks (`+`, trailing `(a)`) are removed. Undefined for
 * non-words: no letter, digits, more than three words or 40 characters.
 */
export function cleanWord(word: string): string | undefined {
  const clean = word
    .normalize("NFC")
    .replace(/[_+]/g, " ")
    .replace(/\s*\([^)]*\)$/, "")
    .replace(/\s+/g, " ")
    .trim();
  if (!/\p{L}/u.test(clean) || /\d/.test(clean) || /[<>{}[\]|\\]/.test(clean)) return undefined;
  return clean.length > 40 || clean.split(" ").length > 3 ? undefined : clean;
}

export interface PairOptions {
  /** Languages that may occur; all if omitted. */
  readonly languages?: readonly string[];
  /** Maximum number of pairs per synset and language pair. */
  readonly perSynset: number;
  readonly seed: number;
}

/**
 * Pairs of words of a wordnet's synsets, sampled for each synset and unordered language pair. Words that differ only in case do
 * not form a pair.
 */
export function pairsOf(senses: readonly Sense[], { languages, perSynset, seed }: PairOptions): Constraint[] {
  const allowed = languages && new Set(languages);
  const synsets = new Map<string, { words: Map<string, Set<string>>; glosses: Map<string, string> }>();
  for (const { synset, lang, kind, value } of senses) {
    const own = synsets.get(synset) ?? { words: new Map(), glosses: new Map() };
    synsets.set(synset, own);
    if (kind === "def") {
      if (!own.glosses.has(lang)) own.glosses.set(lang, value.replace(/\s+/g, " ").trim());
      continue;
    }
    if (allowed && !allowed.has(lang)) continue;
    const word = cleanWord(value);
    if (word === undefined) continue;
    const list = own.words.get(lang) ?? new Set();
    own.words.set(lang, list.add(word));
  }
  const pairs: Constraint[] = [];
  for (const synset of [...synsets.keys()].sort()) {
    const { words, glosses } = synsets.get(synset) as NonNullable<ReturnType<typeof synsets.get>>;
    const gloss = (lang: string) => glosses.get(lang) ?? glosses.get("eng") ?? "";
    const langs = [...words.keys()].sort();
    const random = randomFor(seed, "pairs", synset);
    for (const [i, lang1] of langs.entries()) {
      for (const lang2 of langs.slice(i)) {
        const left = [...(words.get(lang1) as Set<string>)];
        const right = [...(words.get(lang2) as Set<string>)];
        const seen = new Set<string>();
        for (let tries = 0; tries < perSynset * 2 && seen.size < perSynset; tries++) {
          const word1 = left[Math.floor(random() * left.length)] as string;
          const word2 = right[Math.floor(random() * right.length)] as string;
          if (key(word1) === key(word2) || seen.has(`${word1}\t${word2}`)) continue;
          seen.add(`${word1}\t${word2}`);
          pairs.push({ synset, lang1, word1, gloss1: gloss(lang1), lang2, word2, gloss2: gloss(lang2) });
        }
      }
    }
  }
  return pairs;
}

const key = (word: string) => word.normalize("NFC").toLowerCase();

/** The pairs that contain none of the given words, ignoring case: used to exclude words of dev and test. */
export function withoutWords(pairs: readonly Constraint[], words: Iterable<string>): Constraint[] {
  const gone = new Set([...words].map(key));
  return pairs.filter(({ word1, word2 }) => !gone.has(key(word1)) && !gone.has(key(word2)));
}

/** Cleans a file's pairs; drops pairs in which either word is not a valid word, and pairs of a word with itself. */
export function cleanPairs(pairs: readonly Constraint[]): Constraint[] {
  return pairs.flatMap((pair) => {
    const [word1, word2] = [cleanWord(pair.word1), cleanWord(pair.word2)];
    const good = word1 !== undefined && word2 !== undefined && key(word1) !== key(word2);
    return good ? [{ ...pair, word1, word2 }] : [];
  });
}

/** The unordered language pair of a pair of words. */
export function languagesOf({ lang1, lang2 }: Constraint): string {
  return [lang1, lang2].sort().join("-");
}

/**
 * Samples pairs with replacement: a language pair with probability p^alpha / sum p^alpha, then one of its pairs uniformly (Green
 * et al. 2023 with alpha 0.5). Alpha 1 samples uniformly from all pairs.
 * @returns a function that returns an index into `pairs` at every call
 */
export function drawPairs(pairs: readonly Constraint[], alpha: number, random: Random): () => number {
  const groups = new Map<string, number[]>();
  for (const [i, pair] of pairs.entries()) {
    const name = languagesOf(pair);
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    group.push(i);
  }
  const lists = [...groups.keys()].sort().map((name) => groups.get(name) as number[]);
  const weights = lists.map(({ length }) => (length / pairs.length) ** alpha);
  const total = weights.reduce((a, b) => a + b, 0);
  return () => {
    let left = random() * total;
    let at = 0;
    while (at < lists.length - 1 && left >= (weights[at] as number)) left -= weights[at++] as number;
    const list = lists[at] as number[];
    return list[Math.floor(random() * list.length)] as number;
  };
}

/** By language: synsets, distinct words, and pairs that involve it; also pairs by language pair. */
export function constraintStatistics(pairs: readonly Constraint[]): {
  pairs: number;
  languages: Record<string, { synsets: number; words: number; pairs: number }>;
  byLanguages: Record<string, number>;
} {
  const own = new Map<string, { synsets: Set<string>; words: Set<string>; pairs: number }>();
  const byLanguages = new Map<string, number>();
  for (const pair of pairs) {
    const name = languagesOf(pair);
    byLanguages.set(name, (byLanguages.get(name) ?? 0) + 1);
    const sides = [
      [pair.lang1, pair.word1],
      [pair.lang2, pair.word2],
    ] as const;
    for (const [i, [lang, word]] of sides.entries()) {
      const one = own.get(lang) ?? { synsets: new Set(), words: new Set(), pairs: 0 };
      own.set(lang, one);
      one.synsets.add(pair.synset);
      one.words.add(key(word));
      if (i === 0 || pair.lang1 !== pair.lang2) one.pairs++;
    }
  }
  return {
    pairs: pairs.length,
    languages: Object.fromEntries(
      [...own]
        .sort()
        .map(([lang, one]) => [lang, { synsets: one.synsets.size, words: one.words.size, pairs: one.pairs }]),
    ),
    byLanguages: Object.fromEntries([...byLanguages].sort()),
  };
}
