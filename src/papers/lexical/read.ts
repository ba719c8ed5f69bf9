// What the lexical reproduction reads: OMW's core as constraints, the BLI dictionaries with vocabularies, cross-lingual
// Multi-SimLex, Tatoeba. Words of every evaluation are removed from the constraints here.

import { readdir } from "node:fs/promises";
import { type Constraint, cleanWord, pairsOf, readOmw, withoutWords } from "../../data/constraints.js";
import type { DataFolder } from "../data.js";
import {
  type Classification,
  type Definitions,
  definitionsOf,
  readAreas,
  readTexts,
  readWordVectorSources,
  type WordVectorSources,
} from "./references.js";
import { drawn, lines, type QueryRow, twoLetters } from "./rows.js";
import { type LexicalSettings, seen } from "./settings.js";

export interface LexicalData extends WordVectorSources {
  constraints: readonly Constraint[];
  /** Number of constraints before words of dev and test were removed. */
  before: number;
  /** Queries of language pairs that both have constraints, and of pairs in which one lacks them. */
  dev: readonly QueryRow[];
  seen: readonly QueryRow[];
  unseen: readonly QueryRow[];
  similarity: readonly QueryRow[];
  retrieval: readonly QueryRow[];
  /** Lines of a vocabulary: a language, a tab, a text. */
  words: readonly string[];
  sentences: readonly string[];
  /** Measures what specialization costs on another task. */
  areas: Classification;
  /** Texts on which language modelling is measured before and after. */
  texts: readonly QueryRow[];
  definitions: Definitions;
}

const folded = (word: string) => word.normalize("NFC").toLowerCase();

