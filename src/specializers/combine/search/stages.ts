// The stages of a search that drop branches: the factorial with what survives it, and the rounds of halving.

import { CallError } from "../../../core/call.js";
import { HoneError } from "../../../core/errors.js";
import { randomFor } from "../../../core/random.js";
import type { SearchNotes } from "../../../core/search.js";
import { maxTest, unitsOf } from "../../../statistics/index.js";
import { analyse, type Factorial, isBehind, less, mean } from "./factorial.js";
import { bestBy, type Counts, type Field } from "./field.js";
import { added, BudgetEnded, type Meter, nothing } from "./meter.js";
import { levelName, type Space } from "./space.js";

/** Samples that all branches of the factorial answer between two checks of the budget. */
const block = 16;
/** Share of the budget that the factorial may take; if some branches are trained, half of it is theirs. */
const screenShare = 0.4;
/** Samples below which the headroom test is not made, unless `screen` itself is lower. */
const leastForHeadroom = 64;
/** Maximum number of combinations that survive the factorial. */
const mostSurvivors = 8;

/** Share of the budget that is not worth saving. */
const negligible = 1e-3;

const budgetEnded = "the budget ended";

/** Whether the budget ended before anything but the simplest was measured. */
export function endedAtOnce({ branches }: Field, measured: readonly number[]): boolean {
  return measured.length === 1 && branches.some(({ notes }) => notes.dropped?.why.startsWith(budgetEnded));
}

/** Drops a branch whose fit or evaluation failed for a reason of its own; a failure of the simplest ends the search. */
function dropUnmade(field: Field, b: number, stage: string, error: unknown): void {
  if (b === simplest || !(error instanceof HoneError || error instanceof CallError)) throw error;
  field.drop(b, stage, `it cannot be made: ${error.message}`);
}

/** The simplest branch, which is always there. */
export const simplest = 0;

export interface Screened {
  /** Samples of the first part that all branches answered. */
  counts: Counts;
  branches: number[];
  cells: readonly { place: readonly number[]; branch: number }[];
  found: Factorial;
}

/**
 * Asks every branch the same samples of a part of train that none of them was fitted on, as many as a share of the budget allows.
 * Branches that are trained come last: how many samples the others answer does not depend on what a training takes.
 */
export async function factorial(
  field: Field,
  meter: Meter,
  {
    cells,
    levels,
    screen,
  }: { cells: Screened["cells"]; levels: readonly (readonly number[])[]; screen: number },
): Promise<Screened> {
  const [part] = field.parts;
  if (!part) throw new Error("search: train has no parts");
  const stage = "factorial";
  const most = Math.min(screen, part.asked.length);
  // The budget may end within the first block: specializers alone are few and mostly cheap.
  const turn = (b: number): number =>
    b === simplest ? 0 : typeof field.branches[b]?.place === "number" ? 1 : 2;
  const order = [...field.branches.keys()].filter(field.alive).sort((a, b) => turn(a) - turn(b) || a - b);
  const trained = order.filter((b) => b !== simplest && field.needs(b, "gradients"));
  const others = order.filter((b) => !trained.includes(b));
  /** Makes a branch, which must not take the budget beyond the share, and asks its first samples. */
  const begin = async (b: number, count: number, share: number): Promise<void> => {
    if (!meter.fits(nothing, share)) {
      field.drop(b, stage, `${budgetEnded}: the factorial's share was spent before it`);
      return;
    }
    try {
      await meter.within(share, () => field.work(b, part, 0));
      await field.work(b, part, count);
    } catch (error) {
      if (error instanceof BudgetEnded)
        field.drop(b, stage, `${budgetEnded}: the factorial's share does not cover it`);
      else dropUnmade(field, b, stage, error);
    }
  };
  const share = trained.length > 0 ? screenShare / 2 : screenShare;
  let screened = 0;
  while (screened < most) {
    const next = Math.min(most, screened + block);
    const before = meter.spent();
    for (const b of others.filter(field.alive)) {
      if (b !== simplest && screened === 0) {
        await begin(b, next, share);
        continue;
      }
      try {
        await field.work(b, part, next);
      } catch (error) {
        if (b !== simplest && error instanceof BudgetEnded) field.drop(b, stage, budgetEnded);
        else dropUnmade(field, b, stage, error);
      }
      if (screened === 0) {
        meter.reserve = field.toFinish(simplest);
        // The seconds may have run out in a killed process: then the simplest is returned.
        if (!meter.fits({ ...nothing, seconds: Number.NEGATIVE_INFINITY }))
          throw new BudgetEnded("the budget does not cover the simplest on dev");
      }
    }
    const took = added(meter.spent(), before, -1);
    screened = next;
    // The branches are already fitted, so the first block's seconds do not predict the next block's.
    if (!meter.fits({ ...took, seconds: screened === block ? 0 : took.seconds }, share)) break;
  }
  for (const b of trained) await begin(b, screened, screenShare);
  const counts = field.parts.map((_, p) => (p === 0 ? screened : 0));
  const branches = [...field.branches.keys()].filter(
    (b) => field.alive(b) && field.known(b, part) !== undefined,
  );
  field.tell(stage, counts, branches);
  const measured = cells.filter(({ branch }) => field.alive(branch));
  const found = analyse(
    {
      places: measured.map(({ place }) => place),
      scores: measured.map(({ branch }) => field.scores(branch, counts)),
      groups: field.groups(counts),
    },
    levels,
  );
  return { counts, branches, cells: measured, found };
}

/**
 * The headroom test: the one-sided p that any branch is better than the simplest. Null where the budget left it fewer samples than
 * can show this: a p above the level would then say nothing.
 */
