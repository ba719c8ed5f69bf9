// The course of a search, from the factorial to the confirmation on dev. All fits and evaluations go through the field and
// its lab, which keep them; the meter says when the budget ends.

import { HoneError } from "../../../core/errors.js";
import type { Json } from "../../../core/json.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import { directionOf } from "../../../core/metric.js";
import { randomFor } from "../../../core/random.js";
import type { SearchNotes } from "../../../core/search.js";
import type { Given, LanguageSpecializer } from "../../../core/specializer.js";
import { signFlip, unitsOf } from "../../../statistics/index.js";
import { requireTrain } from "../../parts/define.js";
import { divideTrain } from "../stack/folds.js";
import { less, mean } from "./factorial.js";
import { bestBy, type Counts, type Field, type Member, openField } from "./field.js";
import { openLab } from "./lab.js";
import { added, BudgetEnded, type Limits, type Meter, nothing, openMeter } from "./meter.js";
import { design, grantedPlaces, levelName, type Space } from "./space.js";
import { endedAtOnce, factorial, halve, headroomOf, type Screened, simplest, survivorsOf } from "./stages.js";

export interface Rules {
  cells: number;
  screen: number;
  folds: number;
  held: number;
  headroom: number;
  confirm: number;
  guard: number;
}

/** A member of the result: its place in the space, its weight in the pool, its state fitted on all of train. */
export type Returned = { place: number[] | number; weight: number; state: Json };

/**
 * Searches a space.
 *
 * 1. Factorial: every combination (or a fraction of them) and every specializer alone answers the same train samples, out of fold.
 * 2. Headroom: unless the max-T test finds any better than the simplest, the simplest is returned. Too few samples are no test.
 * 3. Survivors, by main effects or, where the interaction test shows that these do not add up, cell by cell.
 * 4. Successive halving over them, on growing parts of train.
 * 5. A pool if members help each other and it scores no less than the best of them; else the best one.
 * 6. Confirmation against the simplest on dev, or, if any branch chooses on dev, on the half of it that no branch was given.
 *
 * @throws HoneError where there is no train or dev, the simplest branch leaves most unanswered, or the budget does not cover it
 */
export async function searchFor(
  subject: LanguageSubject,
  given: Given,
  { space, plain, limits, rules }: { space: Space; plain: LanguageSpecializer; limits: Limits; rules: Rules },
): Promise<{ members: Returned[]; search: SearchNotes }> {
  requireTrain(given, "search");
  if (given.dev.length === 0) throw withoutDev(given);
  const { chosenOn, confirmedOn } = divideDev(subject, given, space);
  const meter = await openMeter(subject, { ...given, dev: chosenOn }, limits);
  const confirming = { ...given, dev: confirmedOn };
  const field = openField(confirming, await openLab(meter), {
    space,
    plain,
    folds: rules.folds,
    guard: rules.guard,
  });
  try {
    return await course(field, meter, { subject, given: confirming, space, limits, rules });
  } catch (error) {
    // A budget is an error only if it does not cover the simplest branch.
    throw error instanceof BudgetEnded ? tooSmall(confirming) : error;
  }
}

/**
 * The dev samples that branches are given, and those that the result is confirmed on: all of dev for both, but halves if a branch
 * that the model grants chooses on dev, so that none is confirmed on the samples that chose it. Groups and equal texts stay
 * together.
 */
function divideDev(subject: LanguageSubject, given: Given, space: Space) {
  const { dev } = given;
  const { levels, alone } = grantedPlaces(space, subject.model?.grants ?? new Set());
  const granted = [
    ...space.factors.flatMap((factor, f) => factor.levels.filter((_, l) => levels[f]?.[l])),
    ...space.alone.filter((_, a) => alone[a]),
  ];
  if (!granted.some((one) => one?.choosesOnDev)) return { chosenOn: dev, confirmedOn: dev };
  const { foldOf } = divideTrain({ ...given, train: dev }, 2);
  return {
    // The first group dealt goes to the first part, so this is never empty.
    confirmedOn: dev.filter((_, i) => foldOf[i] === 0),
    chosenOn: dev.filter((_, i) => foldOf[i] === 1),
  };
}

