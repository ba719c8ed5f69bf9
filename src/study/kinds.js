// The table of kinds: by what each kind's models are known, and the subject that a study begins with. And whether tasks and
// specializers are made for a study's kind.
import { HoneError } from "../core/errors.js";
import { hasQueries } from "../core/task.js";
import { encoderSubject } from "../models/encoder.js";
import { generalist } from "../models/generalist.js";
import { openBody, untrained } from "../motor/subject.js";

function entry(stands, begin, write) {
  return { begin: (model) => (stands(model) ? begin(model) : undefined), write };
}
export const kindTable = {
  language: entry(
    (model) => "generate" in model,
    generalist,
    "a language model, llama:smollm2-135m-instruct",
  ),
  encoder: entry(
    (model) => "embed" in model && !("generate" in model),
    encoderSubject,
    "an encoder, encoder:minilm",
  ),
  motor: entry((model) => "plant" in model, untrained, "a body, motor:arm26"),
};
/** Schemes of models that are no language models. */
export const schemes = { motor: async (rest) => openBody(rest) };
/**
 * The subject that a model is to begin with.
 * @param format the prompt format that it is asked in; its own where left out
 * @throws HoneError where no kind knows such a model
 */
export function begin(opened, format) {
  const model = format === undefined ? opened : { ...opened, format };
  for (const { begin: make } of Object.values(kindTable)) {
    const subject = make(model);
    if (subject) return { ...subject, model };
  }
  throw new HoneError({
    what: `${model.name} is no model that a study can begin with`,
    why: "it neither writes, nor embeds, nor is a body",
    next: `Write ${Object.values(kindTable)
      .map(({ write }) => write)
      .join(", or ")}.`,
    kind: "usage",
  });
}
/** @throws HoneError where a task or a specializer is not made for the study's kind of subject */
export function checkKinds({ kind, name }, tasks, arms) {
  const wrong = (what, made, next) =>
    new HoneError({
      what: `${what} is not for ${name}`,
      why: `it is made for ${made.join(" and ")} subjects, and ${name} is a ${kind} subject`,
      next,
      kind: "usage",
    });
  for (const { task } of tasks) {
    if (task.subjects === kind) continue;
    throw wrong(
      `The task ${task.name}`,
      [task.subjects],
      `As the model write ${kindTable[task.subjects].write}.`,
    );
  }
  for (const { name: arm, specializer } of arms) {
    if (!specializer.kinds.includes(kind))
      throw wrong(arm, specializer.kinds, `Leave ${arm} out; docs/study.md lists what there is.`);
    const [domain] = tasks;
    // One for language alone works on queries; one for every kind does not look into them.
    if (kind === "language" && specializer.kinds.length === 1 && !hasQueries(domain.task))
      throw new HoneError({
        what: `${arm} is not for the task ${domain.task.name}`,
        why: "it works on queries, and this task asks none",
        next: `Leave ${arm} out.`,
        kind: "usage",
      });
  }
}
