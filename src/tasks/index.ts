// The kinds of task, by name. A new kind is one file and one line here.

import { z } from "zod";
import type { LanguageTask, Task } from "../core/task.js";
import { answer, answerSchema } from "./answer.js";
import { choice, choiceSchema } from "./choice.js";
import { motor, motorSchema } from "./motor/index.js";

/** How a task is to be put and scored, apart from its data: the union of all kinds' options. */
export const taskOptionsSchema = z.discriminatedUnion("kind", [choiceSchema, answerSchema, motorSchema]);

export type TaskOptions = z.infer<typeof taskOptionsSchema>;

type Labels = readonly { key: string; text: string }[];

type Makers = {
  [K in TaskOptions["kind"]]: (
    name: string,
    options: Extract<TaskOptions, { kind: K }>,
    labels?: Labels,
  ) => Task;
};

/** One maker for every kind; a missing one does not compile. */
export const taskKinds = { choice, answer, motor } satisfies Makers;

/**
 * Makes a task from the `task` field of a study file.
 * @param labels the options that all samples share, where they do
 */
export function makeTask(
  name: string,
  options: Extract<TaskOptions, { kind: "choice" | "answer" }>,
  labels?: Labels,
): LanguageTask;
export function makeTask(name: string, options: TaskOptions, labels?: Labels): Task;
export function makeTask(name: string, options: TaskOptions, labels?: Labels): Task {
  const make = taskKinds[options.kind] as (name: string, options: TaskOptions, labels?: Labels) => Task;
  return make(name, options, labels);
}

export { answer, choice, motor };
