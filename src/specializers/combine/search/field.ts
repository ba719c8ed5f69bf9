// The branches of a search: what each is, what it scored, what it cost and why it was dropped. A sample that a branch left
// unanswered counts as the worst possible score.

import type { LanguageSubject } from "../../../core/kinds.js";
import { directionOf, extremes } from "../../../core/metric.js";
import { randomFor, shuffled } from "../../../core/random.js";
import type { Sample } from "../../../core/sample.js";
import type { SearchBranch, SearchGain, Spent } from "../../../core/search.js";
import type { Given, LanguageSpecializer } from "../../../core/specializer.js";
import { fitPool, forecastOf } from "../../../learn/pool.js";
import { type Group, meanInterval, standardError, unitsOf } from "../../../statistics/index.js";
import { divideTrain } from "../stack/folds.js";
import { chooseMembers, type HeldRow, poolOf, type Step } from "../stack/members.js";
import { estimate } from "./factorial.js";
import { type Answered, askOne, type Lab, type Part, type Work } from "./lab.js";
import { added, nothing } from "./meter.js";
import { composed, levelName, type Place, type Space } from "./space.js";

/** Number of samples of each part of train. */
export type Counts = readonly number[];

export interface Member {
  branch: number;
  weight: number;
}

interface Branch {
  specializer: LanguageSpecializer;
  place: Place;
  notes: SearchBranch;
}

export interface Field {
  readonly branches: readonly Branch[];
  /** Train in parts, and all of it with dev to evaluate on. */
  readonly parts: readonly Part[];
  readonly whole: Part;
  /** The branch at a place; places that come to the same specializer share one. */
  at: (place: Place) => number;
  alive: (branch: number) => boolean;
  drop: (branch: number, stage: string, why: string) => void;
  label: (branch: number) => string;
  needs: (branch: number, grant: "gradients") => boolean;
  /** Fits and evaluates a branch, as the lab does. */
  work: (branch: number, part: Part, count: number) => Promise<Work>;
  known: (branch: number, part: Part) => Work | undefined;
  rows: (branch: number, counts: Counts) => Answered[];
  /** Higher is better. */
  scores: (branch: number, counts: Counts) => Float64Array;
  groups: (counts: Counts) => Group[];
  /** Records what branches scored at the end of a stage. */
  tell: (stage: string, counts: Counts, branches: readonly number[]) => void;
  /** The pool of some branches, without members that do not help; undefined if fewer than two return probabilities. */
  pool: (
    branches: readonly number[],
    counts: Counts,
  ) => Promise<{ members: Member[]; steps: Step[] } | undefined>;
  /** Scores of a pool on train, each part with weights fitted on the other parts; and of members on dev. */
  pooled: (members: readonly Member[], counts: Counts) => Promise<Float64Array>;
  onDev: (members: readonly Member[]) => Promise<Float64Array>;
  gain: (differences: ArrayLike<number>, groups: readonly Group[]) => SearchGain;
  /** Estimated cost of answering so many samples of each part, and of fitting on all of train and answering dev. */
  missing: (branch: number, upTo: Counts) => Spent;
  toFinish: (branch: number) => Spent;
  /** The notes on each branch, with its cost. */
  told: () => SearchBranch[];
}