async function course(
  field: Field,
  meter: Meter,
  {
    subject,
    given,
    space,
    limits,
    rules,
  }: { subject: LanguageSubject; given: Given; space: Space; limits: Limits; rules: Rules },
): Promise<{ members: Returned[]; search: SearchNotes }> {
  const { levels, cells } = placesOf(field, subject, space, rules.cells, given.seed);
  const screened = await factorial(field, meter, { cells, levels, screen: rules.screen });
  const { counts, found } = screened;
  const answered = field.rows(simplest, counts).filter(({ score }) => score !== null).length;
  const n = field.scores(simplest, counts).length;
  if (2 * answered < n) throw unanswered(given);

  const notes: Omit<SearchNotes, "verdict" | "returned" | "spent" | "branches"> = {
    limits,
    factors: effectsOf(space, screened, directionOf(given.task.metric)),
    interaction:
      found.interaction === null
        ? null
        : { cells: screened.cells.length, n, p: found.interaction, shown: found.interacts },
    headroom: headroomOf(field, screened, { level: rules.headroom, screen: rules.screen, seed: given.seed }),
    pool: [],
    proposed: null,
  };
  const finish = async (members: readonly Member[], verdict: SearchNotes["verdict"]) => {
    const made: Returned[] = [];
    for (const { branch, weight } of members) {
      const place = field.branches[branch]?.place ?? 0;
      const { state } = await field.work(branch, field.whole, 0);
      made.push({ place: typeof place === "number" ? place : [...place], weight, state });
    }
    const returned = members.map(({ branch }) => branch);
    return {
      members: made,
      search: { ...notes, verdict, returned, spent: meter.spent(), branches: field.told() },
    };
  };
  const giveUp = (verdict: SearchNotes["verdict"]) => {
    meter.lift();
    return finish([{ branch: simplest, weight: 1 }], verdict);
  };
  if (endedAtOnce(field, screened.branches)) return giveUp("budget ended");
  if (notes.headroom?.shown === false) return giveUp("no headroom");

  const survivors = await survivorsOf(field, space, screened);
  const expected = new Map(found.survivors.map(({ place, mean }) => [field.at(place), mean]));
  const end = await halve(field, meter, {
    ...{ left: survivors, from: counts, size: Math.ceil(rules.held / field.parts.length) },
    expected: (b) => expected.get(b) ?? Number.NEGATIVE_INFINITY,
  });
  const best = await choose(field, meter, end);
  notes.pool = best.steps;
  const own = field.scores(simplest, end.counts);
  if (mean(best.values) <= mean(own)) return giveUp(best.unaffordable ? "budget ended" : "none better");

  notes.proposed = {
    members: best.members,
    searched: field.gain(less(best.values, own), field.groups(end.counts)),
    confirmed: null,
  };
  meter.reserve = nothing;
  const dev = field.whole.asked;
  try {
    for (const branch of [simplest, ...best.members.map(({ branch }) => branch)])
      await field.work(branch, field.whole, dev.length);
    const differences = less(
      await field.onDev(best.members),
      await field.onDev([{ branch: simplest, weight: 1 }]),
    );
    const groups = dev.map(({ group }) => group);
    const twoSided = signFlip(unitsOf(differences, groups).sums, {
      random: randomFor(given.seed, "search", "confirm"),
    });
    const p = mean(differences) > 0 ? twoSided / 2 : 1 - twoSided / 2;
    notes.proposed.confirmed = { ...field.gain(differences, groups), p };
    if (mean(differences) > 0 && p <= rules.confirm) return await finish(best.members, "confirmed");
  } catch (error) {
    if (!(error instanceof BudgetEnded)) throw error;
    return giveUp("budget ended");
  }
  return giveUp("not confirmed");
}

