// Making specialists: one arm fitted for each seed, or found in the journal where the same one was made before.
import { artifactsIn } from "../core/artifacts.js";
import { addCost, noCost } from "../core/call.js";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import { isChain } from "../specializers/combine/chain.js";
import { lockStudy } from "../store/lock.js";
/**
 * Makes a specialist, or takes its state from the journal where the same one was made before. The steps of a chain are made
 * one by one, so that what arms have in common is made once.
 * @throws CallError when the model failed during the fit; HoneError when the specializer cannot be used here
 */
export async function fitArm(study, specializer, seed, journal, signal, progress) {
  requireGrants(specializer, study.generalist);
  const states = [];
  let subject = study.generalist;
  let cost = noCost;
  let seconds = 0;
  for (const step of stepsOf(specializer)) {
    const build = await buildOnce(study, subject, step, seed, journal, signal, progress);
    const state = JSON.parse(build.state);
    subject = step.apply(subject, state, study);
    states.push(state);
    cost = addCost(cost, build.cost);
    seconds += build.seconds;
  }
  const state = JSON.stringify(isChain(specializer) ? states : states[0]);
  return { subject, state, build: { ...cost, seconds } };
}
function stepsOf(specializer) {
  return isChain(specializer) ? specializer.steps : [specializer];
}
/** @throws HoneError when the model does not let the specializer have what it needs */
export function requireGrants(specializer, generalist) {
  for (const need of specializer.needs) {
    if (!generalist.model?.grants.has(need)) {
      throw new HoneError({
        what: `Cannot use ${specializer.label} on ${generalist.name}`,
        why: `it needs ${need}, and this model grants ${[...(generalist.model?.grants ?? [])].join(", ") || "nothing"}`,
        next: `Leave ${specializer.label} out, or choose a model that grants ${need} (\`hone models list\`).`,
        kind: "usage",
      });
    }
  }
}
/**
 * Makes the specialists of several seeds together, where the specializer can and the journal lacks more than one of them;
 * `fitArm` then finds them. Otherwise nothing is done.
 */
export async function fitSeeds(study, { specializer: arm, seeds }, journal, signal, progress) {
  const specializer = stepsOf(arm)[0];
  if (!specializer.fitAll) return;
  requireGrants(arm, study.generalist);
  const contents = await study.contents(specializer);
  const lacking = seeds.filter(
    (seed) => !journal.build(buildKey(study, study.generalist, specializer, seed, contents)),
  );
  if (lacking.length < 2) return;
  const key = fingerprint(
    lacking.map((seed) => buildKey(study, study.generalist, specializer, seed, contents)),
  );
  const unlock = await lockStudy(journal, `build ${key}`, { signal });
  try {
    const own = study.artifacts.forBuild(key);
    let cost = noCost;
    const started = performance.now();
    const given = givenOf(study, lacking[0], own, progress, signal, (more) => {
      cost = addCost(cost, more);
    });
    const states = await specializer.fitAll(study.generalist, given, lacking);
    const seconds = (performance.now() - started) / 1000 / lacking.length;
    for (const [i, seed] of lacking.entries()) {
      const build = { state: JSON.stringify(states[i]), cost: i === 0 ? cost : noCost, seconds };
      journal.recordBuild(buildKey(study, study.generalist, specializer, seed, contents), build, false);
    }
    await own.done();
  } finally {
    unlock();
  }
}
/** The build from the journal, or made now. One whose files were lost or damaged is made again. */
async function buildOnce(study, subject, specializer, seed, journal, signal, progress) {
  const { artifacts } = study;
  const key = buildKey(study, subject, specializer, seed, await study.contents(specializer));
  const whole = (build) => {
    try {
      for (const id of build ? artifactsIn(JSON.parse(build.state)) : []) artifacts.path(id);
      return build !== undefined;
    } catch (error) {
      if (error instanceof HoneError) return false;
      throw error;
    }
  };
  const before = journal.build(key);
  if (before && whole(before)) return before;
  // Another study may be making the same one: its checkpoints are not to be shared, but its result is.
  const unlock = await lockStudy(journal, `build ${key}`, { signal });
  try {
    const known = journal.build(key);
    if (known && whole(known)) return known;
    const own = artifacts.forBuild(key);
    let cost = noCost;
    const started = performance.now();
    const given = givenOf(study, seed, own, progress, signal, (more) => {
      cost = addCost(cost, more);
    });
    const state = await specializer.fit(subject, given);
    const build = {
      state: JSON.stringify(state),
      cost,
      seconds: (performance.now() - started) / 1000,
    };
    journal.recordBuild(key, build, known !== undefined);
    await own.done();
    return build;
  } finally {
    unlock();
  }
}
/** Whether the journal holds what a specializer makes here. */
export async function isBuilt(study, specializer, seed, journal) {
  const steps = stepsOf(specializer);
  let subject = study.generalist;
  for (const [i, step] of steps.entries()) {
    const build = journal.build(buildKey(study, subject, step, seed, await study.contents(step)));
    if (!build) return false;
    if (i < steps.length - 1) subject = step.apply(subject, JSON.parse(build.state), study);
  }
  return true;
}
/** Everything that decides a build, as one key. */
function buildKey({ domain, spec }, subject, specializer, seed, contents) {
  return fingerprint([
    "build",
    subject.id,
    domain.task.id,
    fingerprint(domain.dataset.train),
    fingerprint(domain.dataset.dev),
    specializer.name,
    specializer.options,
    specializer.seeded ? seed : null,
    spec.encoder,
    ...(contents === undefined ? [] : [contents]),
  ]);
}
function givenOf({ domain, encoder, base, open }, seed, artifacts, progress, signal, paid) {
  const trace = (call) => paid(call.cost);
  return {
    task: domain.task,
    train: domain.dataset.train,
    dev: domain.dataset.dev,
    seed,
    encoder,
    artifacts,
    base,
    progress,
    context: {
      signal,
      trace,
      seed,
      open: async (ref) => ({ subject: await open(ref), context: { signal, trace } }),
    },
  };
}
