// The table of kinds: how each kind's models are recognized, and the subject that a study begins with. Also checks that tasks
// and specializers are made for a study's kind, and that its model grants what they need.

import { hasCapability, isLanguageModel, requireCapability } from "../core/capabilities.js";
import { HoneError } from "../core/errors.js";
import type { Kind, Kinds, Subject } from "../core/kinds.js";
import type { Callable, Encoder, Model, PromptFormat } from "../core/model.js";
import type { Specializer } from "../core/specializer.js";
import { hasQueries, type Task } from "../core/task.js";
import { encoderSubject } from "../models/encoder.js";
import { generalist } from "../models/generalist.js";
import { openCheckpoint } from "../models/net/checkpoint.js";
import type { OpenModelOptions } from "../models/registry.js";
import { openBody, type PlantBody, untrained } from "../motor/subject.js";
import { type NetModel, openNet } from "../nets/text/subject.js";

/** A subject with its model: what a study begins with. */
export type Generalist<K extends Kind = Kind> = K extends Kind
  ? Subject<K> & { model: Kinds[K]["model"] }
  : never;

interface KindEntry<K extends Kind> {
  /** The unspecialized subject; undefined if the model is not of this kind. */
  begin: (model: Model) => Subject<K> | undefined;
  /** What to write as a study's model. */
  write: string;
}

function entry<K extends Kind, M extends Model>(
  stands: (model: Model) => model is M,
  begin: (model: M) => Subject<K>,
  write: string,
): KindEntry<K> {
  return { begin: (model) => (stands(model) ? begin(model) : undefined), write };
}

const kindTable: { readonly [K in Kind]: KindEntry<K> } = {
  language: entry(isLanguageModel, generalist, "a language model such as llama:smollm2-135m-instruct"),
  encoder: entry(
    (model): model is Encoder => hasCapability(model, "embeddings") && !isLanguageModel(model),
    encoderSubject,
    "an encoder such as encoder:minilm",
  ),
  motor: entry((model): model is PlantBody => "plant" in model, untrained, "a body such as motor:arm26"),
  text: entry(
    (model): model is NetModel => "saying" in model,
    (model) => model.begin(),
    "a net such as net:decoder",
  ),
};

/** Schemes of models that are not language models. */
export const schemes: NonNullable<OpenModelOptions["schemes"]> = {
  motor: async (rest) => openBody(rest),
  net: async (rest) => (rest.startsWith("file:") ? openCheckpoint(rest.slice(5)) : openNet(rest)),
};

/**
 * The subject with which a study of this model begins.
 * @param format the prompt format to use; by default the model's own
 * @throws HoneError if the model is of no known kind
 */
export function begin(opened: Model, format?: PromptFormat): Generalist {
  const model = format === undefined ? opened : { ...opened, format };
  for (const { begin: make } of Object.values(kindTable)) {
    const subject = make(model);
    if (subject) return { ...subject, model } as Generalist;
  }
  // A model that scores lacks only this to be a language model.
  if (hasCapability(model, "logprobs")) requireCapability(model, "text");
  throw new HoneError({
    what: `${model.name} cannot be the model of a study`,
    where: model.id,
    why: "it neither writes nor embeds, and is neither a body nor a net",
    next: `Name ${Object.values(kindTable)
      .map(({ write }) => write)
      .join(", or ")}.`,
    kind: "usage",
  });
}

/** @throws HoneError if a task or a specializer is not made for the study's kind of subject */
export function checkKinds(
  { kind, name }: Pick<Generalist, "kind" | "name">,
  tasks: readonly { task: Task }[],
  arms: readonly { name: string; specializer: Specializer }[],
): void {
  const wrong = (what: string, made: readonly string[], next: string) =>
    new HoneError({
      what: `${what} is not for ${name}`,
      why: `it is made for ${made.join(" and ")} subjects, and ${name} gives ${kind} subjects`,
      next,
      kind: "usage",
    });
  for (const { task } of tasks) {
    if (task.subjects === kind) continue;
    throw wrong(
      `The task ${task.name}`,
      [task.subjects],
      `As the model, name ${kindTable[task.subjects].write}.`,
    );
  }
  for (const { name: arm, specializer } of arms) {
    if (!specializer.kinds.includes(kind))
      throw wrong(arm, specializer.kinds, `Leave ${arm} out; docs/study.md lists what there is.`);
    const [domain] = tasks as [{ task: Task }];
    // A specializer for language alone works on queries; one for every kind does not look into them.
    if (kind === "language" && specializer.kinds.length === 1 && !hasQueries(domain.task))
      throw new HoneError({
        what: `${arm} is not for the task ${domain.task.name}`,
        why: "it works on queries, and this task has none",
        next: `Leave ${arm} out.`,
        kind: "usage",
      });
  }
}

/** @throws HoneError if the model does not grant what a specializer needs */
export function checkGrants(model: Callable, arms: readonly { specializer: Specializer }[]): void {
  for (const { specializer } of arms) {
    const need = specializer.needs.find((one) => !model.grants.has(one));
    if (need === undefined) continue;
    const granted = [...model.grants].join(", ") || "nothing";
    const why = model.weights?.untrainable;
    throw new HoneError({
      what: `Cannot use ${specializer.label} on ${model.name}`,
      why: `it needs ${need}, and this model grants ${granted}${why === undefined ? "" : `: ${why}`}`,
      next: `Leave ${specializer.label} out, or choose a model that grants ${need} (\`hone models list\`).`,
      kind: "usage",
    });
  }
}
