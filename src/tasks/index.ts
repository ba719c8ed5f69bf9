// The kinds of task, by name. A new kind is one file and one line here.

import { z } from "zod";
import type { LanguageTask } from "../core/task.js";
import { answer, answerSchema } from "./answer.js";
import { choice, choiceSchema } from "./choice.js";

/** How a task is to be put and scored, apart from its data: the union of all kinds' options. */
export const taskOptionsSchema = z.discriminatedUnion("kind", [choiceSchema, answerSchema]);

export type TaskOptions = z.infer<typeof taskOptionsSchema>;

type Makers = {
  [K in TaskOptions["kind"]]: (
    name: string,
    options: Extract<TaskOptions, { kind: K }>,
    labels?: readonly { key: string; text: string }[],
  ) => LanguageTask;
};

/** One maker for every kind; a missing one does not compile. */
export const taskKinds: Makers = { choice, answer };

export function makeTask(
  name: string,
  options: TaskOptions,
  labels?: readonly { key: string; text: string }[],
): LanguageTask {
  const make = taskKinds[options.kind] as (
    name: string,
    options: TaskOptions,
    labels?: readonly { key: string; text: string }[],
  ) => LanguageTask;
  return make(name, options, labels);
}

export { answer, choice };
