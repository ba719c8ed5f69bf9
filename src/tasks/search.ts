// Search by an encoder: finding the right texts of another language among many. `lexicon` translates words (bilingual lexicon
// induction), `retrieval` finds translated sentences. Every query is one sample.

import { resolve } from "node:path";
import { z } from "zod";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type { EncoderSubject } from "../core/kinds.js";
import { share } from "../core/metric.js";
import type { Sample } from "../core/sample.js";
import type { Grade, Task } from "../core/task.js";
import { readTabbed } from "../data/tabbed.js";
import { hubness, type Rows, ranks } from "../learn/search.js";
import { rows, taskEntry } from "./table.js";

const shared = {
  vocabulary: z
    .string()
    .min(1)
    .describe("file of the texts to search (and CSLS's neighbours): a language, a tab and a text per line"),
  measure: z
    .enum(["cosine", "csls"])
    .default("cosine")
    .describe('"csls" corrects for hubs, which are near to everything (Conneau et al. 2018)'),
  neighbours: z.int().min(1).max(100).default(10).describe("Number of neighbours for CSLS"),
};

const lexiconSchema = z.strictObject({
  kind: z.literal("lexicon").describe("Word translation: mean reciprocal rank in a vocabulary"),
  ...shared,
});
const retrievalSchema = z.strictObject({
  kind: z.literal("retrieval").describe("Retrieval of translated sentences: accuracy at rank 1"),
  ...shared,
});

type Options = z.output<typeof lexiconSchema> | z.output<typeof retrievalSchema>;

/** The searched texts of one language. */
interface Index extends Rows {
  readonly texts: readonly string[];
  readonly places: ReadonlyMap<string, readonly number[]>;
}

/** Vectors of vocabularies, by their texts: tasks that search the same vocabulary share them. */
const indices = new WeakMap<EncoderSubject, Map<string, Promise<Index>>>();

/** Number of samples whose texts are embedded and searched together. */
const together = 512;

function searchTask(name: string, options: Options, base: string): Task<"encoder"> {
  const path = resolve(base, options.vocabulary.replace(/^file:/, ""));
  const languages = readVocabulary(path);
  const keys = new Map([...languages].map(([language, texts]) => [language, fingerprint([language, texts])]));
  const hubs = new WeakMap<EncoderSubject, Map<string, Promise<Float32Array>>>();
  const gathered = new WeakMap<EncoderSubject, Map<string, Pending[]>>();

  const vectorsOf = async (
    subject: EncoderSubject,
    texts: readonly string[],
    language: string,
    context: Context,
  ) => {
    let vectors = new Float32Array(0);
    let width = 0;
    for (let at = 0; at < texts.length; at += together * 4) {
      const part = texts.slice(at, at + together * 4);
      const found = await subject.respond(part, { ...context, languages: part.map(() => language) });
      width ||= found[0]?.length ?? 0;
      if (at === 0) vectors = new Float32Array(texts.length * width);
      for (const [i, vector] of found.entries()) vectors.set(unit(vector), (at + i) * width);
    }
    return { vectors, width };
  };
  const indexOf = (subject: EncoderSubject, language: string, context: Context): Promise<Index> => {
    const texts = languages.get(language);
    if (!texts) throw lacking(path, language, name);
    return once(indices, subject, keys.get(language) as string, async () => {
      const places = new Map<string, number[]>();
      for (const [i, text] of texts.entries()) {
        const key = folded(text);
        places.set(key, [...(places.get(key) ?? []), i]);
      }
      return { texts, places, ...(await vectorsOf(subject, texts, language, context)) };
    });
  };
  const flush = async (
    subject: EncoderSubject,
    languagePair: string,
    pending: Pending[],
    context: Context,
  ) => {
    const [source, target] = languagePair.split("-") as [string, string];
    const index = await indexOf(subject, target, context);
    const less =
      options.measure === "csls"
        ? await once(hubs, subject, languagePair, async () => {
            const near = await hubness(
              index,
              await indexOf(subject, source, context),
              options.neighbours,
              context.signal,
            );
            // CSLS is 2 cos - r(x) - r(y); the query's own r does not change the order.
            return near.map((value) => value / 2);
          })
        : undefined;
    const queries = await vectorsOf(
      subject,
      pending.map(({ text }) => text),
      source,
      context,
    );
    const gold = pending.map((one) => one.gold.flatMap((text) => index.places.get(folded(text)) ?? []));
    const { rank, first } = await ranks(queries, index, gold, context.signal, less);
    for (const [i, one] of pending.entries()) {
      const top = first[i] as { index: number; score: number };
      one.done({ rank: rank[i] as number, text: index.texts[top.index] ?? "", score: top.score });
    }
  };
  const ask = (
    subject: EncoderSubject,
    pair: string,
    text: string,
    gold: readonly string[],
    context: Context,
  ): Promise<Found> =>
    new Promise((done, fail) => {
      const own = gathered.get(subject) ?? new Map<string, Pending[]>();
      gathered.set(subject, own);
      const list = own.get(pair);
      if (list) {
        list.push({ text, gold, done, fail });
        return;
      }
      const fresh: Pending[] = [{ text, gold, done, fail }];
      own.set(pair, fresh);
      // Samples requested at the same time go through the encoder together.
      setImmediate(() => {
        own.delete(pair);
        flush(subject, pair, fresh, context).catch((error) => {
          for (const one of fresh) one.fail(error);
        });
      });
    });

  const languagesOf = ({ stratum: pair = "", id }: Sample): string => {
    if (/^[^-]+-[^-]+$/.test(pair)) return pair;
    throw new HoneError({
      what: `A sample of ${name} does not name its languages`,
      where: `sample ${id}`,
      why: `its stratum is ${JSON.stringify(pair)}`,
      next: 'Give every row a `stratum` such as "en-de": the language of the text, then that of its translation.',
      kind: "usage",
    });
  };
  const lexicon = options.kind === "lexicon";
  return {
    name,
    kind: options.kind,
    subjects: "encoder",
    metric: share(lexicon ? "MRR" : "accuracy"),
    details: lexicon ? [share("precision1"), share("precision5")] : [share("reciprocalRank")],
    binary: !lexicon,
    id: fingerprint([
      options.kind,
      1,
      name,
      { ...options, vocabulary: null },
      [...languages].map(([a, b]) => [a, [...b]]),
    ]),
    async predict(subject, sample, context) {
      const { text, score } = await ask(subject, languagesOf(sample), sample.input, [], context);
      return { text, score };
    },
    async evaluate(subject, sample, context): Promise<Grade> {
      const pair = languagesOf(sample);
      const { rank, text } = await ask(subject, pair, sample.input, [sample.gold].flat(), context);
      const [first, fifth] = [rank <= 1 ? 1 : 0, rank <= 5 ? 1 : 0];
      return {
        status: "scored",
        score: lexicon ? 1 / rank : first,
        prediction: text,
        details: lexicon ? { precision1: first, precision5: fifth } : { reciprocalRank: 1 / rank },
      };
    },
  };
}

