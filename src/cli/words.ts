// hone words: finds a word's translations in other languages, from a saved index of word vectors.

import { HoneError } from "../core/errors.js";
import { readTabbed } from "../data/tabbed.js";
import { type IndexedWord, openWordIndex, writeWordIndex } from "../learn/word-index.js";
import type { NetEncoder } from "../models/net/types.js";
import { openModel } from "../models/registry.js";
import { openTrainedFolder, requireNet } from "../specializers/training/contrastive/kept.js";
import { makeOutput } from "./output.js";
import { table } from "./table.js";

interface Flags {
  index: string;
  to?: string;
  from?: string;
  k: number;
  build?: string;
  model?: string;
  trained?: string;
  json?: boolean;
}

export async function words(word: string | undefined, flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  if (flags.build !== undefined) return build(flags.build, flags, output);
  if (word === undefined) {
    throw new HoneError({
      what: "No word is given",
      where: "hone words",
      next: 'Write hone words "court" --to de,fr --index FOLDER.',
      kind: "usage",
    });
  }
  const index = await openWordIndex(flags.index);
  const languages = flags.to?.split(",").map((one) => one.trim()) ?? index.languages;
  const strange = languages.find((one) => !index.languages.includes(one));
  if (strange !== undefined) {
    throw new HoneError({
      what: `The index has no words in ${JSON.stringify(strange)}`,
      where: flags.index,
      why: `it has ${index.languages.join(", ")}`,
      next: "Name some of these with --to.",
      kind: "usage",
    });
  }
  const known = index.find(word, flags.from);
  const vector = known ?? (await encoded(word, index.model));
  const start = performance.now();
  const found = languages.map((language) => ({ language, words: index.nearest(vector, language, flags.k) }));
  const ms = performance.now() - start;
  output.record({ type: "done", word, inIndex: known !== undefined, ms, words: found });
  if (flags.json) return;
  const rows = found.flatMap(({ language, words: list }) =>
    list.map(({ word: other, score }, i) => [i === 0 ? language : "", other, score.toFixed(3)]),
  );
  output.say(table(["language", "word", "cosine"], rows, [2]));
}

/** `MODEL` or `MODEL + FOLDER`: the encoder that built an index. */
async function encoderOf(written: string): Promise<NetEncoder> {
  const [model, folder] = written.split(" + ") as [string, string?];
  const encoder = requireNet(await openModel(model), "hone words", model);
  return folder === undefined ? encoder : openTrainedFolder(encoder, folder);
}

async function encoded(word: string, model: string): Promise<Float32Array> {
  const encoder = await encoderOf(model);
  try {
    return await encoder.vectors([word], new AbortController().signal);
  } finally {
    await encoder.close();
  }
}

async function build(path: string, flags: Flags, output: ReturnType<typeof makeOutput>): Promise<void> {
  if (flags.model === undefined) {
    throw new HoneError({
      what: "Cannot build the word index",
      where: path,
      why: "no encoder is named",
      next: "Add --model encoder:gemma3-270m.",
      kind: "usage",
    });
  }
  const pairs = readTabbed(path, { list: "the words", first: "language", second: "word" });
  const list = [...new Set(pairs.map((pair) => pair.join("\t")))].map((line): IndexedWord => {
    const [language = "", ...word] = line.split("\t");
    return { language, word: word.join(" ") };
  });
  const model = flags.trained === undefined ? flags.model : `${flags.model} + ${flags.trained}`;
  const encoder = await encoderOf(model);
  const { width } = encoder.net;
  const vectors = new Float32Array(list.length * width);
  const signal = new AbortController().signal;
  const part = 2048;
  for (let at = 0; at < list.length; at += part) {
    const some = list.slice(at, at + part).map(({ word }) => word);
    vectors.set(await encoder.vectors(some, signal), at * width);
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${at + some.length} of ${list.length} words`);
  }
  if (process.stderr.isTTY) process.stderr.write("\n");
  await encoder.close();
  await writeWordIndex(flags.index, model, list, { vectors, width });
  output.record({ type: "done", index: flags.index, model, words: list.length, width });
  if (!flags.json) output.say(`${list.length} words in ${flags.index}`);
}
