// The sets as rows of one task: biomedical ones with an instruction each, and those outside the domain. Long answers,
// explanations and conclusions are never read: they reveal the label.

import { readdir } from "node:fs/promises";
import { randomFor, shuffled } from "../../core/random.js";
import type { SplitName } from "../../core/sample.js";
import { asText, readRows } from "../../data/index.js";
import { type Bioasq, readBioasq } from "../bioasq.js";
import type { DataFolder } from "../data.js";
import { type MedRow, readSet } from "../medprompt/read.js";
import type { MedKey, SelfSpecializationSettings } from "./settings.js";

/** A row of the mixed task's files or of seeds. */
export interface Row {
  /** `set/id`. */
  id: string;
  stratum: string;
  instruction: string;
  input: string;
  question: string;
  options: { label: string[]; text: string[] };
  answer: string;
}

/** A seed as `selfSpecialize` reads it; written answers have no options. */
export interface SeedRow {
  id: string;
  instruction: string;
  input: string;
  question: string;
  options?: string[];
  response: string;
}

export interface WrittenRow {
  id: string;
  input: string;
  question: string;
  answers: string[];
}

export type Rows = Record<SplitName, Row[]>;

export interface DomainData {
  domain: Rows;
  seeds: SeedRow[];
  /** Factoid questions with their quotes, with written answers. */
  factoid: Record<SplitName, WrittenRow[]>;
  documents: { id: string; text: string }[];
  law: { rows: Rows; seeds: SeedRow[] } | null;
  general: Rows | null;
  missing: string[];
}

export const instructions: Readonly<Record<MedKey, string>> = {
  pubmedqa: "Answer the question about a biomedical study from its abstract with yes, no or maybe.",
  bioasq_yesno: "Answer the biomedical question from the passages with yes or no.",
  medqa: "Choose the right answer to the medical exam question about a patient.",
  medmcqa: "Choose the right answer to the question of medical knowledge.",
};
export const factoidInstruction = "Answer the biomedical question from the passages in a few words.";

type Sizes = Pick<SelfSpecializationSettings, "sets" | "chars" | "limit" | "outside" | "seeds">;

export async function readDomain(folder: DataFolder, sizes: Sizes): Promise<DomainData> {
  const { sets, chars, limit, seeds, outside } = sizes;
  const names = folder.names("med");
  const missing: string[] = [];
  const domain: Rows = { train: [], dev: [], test: [] };
  const seedRows: SeedRow[] = [];
  const bioasq: Bioasq = names.has("bioasq")
    ? await readBioasq(folder.path("med", "bioasq"))
    : { documents: [], questions: [] };
  // Seeds and worked examples come from the same part of train; seeds first.
  const most = { ...limit, train: limit.train + seeds };
  const take = (rows: Rows, forSeeds: number): void => {
    seedRows.push(...rows.train.slice(0, forSeeds).map(asSeed));
    domain.train.push(...rows.train.slice(0, limit.train));
    domain.dev.push(...rows.dev);
    domain.test.push(...rows.test);
  };
  for (const key of sets) {
    if (key === "bioasq_yesno") {
      const asked = bioasq.questions.filter(({ type, answers }) => type === "yesno" && answers.length > 0);
      const rows = divided(
        asked.map((one): Row => {
          const answer = (one.answers[0] as string).toLowerCase().startsWith("y") ? "A" : "B";
          const input = cut(one.quotes, chars.quotes);
          const options = { label: ["A", "B"], text: ["yes", "no"] };
          return {
            ...asRow(key, one.id),
            input: input || one.body,
            question: input ? one.body : "",
            options,
            answer,
          };
        }),
        most,
        key,
      );
      if (rows.test.length > 0) take(rows, seeds);
      else missing.push("BioASQ: med/bioasq has no yes/no questions");
      continue;
    }
    if (![...names].some((name) => name.startsWith(`${key}_`))) {
      missing.push(`${key}: there is no med/${key}_*.jsonl`);
      continue;
    }
    const read = await readSet(key, folder, { chars, limit: most }, {});
    const rowsOf = (split: SplitName) => read[split].map((row) => fromSet(key, row));
    take({ train: rowsOf("train"), dev: rowsOf("dev"), test: rowsOf("test") }, seeds);
  }
  const factoids = bioasq.questions
    .filter(({ type, answers }) => type === "factoid" && answers.length > 0)
    .map(({ id, body, answers, quotes }): WrittenRow => {
      const input = cut(quotes, chars.quotes);
      return { id: `bioasq_factoid/${id}`, input: input || body, question: input ? body : "", answers };
    });
  const factoid = divided(factoids, most, "bioasq_factoid");
  seedRows.push(
    ...factoid.train.slice(0, seeds).map(({ id, input, question, answers }) => ({
      id,
      instruction: factoidInstruction,
      input,
      question,
      response: answers[0] as string,
    })),
  );
  return {
    domain,
    seeds: seedRows,
    factoid: { ...factoid, train: factoid.train.slice(0, limit.train) },
    documents: await readCorpus(folder, bioasq, domain, factoid.test),
    law: await readLaw(folder, sizes, seedRows.length, missing),
    general: outside > 0 ? await readGeneral(folder, outside, missing) : null,
    missing,
  };
}