export async function readLexical(folder: DataFolder, settings: LexicalSettings): Promise<LexicalData> {
  const names = folder.names("lexical");
  for (const needed of [
    "omw",
    "bli_glavas_test",
    "bli_glavas_train5k",
    "multisimlex_xling",
    "tatoeba",
    "vocab",
  ])
    if (!names.has(needed)) throw folder.missing(`lexical/${needed}/ is not there`);
  const at = (...parts: string[]) => folder.path("lexical", ...parts);

  const files = (await readdir(at("bli_glavas_test"))).sort();
  const pairs: { name: string; rows: [string, string][] }[] = [];
  for (const file of files) {
    const name = /\.([a-z]{2}-[a-z]{2})\.tsv$/.exec(file)?.[1];
    if (name === undefined || (settings.bli && !settings.bli.includes(name))) continue;
    const rows = (await lines(at("bli_glavas_test", file))).map(
      (line) => line.split("\t") as [string, string],
    );
    pairs.push({ name, rows });
  }
  const everyWord = new Set(pairs.flatMap(({ rows }) => rows.flat()));
  const vocabularies = new Map<string, Set<string>>();
  const add = (language: string, words: Iterable<string>) => {
    const own = vocabularies.get(language) ?? new Set();
    vocabularies.set(language, own);
    for (const word of words) if (word !== "" && !word.includes("\t")) own.add(word);
  };
  const queries = (name: string, rows: readonly [string, string][], count: number): QueryRow[] => {
    const golds = new Map<string, string[]>();
    for (const [source, target] of rows) golds.set(source, [...(golds.get(source) ?? []), target]);
    return drawn([...golds], count, "queries", name).map(([source, target]) => ({
      id: `${name}:${source}`,
      text: source,
      answer: target,
      stratum: name,
      group: `${name.slice(0, 2)}:${folded(source)}`,
    }));
  };
  const tests = pairs.map(({ name, rows }) => ({ name, rows: queries(name, rows, settings.queries) }));
  const dev: QueryRow[] = [];
  for (const name of ["en-it", "de-ru"].filter((one) => !settings.bli || settings.bli.includes(one))) {
    const rows = (await lines(at("bli_glavas_train5k", `yacle.train.freq.5k.${name}.tsv`))).map(
      (line) => line.split("\t") as [string, string],
    );
    const fresh = rows.filter(([source, target]) => !everyWord.has(source) && !everyWord.has(target));
    dev.push(
      ...queries(name, fresh, Math.max(20, settings.queries)).map((row) => ({ ...row, id: `dev:${row.id}` })),
    );
  }
  for (const { name, rows } of [...tests, { name: "", rows: dev }])
    for (const row of rows) {
      const [source, target] = (name || row.stratum).split("-") as [string, string];
      add(source, [row.text]);
      add(target, [row.answer].flat());
    }
  // Then the most frequent words or, for languages without such a list, those of the dictionaries.
  const vocabFiles = new Set(await readdir(at("vocab")));
  for (const [language, own] of vocabularies) {
    const file = `vocab10k_${language}.txt`;
    const more = vocabFiles.has(file)
      ? await lines(at("vocab", file))
      : pairs.flatMap(({ name, rows }) => {
          const side = name.split("-").indexOf(language);
          return side < 0 ? [] : rows.map((row) => row[side] as string);
        });
    for (const word of more) {
      if (own.size >= settings.vocabulary) break;
      if (/\p{L}/u.test(word)) own.add(word);
    }
  }

  const similarity: QueryRow[] = [];
  for (const file of (await readdir(at("multisimlex_xling"))).sort()) {
    const name = file.replace(/\.csv$/, "");
    const rows = (await lines(at("multisimlex_xling", file))).slice(1).map((line) => line.split(","));
    for (const row of drawn(
      rows.filter(({ length }) => length === 5),
      settings.similarity,
      "similarity",
      name,
    )) {
      const [id, text, question, , answer] = row as [string, string, string, string, string];
      const stratum = name
        .toLowerCase()
        .split("-")
        .map((code) => twoLetters[code] ?? code)
        .join("-");
      similarity.push({ id: `${name}:${id}`, text, question, answer, stratum, group: `${name}:${id}` });
    }
  }

  const retrieval: QueryRow[] = [];
  const sentences: string[] = [];
  const searched: string[] = [];
  for (const language of settings.retrieval) {
    const [english, others] = await Promise.all([
      lines(at("tatoeba", `tatoeba.${language}-eng.eng`)),
      lines(at("tatoeba", `tatoeba.${language}-eng.${language}`)),
    ]);
    const clean = (text: string) => text.replace(/\t/g, " ").trim();
    const pool = others.slice(0, Math.max(settings.sentences, 300)).map(clean);
    const code = twoLetters[language] ?? language;
    sentences.push(...[...new Set(pool)].filter((text) => text !== "").map((text) => `${code}\t${text}`));
    searched.push(...pool, ...english.slice(0, pool.length).map(clean));
    const all = english
      .slice(0, pool.length)
      .map((text, i) => ({ text: clean(text), answer: clean(others[i] ?? ""), i }));
    for (const { text, answer, i } of drawn(
      all.filter(({ answer: one }) => one !== ""),
      settings.sentences,
      "sentences",
      language,
    ))
      retrieval.push({
        id: `${language}:${i}`,
        text,
        answer,
        stratum: `en-${code}`,
        group: `${language}:${i}`,
      });
  }

  const senses = (
    await Promise.all(
      (
        await readdir(at("omw"))
      )
        .filter((one) => one.endsWith(".tsv"))
        .sort()
        .map((one) => readOmw(at("omw", one))),
    )
  ).flat();
  const all = pairsOf(senses, {
    perSynset: settings.training.perSynset ?? 2,
    seed: 1,
    ...(settings.languages ? { languages: settings.languages } : {}),
  });
  const gone = [...tests.flatMap(({ rows }) => rows), ...dev, ...similarity]
    .flatMap(({ text, answer, question }) => [text, ...[answer].flat(), question ?? ""])
    .flatMap((word) => [word, cleanWord(word) ?? word]);
  const constraints = withoutWords(all, gone);
  const definitions = definitionsOf(
    senses,
    settings.english?.definitions ?? 0,
    settings.english?.vocabulary ?? 0,
  );
  const sources = await readWordVectorSources(
    at,
    [...new Set(["en", ...vocabularies.keys()])].sort(),
    definitions.glosses,
    new Set([...everyWord, ...gone, ...searched]),
    settings.wordVectors,
  );
  const isSeen = ({ name }: { name: string }) =>
    name.split("-").every((language) => (seen as readonly string[]).includes(language));
  return {
    constraints,
    before: all.length,
    dev,
    seen: tests.filter(isSeen).flatMap(({ rows }) => rows),
    unseen: tests.filter((one) => !isSeen(one)).flatMap(({ rows }) => rows),
    similarity,
    retrieval,
    words: [...vocabularies].flatMap(([language, own]) => [...own].map((word) => `${language}\t${word}`)),
    sentences,
    ...sources,
    definitions,
    areas: await readAreas(folder, settings.probing),
    texts: settings.modelling ? await readTexts(folder, settings.modelling) : [],
  };
}
