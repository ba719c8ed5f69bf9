// What a saved specialist contains besides its state: how rows become its samples, how well it did, and a profile of the
// inputs on which that was measured. It makes a specialist usable on new rows without its study.

import { lstatSync, realpathSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { z } from "zod";
import { HoneError, messageOf } from "../core/errors.js";
import type { Sample } from "../core/sample.js";
import { pathInside } from "../data/cache.js";
import { datasetSchema } from "../data/schema.js";

const fields = datasetSchema.shape;

/** The part of a study's `data` that says how a row becomes a sample. */
export const rowsSchema = z.strictObject({
  input: fields.input,
  id: fields.id,
  question: fields.question,
  instruction: fields.instruction,
  stratum: fields.stratum,
  options: fields.options,
});

/** Its score on the study's test split. */
export const measuredSchema = z.strictObject({
  metric: z.string(),
  better: z.enum(["higher", "lower"]),
  display: z.enum(["percent", "number"]),
  n: z.number(),
  unscored: z.number(),
  mean: z.number(),
  low: z.number(),
  high: z.number(),
  openedBefore: z
    .strictObject({ rows: z.number(), of: z.number(), plans: z.number() })
    .optional()
    .describe("How many of the test rows other plans had opened"),
});

/** The inputs that it was measured on, as distributions that new inputs can be compared with. */
export const profileSchema = z.strictObject({
  n: z.number(),
  words: z.array(z.number()).describe("Numbers of words of the inputs, or quantiles of them"),
  unseen: z
    .array(z.number())
    .describe(
      "Of each input, the share of its words that no train sample has (no dev sample, where nothing is trained)",
    ),
  vocabulary: z
    .string()
    .describe("The words of train (or dev) as sorted 32-bit hashes, little-endian, base64"),
  mix: z.record(z.string(), z.number()).describe("How often it predicted each label"),
});

export type Profile = z.infer<typeof profileSchema>;

/** Most numbers of a distribution, and most words of a vocabulary, that are kept. */
const [mostValues, mostWords] = [1_000, 50_000];

/** The lower-case words of a text. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu) ?? [];
}

/** Tells which words were seen. */
export type Seen = (word: string) => boolean;

/** Reads a profile's vocabulary; undefined where it keeps none. */
export function seenBy({ vocabulary }: Pick<Profile, "vocabulary">): Seen | undefined {
  if (vocabulary === "") return undefined;
  const bytes = Buffer.from(vocabulary, "base64");
  const hashes = new Set<number>();
  for (let at = 0; at + 4 <= bytes.length; at += 4) hashes.add(bytes.readUInt32LE(at));
  return (word) => hashes.has(hashOf(word));
}

/** Number of words, and the share of them that was not seen before. */
export function measureInput(
  input: string,
  seen: Seen | undefined,
): { words: number; unseen: number | undefined } {
  const words = wordsOf(input);
  const unseen =
    seen && words.length > 0 ? rounded(words.filter((word) => !seen(word)).length / words.length) : undefined;
  return { words: words.length, unseen };
}

const vocabularies = new WeakMap<readonly unknown[], string>();

/** The words of samples that a specialist may have learnt from, for a profile; computed once per list. */
export function vocabularyOf(samples: readonly Pick<Sample, "input">[]): string {
  const known = vocabularies.get(samples);
  if (known !== undefined) return known;
  const counts = new Map<string, number>();
  for (const { input } of samples)
    for (const word of wordsOf(input)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const commonest = [...counts].sort(([, a], [, b]) => b - a).slice(0, mostWords);
  const hashes = Uint32Array.from(new Set(commonest.map(([word]) => hashOf(word)))).sort();
  const bytes = Buffer.alloc(4 * hashes.length);
  for (const [i, hash] of hashes.entries()) bytes.writeUInt32LE(hash, 4 * i);
  const vocabulary = bytes.toString("base64");
  vocabularies.set(samples, vocabulary);
  return vocabulary;
}

/**
 * The profile of the samples that a specialist was measured on.
 * @param vocabulary of the samples that it may have learnt from
 */
export function profileOf(
  vocabulary: string,
  measured: Iterable<{ input: string; prediction: string | undefined }>,
): Profile {
  const seen = seenBy({ vocabulary });
  const words: number[] = [];
  const unseen: number[] = [];
  const mix: Record<string, number> = Object.create(null);
  for (const { input, prediction } of measured) {
    const one = measureInput(input, seen);
    words.push(one.words);
    if (one.unseen !== undefined) unseen.push(one.unseen);
    if (prediction !== undefined) mix[prediction] = (mix[prediction] ?? 0) + 1;
  }
  return { n: words.length, words: thinned(words), unseen: thinned(unseen), vocabulary, mix: { ...mix } };
}

/** The values in order, or as many evenly spaced quantiles of them as are kept. */
function thinned(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const kept =
    sorted.length <= mostValues
      ? sorted
      : Array.from(
          { length: mostValues },
          (_, i) => sorted[Math.floor(((i + 0.5) / mostValues) * sorted.length)]!,
        );
  return kept;
}

/** To four digits, both in a profile and in what is compared with it, so that ties stay ties. */
const rounded = (share: number): number => Math.round(share * 1e4) / 1e4;

/** FNV-1a, 32 bits. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(word)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Task options that name a file: what is searched, what a probe is fitted on. */
const fileOptions = ["vocabulary", "examples"];

/** The files that a task's options name, by option; absolute paths in what a study saves. */
export function filesIn(options: object): [option: string, path: string][] {
  return Object.entries(options).flatMap(([option, value]): [string, string][] =>
    fileOptions.includes(option) && typeof value === "string" ? [[option, value.replace(/^file:/, "")]] : [],
  );
}

/**
 * A folder's own file: inside it, with no link on the way. The files that a specialist of unknown origin names must be such.
 * @param where what names it, for the error
 * @returns its path
 * @throws HoneError if it is not
 */
export function ownFile(folder: string, name: string, where: string): string {
  try {
    const path = pathInside(folder, name, where);
    if (!lstatSync(path).isFile()) throw new Error("it is a link, a folder or a device");
    const real = realpathSync(path);
    if (real !== join(realpathSync(folder), relative(folder, path)))
      throw new Error("a folder on the way to it is a link");
    return path;
  } catch (error) {
    throw new HoneError({
      what: "The specialist names a file that is not its own",
      where: `${where}: ${JSON.stringify(name.slice(0, 200))}`,
      why: error instanceof HoneError ? (error.failure.why ?? error.failure.what) : messageOf(error),
      next: "Export it again with `hone export`, which copies the files that it needs into its folder.",
    });
  }
}

/** The same options with those files resolved against a folder: a saved specialist may be used from any other. */
export function filesAt<T extends object>(options: T, folder: string): T {
  const found = filesIn(options).map(([option, path]) => [option, resolve(folder, path)]);
  return { ...options, ...Object.fromEntries(found) };
}
