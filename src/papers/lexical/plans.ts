// The one study of the lexical reproduction: the generalist at several layers, references, the specialist, and the controlled
// experiment's specialists, on all four tests.

import { writePairs } from "../../data/constraints.js";
import type { Given } from "../paper.js";
import type { Plan } from "../plans.js";
import type { LexicalData } from "./read.js";
import type { LexicalSettings } from "./settings.js";

export const taskNames = {
  seen: "lexicon, seen languages",
  unseen: "lexicon, unseen languages",
  similarity: "similarity",
  retrieval: "retrieval",
} as const;

/** Names of tasks have no commas in a study. */
export const taskName = (task: keyof typeof taskNames): string => taskNames[task].replaceAll(",", "");

export const specialist = "specialised";
export const generalist = "generalist";
export const layerName = (layer: number): string => (layer === 0 ? "input embeddings" : `layer ${layer}`);
export const cellName = (constraints: number, languages: "few" | "many"): string =>
  `${constraints} constraints, ${languages} languages`;

export function lexicalPlans({ settings, models, data }: Given<LexicalSettings, LexicalData>): Plan[] {
  const options = (more: object) => ({
    lexical: { ...settings.training, source: "file:constraints.tsv", ...more },
  });
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
  const rows = (file: string) => ({
    splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: `file:${file}.jsonl` },
    id: "id",
    input: "text",
    label: "answer",
    stratum: "stratum",
    group: "group",
    leakage: "report",
  });
  const lexicon = (task: "seen" | "unseen") => ({
    name: taskName(task),
    kind: "lexicon",
    vocabulary: "file:words.tsv",
    data: rows(task),
  });
  // Nothing is learnt or chosen there, and a task has three splits.
  const alone = (file: string) => ({
    ...rows(file),
    splits: {
      train: `file:${file}-train.jsonl`,
      dev: `file:${file}-dev.jsonl`,
      test: `file:${file}.jsonl`,
    },
  });
  const parted = (file: string, all: readonly unknown[]) => ({
    [`${file}-train.jsonl`]: all.slice(0, 1),
    [`${file}-dev.jsonl`]: all.slice(1, 2),
    [`${file}.jsonl`]: all.slice(2),
  });
  return [
    {
      part: "words",
      model: models[0] as string,
      description: "Words of a generalist and of its lexical specialists",
      study: {
        task: lexicon("seen"),
        elsewhere: [
          ...(data.unseen.length > 0 ? [lexicon("unseen")] : []),
          {
            name: taskName("similarity"),
            kind: "similarity",
            data: { ...alone("similarity"), question: "question" },
          },
          {
            name: taskName("retrieval"),
            kind: "retrieval",
            vocabulary: "file:sentences.tsv",
            data: alone("retrieval"),
          },
        ],
        seeds: settings.seeds,
      },
      files: {
        "train.jsonl": data.dev.slice(0, 1),
        "dev.jsonl": data.dev.slice(1),
        "seen.jsonl": data.seen,
        "unseen.jsonl": data.unseen,
        ...parted("similarity", data.similarity),
        ...parted("retrieval", data.retrieval),
      },
      texts: {
        "words.tsv": `${data.words.join("\n")}\n`,
        "sentences.tsv": `${data.sentences.join("\n")}\n`,
        "constraints.tsv": writePairs(data.constraints),
      },
      arms: {
        [generalist]: "zeroShot",
        ngrams: "ngrams",
        ...Object.fromEntries(settings.layers.map((at) => [layerName(at), { layer: { at } }])),
        [specialist]: options({}),
        ...Object.fromEntries(cells),
      },
    },
  ];
}
