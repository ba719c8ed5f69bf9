// Questions asked without the text that answers them, and passages retrieved for them: PubMedQA without its abstracts, and
// BioASQ's factoid questions. Builds the two studies; the experiment is not the paper's but the survey's first leaf.

import { randomFor, shuffled } from "../../core/random.js";
import { asText, readRows } from "../../data/index.js";
import { type BioasqQuestion, readBioasq } from "../bioasq.js";
import type { DataFolder } from "../data.js";
import { byLabel, fileSplits, type Plan, splitFiles } from "../plans.js";
import { readSet } from "./read.js";
import type { MedpromptSettings } from "./settings.js";

export interface LookupStudy {
  key: "pubmedqa without abstracts" | "bioasq factoid";
  files: Plan["files"];
  task: Readonly<Record<string, unknown>>;
  arms: Readonly<Record<string, unknown>>;
  /** The arm that retrieves nothing, and the one that retrieves most. */
  compared: { without: string; with: string };
}

interface Document {
  id: string;
  text: string;
}

/** Shorter documents are single sentences, which would not be fair distractors for a question about an abstract. */
const enoughText = 300;

/** The two studies, or an empty list where the folder lacks their files. */
export async function lookupStudies(
  folder: DataFolder,
  settings: Pick<MedpromptSettings, "lookup" | "chars">,
): Promise<LookupStudy[]> {
  const { lookup } = settings;
  const names = folder.names("med");
  if (lookup === null || !names.has("pubmedqa_test.jsonl") || !names.has("bioasq")) return [];
  const abstracts = await readAbstracts(folder);
  const { documents, questions } = await readBioasq(folder.path("med", "bioasq"));
  const factoids = factoidsOf(questions);
  const known = new Set(abstracts.map(({ id }) => id.replace(/\D/g, "")));
  // A question's own paper, conclusion included, would reveal the label.
  const others = shuffled(
    documents.filter(({ id, text }) => !known.has(id) && text.length >= enoughText),
    randomFor(0, "medprompt/draw", "documents"),
  ).slice(0, lookup.others);
  const limit = { train: 20, dev: 5, test: lookup.test };
  const open = { question: settings.chars.question, context: 0 };
  const asked = await readSet("pubmedqa", folder, { chars: open, limit }, {});
  const bare = (rows: typeof asked.test) =>
    rows.map((row) => ({ ...row, evidence: [row.id.slice(row.id.indexOf("/") + 1)] }));
  const retrieve = (by: string, k: number) => ({
    retrieve: {
      documents: "file:documents.jsonl",
      id: "id",
      by,
      k,
      passage: { words: lookup.words, overlap: 0 },
    },
  });
  const drawn = (from: number, n: number) => factoids.slice(from, from + n);
  const most = Math.max(...lookup.k);
  // BM25 with every number of passages, the other methods with the largest only.
  const ways = [
    ...lookup.k.map((k) => ["bm25", k] as const),
    ...lookup.by.filter((by) => by !== "bm25").map((by) => [by, most] as const),
  ].map(([by, k]): [string, unknown] => [`${by}, ${k}`, retrieve(by, k)]);
  const shots = { fewShot: { k: lookup.shots } };
  const data = (label: string) => ({
    splits: fileSplits,
    id: "id",
    input: "input",
    label,
    evidence: "evidence",
  });
  return [
    {
      key: "pubmedqa without abstracts",
      files: {
        ...splitFiles({ train: bare(asked.train), dev: bare(asked.dev), test: bare(asked.test) }),
        "documents.jsonl": [...abstracts, ...others],
      },
      task: {
        name: "pubmedqa without abstracts",
        kind: "choice",
        ...byLabel,
        data: { ...data("answer"), options: "options" },
      },
      arms: { "zero-shot": "zeroShot", ...Object.fromEntries(ways) },
      compared: { without: "zero-shot", with: ways.at(-1)?.[0] as string },
    },
    {
      key: "bioasq factoid",
      files: {
        ...splitFiles({
          train: drawn(limit.test + limit.dev, limit.train),
          dev: drawn(limit.test, limit.dev),
          test: drawn(0, limit.test),
        }),
        "documents.jsonl": documents,
      },
      task: {
        name: "bioasq factoid",
        kind: "answer",
        metric: "f1",
        maxTokens: 12,
        instruction: "Answer the question in a few words.",
        data: data("answers"),
      },
      arms: {
        "few-shot": shots,
        ...Object.fromEntries(lookup.k.map((k) => [`few-shot, bm25, ${k}`, [shots, retrieve("bm25", k)]])),
      },
      compared: { without: "few-shot", with: `few-shot, bm25, ${most}` },
    },
  ];
}

/** PubMedQA's contexts, train and test. They end before the conclusion, which is the answer. */
async function readAbstracts(folder: DataFolder): Promise<Document[]> {
  const documents: Document[] = [];
  for (const name of ["pubmedqa_train.jsonl", "pubmedqa_test.jsonl"])
    for await (const { row } of readRows(folder.path("med", name)))
      documents.push({ id: asText(row.id), text: asText(row.context) });
  return documents;
}

interface Factoid {
  id: string;
  input: string;
  answers: string[];
  evidence: string[];
}

/** Factoid questions that have an answer, in random order. */
function factoidsOf(questions: readonly BioasqQuestion[]): Factoid[] {
  const all = questions.filter(({ type, answers }) => type === "factoid" && answers.length > 0);
  return shuffled(
    all.map(({ id, body, answers, evidence }) => ({ id: `bioasq/${id}`, input: body, answers, evidence })),
    randomFor(0, "medprompt/draw", "bioasq"),
  );
}
