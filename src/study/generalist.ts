// The generalist that a study names, as a subject: a language model put to queries without help, or a body whose controller
// has learnt nothing yet. And whether tasks and specializers are made for such a subject.

import { HoneError } from "../core/errors.js";
import type { LanguageModel, LanguageSubject } from "../core/language.js";
import type { Body, MotorSubject } from "../core/motor.js";
import { generalist } from "../models/generalist.js";
import { openBody, untrained } from "../motor/subject.js";
import type { Arm, PreparedTask } from "./prepare.js";

export type Generalist = (LanguageSubject & { model: LanguageModel }) | MotorSubject;

/**
 * @param open opens a language model
 * @param opened told of a body, which is to be closed
 */
export async function openGeneralist(
  ref: string,
  open: (ref: string) => Promise<LanguageModel>,
  opened: (body: Body) => void,
): Promise<Generalist> {
  if (ref.startsWith("motor:")) {
    const body = openBody(ref.slice("motor:".length));
    opened(body);
    return untrained(body);
  }
  const model = await open(ref);
  return { ...generalist(model), model };
}

/** @throws HoneError where a task or a specializer is not made for the study's kind of subject */
export function checkKinds(
  { kind, name }: Generalist,
  tasks: readonly PreparedTask[],
  arms: readonly Arm[],
): void {
  const wrong = (what: string, made: readonly string[], next: string) =>
    new HoneError({
      what: `${what} is not for ${name}`,
      why: `it is made for ${made.join(" and ")} subjects, and ${name} is a ${kind} subject`,
      next,
      kind: "usage",
    });
  for (const { task } of tasks) {
    if (task.subjects === kind) continue;
    const next =
      task.subjects === "motor"
        ? "Name a body as the model: motor:arm26."
        : "Name a language model as the model.";
    throw wrong(`The task ${task.name}`, [task.subjects], next);
  }
  for (const { name: arm, specializer } of arms) {
    const made = specializer.subjects ?? ["language"];
    if (!made.includes(kind)) throw wrong(arm, made, `Leave ${arm} out; docs/study.md lists what there is.`);
  }
}
