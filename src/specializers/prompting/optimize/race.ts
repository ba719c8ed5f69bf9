// The race of prompts: a headroom test, elimination on fresh paired minibatches, the shortest within one standard error, and
// a confirmation on samples that no part of the search has seen. It sees only scores and lengths, not prompts.

import { randomFor, shuffled } from "../../../core/random.js";
import {
  type Group,
  maxTest,
  pairedDifference,
  signFlip,
  standardError,
  unitsOf,
} from "../../../statistics/index.js";
import type { Scorer } from "./workshop.js";

/** A prompt in the race. The first one is the prompt as it stands, which the others must beat. */
export interface Racer {
  name: string;
  /** The prompt's length in characters: ties go to the shortest. */
  length: number;
}

/** Samples by position, each part with the group of each sample. */
export interface Course {
  search: readonly Group[];
  confirm: readonly Group[];
}

export interface RaceOptions {
  seed: number;
  /** Samples of a minibatch. Fewer than 32 cannot tell a better prompt from luck. */
  batch: number;
  /** The headroom test's level: above it nothing is searched. */
  headroom: number;
  /** The confirmation's level, one-sided. */
  alpha: number;
  /** Ends of a score's scale, as `pairedDifference` takes them; by default [0, 1]. */
  range?: readonly [number, number];
}

/** A difference with its sample size, in the task's unit. */
type Gain = { n: number; delta: number };

/** How a race went. Scores are oriented so that higher is better. */
export type RaceReport = {
  /** Number of prompts that were tried, including the one as it stands. */
  looked: number;
  /** One-sided p that any is better than the prompt as it stands, on the first three minibatches. */
  headroom: { p: number; n: number; shown: boolean };
  racers: { name: string; length: number; n: number; mean: number; dropped: number | null }[];
  /** Position of the best on the search samples, of the shortest within one standard error of it, and of what is returned. */
  best: number;
  shortest: number;
  returned: number;
  /** The best's gain over the prompt as it stands on the search samples; null where that one is the best. */
  bestGain: Gain | null;
  /** The shortest's gain over the prompt as it stands, where it was searched and where it was confirmed; and their difference. */
  search: Gain | null;
  confirm: (Gain & { low: number; high: number; p: number }) | null;
  shrinkage: number | null;
  verdict: "no headroom" | "none better" | "not confirmed" | "confirmed";
};

/** A racer that is behind with a one-sided p below this is dropped, and one that shares no answered sample with the first. */
const behind = 0.05;

/**
 * Races prompts.
 *
 * 1. Headroom: all run on three minibatches; unless the max-T test finds any better than the first at the level `headroom`, the
 *    first is returned.
 * 2. Elimination: after each fresh minibatch every racer that is behind the leader (sign-flip, one-sided 5 %, on the samples
 *    that both have) is dropped. The first is never dropped. `newcomer` may add one per round, which then catches up on the
 *    samples that the others ran; it is asked until it has none.
 * 3. The shortest of those within one standard error of the best, the error being that of the paired difference.
 * 4. Confirmation: against the first on the confirm samples, one-sided at `alpha`; a prompt that fails is not returned.
 *
 * Racers are ranked by their mean lead over the first on the samples that both have: their own means may be over other samples.
 *
 * @param racers grows with newcomers
 * @param newcomer called with the leader's position in each round after the headroom test
 */
