// Defines specializers: `defineSpecializer` turns "learn this, then behave so" into the core's interface and gives
// every specialist its identity and name. It depends on no particular specializer.

import type { CallContext } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import { fingerprint, type Json } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Answer, Query } from "../../core/language.js";
import type { Grant, LanguageModel } from "../../core/model.js";
import type { Given, LanguageSpecializer, Tools } from "../../core/specializer.js";

/** Changes the query on the way in. Must not depend on anything but the query and the state. */
export type Prepare = (query: Query, context: CallContext) => Query | Promise<Query>;

export type Respond = (query: Query, context: CallContext) => Promise<Answer>;

/** What a specialist does with a query: changes it and passes it on, or answers in its own way. */
export type Behaviour =
  | { prepare: Prepare }
  | {
      respond: Respond;
      /** The model that then answers, if it is not the inner subject's. */
      model?: LanguageModel;
    };

/** A subject made by a specializer. */
export interface DerivedSubject extends LanguageSubject {
  /** What it was made from; absent for references, which query no subject. */
  readonly inner?: LanguageSubject;
  /** Present where it only changes the query: then `respond(q)` is `inner.respond(prepare(q))`. */
  readonly prepare?: Prepare;
}

/** An interface's plain form, which TypeScript accepts where JSON is expected. */
export type JsonOf<T> = T extends object ? { [Key in keyof T]: JsonOf<T[Key]> } : T;

/** A prompting specializer: what it learns, and how it changes query or answer. */
export interface Definition<State extends Json> {
  name: string;
  /** Defaults to the name. */
  label?: string;
  options?: Json;
  needs?: readonly Grant[];
  seeded?: boolean;
  choosesOnDev?: boolean;
  screened?: boolean;
  encodes?: LanguageSpecializer["encodes"];
  trains?: boolean;
  checkTrain?: LanguageSpecializer["checkTrain"];
  ceiling?: LanguageSpecializer["ceiling"];
  /** True for references such as `majority`: their answers do not depend on the subject that they replace. */
  reference?: boolean;
  /** Learns the state. If omitted, there is nothing to learn and the state is null. */
  fit?: (subject: LanguageSubject, given: Given) => State | Promise<State>;
  /** Called once for each specialist; may unpack the state, must not change it. */
  behave: (state: State, subject: LanguageSubject, tools: Tools) => Behaviour;
}

/**
 * Makes a specializer.
 *
 * @example
 * import { defineSpecializer } from "@honelab/hone";
 * const shout = defineSpecializer({
 *   name: "shout",
 *   behave: () => ({ prepare: (query) => ({ ...query, input: query.input.toUpperCase() }) }),
 * });
 * shout.label; // "shout"
 */
export function defineSpecializer<State extends Json = null>(
  definition: Definition<State>,
): LanguageSpecializer<State> {
  const { name, label = name, options = {}, needs = [], seeded = false, reference = false } = definition;
  return {
    name,
    label,
    options,
    needs,
    kinds: ["language"],
    seeded,
    ...(definition.choosesOnDev ? { choosesOnDev: true } : {}),
    ...(definition.screened ? { screened: true } : {}),
    ...(definition.encodes ? { encodes: definition.encodes } : {}),
    ...(definition.trains ? { trains: true } : {}),
    ...(definition.checkTrain ? { checkTrain: definition.checkTrain } : {}),
    ...(definition.ceiling ? { ceiling: definition.ceiling } : {}),
    ...(reference ? { reference } : {}),
    fit: async (subject, given) => (definition.fit ? definition.fit(subject, given) : (null as State)),
    apply: (subject, state, tools) =>
      derive(
        reference ? undefined : subject,
        { name, label, options },
        state,
        definition.behave(state, subject, tools),
      ),
  };
}

/**
 * The specialist's shell. Its id is the fingerprint of the inner subject's id, the specializer's name and options, and
 * the state: exactly what determines its answers, so that equal specialists share their outcomes.
 */
export function derive(
  inner: LanguageSubject | undefined,
  specializer: { name: string; label: string; options: Json },
  state: Json,
  behaviour: Behaviour,
): DerivedSubject {
  const shell = {
    kind: "language" as const,
    name: inner && isDerived(inner) ? `${inner.name} + ${specializer.label}` : specializer.label,
    id: fingerprint([inner?.id ?? null, specializer.name, specializer.options, fingerprint(state)]),
    ...(inner ? { inner } : {}),
    ...(inner?.model ? { model: inner.model } : {}),
  };
  if ("respond" in behaviour) return { ...shell, ...behaviour };
  const { prepare } = behaviour;
  if (!inner) throw new Error(`${specializer.name}: a reference has no one to pass a query on to`);
  return {
    ...shell,
    prepare,
    respond: async (query, context) => inner.respond(await prepare(query, context), context),
  };
}

/** Whether a specializer made it. */
export function isDerived(subject: LanguageSubject): subject is DerivedSubject {
  return "inner" in subject;
}

/**
 * Takes a query through everything that only changes queries: `subject.respond(query)` equals
 * `result.subject.respond(result.query)`. So a specializer can see the demonstrations that a query will get.
 */
export async function prepared(
  subject: LanguageSubject,
  query: Query,
  context: CallContext,
): Promise<{ subject: LanguageSubject; query: Query }> {
  let at = { subject, query };
  while (isDerived(at.subject) && at.subject.prepare && at.subject.inner) {
    at = { subject: at.subject.inner, query: await at.subject.prepare(at.query, context) };
  }
  return at;
}

/** Refuses to fit on fewer train samples than `least`. */
export function requireTrain(
  { task, train }: { task: { name: string }; train: readonly unknown[] },
  name: string,
  least = 1,
): void {
  if (train.length >= least) return;
  const [what, more] =
    train.length === 0
      ? [`${name} has no train samples to learn from`, "a train split"]
      : [`${name} has too few train samples: ${train.length}, and it needs ${least}`, "more labels"];
  throw new HoneError({
    what,
    where: `task ${task.name}, split train`,
    ...(train.length > 0 ? { why: "with fewer, what it finds cannot be told from luck" } : {}),
    next: `Give the task ${more}, or take this specializer out of the study.`,
    kind: "usage",
  });
}