/** The cells of the factorial, the simplest first, and the specializers alone; what the model does not grant is dropped at once. */
function placesOf(field: Field, subject: LanguageSubject, space: Space, most: number, seed: number) {
  const granted = grantedPlaces(space, subject.model?.grants ?? new Set());
  const levels = granted.levels.map((open) => [...open.keys()].filter((level) => open[level]));
  const cells = design(levels, most, seed).map((place) => ({ place, branch: field.at(place) }));
  const none = levels.map(() => 0);
  const refuse = (branch: number) => {
    if (!cells.some((cell) => cell.branch === branch))
      field.drop(branch, "start", "the model does not grant what it needs");
  };
  for (const [f, open] of granted.levels.entries())
    for (const [level, is] of open.entries())
      if (!is) refuse(field.at(none.map((first, g) => (g === f ? level : first))));
  for (const [place, is] of granted.alone.entries()) {
    const branch = field.at(place);
    if (!is) refuse(branch);
  }
  return { levels, cells };
}

function effectsOf(space: Space, { found }: Screened, direction: 1 | -1): SearchNotes["factors"] {
  return space.factors.map(({ name, levels }, f) => ({
    name,
    effects: (found.effects[f] ?? []).map(({ level, delta, low, high, kept }) => ({
      level: levelName(levels[level] ?? null),
      ...(direction > 0 ? { delta, low, high } : { delta: -delta, low: -high, high: -low }),
      kept,
    })),
  }));
}

/**
 * The pool of the remaining branches if it scores no less than the best of them, else the best one. Branches that the budget does not
 * cover are dropped.
 */
async function choose(
  field: Field,
  meter: Meter,
  { counts, left }: { counts: Counts; left: readonly number[] },
) {
  const stage = "end";
  const dear = left.filter((b) => !meter.fits(field.toFinish(b)));
  for (const b of dear) field.drop(b, stage, "the budget is too small to make it from all of train");
  const finalists = [simplest, ...left.filter(field.alive)];
  const single = bestBy(finalists, (b) => mean(field.scores(b, counts)));
  let best = { members: [{ branch: single, weight: 1 }] as Member[], values: field.scores(single, counts) };
  const pooled = await field.pool(finalists, counts);
  if (pooled && pooled.members.length > 1) {
    const values = await field.pooled(pooled.members, counts);
    const price = pooled.members
      .filter(({ branch }) => branch !== simplest)
      .reduce((sum, { branch }) => added(sum, field.toFinish(branch)), nothing);
    if (mean(values) >= mean(best.values) && meter.fits(price)) best = { members: pooled.members, values };
  }
  const why = best.members.length > 1 ? "no help to the stack" : `behind ${field.label(single)}`;
  for (const b of finalists)
    if (b !== simplest && !best.members.some(({ branch }) => branch === b)) field.drop(b, stage, why);
  const own = mean(field.scores(simplest, counts));
  const unaffordable = dear.some((b) => mean(field.scores(b, counts)) > own);
  return { ...best, steps: pooled?.steps ?? [], unaffordable };
}

function withoutDev({ task }: Given): HoneError {
  return new HoneError({
    what: "search has no dev samples to confirm on",
    where: `task ${task.name}, split dev`,
    next: "Give the task a dev split, or use stack, which needs none.",
    kind: "usage",
  });
}

function unanswered({ task }: Given): HoneError {
  return new HoneError({
    what: "search cannot choose",
    where: `task ${task.name}, split train`,
    why: "the simplest branch left more than half of the samples unanswered",
    next: "Check what the endpoint answers (`hone run` with zeroShot alone), then search.",
    kind: "usage",
  });
}

function tooSmall({ task, dev }: Given): HoneError {
  return new HoneError({
    what: "The budget of search is too small",
    where: `task ${task.name}`,
    why: `it does not cover the simplest branch on a few samples of train and ${dev.length} of dev`,
    next: "Raise calls, tokens, seconds or usd.",
    kind: "usage",
  });
}
