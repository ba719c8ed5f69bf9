// retrieve: puts the passages of a document collection that are most similar to each query into its context (Lewis et al.
// 2020, RAG, arXiv 2005.11401, without their training of the retriever). It adds knowledge, not worked examples.

import { join } from "node:path";
import { z } from "zod";
import type { CallContext } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import type { Passage, Query, Step } from "../../core/language.js";
import type { Given, LanguageSpecializer, Tools } from "../../core/specializer.js";
import { questionsVary } from "../../learn/text.js";
import { requireEncoder } from "../../learn/vectors.js";
import { defineSpecializer } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { cutPassages, readDocuments } from "./documents/passages.js";
import { createIndex, fuse, type Hit, openIndex, type PassageIndex } from "./documents/store.js";

const readable = z.enum(["input", "question", "options"]);

const retrieveOptions = z.strictObject({
  documents: z
    .string()
    .min(1)
    .describe(
      "where the documents are: file:, hf: or pip:, as data sources; a row or a text file is one document",
    ),
  id: z
    .string()
    .min(1)
    .optional()
    .describe("field or template of a document's id; without it the field `id`, else the file's name"),
  text: z
    .string()
    .min(1)
    .default("text")
    .describe('field or template of its text: "{{title}}\\n{{abstract}}"'),
  passage: z
    .strictObject({
      words: z.int().min(10).max(2000).default(120),
      overlap: z.int().min(0).max(1000).default(20),
    })
    .refine(({ words, overlap }) => overlap * 2 <= words, "overlap must be at most half of words")
    .prefault({})
    .describe(
      "how documents are cut: words per passage, and how many it repeats from the one before (overlap)",
    ),
  by: z
    .enum(["bm25", "vectors", "both"])
    .default("bm25")
    .describe('"bm25" for shared words, "vectors" for similar meaning, "both" to fuse their ranks'),
  k: z.int().min(1).max(100).default(3).describe("how many passages, 1 to 100"),
  with: z
    .array(readable)
    .min(1)
    .optional()
    .describe(
      "the parts of a query to search for: input, question, options; by default the input, and the question where questions differ",
    ),
});
/** Options of `retrieve`. */
export type RetrieveOptions = z.input<typeof retrieveOptions>;

type State = {
  index: { artifact: string };
  /** The parts of a query that are searched for, in this order. */
  search: z.output<typeof readable>[];
  /** The encoder of the vectors; null without vectors. */
  encoder: string | null;
  documents: number;
  passages: number;
  /** Documents without text; they are in no passage. */
  empty: number;
};

const fileName = "passages.db";

/** Passages that are embedded and written together. */
const batchSize = 64;

/**
 * Puts the k best passages of the documents before each query's input, the best last, nearest to the question, and lists
 * them in the answer's trail. The index travels with the specialist; the documents are not needed for answering.
 *
 * Documents are not checked against the task's data: the study's author must make sure that they do not hold the test's
 * answers.
 *
 * @example
 * import { retrieve } from "@honelab/hone";
 * retrieve({ documents: "file:abstracts.jsonl", text: "{{title}}\n{{abstract}}", by: "both", k: 3 });
 */
export function retrieve(options: RetrieveOptions): LanguageSpecializer {
  const chosen = readOptions(retrieveOptions, "retrieve", options);
  const { by, k } = chosen;
  return defineSpecializer<State>({
    name: "retrieve",
    label: `retrieve(k=${k}, ${by})`,
    options: JSON.parse(JSON.stringify(chosen)),
    ...(by === "bm25" ? {} : { encodes: () => true }),
    fit: (_subject, given) => fitIndex(given, chosen),
    behave: (state, subject, tools) => {
      const search = searcher(state, tools, by, k);
      return {
        respond: async (query, context) => {
          const hits = (await search(query, context)).reverse();
          const passages = hits.map(({ id, text }): Passage => ({ id, text }));
          const steps = hits.map(({ id, score, text }): Step => ({ kind: "passage", id, score, text }));
          const asked =
            passages.length === 0 ? query : { ...query, passages: [...passages, ...(query.passages ?? [])] };
          const answer = await subject.respond(asked, context);
          const trail = [...steps, ...(answer.trail ?? [])];
          return trail.length === 0 ? answer : { ...answer, trail };
        },
      };
    },
  });
}

