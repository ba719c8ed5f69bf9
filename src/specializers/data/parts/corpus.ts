// An unlabelled corpus in which the passages nearest to what is asked (BM25) are looked up while responses are written.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { HoneError } from "../../../core/errors.js";
import type { Passage } from "../../../core/language.js";
import type { Given } from "../../../core/specializer.js";
import { cutPassages, readDocuments } from "../../retrieval/documents/passages.js";
import { createIndex, openIndex } from "../../retrieval/documents/store.js";

export const corpusOptions = z.strictObject({
  documents: z
    .string()
    .min(1)
    .describe("where the documents are: file:, hf: or pip:; each row or text file is one document"),
  id: z.string().min(1).optional().describe("field or template of a document's id; `id` if omitted"),
  text: z.string().min(1).default("text").describe("field or template of its text"),
  words: z.int().min(10).max(2000).default(120).describe("words per passage"),
  k: z.int().min(1).max(20).default(1).describe("passages before each response"),
});
export type CorpusOptions = z.output<typeof corpusOptions>;

/** Indexes the corpus in a folder. The index is rebuilt each time: it is scratch work, not a result. */
export async function openCorpus(
  { documents, id, text, words, k }: CorpusOptions,
  folder: string,
  { base, context }: Pick<Given, "base" | "context">,
): Promise<{ find: (text: string) => Passage[]; passages: number; close: () => void }> {
  const path = join(folder, "corpus.db");
  const index = createIndex(path);
  let passages = 0;
  try {
    for await (const document of readDocuments(documents, id, text, { base, signal: context.signal })) {
      context.signal.throwIfAborted();
      index.document(document.id, document.place);
      for (const passage of cutPassages(document, { words, overlap: 0 })) {
        index.add(passage);
        passages++;
      }
    }
    if (passages === 0) {
      throw new HoneError({
        what: "The corpus has no text",
        where: documents,
        next: "Name the field or the template that holds the text as `corpus.text`.",
        kind: "usage",
      });
    }
    index.finish();
  } catch (error) {
    index.abandon();
    throw error;
  }
  const opened = openIndex(path);
  return {
    // The best last, next to the question.
    find: (query) =>
      opened
        .byWords(query, k)
        .reverse()
        .map((hit) => ({ id: hit.id, text: hit.text })),
    passages,
    close: () => {
      opened.close();
      rmSync(path, { force: true });
    },
  };
}
