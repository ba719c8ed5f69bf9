// Questions asked without the text that answers them, and passages retrieved for them: PubMedQA without its abstracts, and
// BioASQ's factoid questions. It makes the two studies; the paper has no such experiment, the survey's first leaf does.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { randomFor, shuffled } from "../../core/random.js";
import { asText, readRows } from "../../data/index.js";
import type { DataFolder } from "../data.js";
import { readJsonFile } from "../json.js";
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

/** Shorter ones are single sentences; they make no fair other documents for a question about an abstract. */
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
  const { documents, factoids } = await readBioasq(folder.path("med", "bioasq"));
  const known = new Set(abstracts.map(({ id }) => id.replace(/\D/g, "")));
  // A question's own paper, conclusion and all, would tell the label.
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
  // Every number of passages by words alone, the largest in every way.
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

interface BioasqFile {
  questions: {
    id: string;
    body: string;
    type: string;
    exact_answer?: unknown;
    snippets?: { text: string; document: string }[];
  }[];
}

/** Documents by the number of their PubMed record, with all text quoted from them; factoid questions in a drawn order. */
async function readBioasq(folder: string): Promise<{ documents: Document[]; factoids: Factoid[] }> {
  const texts = new Map<string, Set<string>>();
  const factoids = new Map<string, Factoid>();
  const numberOf = (address: string) => address.slice(address.lastIndexOf("/") + 1);
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(".json")).sort()) {
    const { questions } = (await readJsonFile(join(folder, name), false)) as BioasqFile;
    for (const { id, body, type, exact_answer, snippets = [] } of questions) {
      for (const { text, document } of snippets) {
        const known = texts.get(numberOf(document)) ?? new Set();
        texts.set(numberOf(document), known.add(text));
      }
      const answers = [exact_answer].flat(3).map(asText).filter(Boolean);
      if (type !== "factoid" || answers.length === 0 || factoids.has(body)) continue;
      const evidence = [...new Set(snippets.map(({ document }) => numberOf(document)))];
      factoids.set(body, { id: `bioasq/${id}`, input: body, answers, evidence });
    }
  }
  return {
    documents: [...texts].map(([id, parts]) => ({ id, text: [...distinct(parts)].join("\n") })),
    factoids: shuffled([...factoids.values()], randomFor(0, "medprompt/draw", "bioasq")),
  };
}

/** Quotes that are not part of a longer quote. */
function distinct(parts: ReadonlySet<string>): string[] {
  const all = [...parts];
  return all.filter((part) => !all.some((other) => other.length > part.length && other.includes(part)));
}
