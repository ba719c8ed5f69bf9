// linear: logistic regression on words and characters, on sentence vectors, or on both. A reference without a language
// model: what costs more must beat it.
//
// Features and penalty are chosen by cross-validation on train, and the weights are fitted on all of train. Dev is not
// looked at.

import { z } from "zod";
import type { CallContext } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import type { Answer, Query } from "../../core/language.js";
import type { Sample } from "../../core/sample.js";
import type { Given, LanguageSpecializer, Tools } from "../../core/specializer.js";
import { type LogisticModel, logProbabilities } from "../../learn/logistic.js";
import { type ChosenPenalty, choosePenalty, type Features } from "../../learn/penalty.js";
import { questionsVary, readText, sameTextKey } from "../../learn/text.js";
import { learnVocabulary, type Row, type Terms, vectoriser } from "../../learn/tfidf.js";
import {
  type EncodedTexts,
  encodeTexts,
  packFloats,
  requireEncoder,
  unpackFloats,
} from "../../learn/vectors.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";

export const linearOptions = z.strictObject({
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
  /** Words and their weights; none where words are no features. */
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
          const offered = query.options?.map((option) => option.key) ?? [];
          const known = offered.length > 0 && offered.every((key) => state.labels.includes(key));
          const choices = offered.filter((key) => state.classes.includes(key));
          if (!known || choices.length === 0) return { unscored: "other-labels" };
          const row = await rowOf(query, context);
          return choose(choices, state.classes, logProbabilities(model, row.columns, row.values));
        },
      };
    },
  });
}

function choose(choices: readonly string[], classes: readonly string[], logProbs: Float64Array): Answer {
  const scores = choices.map((key) => [key, logProbs[classes.indexOf(key)] as number] as const);
  const best = scores.reduce((a, b) => (b[1] > a[1] ? b : a));
  return { choice: best[0], scores: Object.fromEntries(scores) };
}

async function fitLinear(
  given: Given,
  features: "tfidf" | "vectors" | "both",
  folds: number,
): Promise<State> {
  requireTrain(given, "linear");
  const { task, train } = given;
  const labels = task.labels?.map((label) => label.key);
  if (!labels) {
    throw new HoneError({
      what: "linear cannot be used here",
      where: `task ${task.name}`,
      why: "it learns one weight vector a label, and this task's samples do not share their labels",
      next: "Take linear out of this task's study.",
      kind: "usage",
    });
  }
  const answers = train.map((sample) => answerOf(sample, given, labels));
  const classes = labels.filter((label) => answers.includes(label));
  const targets = Int32Array.from(answers, (answer) => classes.indexOf(answer));

  const queries = train.map((sample) => task.query(sample));
  const question = questionsVary(queries);
  const texts = queries.map((query) => readText(query, question));

  const vocabularies =
    features === "vectors" ? [] : [learnVocabulary(texts), learnVocabulary(texts, "characters")];
  const blocks = vocabularies.map((vocabulary): Features => {
    const read = vectoriser(vocabulary);
    return { name: vocabulary.by, rows: texts.map(read), columns: vocabulary.terms.length };
  });
  const encoded = features === "tfidf" ? null : await encodeTexts(texts, given);
  const vectors: Features[] = encoded ? [{ name: "vectors", ...vectorRows(encoded) }] : [];
  const [words, characters] = blocks as [Features?, Features?];
  const candidates =
    words && characters
      ? [[words], [characters], [words, characters]].map((parts) => joined([...parts, ...vectors]))
      : vectors;
  // Equal texts stay together, too: held out beside itself a sample tells nothing.
  const groups = train.map(({ group }, i) => group ?? sameTextKey(queries[i] as Query));
  const { chosen, model } = await choosePenalty(
    { candidates, targets, classes: classes.length, groups, folds },
    { signal: given.context.signal, progress: given.progress },
  );
  const kept = (by: Terms) => {
    const found = vocabularies.find((one) => one.by === by && chosen.features.split(" + ").includes(by));
    return { terms: found?.terms ?? [], idf: packFloats(found?.idf ?? []) };
  };
  return {
    classes,
    labels,
    question,
    ...kept("words"),
    characters: kept("characters"),
    encoder: encoded ? { id: encoded.encoder, dimensions: encoded.dimensions } : null,
    weights: packFloats(model.weights),
    chosen,
  };
}

function vectorRows({ dimensions, vectors }: EncodedTexts): Pick<Features, "rows" | "columns"> {
  const columns = Array.from({ length: dimensions }, (_, i) => i);
  const rows = Array.from({ length: vectors.length / Math.max(1, dimensions) }, (_, i) => ({
    columns,
    values: [...vectors.subarray(i * dimensions, (i + 1) * dimensions)],
  }));
  return { rows, columns: dimensions };
}

/** Blocks side by side, each of unit length. */
function joined(blocks: readonly Features[]): Features {
  const [first, ...rest] = blocks as [Features, ...Features[]];
  return rest.reduce(
    (left, right) => ({
      name: `${left.name} + ${right.name}`,
      rows: left.rows.map((row, i) => append(row, left.columns, right.rows[i] as Row)),
      columns: left.columns + right.columns,
    }),
    first,
  );
}

function append(row: Row, offset: number, next: Row): Row {
  return {
    columns: row.columns.concat(next.columns.map((column) => offset + column)),
    values: row.values.concat(next.values),
  };
}

function answerOf(sample: Sample, { task }: Given, labels: readonly string[]): string {
  const { answer } = task.demonstration(sample);
  if (labels.includes(answer)) return answer;
  throw new HoneError({
    what: `The answer "${answer}" is not one of the task's labels`,
    where: `task ${task.name}, sample ${sample.id}`,
    next: `Mend the sample, or add the label. Labels: ${labels.slice(0, 20).join(", ")}`,
  });
}

function columnsOf({ terms, characters, encoder }: State): number {
  return terms.length + (characters?.terms.length ?? 0) + (encoder?.dimensions ?? 0);
}

/** Reads a query as a row of the same columns that train had. */
function rowReader(state: State, tools: Tools): (query: Query, context: CallContext) => Promise<Row> {
  const parts = [
    { by: "words" as const, terms: state.terms, idf: state.idf },
    ...(state.characters ? [{ by: "characters" as const, ...state.characters }] : []),
  ];
  const readers = parts.map(({ by, terms, idf }) => ({
    size: terms.length,
    read: vectoriser({ by, terms, idf: unpackFloats(idf, terms.length, `the weights of ${by}`) }),
  }));
  return async (query, context) => {
    const text = readText(query, state.question);
    let row: Row = { columns: [], values: [] };
    let offset = 0;
    for (const { size, read } of readers) {
      if (size > 0) row = append(row, offset, read(text));
      offset += size;
    }
    if (!state.encoder) return row;
    const encoder = requireEncoder(await tools.encoder(), state.encoder.id);
    const { vectors } = await encoder.embed([text], context);
    const values = [...(vectors[0] ?? [])];
    return append(row, offset, { columns: values.map((_, i) => i), values });
  };
}
