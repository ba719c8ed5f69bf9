// How a specializer is written: `defineSpecializer` turns "learn this, then behave so" into the core's interface, and
// gives every specialist its identity and its name. It knows no particular specializer.
import { HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
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
export function defineSpecializer(definition) {
  const { name, label = name, options = {}, needs = [], seeded = false, reference = false } = definition;
  return {
    name,
    label,
    options,
    needs,
    kinds: ["language"],
    seeded,
    ...(reference ? { reference } : {}),
    fit: async (subject, given) => (definition.fit ? definition.fit(subject, given) : null),
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
 * the state: whatever decides its answers and nothing else, so that equal specialists share their outcomes.
 */
export function derive(inner, specializer, state, behaviour) {
  const shell = {
    kind: "language",
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
export function isDerived(subject) {
  return "inner" in subject;
}
/**
 * Takes a query through everything that only changes queries: `subject.respond(query)` equals
 * `result.subject.respond(result.query)`. So a specializer can see the demonstrations that a query will get.
 */
export async function prepared(subject, query, context) {
  let at = { subject, query };
  while (isDerived(at.subject) && at.subject.prepare && at.subject.inner) {
    at = { subject: at.subject.inner, query: await at.subject.prepare(at.query, context) };
  }
  return at;
}
/** Refuses to fit on nothing. */
export function requireTrain(given, name) {
  if (given.train.length > 0) return;
  throw new HoneError({
    what: `${name} has no train samples to learn from`,
    where: `task ${given.task.name}, split train`,
    next: "Give the task a train split, or take this specializer out of the study.",
    kind: "usage",
  });
}