export async function race(
  racers: Racer[],
  course: Course,
  score: Scorer,
  options: RaceOptions,
  newcomer: (leader: number, round: number) => Promise<Racer | undefined> = async () => undefined,
): Promise<RaceReport> {
  const order = shuffled([...course.search.keys()], randomFor(options.seed, "optimize", "search"));
  const scores: Float64Array[] = [];
  const dropped: (number | null)[] = [];
  const run = async (racer: number, samples: readonly number[]): Promise<void> => {
    scores[racer] ??= new Float64Array(course.search.length).fill(Number.NaN);
    dropped[racer] ??= null;
    const found = await score(racer, "search", samples);
    for (const [i, sample] of samples.entries()) scores[racer][sample] = found[i] ?? Number.NaN;
  };
  const pair = (a: number, b: number) => differences(scores[a]!, scores[b]!, course.search);
  const alive = () => [...racers.keys()].filter((i) => dropped[i] === null);
  const leadOf = (racer: number): number => {
    const { n, mean } = pair(racer, 0);
    return n > 0 ? mean : Number.NEGATIVE_INFINITY;
  };
  const leaderOf = (of: readonly number[]): number => {
    const leads = new Map(of.map((i) => [i, leadOf(i)]));
    return of.reduce((a, b) => ((leads.get(b) as number) > (leads.get(a) as number) ? b : a));
  };

  const first = order.slice(0, 3 * options.batch);
  for (const racer of racers.keys()) await run(racer, first);
  const rivals = [...racers.keys()].slice(1);
  const p = maxTest(
    rivals.map((i) => shared(scores[i]!, scores[0]!, course.search, first)),
    { random: randomFor(options.seed, "optimize", "headroom") },
  );
  const report = {
    headroom: { p, n: first.length, shown: p <= options.headroom },
    ...{ best: 0, shortest: 0, returned: 0, bestGain: null, search: null, confirm: null, shrinkage: null },
  };
  const told = (rest: Pick<RaceReport, "verdict"> & Partial<RaceReport>): RaceReport => ({
    looked: racers.length,
    racers: racers.map(({ name, length }, i) => ({
      ...{ name, length, dropped: dropped[i] ?? null },
      ...meanOf(scores[i]!),
    })),
    ...report,
    ...rest,
  });
  if (!report.headroom.shown) return told({ verdict: "no headroom" });

  let ran = first.length;
  for (let round = 1; ; round++) {
    const leader = leaderOf(alive());
    for (const i of alive())
      if (i !== 0 && i !== leader && (isBehind(pair(i, leader)) || pair(i, 0).n === 0)) dropped[i] = round;
    const added = await newcomer(leader, round);
    if (added) {
      racers.push(added);
      await run(racers.length - 1, order.slice(0, ran));
    } else if (ran >= order.length || alive().every((i) => i === 0 || i === leader)) break;
    const fresh = order.slice(ran, ran + options.batch);
    for (const i of alive()) await run(i, fresh);
    ran += fresh.length;
  }

  const best = leaderOf(alive());
  const near = alive().filter((i) => i === best || within(pair(best, i)));
  const shortest = near.reduce((a, b) => (racers[b]!.length < racers[a]!.length ? b : a));
  const gainOf = (racer: number): Gain => ({ n: pair(racer, 0).n, delta: pair(racer, 0).mean });
  const search = gainOf(shortest);
  const found = { best, shortest, bestGain: best === 0 ? null : gainOf(best) };
  if (shortest === 0) return told({ ...found, verdict: "none better" });

  const confirm = await confirmation(shortest, course.confirm, score, options);
  const confirmed = confirm.delta > 0 && confirm.p <= options.alpha;
  return told({
    ...{ ...found, search, returned: confirmed ? shortest : 0 },
    confirm,
    shrinkage: search.delta - confirm.delta,
    verdict: confirmed ? "confirmed" : "not confirmed",
  });
}

/** A prompt against the first on the confirm samples that both answered; p is one-sided. */
export async function confirmation(
  prompt: number,
  groups: readonly Group[],
  score: Scorer,
  { seed, range }: Pick<RaceOptions, "seed" | "range">,
): Promise<NonNullable<RaceReport["confirm"]>> {
  const samples = [...groups.keys()];
  const [ours, theirs] = [await score(prompt, "confirm", samples), await score(0, "confirm", samples)];
  const both = samples.filter((i) => ours[i] !== null && theirs[i] !== null);
  const pick = (from: readonly (number | null)[]) => both.map((i) => from[i] as number);
  const { n, delta, low, high, p } = pairedDifference(pick(ours), pick(theirs), {
    ...{ seed, groups: both.map((i) => groups[i]) },
    ...(range ? { range } : {}),
  });
  return { n, delta, low, high, p: delta > 0 ? p / 2 : 1 - p / 2 };
}

/** Unit sums of a's scores less b's on the samples that both have, with their mean over samples and its standard error. */
function differences(
  a: Float64Array,
  b: Float64Array,
  groups: readonly Group[],
): { n: number; mean: number; error: number; sums: Float64Array } {
  const at = [...a.keys()].filter((i) => !Number.isNaN(a[i]! - b[i]!));
  const values = at.map((i) => a[i]! - b[i]!);
  const units = unitsOf(
    values,
    at.map((i) => groups[i]),
  );
  return { n: at.length, mean: units.mean, error: standardError(units, values).error, sums: units.sums };
}

/** The same as one sum for each unit among `samples`, in one order for all racers; 0 where either was not scored. */
function shared(
  a: Float64Array,
  b: Float64Array,
  groups: readonly Group[],
  samples: readonly number[],
): Float64Array {
  const values = samples.map((i) => (Number.isNaN(a[i]! - b[i]!) ? 0 : a[i]! - b[i]!));
  return unitsOf(
    values,
    samples.map((i) => groups[i]),
  ).sums;
}

function isBehind({ sums, mean }: ReturnType<typeof differences>): boolean {
  return mean < 0 && signFlip(sums, { random: randomFor(1, "optimize", "behind") }) / 2 < behind;
}

/** Whether the best's lead is at most one standard error. */
function within({ mean, error }: ReturnType<typeof differences>): boolean {
  return mean <= error;
}

function meanOf(scores: Float64Array): { n: number; mean: number } {
  const known = scores.filter((score) => !Number.isNaN(score));
  return { n: known.length, mean: known.reduce((sum, score) => sum + score, 0) / Math.max(1, known.length) };
}
