// The kinds of task, by name. A new kind is one file and one line here.

import { z } from "zod";
import type { LanguageTask, Task } from "../core/task.js";
import { answer, answerTask } from "./answer.js";
import { arena, arenaTask } from "./arena/index.js";
import { choice, choiceTask } from "./choice.js";
import { corpus, corpusTask } from "./corpus.js";
import { motor, motorTask } from "./motor/index.js";
import { nearestTask } from "./nearest.js";
import { probingTask } from "./probing.js";
import { lexiconTask, retrievalTask } from "./search.js";
import { similarityTask } from "./similarity.js";
import { socialTask } from "./social/index.js";
import type { Labels, TaskEntry } from "./table.js";

export const tasks = {
  choice: choiceTask,
  answer: answerTask,
  motor: motorTask,
  nearest: nearestTask,
  lexicon: lexiconTask,
  similarity: similarityTask,
  probing: probingTask,
  retrieval: retrievalTask,
  corpus: corpusTask,
  social: socialTask,
  arena: arenaTask,
} satisfies TaskTable;

/** Entries by name: `{ ...tasks, mine }` adds a custom one without changing this file. */
export type TaskTable = Readonly<Record<string, TaskEntry>>;

type Entries = typeof tasks;

/** How a task is presented and scored, apart from its data: the options of the kinds in Hone's own table. */
export type TaskOptions = { [K in keyof Entries]: z.output<Entries[K]["options"]> }[keyof Entries];

/** The same as in a study file, with its name and data. */
export type TaskSpec = {
  [K in keyof Entries]: z.output<Entries[K]["options"]> & {
    name: string;
    data: z.output<Entries[K]["data"]>;
  };
}[keyof Entries];

/** The union of the options of all kinds in a table. @param extend adds fields to each kind */
export function taskSchemaOf<T>(
  table: TaskTable,
  extend: (entry: TaskEntry) => z.ZodRawShape = () => ({}),
): z.ZodType<T> {
  const [first, ...rest] = Object.values(table).map((entry) => entry.options.extend(extend(entry)));
  return z.discriminatedUnion("kind", [first as z.ZodObject, ...rest]) as z.ZodType<T>;
}

/**
 * Makes a task from the `task` field of a study file; `options.kind` names its entry in the table.
 * @param labels the options that all samples share, if they do
 */
export function makeTask(
  name: string,
  options: Extract<TaskOptions, { kind: "choice" | "answer" }>,
  labels?: Labels,
): LanguageTask;
export function makeTask(name: string, options: TaskOptions, labels?: Labels, table?: TaskTable): Task;
export function makeTask(
  name: string,
  options: TaskOptions,
  labels?: Labels,
  table: TaskTable = tasks,
): Task {
  return (table[options.kind] as TaskEntry).make(name, options, labels);
}

export { type Labels, rows, type TaskEntry, taskEntry } from "./table.js";
export { answer, arena, choice, corpus, motor };
