// What the lexical reproduction reads besides words to be translated: corpora and dictionaries for word vectors, English definitions,
// and a classification that has nothing to do with words.

import { readdir } from "node:fs/promises";
import { type Constraint, cleanWord, pairsOf, type Sense, withoutWords } from "../../data/constraints.js";
import { readRows } from "../../data/index.js";
import type { DataFolder } from "../data.js";
import { drawn, lines, type QueryRow, twoLetters } from "./rows.js";
import type { LexicalSettings } from "./settings.js";

/** The five most frequent areas of law of the Supreme Court's cases. */
const areas = new Set(["1", "2", "3", "8", "9"]);

/** A classification task: lines of examples (a label, a tab, a text), and rows to be classified. */
export interface Classification {
  examples: readonly string[];
  rows: readonly QueryRow[];
}

/** Questions before the Supreme Court by area of law. */
export async function readAreas(
  folder: DataFolder,
  { examples, tests }: LexicalSettings["probing"],
): Promise<Classification> {
  const read = async (files: readonly string[]) => {
    const found: { id: string; text: string; area: string }[] = [];
    for (const file of files)
      for await (const { row } of readRows(folder.path("law", "scdb_oyez", `${file}.jsonl`))) {
        const text = String(row.question ?? "")
          .replace(/\s+/g, " ")
          .trim();
        const area = String((row.labels as Record<string, unknown> | undefined)?.issueArea ?? "");
        if (text.length >= 20 && areas.has(area)) found.push({ id: String(row.id), text, area });
      }
    return found;
  };
  const [train, test] = await Promise.all([read(["train_1", "train_2"]), read(["test"])]);
  return {
    examples: drawn(train, examples, "areas, examples").map(({ area, text }) => `${area}\t${text}`),
    rows: drawn(test, tests, "areas").map(({ id, text, area }) => ({
      id,
      text,
      answer: area,
      stratum: "areas of law",
      group: id,
    })),
  };
}

/** Facts of Supreme Court cases, of a minimum length in bytes. */
export async function readTexts(
  folder: DataFolder,
  { texts, bytes }: NonNullable<LexicalSettings["modelling"]>,
): Promise<QueryRow[]> {
  const found: { id: string; text: string }[] = [];
  for await (const { row } of readRows(folder.path("law", "scdb_oyez", "test.jsonl"))) {
    const text = String(row.facts ?? "")
      .replace(/\s+/g, " ")
      .trim();
    if (Buffer.byteLength(text) >= bytes) found.push({ id: String(row.id), text });
  }
  return drawn(found, texts, "texts").map(({ id, text }) => ({
    id,
    text,
    answer: "facts",
    stratum: "facts",
    group: id,
  }));
}

/** Definitions whose word is to be found, and the English data that may be learnt from. */
export interface Definitions {
  rows: readonly QueryRow[];
  vocabulary: readonly string[];
  /** Without the synsets and words of the rows. */
  constraints: readonly Constraint[];
  /** The other synsets' definitions. */
  glosses: readonly string[];
}

/** Splits English synsets into those used as queries and those that may be learnt from. */
export function definitionsOf(senses: readonly Sense[], count: number, words: number): Definitions {
  const synsets = new Map<string, { words: Set<string>; gloss: string }>();
  for (const { synset, lang, kind, value } of senses) {
    if (lang !== "eng") continue;
    const own = synsets.get(synset) ?? { words: new Set(), gloss: "" };
    synsets.set(synset, own);
    if (kind === "def") own.gloss ||= value.replace(/\s+/g, " ").trim();
    else own.words.add(cleanWord(value) ?? "");
    own.words.delete("");
  }
  const whole = [...synsets].filter(([, { words, gloss }]) => words.size > 0 && gloss !== "");
  const asked = drawn(whole, count, "definitions");
  const held = new Set(asked.map(([synset]) => synset));
  const english = senses.filter(({ lang, synset }) => lang === "eng" && !held.has(synset));
  return {
    rows: asked.map(([synset, { words, gloss }]) => ({
      id: synset,
      text: gloss,
      answer: [...words],
      stratum: "en-en",
      group: synset,
    })),
    vocabulary: [...new Set([...asked, ...whole].flatMap(([, own]) => [...own.words]))]
      .slice(0, Math.max(words, count))
      .map((word) => `en\t${word}`),
    constraints: withoutWords(
      pairsOf(english, { perSynset: 4, seed: 1 }),
      asked.flatMap(([, { words }]) => [...words]),
    ),
    glosses: whole.filter(([synset]) => !held.has(synset)).map(([, { gloss }]) => gloss),
  };
}

/** Sentences (a language, a tab, a text) and translations into English for `wordVectors`. */
export interface WordVectorSources {
  corpora: readonly string[];
  dictionaries: readonly string[];
}

/**
 * Tatoeba's sentences without queries and search candidates, the glosses, and the training dictionaries without words of dev and
 * test.
 * @param gone words and sentences of dev and test
 */
export async function readWordVectorSources(
  at: (...parts: string[]) => string,
  languages: readonly string[],
  glosses: readonly string[],
  gone: ReadonlySet<string>,
  { sentences }: LexicalSettings["wordVectors"],
): Promise<WordVectorSources> {
  const clean = (text: string) => text.replace(/\t/g, " ").trim();
  const files = (await readdir(at("tatoeba"))).sort();
  const corpora: string[] = [];
  for (const language of languages) {
    const own = files.filter((file) => twoLetters[file.split(".").at(-1) ?? ""] === language);
    const texts = new Set(language === "en" ? glosses.map(clean) : []);
    for (const file of own) for (const line of await lines(at("tatoeba", file))) texts.add(clean(line));
    const kept = [...texts].filter((text) => text !== "" && !gone.has(text));
    corpora.push(...drawn(kept, sentences, "corpus", language).map((text) => `${language}\t${text}`));
  }
  const dictionaries: string[] = [];
  for (const language of languages.filter((one) => one !== "en")) {
    const rows = await lines(at("bli_glavas_train5k", `yacle.train.freq.5k.en-${language}.tsv`));
    for (const row of rows) {
      const [source = "", target = ""] = row.split("\t");
      if (source !== "" && target !== "" && !gone.has(source) && !gone.has(target))
        dictionaries.push(`en\t${source}\t${language}\t${target}`);
    }
  }
  return { corpora, dictionaries };
}