const asRow = (key: MedKey, id: string) => ({
  id: `${key}/${id}`,
  stratum: key,
  instruction: instructions[key],
});

function fromSet(key: MedKey, row: MedRow): Row {
  const { id, input, question, options, answer } = row;
  return { ...asRow(key, id.slice(id.indexOf("/") + 1)), input, question, options, answer };
}

function asSeed({ id, instruction, input, question, options, answer }: Row): SeedRow {
  const place = options.label.indexOf(answer);
  return { id, instruction, input, question, options: options.text, response: options.text[place] as string };
}

/** Test first, then dev, and the rest for train. */
function divided<One>(
  rows: readonly One[],
  limit: Record<SplitName, number>,
  key: string,
): Record<SplitName, One[]> {
  const mixed = shuffled(rows, randomFor(0, "self-specialization/draw", key));
  // Small sets keep some rows for training.
  const test = Math.min(limit.test, Math.floor(0.75 * mixed.length));
  return {
    test: mixed.slice(0, test),
    dev: mixed.slice(test, test + limit.dev),
    train: mixed.slice(test + limit.dev, test + limit.dev + limit.train),
  };
}

/** Whole quotes as far as they fit; the first is cut if it alone is too long. */
function cut(quotes: readonly string[], chars: number): string {
  let text = "";
  for (const quote of quotes) {
    if (text !== "" && text.length + quote.length + 1 > chars) break;
    text = text === "" ? quote.slice(0, chars) : `${text}\n${quote}`;
  }
  return text.trim();
}

/** PubMedQA's training abstracts and the documents that BioASQ's experts quoted, without those that test asks about. */
async function readCorpus(
  folder: DataFolder,
  { documents, questions }: Bioasq,
  domain: Rows,
  factoids: readonly WrittenRow[],
): Promise<DomainData["documents"]> {
  const asked = new Set(
    [...domain.test, ...domain.dev, ...factoids].map(({ id }) => id.slice(id.indexOf("/") + 1)),
  );
  const held = new Set(questions.filter(({ id }) => asked.has(id)).flatMap(({ evidence }) => evidence));
  const corpus = documents.filter(({ id, text }) => !held.has(id) && text.length >= 200);
  if (folder.names("med").has("pubmedqa_train.jsonl"))
    for await (const { row } of readRows(folder.path("med", "pubmedqa_train.jsonl")))
      if (!asked.has(asText(row.id))) corpus.push({ id: asText(row.id), text: asText(row.context) });
  return corpus;
}

const areas: Readonly<Record<string, string>> = {
  "1": "Criminal Procedure",
  "2": "Civil Rights",
  "3": "First Amendment",
  "4": "Due Process",
  "5": "Privacy",
  "6": "Attorneys",
  "7": "Unions",
  "8": "Economic Activity",
  "9": "Judicial Power",
  "10": "Federalism",
  "12": "Federal Taxation",
};

