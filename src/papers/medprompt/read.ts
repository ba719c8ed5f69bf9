// Reading the medical sets: from a folder of JSON lines if it has their files, else from the Hub, into a study's rows.
// Long answers, explanations and conclusions are never read: they reveal the label.

import { randomFor, shuffled } from "../../core/random.js";
import type { SplitName } from "../../core/sample.js";
import { asText, readRows, resolveSource, type SourceOptions } from "../../data/index.js";
import type { DataFolder } from "../data.js";
import type { MedpromptSettings } from "./settings.js";

/** One question of a set. */
export interface MedRow {
  /** `set/id`. */
  id: string;
  input: string;
  question: string;
  options: { label: string[]; text: string[] };
  answer: string;
  /** Ids of the documents that hold the answer. */
  evidence: string[];
}

export type MedRows = Record<SplitName, MedRow[]>;
type Row = Record<string, unknown>;
type Sizes = Pick<MedpromptSettings, "chars" | "limit">;

interface MedSet {
  title: string;
  /** File of each split in the folder, if a folder can have them; splits that share a file divide it. */
  folder?: Record<SplitName, string>;
  hub: Record<SplitName, string>;
}

const splits = (train: string, dev: string, test: string): Record<SplitName, string> => ({
  train,
  dev,
  test,
});

function mmlu(subject: string): [string, MedSet] {
  const of = (split: string) => `hf:cais/mmlu/${subject}/${split}-*.parquet`;
  const title = `MMLU ${subject.replaceAll("_", " ")}`;
  return [`mmlu_${subject}`, { title, hub: splits(of("validation"), of("dev"), of("test")) }];
}

const medqaTrain = "hf:GBaker/MedQA-USMLE-4-options/phrases_no_exclude_train.jsonl";
const medqaTest = "hf:GBaker/MedQA-USMLE-4-options/phrases_no_exclude_test.jsonl";
// The Hub has the thousand labelled questions as one part, without the official halves.
const pubmedqa = "hf:qiaojin/PubMedQA/pqa_labeled/*.parquet";
const medmcqa = (split: string) => `hf:openlifescienceai/medmcqa/data/${split}-*.parquet`;

/** The nine multiple-choice sets of MultiMedQA (§3.1). */
export const medSets: Readonly<Record<string, MedSet>> = {
  medqa: {
    title: "MedQA",
    folder: splits("medqa_train1030.jsonl", "medqa_dev.jsonl", "medqa_test.jsonl"),
    hub: splits(medqaTrain, medqaTrain, medqaTest),
  },
  pubmedqa: {
    title: "PubMedQA",
    folder: splits("pubmedqa_train.jsonl", "pubmedqa_train.jsonl", "pubmedqa_test.jsonl"),
    hub: splits(pubmedqa, pubmedqa, pubmedqa),
  },
  medmcqa: {
    title: "MedMCQA",
    // These data have no training file: dev's own questions are divided.
    folder: splits("medmcqa_dev.jsonl", "medmcqa_dev.jsonl", "medmcqa_dev.jsonl"),
    hub: splits(medmcqa("train"), medmcqa("train"), medmcqa("validation")),
  },
  ...Object.fromEntries(
    [
      "clinical_knowledge",
      "medical_genetics",
      "anatomy",
      "professional_medicine",
      "college_biology",
      "college_medicine",
    ].map(mmlu),
  ),
};

/** Whether the folder has all files of a set. */
export function inFolder(key: string, folder: DataFolder): boolean {
  const files = medSets[key]?.folder;
  const names = folder.names("med");
  return files !== undefined && Object.values(files).every((name) => names.has(name));
}

/** @throws HoneError where the set is neither in the folder nor available from the Hub */
export async function readSet(
  key: string,
  folder: DataFolder,
  sizes: Sizes,
  options: SourceOptions,
): Promise<MedRows> {
  const set = medSets[key] as MedSet;
  const here = inFolder(key, folder);
  const sources = here ? (set.folder as Record<SplitName, string>) : set.hub;
  const read = new Map<string, MedRow[]>();
  for (const source of new Set(Object.values(sources))) {
    const paths = here ? [folder.path("med", source)] : (await resolveSource(source, options)).files;
    const rows: MedRow[] = [];
    for (const path of paths) {
      for await (const { row } of readRows(path))
        rows.push(toRow(key, row as Row, rows.length + 1, sizes.chars));
    }
    read.set(source, shuffled(rows, randomFor(0, "medprompt/draw", source)));
  }
  return divide(sources, read, sizes.limit);
}

/** Splits with their own file take its beginning; those that share one take consecutive parts. */
function divide(
  sources: Record<SplitName, string>,
  read: ReadonlyMap<string, MedRow[]>,
  limit: Sizes["limit"],
): MedRows {
  const rows: MedRows = { train: [], dev: [], test: [] };
  const taken = new Map<string, number>();
  for (const split of ["test", "dev", "train"] as const) {
    const source = sources[split];
    const all = read.get(source) as MedRow[];
    const from = taken.get(source) ?? 0;
    const shares = Object.values(sources).filter((one) => one === source).length;
    // When a file is divided, no split may take everything.
    const share = Math.ceil((all.length - from) / (split === "train" ? 1 : shares));
    const most = Math.min(limit[split], share);
    rows[split] = all.slice(from, from + most);
    taken.set(source, from + most);
  }
  return rows;
}

/** @param place the row's number, its id where it has none */
export function toRow(key: string, row: Row, place: number, chars: Sizes["chars"]): MedRow {
  const id = asText(row.id ?? row.pubid ?? place);
  const whole = row.context as Row | string | undefined;
  const context = asText(
    typeof whole === "object" && Array.isArray(whole.contexts) ? whole.contexts.join("\n") : (whole ?? ""),
  ).slice(0, chars.context);
  const asked = asText(row.question);
  // The actual question is at the end of a vignette: its tail is kept.
  const question = asked.length > chars.question ? asked.slice(-chars.question) : asked;
  return {
    id: `${key}/${id}`,
    input: context === "" ? question : context,
    question: context === "" ? "" : question,
    ...choicesOf(row),
    evidence: context === "" ? [] : [id],
  };
}

const letters = ["A", "B", "C", "D", "E", "F", "G", "H"];

/** The options and the answer's letter, in any of the sets' formats. */
function choicesOf(row: Row): Pick<MedRow, "options" | "answer"> {
  const listed = (texts: unknown[], answer: unknown) => ({
    options: { label: letters.slice(0, texts.length), text: texts.map(asText) },
    answer: letters[Number(answer)] ?? "",
  });
  // The Hub's MedMCQA counts from 0 in `cop`, its MMLU in `answer`; its PubMedQA gives the word.
  if (row.opa !== undefined) return listed([row.opa, row.opb, row.opc, row.opd], row.cop);
  if (Array.isArray(row.choices)) return listed(row.choices, row.answer);
  if (row.final_decision !== undefined) {
    const words = ["yes", "no", "maybe"];
    return listed(words, words.indexOf(asText(row.final_decision)));
  }
  const options = Object.entries((row.options ?? {}) as Row);
  return {
    options: { label: options.map(([letter]) => letter), text: options.map(([, text]) => asText(text)) },
    answer: asText(row.answer_idx ?? row.answer),
  };
}
