// The two studies of the lexical reproduction: a multilingual generalist at several layers, references, the specialist and the
// controlled experiment's specialists on all tests; and an English encoder.

import { writePairs } from "../../data/constraints.js";
import type { Given } from "../paper.js";
import type { Plan } from "../plans.js";
import type { LexicalData } from "./read.js";
import type { LexicalSettings } from "./settings.js";

export const taskNames = {
  seen: "lexicon, seen languages",
  unseen: "lexicon, unseen languages",
  seenCsls: "lexicon, seen languages, CSLS",
  unseenCsls: "lexicon, unseen languages, CSLS",
  similarity: "similarity",
  retrieval: "retrieval",
  areas: "areas of law",
} as const;
export type TaskKey = keyof typeof taskNames;
/** The English study's. */
export const englishTasks = { definitions: "definitions", areas: "areas of law" } as const;

/** How much of language modelling specialization preserves. */
export const modellingTask = "language modelling";

/** Names of tasks have no commas in a study. */
export const taskName = (task: TaskKey): string => taskNames[task].replaceAll(",", "");

export const specialist = "specialised";
export const generalist = "generalist";
export const ngrams = "ngrams";
export const vectors = "word vectors";
export const withGlosses = "specialised, with glosses";
export const layerName = (layer: number): string => (layer === 0 ? "input embeddings" : `layer ${layer}`);
export const cellName = (constraints: number, languages: "few" | "many"): string =>
  `${constraints} constraints, ${languages} languages`;

export function lexicalPlans(given: Given<LexicalSettings, LexicalData>): Plan[] {
  const { english, modelling } = given.settings;
  return [
    wordsPlan(given),
    ...(modelling ? [modellingPlan(given, modelling.bytes)] : []),
    ...(english ? [englishPlan(given, english)] : []),
  ];
}

/** A study's rows, one file per split; words of one group stay together in intervals. */
const rows = (file: string) => ({
  splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: `file:${file}.jsonl` },
  id: "id",
  input: "text",
  label: "answer",
  stratum: "stratum",
  group: "group",
  leakage: "report",
});

/** Nothing is learnt or chosen on these tasks, but a task needs three splits. */
const alone = (file: string) => ({
  ...rows(file),
  splits: { train: `file:${file}-train.jsonl`, dev: `file:${file}-dev.jsonl`, test: `file:${file}.jsonl` },
});
const parted = (file: string, all: readonly unknown[]) => ({
  [`${file}-train.jsonl`]: all.slice(0, 1),
  [`${file}-dev.jsonl`]: all.slice(1, 2),
  [`${file}.jsonl`]: all.slice(2),
});
const linesOf = (list: readonly string[]) => list.map((line) => `${line}\n`).join("");

const areas = {
  name: taskName("areas"),
  kind: "probing",
  examples: "file:areas.tsv",
  data: alone("areas"),
};
const wordVectors = ({ tokens, dimensions }: LexicalSettings["wordVectors"]) => ({
  wordVectors: { corpora: "file:corpora.tsv", dictionaries: "file:dictionaries.tsv", tokens, dimensions },
});

/** The task beside which constraints are learnt, and its files. */
const main = (data: LexicalData) => ({
  task: lexicon("seen"),
  files: {
    "train.jsonl": data.dev.slice(0, 1),
    "dev.jsonl": data.dev.slice(1),
    "seen.jsonl": data.seen,
  },
  texts: { "words.tsv": linesOf(data.words), "constraints.tsv": writePairs(data.constraints) },
});
const lexicon = (task: "seen" | "unseen", measure: "cosine" | "csls" = "cosine") => ({
  name: taskName(measure === "csls" ? `${task}Csls` : task),
  kind: "lexicon",
  vocabulary: "file:words.tsv",
  measure,
  data: rows(task),
});
const lexicalArm = ({ training }: LexicalSettings, more: object) => ({
  lexical: { ...training, source: "file:constraints.tsv", ...more },
});

