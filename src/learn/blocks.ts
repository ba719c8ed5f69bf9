// Rows of features made of blocks side by side: words, characters, and other features of a text. A kept vocabulary is
// plain JSON and reads a new text as the same columns that train had.

import type { Features } from "./penalty.js";
import { learnVocabulary, type Row, type Terms, type Vocabulary, vectorizer } from "./tfidf.js";
import { packFloats, unpackFloats } from "./vectors.js";

/** A vocabulary as a state keeps it: terms, and their weights in base64. */
export type KeptTerms = { terms: string[]; idf: string };

/** Words and characters of a training set's texts, as vocabularies and as features. */
export interface TextBlocks {
  words: Features;
  characters: Features;
  /** What a state keeps of them, given the name of the features that were chosen. */
  kept(chosen: string): { words: KeptTerms; characters: KeptTerms };
}

/** Reads texts as TF-IDF of words and of characters. */
export function textBlocks(texts: readonly string[]): TextBlocks {
  const vocabularies = { words: learnVocabulary(texts), characters: learnVocabulary(texts, "characters") };
  const block = (vocabulary: Vocabulary): Features => {
    const read = vectorizer(vocabulary);
    return { name: vocabulary.by, rows: texts.map(read), columns: vocabulary.terms.length };
  };
  return {
    words: block(vocabularies.words),
    characters: block(vocabularies.characters),
    kept: (chosen) => {
      const keep = (by: Terms): KeptTerms => {
        const used = chosen.split(" + ").includes(by);
        return {
          terms: used ? vocabularies[by].terms : [],
          idf: packFloats(used ? vocabularies[by].idf : []),
        };
      };
      return { words: keep("words"), characters: keep("characters") };
    },
  };
}

/** Reads a text as the columns that kept words and characters had: words first. */
export function textReader(words: KeptTerms, characters: KeptTerms | undefined): (text: string) => Row {
  const parts = [
    { by: "words" as const, ...words },
    ...(characters ? [{ by: "characters" as const, ...characters }] : []),
  ];
  const readers = parts.map(({ by, terms, idf }) => ({
    size: terms.length,
    read: vectorizer({ by, terms, idf: unpackFloats(idf, terms.length, `the weights of ${by}`) }),
  }));
  return (text) => {
    let row: Row = { columns: [], values: [] };
    let offset = 0;
    for (const { size, read } of readers) {
      if (size > 0) row = append(row, offset, read(text));
      offset += size;
    }
    return row;
  };
}

/** Blocks side by side; the name says which. */
export function joined(blocks: readonly Features[]): Features {
  const [first, ...rest] = blocks as [Features, ...Features[]];
  if (rest.length === 0) return first;
  return rest.reduce(
    (left, right) => ({
      name: `${left.name} + ${right.name}`,
      rows: left.rows.map((row, i) => append(row, left.columns, right.rows[i] as Row)),
      columns: left.columns + right.columns,
      blocks,
    }),
    first,
  );
}

/** A row with another one's columns appended from `offset` on. */
export function append(row: Row, offset: number, next: Row): Row {
  return {
    columns: row.columns.concat(next.columns.map((column) => offset + column)),
    values: row.values.concat(next.values),
  };
}

/** A dense vector as a row that has every column. */
export function denseRow(values: ArrayLike<number>): Row {
  return { columns: Array.from({ length: values.length }, (_, i) => i), values: Array.from(values) };
}

/** Vectors laid one after the other, as features. */
export function denseFeatures(name: string, vectors: ArrayLike<number>, dimensions: number): Features {
  const columns = Array.from({ length: dimensions }, (_, i) => i);
  const rows = Array.from({ length: vectors.length / Math.max(1, dimensions) }, (_, row) => ({
    columns,
    values: columns.map((i) => vectors[row * dimensions + i] as number),
  }));
  return { name, rows, columns: dimensions };
}
