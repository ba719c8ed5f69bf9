// linear: logistic regression on words, on sentence vectors, or on both. A reference without a language model: what
// costs more must beat it.
//
// The weights are fitted on train; dev only chooses the strength of the penalty. The model is not fitted again on train
// and dev together: every other specializer learns from train alone, and equal footing means the same here.
import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import { logProbabilities } from "../../learn/logistic.js";
import { choosePenalty } from "../../learn/penalty.js";
import { questionsVary, readText } from "../../learn/text.js";
import { learnVocabulary, vectoriser } from "../../learn/tfidf.js";
import { encodeTexts, packFloats, requireEncoder, unpackFloats } from "../../learn/vectors.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
export const linearOptions = z.strictObject({
  features: z
    .enum(["tfidf", "vectors", "both"])
    .default("tfidf")
    .describe('"tfidf" for words and word pairs, "vectors" for the sentence encoder, or "both"'),
});
/** Classifies input and question by logistic regression. For tasks whose samples share their labels. */
export function linear(options = {}) {
  const { features } = readOptions(linearOptions, "linear", options);
  return defineSpecializer({
    name: "linear",
    label: `linear(${features})`,
    options: { features },
    reference: true,
    fit: (_subject, given) => fitLinear(given, features),
    behave: (state, _subject, tools) => {
      const rowOf = rowReader(state, tools);
      const columns = columnsOf(state);
      const model = {
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
function choose(choices, classes, logProbs) {
  const scores = choices.map((key) => [key, logProbs[classes.indexOf(key)]]);
  const best = scores.reduce((a, b) => (b[1] > a[1] ? b : a));
  return { choice: best[0], scores: Object.fromEntries(scores) };
}
async function fitLinear(given, features) {
  requireTrain(given, "linear");
  const { task, train, dev } = given;
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
  const devQueries = dev.map((sample) => task.query(sample));
  const question = questionsVary(queries);
  const texts = queries.map((query) => readText(query, question));
  const devTexts = devQueries.map((query) => readText(query, question));
  const vocabulary =
    features === "vectors" ? { terms: [], idf: new Float64Array(0) } : learnVocabulary(texts);
  const encoded = features === "tfidf" ? null : await encodeTexts([...texts, ...devTexts], given);
  const inWords = vectoriser(vocabulary);
  const rows = [...texts, ...devTexts].map((text, i) => {
    const row = inWords(text);
    if (!encoded) return row;
    const { dimensions, vectors } = encoded;
    return append(row, vocabulary.terms.length, vectors.subarray(i * dimensions, (i + 1) * dimensions));
  });
  const columns = vocabulary.terms.length + (encoded?.dimensions ?? 0);
  const devAnswers = dev.map((sample) => classes.indexOf(answerOf(sample, given, labels)));
  const { chosen, model } = await choosePenalty(
    { rows: rows.slice(0, train.length), targets, classes: classes.length, columns },
    { rows: rows.slice(train.length), targets: devAnswers },
    { signal: given.context.signal, progress: given.progress },
  );
  return {
    classes,
    labels,
    question,
    terms: vocabulary.terms,
    idf: packFloats(vocabulary.idf),
    encoder: encoded ? { id: encoded.encoder, dimensions: encoded.dimensions } : null,
    weights: packFloats(model.weights),
    chosen,
  };
}
function answerOf(sample, { task }, labels) {
  const { answer } = task.demonstration(sample);
  if (labels.includes(answer)) return answer;
  throw new HoneError({
    what: `The answer "${answer}" is not one of the task's labels`,
    where: `task ${task.name}, sample ${sample.id}`,
    next: `Mend the sample, or add the label. Labels: ${labels.slice(0, 20).join(", ")}`,
  });
}
function columnsOf(state) {
  return state.terms.length + (state.encoder?.dimensions ?? 0);
}
/** Reads a query as a row of the same columns that train had. */
function rowReader(state, tools) {
  const inWords = vectoriser({
    terms: state.terms,
    idf: unpackFloats(state.idf, state.terms.length, "the word weights"),
  });
  return async (query, context) => {
    const text = readText(query, state.question);
    const row = inWords(text);
    if (!state.encoder) return row;
    const encoder = requireEncoder(await tools.encoder(), state.encoder.id);
    const { vectors } = await encoder.embed([text], context);
    return append(row, state.terms.length, vectors[0] ?? []);
  };
}
function append(row, offset, vector) {
  const values = Array.from(vector);
  return {
    columns: [...row.columns, ...values.map((_, i) => offset + i)],
    values: [...row.values, ...values],
  };
}
