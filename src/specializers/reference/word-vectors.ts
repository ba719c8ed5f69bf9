// wordVectors: skip-gram vectors with subwords, one space per language, rotated into one by Procrustes on dictionaries. The
// reference that a language model's word vectors must beat: what a corpus and a dictionary give without any model. Weak where the
// corpus is small.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { HoneError, messageOf } from "../../core/errors.js";
import { fingerprint, type Json } from "../../core/json.js";
import type { Given, Specializer } from "../../core/specializer.js";
import { resolveSource } from "../../data/sources.js";
import { mapped, procrustes } from "../../learn/procrustes.js";
import { type SubwordVectors, subwordReader, trainSkipGram, wordsOf } from "../../learn/skip-gram.js";
import { readSafetensor, readSafetensors, writeSafetensors } from "../../tensor/safetensors.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const wordVectorsOptions = z.strictObject({
  corpora: z.string().min(1).describe("files of sentences: a language, a tab and a text on every line"),
  dictionaries: z
    .string()
    .min(1)
    .describe("files of translations: language, word, language, word, with tabs between"),
  hub: z.string().min(1).default("en").describe("the language whose space the others are mapped into"),
  dimensions: z.int().min(4).max(1024).default(100).describe("dimensions of a vector"),
  window: z.int().min(1).max(50).default(5).describe("maximum words to each side"),
  negatives: z.int().min(1).max(50).default(5).describe("words drawn as negatives for each true one"),
  tokens: z
    .int()
    .min(1)
    .default(1_000_000)
    .describe("words read from a corpus over all its epochs, of which there are 5 to 100"),
  learningRate: z.number().positive().max(1).default(0.05).describe("learning rate of the first step"),
  buckets: z
    .int()
    .min(64)
    .max(4_000_000)
    .default(50_000)
    .describe("rows for hashed n-grams of 3 to 6 letters"),
});
/** Options of `wordVectors`. */
export type WordVectorsOptions = z.input<typeof wordVectorsOptions>;
type Chosen = z.output<typeof wordVectorsOptions>;

/** What training reports for a language. */
type Learnt = { tokens: number; words: number; epochs: number; translations: number };
type State = { artifact: string; report: { languages: Record<string, Learnt> } };

/** A language's space, rotated into the common one. */
interface Space {
  readonly words: ReadonlySet<string>;
  readonly vector: (word: string) => Float32Array;
}

const subwords = { shortest: 3, longest: 6 } as const;

/**
 * Trains a space of vectors for every language of the corpora, and rotates each into the hub's. A text is the mean of its words'
 * vectors, each of unit length. Languages are those that the task names; where it names none, a word is the mean over the languages
 * whose corpus has it, or over all where none has.
 *
 * A language without a dictionary is left as it is: its words are not comparable with others'. Words of dev and test must not be in
 * the dictionaries: their author must exclude them.
 */
export function wordVectors(options: WordVectorsOptions): Specializer<State, "encoder"> {
  const chosen = readOptions(wordVectorsOptions, "wordVectors", options);
  return {
    name: "wordVectors",
    label: "wordVectors",
    options: chosen,
    needs: [],
    kinds: ["encoder"],
    reference: true,
    trains: true,
    seeded: true,
    fit: async (_subject, given) => {
      const folder = await given.artifacts.scratch("word vectors");
      await mkdir(folder, { recursive: true });
      const languages = await learn(chosen, given, folder);
      return { artifact: await given.artifacts.keep(folder), report: { languages } };
    },
    apply: (_subject, { artifact }, { artifacts }) => {
      let opened: Promise<ReadonlyMap<string, Space>> | undefined;
      return {
        kind: "encoder",
        name: "wordVectors",
        id: fingerprint(["wordVectors", 1, chosen as Json, artifact]),
        respond: async (texts, { languages }) => {
          opened ??= openSpaces(artifacts.path(artifact));
          const spaces = await opened;
          return texts.map((text, i) => vectorOf(text, languages?.[i], spaces, chosen.dimensions));
        },
      };
    },
  };
}

