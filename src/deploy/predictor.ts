// A saved specialist as something that answers rows: a row becomes a sample as in its study, the sample a query, the answer a
// prediction. Nothing is scored.

import { type CallContext, CallError } from "../core/call.js";
import { HoneError } from "../core/errors.js";
import type { Subject } from "../core/kinds.js";
import type { Answer, Step } from "../core/language.js";
import type { Sample } from "../core/sample.js";
import { hasQueries, type Task, taskContext } from "../core/task.js";
import type { Row } from "../data/reading.js";
import { type SampleSpec, sampleMaker } from "../data/samples.js";
import { isTemplate } from "../data/template.js";
import { type LoadedSpecialist, loadSpecialist, type SavedSpecialist } from "../study/specialist.js";

/** A specialist's prediction for one row. */
export interface Prediction {
  /** Number of the row, from 1. */
  row: number;
  /** Its location: file and line. */
  place: string;
  id: string;
  /** Key of the chosen option, if there are options. */
  label?: string;
  /** The written answer, if the task has one. */
  text?: string;
  /** Of the label: the softmax of the options' scores. Absent if the specialist returns no scores. */
  probability?: number;
  /** For encoders, the similarity of the answer: a cosine, or CSLS if the task uses it. */
  score?: number;
  /** Of each option. */
  probabilities?: Readonly<Record<string, number>>;
  /** Why there is no answer. */
  unscored?: string;
  detail?: string;
  /** Evidence behind the answer: passages, reasoning, tools, votes. */
  trail?: readonly Step[];
}

/** A saved specialist that answers rows. */
export interface Predictor {
  saved: SavedSpecialist;
  subject: Subject;
  /** @throws HoneError that names the row, where it is not valid for this specialist */
  sample: (row: Row, number: number) => Sample;
  /** A text alone as a sample, with the question and the instruction that the study gives all rows alike. */
  sampleOf: (input: string) => Sample;
  /** Answers; a final failure or an invalid answer is `unscored`. */
  answer: (
    sample: Sample,
    signal: AbortSignal,
    trace?: CallContext["trace"],
  ) => Promise<Omit<Prediction, "row" | "place" | "id">>;
  close: () => Promise<void>;
}

export type PredictorOptions = Parameters<typeof loadSpecialist>[1];

/**
 * Loads a saved specialist to answer rows with.
 * @param path its file or folder
 * @throws HoneError where it takes no new rows: a motor controller, a player of games
 */
export async function openPredictor(path: string, options: PredictorOptions): Promise<Predictor> {
  const loaded = await loadSpecialist(path, options);
  try {
    return predictorOf(loaded, path);
  } catch (error) {
    await loaded.close();
    throw error;
  }
}

function predictorOf({ saved, subject, task: taskOf, close }: LoadedSpecialist, path: string): Predictor {
  const task = taskOf();
  const respond = respondingTo(subject, task);
  if (!respond)
    throw new HoneError({
      what: `${saved.name} cannot answer rows`,
      where: path,
      why: `it is a ${subject.kind} subject, and its task is of kind ${task.kind}, which does not turn a row into a question`,
      next: "See its figures with `hone show`, compare it in a study, or load it in a program: loadSpecialist(path).",
      kind: "usage",
    });
  const { rows } = saved;
  if (!rows)
    throw new HoneError({
      what: `${saved.name} does not say how a row becomes a question`,
      where: path,
      why: "an older Hone saved it",
      next: "Run its study again with `hone run`: nothing is asked for twice.",
    });
  const { labels } = saved.task;
  const shared = labels ? { options: Object.fromEntries(labels.map(({ key, text }) => [key, text])) } : {};
  const { id, ...fields } = rows;
  const maker = sampleMaker(definedOf({ ...fields, ...shared }) as SampleSpec);
  const fixed = Object.entries({ question: rows.question, instruction: rows.instruction }).filter(
    ([, text]) => text !== undefined && !isTemplate(text) && text.trim() !== "",
  );
  const idOf = typeof id === "string" ? id : id === false ? undefined : "id";
  return {
    saved,
    subject,
    sample(row, number) {
      const made = maker.make(row, row.place);
      if (!made)
        throw new HoneError({
          what: "A row has no input.",
          where: row.place,
          why: `\`input: ${rows.input}\` is empty for this row`,
          next: "Fill the field.",
        });
      const own = idOf === undefined ? undefined : row.row[idOf];
      const known = typeof own === "string" || typeof own === "number" ? String(own).trim() : "";
      return { ...made.sample, id: known || String(number) };
    },
    sampleOf: (input) => ({
      ...{ id: "", input: input.trim(), gold: "" },
      ...Object.fromEntries(fixed.map(([name, text]) => [name, text?.trim()])),
    }),
    async answer(sample, signal, trace) {
      try {
        return await respond(sample, { signal, ...(trace ? { trace } : {}) });
      } catch (error) {
        if (!(error instanceof CallError) || signal.aborted) throw error;
        return { unscored: error.failure, detail: error.message };
      }
    },
    close,
  };
}

/** How a subject answers a sample: by the task's query, or by the task's own `predict`; undefined if it cannot. */
function respondingTo(
  subject: LoadedSpecialist["subject"],
  task: Task,
): ((sample: Sample, context: CallContext) => Promise<Omit<Prediction, "row" | "place" | "id">>) | undefined {
  if (subject.kind === "language" && hasQueries(task))
    return async (sample, context) => predictionOf(await subject.respond(task.query(sample), context));
  const { predict } = task;
  if (!predict || task.subjects !== subject.kind) return undefined;
  return (sample, { signal, ...more }) => predict(subject, sample, taskContext(signal, more));
}

function definedOf(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** An answer in the form that people and programs read. */
function predictionOf({
  choice,
  text,
  scores,
  unscored,
  trail,
}: Answer): Omit<Prediction, "row" | "place" | "id"> {
  const probabilities = scores && softmax(scores);
  const probability = choice === undefined ? undefined : probabilities?.[choice];
  return {
    ...(choice === undefined ? {} : { label: choice }),
    ...(text === undefined ? {} : { text }),
    ...(probability === undefined ? {} : { probability }),
    ...(probabilities ? { probabilities } : {}),
    ...(unscored === undefined ? {} : { unscored }),
    ...(trail && trail.length > 0 ? { trail } : {}),
  };
}

/** Scores as shares of one. */
function softmax(scores: Readonly<Record<string, number>>): Record<string, number> {
  const entries = Object.entries(scores);
  const top = Math.max(...entries.map(([, score]) => score));
  const weights = entries.map(([key, score]) => [key, Math.exp(score - top)] as const);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  return Object.fromEntries(weights.map(([key, weight]) => [key, weight / total]));
}
