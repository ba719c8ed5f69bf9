// From a study's words to the things it names: data loaded and checked, models opened, the arms to be compared.
import { resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import { contentsOf, sourcesIn } from "../data/contents.js";
import { openModel } from "../models/registry.js";
import { makeSpecializer } from "../specializers/index.js";
import { journaled } from "../store/journaled.js";
import { chooseWay } from "./asking.js";
import { loadModules, tablesWith } from "./extension.js";
import { begin, checkKinds } from "./kinds.js";
import { prepareTask } from "./prepare-task.js";
export async function prepareStudy(spec, options) {
  const { signal, journal, budget } = options;
  const tables = tablesWith(await loadModules(spec.use), options.use ?? {});
  const arms = listArms(spec, tables.specializers);
  // The seal: nothing in a test split is shown before the journal has it in writing that this plan opens it.
  let plan = "";
  const onOpen = (opening) => journal.openings.record(opening, plan, spec.study, opening.reason);
  let domain = await prepareTask(spec.task, tables.tasks, options, onOpen);
  let elsewhere = [];
  for (const other of spec.elsewhere) elsewhere.push(await prepareTask(other, tables.tasks, options, onOpen));
  if (spec.gate) checkGate(spec.gate, domain.task.metric);
  const models = modelOpener(
    { signal, open: options.open ?? ((ref) => openModel(ref, { signal, schemes: tables.models })) },
    options.wrap ?? ((model) => journaled(model, journal, budget)),
  );
  const open = async (ref) => begin(await models.open(ref));
  const asIs = await models.open(spec.model);
  checkKinds(begin(asIs), [domain, ...elsewhere], arms);
  const { format, ...asked } = await chooseWay(asIs, [domain, ...elsewhere], spec.seeds[0], {
    ...{ journal, budget, signal, open, told: options.onAsk ?? (() => {}) },
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
  [domain, ...elsewhere] = asked.tasks;
  const subject = begin(asIs, format);
  const { model } = subject;
  const named = new Map();
  const contents = async ({ options: chosen }) => {
    const sources = sourcesIn(chosen);
    for (const ref of sources) {
      if (!named.has(ref)) named.set(ref, contentsOf(ref, { base: options.base, signal }));
    }
    const names = await Promise.all(sources.map((ref) => named.get(ref)));
    return names.length > 0 ? names : undefined;
  };
  const sources = [];
  for (const { specializer } of arms) sources.push(await contents(specializer));
  plan = fingerprint({
    model: model.id,
    encoder: spec.encoder,
    tasks: [domain, ...elsewhere].map(({ task, keys, card }) => [task.id, keys, card.counts]),
    train: fingerprint(domain.dataset.train),
    arms: arms.map(({ name, specializer, seeds }) => [name, specializer.name, specializer.options, seeds]),
    ...(sources.some((one) => one !== undefined) ? { sources: sources.map((one) => one ?? null) } : {}),
  });
  return {
    spec,
    plan,
    domain,
    elsewhere,
    model,
    format,
    generalist: subject,
    encoder: () => models.encoder(spec.encoder),
    open,
    artifacts: options.artifacts,
    base: resolve(options.base),
    contents,
    arms,
    warnings: [domain, ...elsewhere].flatMap(({ warnings }) => warnings),
    close: models.close,
  };
}
/** @throws HoneError where the gate asks for what the metric cannot be */
function checkGate({ atLeast, atMost }, metric) {
  const { name, better, least, most } = metric;
  const [field, wrong] = better === "higher" ? ["atLeast", "atMost"] : ["atMost", "atLeast"];
  const asked = atLeast ?? atMost;
  const why =
    (better === "higher" ? atMost : atLeast) !== undefined
      ? `of ${name}, ${better === "higher" ? "more" : "less"} is better: its gate is ${field}`
      : asked !== undefined && (asked < (least ?? asked) || asked > (most ?? asked))
        ? `${name} lies between ${least ?? "any"} and ${most ?? "any"}, and ${asked} does not`
        : undefined;
  if (why === undefined) return;
  throw new HoneError({
    what: "The study's gate cannot be met",
    where: `gate.${atLeast === undefined ? "atMost" : "atLeast"}`,
    why,
    next: why.startsWith("of ")
      ? `Write \`${field}\` in place of \`${wrong}\`.`
      : "Write a value in that range.",
    kind: "usage",
  });
}
/** Opens each model once, wrapped, and closes them all. */
export function modelOpener({ open, signal }, wrap) {
  const opened = new Map();
  const openOnce = async (ref) => {
    const model = opened.get(ref) ?? open(ref, signal).then((one) => wrap(one));
    opened.set(ref, model);
    return model;
  };
  return {
    open: openOnce,
    async encoder(ref) {
      const model = await openOnce(ref);
      if ("embed" in model) return model;
      throw new HoneError({
        what: "The study's encoder gives no vectors",
        where: `encoder: ${ref}`,
        next: "Write encoder:minilm, or leave `encoder` out.",
        kind: "usage",
      });
    },
    close: async () => {
      for (const model of await Promise.allSettled(opened.values()))
        if (model.status === "fulfilled") await model.value.close();
    },
  };
}
/** The generalist first, then what the study lists; equal names are told apart by number. */
function listArms(spec, table) {
  const listed = spec.specialists.map((written, i) => ({
    written,
    specializer: makeSpecializer(written, `specialists.${i}`, table),
  }));
  const all = [
    { written: "zeroShot", specializer: makeSpecializer("zeroShot", "generalist") },
    ...listed.filter(({ specializer }) => specializer.name !== "zeroShot"),
  ];
  const seen = new Map();
  return all.map(({ written, specializer }) => {
    const count = (seen.get(specializer.label) ?? 0) + 1;
    seen.set(specializer.label, count);
    return {
      name: count === 1 ? specializer.label : `${specializer.label} #${count}`,
      role:
        specializer.name === "zeroShot" ? "generalist" : specializer.reference ? "reference" : "specialist",
      specializer,
      written,
      seeds: specializer.seeded ? spec.seeds : [spec.seeds[0]],
    };
  });
}