function wordsPlan({ settings, models, data }: Given<LexicalSettings, LexicalData>): Plan {
  const options = (more: object) => lexicalArm(settings, more);
  const { task, files, texts } = main(data);
  const cells = settings.constraints.flatMap((pairs) =>
    (["few", "many"] as const).map((languages): [string, unknown] => [
      cellName(pairs, languages),
      options({
        pairs,
        ...settings.controlled,
        ...(languages === "few" ? { languages: settings.fewLanguages } : {}),
      }),
    ]),
  );
  const unseen = data.unseen.length > 0;
  return {
    part: "words",
    model: models[0] as string,
    description: "Words of a generalist and of its lexical specialists",
    study: {
      task,
      elsewhere: [
        ...(unseen ? [lexicon("unseen")] : []),
        lexicon("seen", "csls"),
        ...(unseen ? [lexicon("unseen", "csls")] : []),
        {
          name: taskName("similarity"),
          kind: "similarity",
          data: { ...alone("similarity"), question: "{{question}}" },
        },
        {
          name: taskName("retrieval"),
          kind: "retrieval",
          vocabulary: "file:sentences.tsv",
          data: alone("retrieval"),
        },
        areas,
      ],
      seeds: settings.seeds,
    },
    files: {
      ...files,
      "unseen.jsonl": data.unseen,
      ...parted("similarity", data.similarity),
      ...parted("retrieval", data.retrieval),
      ...parted("areas", data.areas.rows),
    },
    texts: {
      ...texts,
      "sentences.tsv": linesOf(data.sentences),
      "areas.tsv": linesOf(data.areas.examples),
      "corpora.tsv": linesOf(data.corpora),
      "dictionaries.tsv": linesOf(data.dictionaries),
    },
    arms: {
      [generalist]: "zeroShot",
      [ngrams]: "ngrams",
      [vectors]: wordVectors(settings.wordVectors),
      ...Object.fromEntries(settings.layers.map((at) => [layerName(at), { layer: { at } }])),
      [specialist]: options({}),
      ...Object.fromEntries(cells),
    },
  };
}

/** The previous study's specialist, evaluated as a language model without further training. */
function modellingPlan({ settings, models, data }: Given<LexicalSettings, LexicalData>, bytes: number): Plan {
  const { task, files, texts } = main(data);
  return {
    part: "modelling",
    model: models[0] as string,
    description: "What specialization leaves of language modelling",
    study: {
      task,
      elsewhere: [{ name: modellingTask, kind: "corpus", subjects: "encoder", bytes, data: alone("texts") }],
      seeds: settings.seeds,
    },
    files: { ...files, ...parted("texts", data.texts) },
    texts,
    arms: { [generalist]: "zeroShot", [specialist]: lexicalArm(settings, {}) },
  };
}

/** Finding the word of a definition with an English encoder. */
function englishPlan(
  { settings, data }: Given<LexicalSettings, LexicalData>,
  { model, training }: NonNullable<LexicalSettings["english"]>,
): Plan {
  const { definitions } = data;
  const options = (more: object) => ({
    lexical: { ...training, source: "file:constraints.tsv", languages: ["eng"], ...more },
  });
  return {
    part: "english",
    model,
    description: "The word of a definition, by an English encoder and its specialists",
    study: {
      task: {
        name: englishTasks.definitions,
        kind: "lexicon",
        vocabulary: "file:words.tsv",
        data: alone("definitions"),
      },
      elsewhere: [areas],
      seeds: settings.seeds,
    },
    files: { ...parted("definitions", definitions.rows), ...parted("areas", data.areas.rows) },
    texts: {
      "words.tsv": linesOf(definitions.vocabulary),
      "constraints.tsv": writePairs(definitions.constraints),
      "areas.tsv": linesOf(data.areas.examples),
      "corpora.tsv": linesOf(data.corpora.filter((line) => line.startsWith("en\t"))),
      "dictionaries.tsv": "",
    },
    arms: {
      [generalist]: "zeroShot",
      [ngrams]: "ngrams",
      [vectors]: wordVectors(settings.wordVectors),
      [layerName(0)]: { layer: { at: 0 } },
      [specialist]: options({}),
      [withGlosses]: options({ gloss: "own" }),
    },
  };
}