export function openField(
  given: Given,
  lab: Lab,
  { space, plain, folds, guard }: { space: Space; plain: LanguageSpecializer; folds: number; guard: number },
): Field {
  const { task, train, dev, seed } = given;
  const direction = directionOf(task.metric);
  const { queries, answers, foldOf } = divideTrain(given, folds);
  const numbers = new Map(train.map((sample, i) => [sample, i]));
  const parts = [...new Set(foldOf)]
    .sort((a, b) => a - b)
    .map((fold): Part => {
      const asked = train.filter((_, i) => foldOf[i] === fold);
      return {
        name: `part ${fold + 1} of ${folds}`,
        train: train.filter((_, i) => foldOf[i] !== fold),
        asked: shuffled(asked, randomFor(seed, "search", "part", fold)),
      };
    });
  const whole: Part = { name: "all of train", train, asked: dev };
  const branches: Branch[] = [];
  const of = (b: number): Branch => branches[b] as Branch;
  const known = (b: number, part: Part) => lab.known(of(b).specializer, part);
  const asked = (counts: Counts): Sample[] =>
    counts.flatMap((count, p) => (parts[p] as Part).asked.slice(0, count));
  const rows = (b: number, counts: Counts) =>
    counts.flatMap((count, p) => known(b, parts[p] as Part)?.rows.slice(0, count) ?? []);
  const worstSeen = (): number => {
    const seen = branches.flatMap((_, b) => [...parts, whole].flatMap((part) => known(b, part)?.rows ?? []));
    const scores = seen.flatMap(({ score }) => score ?? []);
    return scores.length > 0 ? scores.reduce((a, b) => Math.min(a, b)) : 0;
  };
  const scored = (values: readonly (number | null)[]): Float64Array => {
    const { worst } = extremes(task.metric);
    // If the scale is unbounded, the worst score that any branch was given.
    const least = Number.isFinite(worst) ? direction * worst : worstSeen();
    return Float64Array.from(values, (one) => one ?? least);
  };
  const scores = (b: number, counts: Counts) => scored(rows(b, counts).map(({ score }) => score));
  const groups = (counts: Counts) => asked(counts).map(({ group }) => group);

  /** Samples whose options include the right one, and the branches' forecasts for them. */
  const held = (of: readonly number[], counts: Counts) => {
    const own = of.map((b) => rows(b, counts));
    const single = counts.filter((count) => count > 0).length < 2;
    const lines = asked(counts).flatMap((sample, i) => {
      const at = numbers.get(sample) as number;
      const keys = queries[at]?.options?.map(({ key }) => key) ?? [];
      const right = keys.indexOf(answers[at] as string);
      // A single part is split again.
      const fold = single ? i % 5 : (foldOf[at] as number);
      return right < 0 ? [] : [{ ...{ keys, right, fold, group: sample.group }, i }];
    });
    const said = own.map((own) => {
      const silent = lines.filter(({ i }) => !own[i]?.options).length;
      return 2 * silent > lines.length
        ? undefined
        : lines.map(({ i, keys }) => forecastOf(keys, own[i]?.options ?? undefined));
    });
    return { lines, said };
  };
  /** The scores of a pool of members' answers on some samples. */
  const scorePool = async (
    samples: readonly Sample[],
    said: readonly (readonly Answered[])[],
    weightsOf: (sample: Sample) => readonly number[],
  ): Promise<Float64Array> => {
    const found: (number | null)[] = [];
    for (const [i, sample] of samples.entries()) {
      const asked = said.map((own) => ({
        respond: async () => ({ ...(own[i]?.options ? { scores: own[i].options } : {}) }),
      }));
      const respond = poolOf(asked, weightsOf(sample));
      const subject: LanguageSubject = { kind: "language", name: "stack", id: "stack", respond };
      found.push((await askOne(subject, sample, given)).score);
    }
    return scored(found);
  };

  return {
    ...{ branches, parts, whole, known, rows, scores, groups },
    at: (place) => {
      const specializer = composed(space, place, plain);
      const same = (one: LanguageSpecializer) =>
        one.name === specializer.name && JSON.stringify(one.options) === JSON.stringify(specializer.options);
      const found = branches.findIndex((one) => same(one.specializer));
      if (found >= 0) return found;
      const levels =
        typeof place === "number"
          ? null
          : space.factors.map(({ levels }, f) => levelName(levels[place[f] as number] ?? null));
      const { label } = specializer;
      branches.push({
        specializer,
        place,
        notes: { label, levels, scores: [], spent: nothing, dropped: null },
      });
      return branches.length - 1;
    },
    alive: (b) => of(b).notes.dropped === null,
    drop: (b, stage, why) => {
      of(b).notes.dropped ??= { stage, why };
    },
    label: (b) => of(b).notes.label,
    needs: (b, grant) => of(b).specializer.needs.includes(grant),
    work: (b, part, count) => lab.work(of(b).specializer, part, count),
    tell: (stage, counts, some) => {
      const { worst, best } = extremes(task.metric);
      for (const b of some) {
        const values = scores(b, counts).map((score) => direction * score);
        const { n, mean, low, high } = meanInterval(values, {
          ...{ groups: groups(counts), seed: 1, resamples: 1000 },
          range: [Math.min(worst, best), Math.max(worst, best)],
        });
        of(b).notes.scores.push({ stage, n, mean, low, high });
      }
    },
    pool: async (some, counts) => {
      const { lines, said } = held(some, counts);
      if (lines.length < 20 || said.filter((one) => one !== undefined).length < 2) return undefined;
      const labels = some.map((b) => of(b).notes.label);
      const { taken, weights, steps } = await chooseMembers(labels, said, lines satisfies HeldRow[], guard);
      const members = taken.map((m, i) => ({ branch: some[m] as number, weight: weights[i] as number }));
      return { members, steps };
    },
    pooled: async (members, counts) => {
      const { lines, said } = held(
        members.map(({ branch }) => branch),
        counts,
      );
      const byFold = new Map<number, number[]>();
      for (const fold of new Set(lines.map(({ fold }) => fold))) {
        const others = lines.flatMap((line, l) =>
          line.fold === fold ? [] : [{ right: line.right, forecasts: said.map((own) => own?.[l] ?? []) }],
        );
        byFold.set(fold, await fitPool(others));
      }
      const usual = members.map(({ weight }) => weight);
      const samples = asked(counts);
      const foldAt = new Map(lines.map(({ i, fold }) => [samples[i], fold]));
      return scorePool(
        samples,
        members.map(({ branch }) => rows(branch, counts)),
        (sample) => byFold.get(foldAt.get(sample) ?? -1) ?? usual,
      );
    },
    onDev: async (members) => {
      const said = members.map(({ branch }) => known(branch, whole)?.rows ?? []);
      const [only] = said;
      if (said.length === 1 && only) return scored(only.map(({ score }) => score));
      const weights = members.map(({ weight }) => weight);
      return scorePool(dev, said, () => weights);
    },
    gain: (differences, groups) => {
      const { delta, low, high } = estimate(differences, groups);
      const { error } = standardError(unitsOf(differences, groups), differences);
      const ends = [direction * low, direction * high];
      return {
        ...{ n: differences.length, delta: direction * delta, error },
        ...{ low: Math.min(...ends), high: Math.max(...ends) },
      };
    },
    missing: (b, upTo) => {
      const done = parts.flatMap((part) => known(b, part) ?? []);
      const answered = done.reduce((sum, { rows }) => sum + rows.length, 0);
      const asking = done.reduce((sum, { spent }) => added(sum, spent.ask), nothing);
      return upTo.reduce((sum, count, p) => {
        const part = parts[p] as Part;
        const work = known(b, part);
        const left = Math.max(0, Math.min(count, part.asked.length) - (work?.rows.length ?? 0));
        const fit = count > 0 && !work ? (done[0]?.spent.fit ?? nothing) : nothing;
        return added(added(sum, fit), asking, answered > 0 ? left / answered : 0);
      }, nothing);
    },
    toFinish: (b) => {
      const done = parts.flatMap((part) => known(b, part) ?? [])[0];
      if (!done) return nothing;
      const made = added(
        nothing,
        done.spent.fit,
        train.length / Math.max(1, (parts[0] as Part).train.length),
      );
      return added(made, done.spent.ask, dev.length / Math.max(1, done.rows.length));
    },
    told: () =>
      branches.map(({ specializer, notes }) => ({
        ...notes,
        spent: [...parts, whole].reduce((sum, part) => added(sum, lab.spent(specializer, part)), nothing),
      })),
  };
}

/** The branch with the highest value; ties go to the first. */
export function bestBy(branches: readonly number[], value: (branch: number) => number): number {
  return branches.reduce((a, b) => (value(b) > value(a) ? b : a));
}