type Context = Parameters<EncoderSubject["respond"]>[1];
/** The rank of the right text, the text ranked first, and its score. */
interface Found {
  rank: number;
  text: string;
  score: number;
}
interface Pending {
  text: string;
  gold: readonly string[];
  done: (found: Found) => void;
  fail: (error: unknown) => void;
}

function once<T>(
  memory: WeakMap<EncoderSubject, Map<string, Promise<T>>>,
  subject: EncoderSubject,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const own = memory.get(subject) ?? new Map<string, Promise<T>>();
  memory.set(subject, own);
  const found = own.get(key) ?? make();
  own.set(key, found);
  found.catch(() => own.delete(key));
  return found;
}

function unit(vector: ArrayLike<number>): Float32Array {
  const made = Float32Array.from(vector);
  let square = 0;
  for (const value of made) square += value * value;
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  return made.map((value) => value * scale);
}

const folded = (text: string) => text.normalize("NFC").toLowerCase();

function readVocabulary(path: string): Map<string, string[]> {
  const languages = new Map<string, string[]>();
  for (const [language, text] of readTabbed(path, {
    list: "the vocabulary",
    first: "language",
    second: "text",
  })) {
    const own = languages.get(language) ?? [];
    languages.set(language, own);
    own.push(text);
  }
  return languages;
}

function lacking(path: string, language: string, task: string): HoneError {
  return new HoneError({
    what: `The vocabulary of ${task} has no ${language}`,
    where: path,
    why: `samples look for words of ${JSON.stringify(language)}`,
    next: "Add its words, or leave these samples out.",
    kind: "usage",
  });
}

export const lexiconTask = taskEntry({
  options: lexiconSchema,
  data: rows,
  make: (name, options, _labels, base = ".") => searchTask(name, options, base),
});
export const retrievalTask = taskEntry({
  options: retrievalSchema,
  data: rows,
  make: (name, options, _labels, base = ".") => searchTask(name, options, base),
});
