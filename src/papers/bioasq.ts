// BioASQ's golden files: questions with the experts' quotes, and the quoted documents. Several papers read them.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { asText } from "../data/index.js";
import { readJsonFile } from "./json.js";

export interface BioasqQuestion {
  id: string;
  body: string;
  type: string;
  /** Accepted answers, or "yes" or "no". */
  answers: string[];
  /** Quotes in the order of the file, each once. */
  quotes: string[];
  /** Numbers of the PubMed records that were quoted. */
  evidence: string[];
}

export interface Bioasq {
  /** Documents by the number of their PubMed record, with all text quoted from them. */
  documents: { id: string; text: string }[];
  /** Each body once, in the order of the files. */
  questions: BioasqQuestion[];
}

interface File {
  questions: {
    id: string;
    body: string;
    type: string;
    exact_answer?: unknown;
    snippets?: { text: string; document: string }[];
  }[];
}

export async function readBioasq(folder: string): Promise<Bioasq> {
  const texts = new Map<string, Set<string>>();
  const questions = new Map<string, BioasqQuestion>();
  const numberOf = (address: string) => address.slice(address.lastIndexOf("/") + 1);
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(".json")).sort()) {
    const file = (await readJsonFile(join(folder, name), false)) as File;
    for (const { id, body, type, exact_answer, snippets = [] } of file.questions) {
      for (const { text, document } of snippets) {
        const known = texts.get(numberOf(document)) ?? new Set();
        texts.set(numberOf(document), known.add(text));
      }
      const key = `${type}\n${body}`;
      // A question without an answer in one file may have one in another.
      if (questions.get(key)?.answers.length) continue;
      questions.delete(key);
      questions.set(key, {
        id,
        body,
        type,
        answers: [exact_answer].flat(3).map(asText).filter(Boolean),
        quotes: distinct(new Set(snippets.map(({ text }) => text))),
        evidence: [...new Set(snippets.map(({ document }) => numberOf(document)))],
      });
    }
  }
  return {
    documents: [...texts].map(([id, parts]) => ({ id, text: distinct(parts).join("\n") })),
    questions: [...questions.values()],
  };
}

/** Quotes that are not part of a longer quote. */
function distinct(parts: ReadonlySet<string>): string[] {
  const all = [...parts];
  return all.filter((part) => !all.some((other) => other.length > part.length && other.includes(part)));
}
