// The index of passages: one SQLite file with their texts, a full-text index for BM25 and a table of vectors. It is written
// once, in the documents' order, so that equal documents give equal files; afterwards it is only read.

import { rmSync } from "node:fs";
import Database from "libsql";
import { HoneError, messageOf } from "../../../core/errors.js";
import type { Passage } from "../../../core/language.js";
import { words } from "../../../learn/text.js";

/** A passage with its score; higher is nearer, and only the order is comparable between kinds of search. */
export interface Hit extends Passage {
  number: number;
  score: number;
}

/** Most bytes of vectors that are held and compared one by one: about 700,000 passages of 384 numbers. */
const maxVectorBytes = 1 << 30;

/** Maximum number of distinct words of a query that are looked up, counted from its beginning. */
const maxQueryWords = 512;

const rowsPerCommit = 5000;

// Texts are split by words() before they come here, so the tokenizer only sees spaces between them; without `categories`, vowel
// signs (Hindi, Thai) would part words, too. `content=''` keeps the index without a second copy of the text. Its bm25() has
// k1 = 1.2 and b = 0.75 (Robertson and Zaragoza 2009).
const schema = `
pragma journal_mode = off; pragma synchronous = off;
create table passages (number integer primary key, document text not null, text text not null);
create table vectors (number integer primary key, vector blob not null);
create virtual table terms using fts5(words, content='', tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co' tokenchars '_'");
create temp table places (document text primary key, place text not null) without rowid;
`;

/**
 * Begins a new index file, deleting one that an interrupted fit left there.
 * @returns a writer of passages; `finish` completes the file
 */
export function createIndex(path: string) {
  for (const ending of ["", "-journal", "-wal", "-shm"]) rmSync(`${path}${ending}`, { force: true });
  const db = new Database(path);
  db.exec(schema);
  const putPassage = db.prepare("insert into passages values (?, ?, ?)");
  const putTerms = db.prepare("insert into terms (rowid, words) values (?, ?)");
  const putVector = db.prepare("insert into vectors values (?, ?)");
  const putPlace = db.prepare("insert or ignore into places values (?, ?)");
  const getPlace = db.prepare("select place from places where document = ?");
  let number = 0;
  db.exec("begin");
  return {
    /** @throws HoneError with both places where another document has the id */
    document(id: string, place: string): void {
      if (putPlace.run(id, place).changes > 0) return;
      const { place: first } = getPlace.get(id) as { place: string };
      throw new HoneError({
        what: `Two documents have the id ${JSON.stringify(id.slice(0, 80))}.`,
        where: `${first} and ${place}`,
        next: "Name a field as `id` that tells them apart, or remove one of them.",
      });
    },
    add(passage: Passage, vector?: readonly number[]): void {
      number++;
      putPassage.run(number, passage.id, passage.text);
      putTerms.run(number, words(passage.text).join(" "));
      if (vector) {
        if (number * vector.length * 4 > maxVectorBytes) throw tooMany(number);
        putVector.run(number, Buffer.from(Float32Array.from(vector).buffer));
      }
      if (number % rowsPerCommit === 0) db.exec("commit; begin");
    },
    finish(): void {
      db.exec("insert into terms(terms) values ('optimize'); commit");
      db.close();
    },
    /** Leaves an unfinished file, which the next fit deletes. */
    abandon(): void {
      db.close();
    },
  };
}

export type PassageIndex = ReturnType<typeof openIndex>;

/**
 * Opens a finished index for reading.
 * @throws HoneError when the file is not one
 */
export function openIndex(path: string) {
  let db: Database.Database;
  try {
    db = new Database(path, { readonly: true });
    db.prepare("select count(*) from passages").get();
  } catch (error) {
    throw new HoneError({
      what: "Cannot open the index of passages",
      where: path,
      why: messageOf(error),
      next: "Run the study again to rebuild the index.",
      cause: error,
    });
  }
  const match = db.prepare("select rowid, rank from terms where terms match ? order by rank, rowid limit ?");
  const getPassage = db.prepare("select document, text from passages where number = ?");
  let table: { rows: Float32Array; length: number; dimensions: number } | undefined;

  const hitOf = (number: number, score: number): Hit => {
    const { document, text } = getPassage.get(number) as { document: string; text: string };
    return { number, id: document, text, score };
  };
  const loadVectors = () => {
    const { n, bytes } = db
      .prepare("select count(*) as n, coalesce(max(length(vector)), 0) as bytes from vectors")
      .get() as { n: number; bytes: number };
    if (n * bytes > maxVectorBytes) throw tooMany(n);
    const dimensions = bytes / 4;
    const rows = new Float32Array(n * dimensions);
    for (const row of db.prepare("select number, vector from vectors").iterate()) {
      const { number, vector } = row as { number: number; vector: ArrayBuffer };
      rows.set(new Float32Array(vector), (number - 1) * dimensions);
    }
    return { rows, length: n, dimensions };
  };

  return {
    /** The n passages of highest BM25 score; fewer where fewer share a word with the text. */
    byWords(text: string, n: number): Hit[] {
      const asked = [...new Set(words(text))].slice(0, maxQueryWords);
      if (asked.length === 0) return [];
      // Quoted, a word is never read as syntax.
      const query = asked.map((word) => `"${word.replaceAll('"', '""')}"`).join(" OR ");
      const found = match.all(query, n) as { rowid: number; rank: number }[];
      return found.map(({ rowid, rank }) => hitOf(rowid, -rank));
    },
    /** The n passages of highest cosine. Every vector is compared: exact, and slow beyond some 100,000 passages. */
    byVector(vector: readonly number[], n: number): Hit[] {
      table ??= loadVectors();
      const { rows, length, dimensions } = table;
      if (vector.length !== dimensions) {
        throw new Error(`a vector of ${vector.length} numbers for an index of ${dimensions}`);
      }
      const best: { number: number; score: number }[] = [];
      for (let row = 0; row < length; row++) {
        let score = 0;
        for (let i = 0; i < dimensions; i++)
          score += (rows[row * dimensions + i] as number) * (vector[i] as number);
        if (!Number.isFinite(score)) continue;
        if (best.length === n && score <= (best[n - 1] as { score: number }).score) continue;
        let at = best.length;
        while (at > 0 && (best[at - 1] as { score: number }).score < score) at--;
        best.splice(at, 0, { number: row + 1, score });
        if (best.length > n) best.pop();
      }
      return best.map(({ number, score }) => hitOf(number, score));
    },
    close(): void {
      db.close();
    },
  };
}

/** Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): a hit scores the sum of 1 / (60 + its rank) over the lists. */
export function fuse(lists: readonly (readonly Hit[])[], n: number): Hit[] {
  const merged = new Map<number, Hit>();
  for (const list of lists) {
    for (const [i, hit] of list.entries()) {
      const before = merged.get(hit.number)?.score ?? 0;
      merged.set(hit.number, { ...hit, score: before + 1 / (60 + i + 1) });
    }
  }
  return [...merged.values()].sort((a, b) => b.score - a.score || a.number - b.number).slice(0, n);
}

function tooMany(passages: number): HoneError {
  return new HoneError({
    what: "There are too many passages to compare their vectors",
    why: `the vectors of ${passages} passages take more than ${maxVectorBytes / 2 ** 30} GiB`,
    next: "Search `by: bm25`, make passages longer, or leave documents out.",
    kind: "usage",
  });
}
