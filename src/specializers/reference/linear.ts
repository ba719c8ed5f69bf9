// linear: logistic regression on words and characters, on sentence vectors, or on both. A reference without a language
// model: anything that costs more must beat it.
//
// Features and penalty are chosen by cross-validation on train; weights are fitted on all of train. Dev is not used.

import { z } from "zod";
import type { CallContext } from "../../core/call.js";
import type { Query } from "../../core/language.js";
import type { Given, LanguageSpecializer, Tools } from "../../core/specializer.js";
import { append, denseFeatures, denseRow, joined, textBlocks, textReader } from "../../learn/blocks.js";
import { type LogisticModel, logProbabilities } from "../../learn/logistic.js";
import { type ChosenPenalty, choosePenalty } from "../../learn/penalty.js";
import { questionsVary, readText } from "../../learn/text.js";
import type { Row } from "../../learn/tfidf.js";
import { encodeTexts, packFloats, requireEncoder, unpackFloats } from "../../learn/vectors.js";
import { chooseClass, classesOf, knownChoices } from "../parts/classes.js";
import { defineSpecializer } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const linearOptions = z.strictObject({
  features: z
    .enum(["tfidf", "vectors", "both"])
    .default("tfidf")
    .describe(
      '"tfidf" for words, characters or both, whichever cross-validation on train prefers; "vectors" for the sentence encoder; "both" for the two together',
    ),
  folds: z.int().min(2).max(20).default(5).describe("parts of train in the cross-validation, 2 to 20"),
});
/** Options of `linear`. */
export type LinearOptions = z.input<typeof linearOptions>;

type State = {
  /** Labels that train has examples of, in the task's order: the classes. */
  classes: string[];
  /** All of the task's labels; those not in `classes` are never chosen and get no score. */
  labels: string[];
  question: boolean;
  /** Words and their weights; empty if words are not features. */
  terms: string[];
  idf: string;
  /** The same of characters. */
  characters?: { terms: string[]; idf: string };
  /** The encoder's id and its vectors' length, or null where features are words alone. */
  encoder: { id: string; dimensions: number } | null;
  weights: string;
  chosen: ChosenPenalty;
};

/** Classifies input and question by logistic regression. For tasks whose samples share their labels. */
export function linear(options: LinearOptions = {}): LanguageSpecializer {
  const { features, folds } = readOptions(linearOptions, "linear", options);
  return defineSpecializer<State>({
    name: "linear",
    label: `linear(${features})`,
    options: { features, folds },
    ...(features === "tfidf" ? {} : { encodes: () => true }),
    reference: true,
    fit: (_subject, given) => fitLinear(given, features, folds),
    behave: (state, _subject, tools) => {
      const rowOf = rowReader(state, tools);
      const columns = columnsOf(state);
      const model: LogisticModel = {
        classes: state.classes.length,
        columns,
        weights: unpackFloats(state.weights, (columns + 1) * state.classes.length, "the weights"),
      };
      return {
        respond: async (query, context) => {
          const choices = knownChoices(query, state);
          if (choices.length === 0) return { unscored: "other-labels" };
          const row = await rowOf(query, context);
          return chooseClass(choices, state.classes, logProbabilities(model, row.columns, row.values));
        },
      };
    },
  });
}

async function fitLinear(
  given: Given,
  features: "tfidf" | "vectors" | "both",
  folds: number,
): Promise<State> {
  const { classes, labels, queries, targets, groups } = classesOf(given, "linear");
  const question = questionsVary(queries);
  const texts = queries.map((query) => readText(query, question));

  const text = features === "vectors" ? undefined : textBlocks(texts);
  const encoded = features === "tfidf" ? null : await encodeTexts(texts, given);
  const vectors = encoded ? [denseFeatures("vectors", encoded.vectors, encoded.dimensions)] : [];
  const candidates = text
    ? [[text.words], [text.characters], [text.words, text.characters]].map((parts) =>
        joined([...parts, ...vectors]),
      )
    : vectors;
  const { chosen, model } = await choosePenalty(
    { candidates, targets, classes: classes.length, groups, folds },
    { signal: given.context.signal, progress: given.progress },
  );
  const none = { terms: [], idf: packFloats([]) };
  const { words, characters } = text?.kept(chosen.features) ?? { words: none, characters: none };
  return {
    classes,
    labels,
    question,
    ...words,
    characters,
    encoder: encoded ? { id: encoded.encoder, dimensions: encoded.dimensions } : null,
    weights: packFloats(model.weights),
    chosen,
  };
}

function columnsOf({ terms, characters, encoder }: State): number {
  return terms.length + (characters?.terms.length ?? 0) + (encoder?.dimensions ?? 0);
}

/** Reads a query as a row of the same columns that train had. */
function rowReader(state: State, tools: Tools): (query: Query, context: CallContext) => Promise<Row> {
  const read = textReader(state, state.characters);
  const { encoder: used } = state;
  return async (query, context) => {
    const text = readText(query, state.question);
    const row = read(text);
    if (!used) return row;
    const encoder = requireEncoder(await tools.encoder(), used.id);
    const { vectors } = await encoder.embed([text], context);
    return append(row, columnsOf(state) - used.dimensions, denseRow(vectors[0] ?? []));
  };
}

/** Its entry in the table of specializers. */
export const linearEntry = {
  make: linear,
  options: linearOptions,
  summary: "Logistic regression on words or sentence vectors; needs no language model",
  paper:
    "A reference: Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, section 4.4",
  leaf: null,
} satisfies SpecializerEntry;