export function headroomOf(
  field: Field,
  { counts, branches }: Screened,
  { level, screen, seed }: { level: number; screen: number; seed: number },
): SearchNotes["headroom"] {
  const own = field.scores(simplest, counts);
  if (own.length < Math.min(leastForHeadroom, screen)) return null;
  const rivals = branches.filter((b) => b !== simplest);
  const p = maxTest(
    rivals.map((b) => unitsOf(less(field.scores(b, counts), own), field.groups(counts)).sums),
    { random: randomFor(seed, "search", "headroom") },
  );
  return { n: own.length, p, shown: p <= level };
}

/**
 * The branches that advance from the factorial: its best survivors and the specializers alone, without those that are themselves shown
 * to be behind the best branch, and those that a pool of the answers would include. All others are dropped with the reason.
 */
export async function survivorsOf(field: Field, space: Space, screened: Screened): Promise<number[]> {
  const { counts, branches, cells, found } = screened;
  const stage = "factorial";
  const best = bestBy(branches, (b) => mean(field.scores(b, counts)));
  const pooled = await field.pool(branches, counts);
  const stays = new Set(pooled?.members.map(({ branch }) => branch) ?? []);
  const values = field.scores(best, counts);
  const behind = new Set(
    branches.filter((b) =>
      isBehind(less(field.scores(b, counts), values), field.groups(counts), b, branches.length - 1),
    ),
  );
  const left = found.survivors.map(({ place }) => field.at(place)).filter((b) => !behind.has(b));
  for (const b of left.slice(0, mostSurvivors)) stays.add(b);
  for (const { place, level } of found.dropped) {
    const b = field.at(place);
    const factor = level && space.factors[level.factor];
    if (b === simplest || stays.has(b)) continue;
    if (factor) {
      const name = levelName(factor.levels[level.level] ?? null);
      field.drop(b, stage, `${factor.name} = ${name} is behind another level`);
    } else field.drop(b, stage, `behind ${field.label(best)}`);
  }
  const ofCells = new Set(cells.map(({ branch }) => branch));
  for (const b of branches) {
    if (b === simplest || stays.has(b) || !field.alive(b)) continue;
    if (behind.has(b)) field.drop(b, stage, `behind ${field.label(best)}, and no help to a stack`);
    else if (ofCells.has(b)) field.drop(b, stage, `${mostSurvivors} others are expected to be better`);
    else stays.add(b);
  }
  return [...stays].filter((b) => b !== simplest && field.alive(b)).sort((a, b) => a - b);
}

/**
 * Successive halving: each round the simplest and all remaining branches answer twice as many parts of train, and those in the
 * lower half are dropped unless a pool of the answers would include them. Ends with all parts, or when the budget does not cover a
 * further round.
 *
 * @param size samples of a part
 * @param expected means of branches that were not measured yet
 * @returns the samples that all remaining branches answered
 */
export async function halve(
  field: Field,
  meter: Meter,
  {
    left,
    from,
    size,
    expected,
  }: { left: number[]; from: Counts; size: number; expected: (branch: number) => number },
): Promise<{ counts: Counts; left: number[] }> {
  let counts = from;
  const meanOf = (b: number) => {
    const values = field.scores(b, counts);
    return values.length > 0 ? mean(values) : expected(b);
  };
  const ranked = () => [...left].sort((a, b) => meanOf(b) - meanOf(a) || a - b);
  const rounds = Math.ceil(Math.log2(field.parts.length)) + 1;
  for (let round = 1; round <= rounds && left.length > 0; round++) {
    const stage = `round ${round}`;
    // Never fewer than the factorial asked, which are paid for.
    const upTo = field.parts.map(({ asked }, p) =>
      p < 2 ** (round - 1) ? Math.max(from[p] ?? 0, Math.min(size, asked.length)) : 0,
    );
    const cost = () =>
      added(
        [simplest, ...left].reduce((sum, b) => added(sum, field.missing(b, upTo)), nothing),
        field.toFinish(ranked()[0] as number),
      );
    while (left.length > 1 && !meter.fits(cost())) {
      // The worst of the branches that would save anything if left out.
      const costly = ranked().filter((b) => meter.part(field.missing(b, upTo)) > negligible);
      const last = (costly.at(-1) ?? ranked().at(-1)) as number;
      field.drop(last, stage, "the budget does not cover so many");
      left = left.filter((b) => b !== last);
    }
    if (!meter.fits(cost())) break;
    try {
      for (const b of [simplest, ...left])
        for (const [p, part] of field.parts.entries())
          if ((upTo[p] as number) > 0 && field.alive(b))
            await field
              .work(b, part, upTo[p] as number)
              .catch((error) =>
                error instanceof BudgetEnded ? Promise.reject(error) : dropUnmade(field, b, stage, error),
              );
    } catch (error) {
      if (!(error instanceof BudgetEnded)) throw error;
      break;
    }
    left = left.filter(field.alive);
    counts = upTo;
    field.tell(stage, counts, [simplest, ...left]);
    if (round === rounds) break;
    const pooled = await field.pool([simplest, ...left], counts);
    const half = ranked().slice(0, Math.ceil(left.length / 2));
    for (const b of left)
      if (!half.includes(b) && !pooled?.members.some(({ branch }) => branch === b))
        field.drop(b, stage, "in the lower half, and no help to a stack");
    left = left.filter(field.alive);
  }
  // Branches that the budget kept from answering as many samples as the others cannot be compared with them.
  const total = counts.reduce((sum, count) => sum + count, 0);
  for (const b of left) if (field.rows(b, counts).length < total) field.drop(b, "halving", budgetEnded);
  return { counts, left: left.filter(field.alive) };
}
