// Making specialists: one arm fitted for each seed, or taken from the journal if the same one was made before.

import { isWhole } from "../core/artifacts.js";
import { addCost, type Cost, noCost } from "../core/call.js";
import { fingerprint, type Json } from "../core/json.js";
import type { Kind, Subject } from "../core/kinds.js";
import type { Given, Specializer } from "../core/specializer.js";
import { stopwatch } from "../core/stopwatch.js";
import { isChain } from "../specializers/combine/chain.js";
import type { Build, Journal } from "../store/journal.js";
import { lockStudy } from "../store/lock.js";
import type { Arm, PreparedStudy } from "./prepare.js";

export interface Specialist {
  subject: Subject;
  /** The specializer's state, as JSON text. */
  state: string;
  build: Cost & { seconds: number };
  /** Calls that failed for good while it was made, and that it was made without. */
  failed: number;
}

/** One arm with its specialists, one per seed. */
export interface FittedArm {
  arm: Arm;
  specialists: (Specialist & { seed: number })[];
  /** Why it could not be made, if the model failed during the fit. */
  failure?: string;
}

/**
 * Makes a specialist, or takes its state from the journal if the same one was made before. The steps of a chain are made
 * one by one, so that steps shared by several arms are made once.
 * @param again makes it again if calls failed while it was made
 * @throws CallError when the model failed during the fit; HoneError when the specializer cannot be used here
 */
export async function fitArm(
  study: PreparedStudy,
  specializer: Specializer,
  seed: number,
  journal: Journal,
  signal: AbortSignal,
  progress: Given["progress"],
  again = false,
): Promise<Specialist> {
  const states: Json[] = [];
  let subject: Subject = study.generalist;
  let cost = noCost;
  let seconds = 0;
  let failed = 0;
  for (const step of stepsOf(specializer)) {
    const build = await buildOnce(study, subject, step, seed, journal, signal, progress, again);
    const state = JSON.parse(build.state) as Json;
    subject = step.apply(subject, state, study);
    states.push(state);
    cost = addCost(cost, build.cost);
    seconds += build.seconds;
    failed += build.failed;
  }
  const state = JSON.stringify(isChain(specializer) ? states : states[0]);
  return { subject, state, build: { ...cost, seconds }, failed };
}

function stepsOf(specializer: Specializer): readonly Specializer[] {
  return isChain(specializer) ? specializer.steps : [specializer];
}

/**
 * Makes the specialists of several seeds together, if the specializer can and the journal lacks more than one of them;
 * `fitArm` then finds them. Otherwise it does nothing.
 */
export async function fitSeeds(
  study: PreparedStudy,
  { specializer: arm, seeds }: Pick<Arm, "specializer" | "seeds">,
  journal: Journal,
  signal: AbortSignal,
  progress: Given["progress"],
): Promise<void> {
  const specializer = stepsOf(arm)[0] as Specializer;
  if (!specializer.fitAll) return;
  const contents = await study.contents(specializer);
  const lacking = seeds.filter(
    (seed) => !journal.build(buildKey(study, study.generalist, specializer, seed, contents)),
  );
  if (lacking.length < 2) return;
  const key = fingerprint(
    lacking.map((seed) => buildKey(study, study.generalist, specializer, seed, contents)),
  );
  const unlock = await lockBuild(journal, key, signal, progress);
  try {
    const own = study.artifacts.forBuild(key);
    const tally = tallied();
    const watch = await stopwatch({ artifacts: own, progress }, "seconds");
    const given = givenOf(study, lacking[0] as number, own, watch.progress, signal, tally);
    const states = await specializer.fitAll(study.generalist, given, lacking);
    const seconds = watch.seconds() / lacking.length;
    for (const [i, seed] of lacking.entries()) {
      const { cost, failed } = tally;
      const build = { state: JSON.stringify(states[i]), cost: i === 0 ? cost : noCost, seconds, failed };
      journal.recordBuild(buildKey(study, study.generalist, specializer, seed, contents), build, false);
    }
    await own.done();
  } finally {
    unlock();
  }
}