/** The issue area of Supreme Court cases, one of four (Supreme Court Database); and seeds in the domain's forms. */
async function readLaw(
  folder: DataFolder,
  { outside, limit }: Sizes,
  seeds: number,
  missing: string[],
): Promise<DomainData["law"]> {
  const names = folder.names("law");
  if (!names.has("scdb_oyez")) {
    missing.push("law: there is no law/scdb_oyez");
    return null;
  }
  const files = await readdir(folder.path("law", "scdb_oyez"));
  const of = async (start: string, most: number): Promise<{ row: Row; area: string }[]> => {
    const cases: { row: Row; area: string }[] = [];
    for (const name of files.filter((file) => file.startsWith(start) && file.endsWith(".jsonl")).sort()) {
      for await (const { row } of readRows(folder.path("law", "scdb_oyez", name))) {
        const area = areas[asText((row.labels as Record<string, unknown> | undefined)?.issueArea)];
        const facts = asText(row.facts).slice(0, 600);
        if (area === undefined || facts === "") continue;
        const id = asText(row.id);
        const others = Object.values(areas).filter((one) => one !== area);
        const shown = shuffled(
          [area, ...shuffled(others, randomFor(0, "law/others", id)).slice(0, 3)],
          randomFor(0, "law/order", id),
        );
        const label = ["A", "B", "C", "D"];
        cases.push({
          area,
          row: {
            id: `law/${id}`,
            stratum: "law",
            instruction: "Choose the issue area of the Supreme Court case.",
            input: facts,
            question: "",
            options: { label, text: shown },
            answer: label[shown.indexOf(area)] as string,
          },
        });
      }
    }
    return shuffled(cases, randomFor(0, "self-specialization/draw", start)).slice(0, most);
  };
  const train = await of("train", Math.max(seeds, limit.train));
  const rows = (cases: readonly { row: Row }[]) => cases.map(({ row }) => row);
  return {
    rows: {
      train: rows(train.slice(0, limit.train)),
      dev: rows(await of("val", limit.dev)),
      test: rows(await of("test", Math.max(outside, 1))),
    },
    seeds: train.slice(0, seeds).map(({ row, area }, i) => lawSeed(row, area, i)),
  };
}

/** A choice, a yes/no question and a written answer in turn, like the domain's seeds. */
function lawSeed(row: Row, area: string, i: number): SeedRow {
  if (i % 5 < 2) return asSeed(row);
  const { id, input, options } = row;
  if (i % 5 === 4)
    return {
      id,
      instruction: "Name the issue area of the Supreme Court case in a few words.",
      input,
      question: "What is the issue area?",
      response: area,
    };
  const asked = options.text[i % 2 === 0 ? row.options.label.indexOf(row.answer) : 0] as string;
  return {
    id,
    instruction: "Answer the question about the Supreme Court case with yes or no.",
    input,
    question: `Is the issue area ${asked}?`,
    options: ["yes", "no"],
    response: asked === area ? "yes" : "no",
  };
}

const generalFiles = [
  "False Belief Task.jsonl",
  "Persuasion Story Task.jsonl",
  "Unexpected Outcome Test.jsonl",
];

/** ToMBench's English stories: what people in them believe, want and feel. */
async function readGeneral(folder: DataFolder, most: number, missing: string[]): Promise<Rows | null> {
  if (!folder.names("social").has("tombench")) {
    missing.push("general: there is no social/tombench");
    return null;
  }
  const rows: Row[] = [];
  const files = new Set(await readdir(folder.path("social", "tombench")));
  for (const name of generalFiles.filter((file) => files.has(file))) {
    let n = 0;
    for await (const { row } of readRows(folder.path("social", "tombench", name))) {
      n++;
      const texts = ["A", "B", "C", "D"].map((letter) => asText(row[`OPTION-${letter}`]).trim());
      const answer = asText(row["答案\nANSWER"]).trim();
      if (texts.some((text) => text === "") || !/^[A-D]$/.test(answer)) continue;
      rows.push({
        id: `general/${name.slice(0, -6).replaceAll(" ", "-")}-${n}`,
        stratum: "general",
        instruction: "Choose the right answer to the question about the story.",
        input: asText(row.STORY).slice(0, 800),
        question: asText(row.QUESTION),
        options: { label: ["A", "B", "C", "D"], text: texts },
        answer,
      });
    }
  }
  return divided(rows, { test: most, dev: 2, train: 10 }, "general");
}