async function fitIndex(given: Given, options: z.output<typeof retrieveOptions>): Promise<State> {
  const { context, base } = given;
  const folder = await given.artifacts.scratch("retrieve");
  const index = createIndex(join(folder, fileName));
  const encoder = options.by === "bm25" ? undefined : await given.encoder();
  let documents = 0;
  let passages = 0;
  let empty = 0;
  let batch: Passage[] = [];
  // Vectors are cached by text with the study's calls, so that after a change of documents only new passages cost.
  const flush = async (): Promise<void> => {
    context.signal.throwIfAborted();
    const vectors = encoder
      ? (
          await encoder.embed(
            batch.map(({ text }) => text),
            context,
          )
        ).vectors
      : [];
    for (const [i, passage] of batch.entries()) index.add(passage, vectors[i]);
    passages += batch.length;
    batch = [];
    given.progress(passages, 0, `${passages} passages`);
  };
  try {
    const source = { base, signal: context.signal };
    for await (const document of readDocuments(options.documents, options.id, options.text, source)) {
      index.document(document.id, document.place);
      documents++;
      const cut = cutPassages(document, options.passage);
      if (cut.length === 0) empty++;
      for (const passage of cut) {
        batch.push(passage);
        if (batch.length === batchSize) await flush();
      }
    }
    if (batch.length > 0) await flush();
    if (passages === 0) {
      throw new HoneError({
        what: "There is nothing to retrieve",
        where: options.documents,
        why: `none of its ${documents} documents has text in ${JSON.stringify(options.text)}`,
        next: "Name the field or the template that holds the text as `text`.",
        kind: "usage",
      });
    }
    index.finish();
  } catch (error) {
    index.abandon();
    throw error;
  }
  const vary = given.train.length === 0 || questionsVary(given.train);
  return {
    index: { artifact: await given.artifacts.keep(folder) },
    search: options.with ?? (vary ? ["question", "input"] : ["input"]),
    encoder: encoder?.id ?? null,
    documents,
    passages,
    empty,
  };
}

/** Finds a query's passages, the best first. The index is opened at the first query. */
function searcher(
  state: State,
  tools: Tools,
  by: "bm25" | "vectors" | "both",
  k: number,
): (query: Query, context: CallContext) => Promise<Hit[]> {
  const path = join(tools.artifacts.path(state.index.artifact), fileName);
  let opened: PassageIndex | undefined;
  return async (query, context) => {
    opened ??= openIndex(path);
    const index = opened;
    const text = state.search.map((part) => textOf(query, part)).join("\n");
    // Ranks are fused from longer lists than are kept, so that a passage in both can overtake one that leads in one.
    const depth = by === "both" ? Math.max(50, 5 * k) : k;
    const lists: Hit[][] = [];
    if (by !== "vectors") lists.push(index.byWords(text, depth));
    if (by !== "bm25") {
      const encoder = requireEncoder(await tools.encoder(), state.encoder ?? "");
      const { vectors } = await encoder.embed([text], context);
      lists.push(index.byVector(vectors[0] ?? [], depth));
    }
    return by === "both" ? fuse(lists, k) : (lists[0] ?? []);
  };
}

function textOf(query: Query, part: "input" | "question" | "options"): string {
  if (part === "options") return (query.options ?? []).map(({ text }) => text).join("\n");
  return query[part] ?? "";
}

/** Its entry in the table of specializers. */
export const retrieveEntry = {
  make: retrieve,
  options: retrieveOptions,
  summary: "Passages of documents that are most like each query, put into its context",
  paper:
    "Lewis et al. 2020, Retrieval-Augmented Generation (arXiv 2005.11401); Robertson and Zaragoza 2009 (BM25)",
  leaf: "explicit knowledge",
} satisfies SpecializerEntry;