/** Waits for another process that makes the same specialist; the wait reports progress, and so can be stopped as a fit can. */
function lockBuild(
  journal: Journal,
  key: string,
  signal: AbortSignal,
  progress: Given["progress"],
): Promise<() => void> {
  return lockStudy(journal, `build ${key}`, {
    signal,
    onWait: ({ pid, host }) =>
      progress(0, 1, `waiting for process ${pid} on ${host}, which is making the same specialist`),
  });
}

/** The build from the journal, or a new one. A build whose files were lost or damaged is made again; with `again` also one that calls failed for. */
async function buildOnce(
  study: PreparedStudy,
  subject: Subject,
  specializer: Specializer,
  seed: number,
  journal: Journal,
  signal: AbortSignal,
  progress: Given["progress"],
  again: boolean,
): Promise<Build> {
  const { artifacts } = study;
  const key = buildKey(study, subject, specializer, seed, await study.contents(specializer));
  const whole = ({ state, failed }: Build) =>
    !(again && failed > 0) && isWhole(JSON.parse(state) as Json, artifacts);
  const before = journal.build(key);
  if (before && whole(before)) return before;
  // Another study may be making the same one: its checkpoints must not be shared, but its result is.
  const unlock = await lockBuild(journal, key, signal, progress);
  try {
    const known = journal.build(key);
    if (known && whole(known)) return known;
    const own = artifacts.forBuild(key);
    const tally = tallied();
    const watch = await stopwatch({ artifacts: own, progress }, "seconds");
    const given = givenOf(study, seed, own, watch.progress, signal, tally);
    const state = await specializer.fit(subject, given);
    const build: Build = { state: JSON.stringify(state), ...tally, seconds: watch.seconds() };
    journal.recordBuild(key, build, known !== undefined);
    await own.done();
    return build;
  } finally {
    unlock();
  }
}

/** Whether the journal holds what a specializer makes here. */
export async function isBuilt(
  study: PreparedStudy,
  specializer: Specializer,
  seed: number,
  journal: Journal,
): Promise<boolean> {
  const steps = stepsOf(specializer);
  let subject: Subject = study.generalist;
  for (const [i, step] of steps.entries()) {
    const build = journal.build(buildKey(study, subject, step, seed, await study.contents(step)));
    if (!build) return false;
    if (i < steps.length - 1) subject = step.apply(subject, JSON.parse(build.state) as Json, study);
  }
  return true;
}

/** Everything that decides a build, as one key. */
function buildKey(
  { domain, elsewhere, spec }: PreparedStudy,
  subject: Subject,
  specializer: Specializer,
  seed: number,
  contents: Json | undefined,
): string {
  return fingerprint([
    "build",
    subject.id,
    domain.task.id,
    fingerprint(domain.dataset.train),
    fingerprint(domain.dataset.dev),
    specializer.name,
    specializer.options,
    specializer.seeded ? seed : null,
    // The encoder's identity is among the contents where it is used; its reference stays, so that other builds keep their keys.
    spec.encoder,
    ...(specializer.screened
      ? [[domain, ...elsewhere].map(({ dataset }) => [dataset.test.fingerprint, fingerprint(dataset.dev)])]
      : []),
    ...(contents === undefined ? [] : [contents]),
  ]);
}

/** What a fit's calls cost, and how many failed. */
interface Tally {
  cost: Cost;
  failed: number;
}

const tallied = (): Tally => ({ cost: noCost, failed: 0 });

function givenOf(
  { domain, elsewhere, encoder, base, open }: PreparedStudy,
  seed: number,
  artifacts: Given["artifacts"],
  progress: Given["progress"],
  signal: AbortSignal,
  tally: Tally,
): Given<Kind> {
  const calls = {
    signal,
    trace: (call: { cost: Cost }) => {
      tally.cost = addCost(tally.cost, call.cost);
    },
    lost: () => {
      tally.failed++;
    },
  };
  return {
    task: domain.task,
    train: domain.dataset.train,
    dev: domain.dataset.dev,
    seed,
    encoder,
    artifacts,
    screen: () => ({
      overlap: (text) => {
        for (const { dataset } of [domain, ...elsewhere]) {
          const found = dataset.screen?.().overlap(text);
          if (found) return found;
        }
        return undefined;
      },
    }),
    base,
    progress,
    context: {
      ...calls,
      seed,
      open: async (ref) => ({ subject: await open(ref), context: calls }),
    },
  };
}