async function learn(
  options: Chosen,
  given: Given<"encoder">,
  folder: string,
): Promise<Record<string, Learnt>> {
  const { dimensions, window, negatives, learningRate, buckets, hub } = options;
  const { signal } = given.context;
  const corpora = new Map<string, string[][]>();
  for (const [language = "", text = ""] of await tabbed(options.corpora, 2, given)) {
    const words = wordsOf(text);
    const own = corpora.get(language) ?? [];
    corpora.set(language, own);
    if (words.length > 1) own.push(words);
  }
  const dictionary = await tabbed(options.dictionaries, 4, given);
  if (!corpora.has(hub))
    throw new HoneError({
      what: `wordVectors has no corpus of the hub ${JSON.stringify(hub)}`,
      where: options.corpora,
      why: `it has ${[...corpora.keys()].join(", ")}`,
      next: "Name one of these as `hub`, or add its sentences.",
      kind: "usage",
    });
  const order = [hub, ...[...corpora.keys()].filter((one) => one !== hub).sort()];
  const learnt: Record<string, Learnt> = {};
  const models: Record<string, SubwordVectors> = {};
  for (const [i, language] of order.entries()) {
    const sentences = corpora.get(language) as string[][];
    const tokens = sentences.reduce((sum, { length }) => sum + length, 0);
    const epochs = Math.min(100, Math.max(5, Math.round(options.tokens / Math.max(1, tokens))));
    models[language] = await trainSkipGram(sentences, {
      ...subwords,
      dimensions,
      window,
      negatives,
      learningRate,
      buckets,
      epochs,
      subsample: 1e-3,
      seed: given.seed,
      signal,
      onEpoch: (done, of) =>
        given.progress(i * 100 + Math.round((100 * done) / of), order.length * 100, language),
    });
    learnt[language] = { tokens, words: models[language].words.length, epochs, translations: 0 };
  }
  const readers = new Map(order.map((one) => [one, unitReader(models[one] as SubwordVectors)]));
  for (const language of order) {
    const model = models[language] as SubwordVectors;
    if (language !== hub) {
      const pairs = dictionary.flatMap(([a, left = "", b, right = ""]): [string, string][] =>
        a === language && b === hub ? [[left, right]] : a === hub && b === language ? [[right, left]] : [],
      );
      (learnt[language] as Learnt).translations = pairs.length;
      if (pairs.length > 0) {
        const side = (of: string, at: 0 | 1) =>
          rowsOf(
            pairs.map((pair) => pair[at]),
            readers.get(of) as Reader,
            dimensions,
          );
        const turn = procrustes(side(language, 0), side(hub, 1), dimensions);
        models[language] = { ...model, vectors: mapped(model.vectors, turn, dimensions) };
      }
    }
  }
  await writeSafetensors(
    join(folder, "vectors.safetensors"),
    Object.fromEntries(
      order.map((one) => {
        const { vectors } = models[one] as SubwordVectors;
        return [one, { data: vectors, shape: [vectors.length / dimensions, dimensions] }];
      }),
    ),
  );
  const about = order.map((language) => {
    const { vectors: _, grams, ...rest } = models[language] as SubwordVectors;
    return { language, ...rest, grams: [...grams] };
  });
  await writeFile(join(folder, "words.json"), JSON.stringify(about));
  return learnt;
}

async function openSpaces(folder: string): Promise<ReadonlyMap<string, Space>> {
  const about = JSON.parse(await readFile(join(folder, "words.json"), "utf8")) as (Omit<
    SubwordVectors,
    "vectors" | "grams"
  > & { language: string; grams: number[] })[];
  const file = await readSafetensors(join(folder, "vectors.safetensors"));
  const spaces = new Map<string, Space>();
  for (const { language, grams, ...rest } of about) {
    const { data } = await readSafetensor(file, language);
    const vector = unitReader({ ...rest, grams: Int32Array.from(grams), vectors: data as Float32Array });
    spaces.set(language, { words: new Set(rest.words), vector });
  }
  return spaces;
}

type Reader = (word: string) => Float32Array;

function unitReader(model: SubwordVectors): Reader {
  const read = subwordReader(model);
  return (word) => {
    const vector = read(word);
    const length = Math.hypot(...vector);
    return length > 0 ? vector.map((value) => value / length) : vector;
  };
}

function rowsOf(words: readonly string[], read: Reader, width: number): Float32Array {
  const made = new Float32Array(words.length * width);
  for (const [i, word] of words.entries()) made.set(read(word.toLowerCase()), i * width);
  return made;
}

function vectorOf(
  text: string,
  language: string | undefined,
  spaces: ReadonlyMap<string, Space>,
  width: number,
): number[] {
  const sum = new Array<number>(width).fill(0);
  for (const word of wordsOf(text)) {
    const named = language === undefined ? undefined : spaces.get(language);
    const having = [...spaces.values()].filter(({ words }) => words.has(word));
    const read =
      language !== undefined ? (named ? [named] : []) : having.length > 0 ? having : [...spaces.values()];
    for (const { vector } of read)
      for (const [i, value] of vector(word).entries()) sum[i] = (sum[i] as number) + value / read.length;
  }
  return sum;
}

/** Lines of files as cells. @throws HoneError with the line that has another number of them */
async function tabbed(source: string, cells: number, given: Given<"encoder">): Promise<string[][]> {
  const { files } = await resolveSource(source, { base: given.base, signal: given.context.signal });
  const found: string[][] = [];
  for (const file of files) {
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
    } catch (error) {
      throw unreadable(file, messageOf(error), cells);
    }
    for (const [i, line] of text.split(/\r?\n/).entries()) {
      if (line === "") continue;
      const row = line.split("\t");
      if (row.length !== cells || row[0] === "")
        throw unreadable(`${file}:${i + 1}`, `it has ${row.length} cells`, cells);
      found.push(row);
    }
  }
  return found;
}

function unreadable(where: string, why: string, cells: number): HoneError {
  return new HoneError({
    what: "wordVectors cannot read its files",
    where,
    why,
    next:
      cells === 2
        ? "Give a language, a tab and a text on every line."
        : "Give a language, a word, a language and a word on every line, with tabs between.",
    kind: "usage",
  });
}

/** Its entry in the table of specializers. */
export const wordVectorsEntry = {
  make: wordVectors,
  options: wordVectorsOptions,
  summary:
    "Skip-gram vectors with subwords, mapped into one space by Procrustes on dictionaries; needs no model",
  paper:
    "A reference: Bojanowski et al. 2017 (arXiv 1607.04606); Smith et al. 2017, Offline Bilingual Word Vectors (1702.03859)",
  leaf: null,
} satisfies SpecializerEntry;
