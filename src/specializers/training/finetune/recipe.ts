// Chooses the rate and the number of epochs if the user gives none: a small sweep on a part of train, evaluated on another
// part. Dev is not used. Layers below the trained ones are computed once for the sweep and the training after it.

import { randomFor, shuffled } from "../../../core/random.js";
import { Diverged, type Trained } from "../../../tensor/train.js";
import { type TrainingOptions, usualBatch } from "./options.js";
import type { Course, Rig } from "./rig.js";

export type Recipe = { learningRate: number; epochs: number };

/** One training of the sweep, with its best held-out loss; null where it diverged. */
export type Trial = Recipe & { steps: number; loss: number | null };

export interface Chosen {
  recipe: Recipe;
  sweep: Trial[];
  /** Tokens read in the sweep, without padding. */
  tokens: number;
}

/**
 * Steps below which a small model has usually not begun to learn, and those after which more steps on the same labels add
 * little.
 */
const [fewestSteps, manySteps] = [240, 1200];
const maxEpochs = 12;
/** Limits on the steps of a trial that compares rates: a number, and a part of the training's steps. */
const trialSteps = { most: 100, part: 1 / 3 };
/** Samples of a trial: trained on and held out. With fewer than `fewest` samples of train there are no trials. */
const trialSize = { train: 256, held: 64, fewest: 40 };
/** Share by which another rate or length must beat the usual one, because a trial's held-out set is small. */
const gain = 0.05;

/** Epochs for enough steps: many on few labels, two while that is quick, one on many labels. */
export function enoughEpochs(samples: number, batch: number): number {
  const perEpoch = Math.ceil(samples / batch);
  const usual = 2 * perEpoch > manySteps ? 1 : 2;
  return Math.min(maxEpochs, Math.max(usual, Math.ceil(fewestSteps / perEpoch)));
}

/**
 * About how many samples a training will see, counting repetitions and its trials.
 * @param of samples of train
 */
export function samplesSeen(
  of: number,
  {
    epochs,
    learningRate,
    batch = usualBatch,
  }: Partial<Pick<TrainingOptions, "epochs" | "learningRate" | "batch">>,
): number {
  const whole = of * (epochs ?? enoughEpochs(of, batch));
  if ((epochs !== undefined && learningRate !== undefined) || of < trialSize.fewest) return whole;
  const trial = Math.min(trialSteps.most * batch, trialSteps.part * whole);
  const seesAll = of - Math.min(trialSize.held, Math.floor(of / 5)) <= trialSize.train;
  return (
    whole + trial * (learningRate === undefined ? 3 : 1) + (epochs === undefined && seesAll ? 0.8 * whole : 0)
  );
}

/**
 * The user's values, and for the rest what a few short trainings show: the rate is the method's usual one unless twice or
 * half of it is clearly better; the epochs are those for enough steps, more if the best rate took longer to begin to learn,
 * and fewer if a shorter trial on all of train was better.
 *
 * @param of number of the rig's examples, from the first, that are train's
 * @param given `groups`: what each of them is held out with
 * @param run trains a course and reports its progress
 */
export async function chooseRecipe(
  rig: Rig,
  of: number,
  given: {
    usualRate: number;
    seed: number;
    learnt?: number;
    options: TrainingOptions;
    groups: readonly string[];
  },
  run: (course: Course, what: string) => Promise<Trained>,
): Promise<Chosen> {
  const { options, usualRate, seed } = given;
  const known: Recipe = {
    learningRate: options.learningRate ?? usualRate,
    epochs: options.epochs ?? enoughEpochs(of, options.batch),
  };
  const settled = options.learningRate !== undefined && options.epochs !== undefined;
  if (settled || of < trialSize.fewest) return { recipe: known, sweep: [], tokens: 0 };

  const order = shuffled([...Array(of).keys()], randomFor(seed, "sweep"));
  const held = heldOut(order, given.groups, Math.min(trialSize.held, Math.floor(of / 5)));
  const isHeld = new Set(held);
  const train = order.filter((at) => !isHeld.has(at)).slice(0, trialSize.train);
  const sweep: Trial[] = [];
  let tokens = 0;
  const attempt = async (recipe: Recipe, what: string): Promise<Trial> => {
    const course: Course = {
      name: `sweep/${sweep.length}`,
      train,
      held,
      evals: 4,
      ...recipe,
      ...(given.learnt === undefined ? {} : { learnt: given.learnt }),
    };
    const ended = await run(course, what).catch((error: unknown) => {
      if (error instanceof Diverged) return null;
      throw error;
    });
    const steps = ended?.steps ?? 0;
    const loss = ended && Math.min(...ended.heldOut.map((look) => look.loss));
    tokens += rig.tokensIn(course, steps);
    const trial = { ...recipe, steps, loss };
    sweep.push(trial);
    return trial;
  };

  const epochsOf = (steps: number, samples: number) => (steps * options.batch) / samples;
  const most = rig.stepsIn({ train: [...Array(of).keys()], epochs: known.epochs });
  let steps = Math.min(trialSteps.most, Math.ceil(trialSteps.part * most));
  const atRate = (learningRate: number, what: string) =>
    attempt({ learningRate, epochs: epochsOf(steps, train.length) }, `${what} ${learningRate}`);
  let best = await atRate(known.learningRate, "rate");
  const takeIfBetter = (trial: Trial): boolean => {
    const better = lossOf(trial) < (1 - gain) * lossOf(best);
    if (better) best = trial;
    return better;
  };
  // The loss has a single minimum over the rate: if twice is better, half is worse.
  if (options.learningRate === undefined && !takeIfBetter(await atRate(2 * usualRate, "twice the rate,")))
    takeIfBetter(await atRate(usualRate / 2, "half the rate,"));
  const { learningRate } = best;
  if (options.epochs !== undefined || given.learnt === undefined) return done({ ...known, learningRate });
  // If no trial has begun to learn, the best rate is tried for longer until it does.
  let last = best;
  while (lossOf(last) >= given.learnt && epochsOf(2 * steps, of) <= maxEpochs) {
    steps *= 2;
    last = await atRate(learningRate, `${steps} steps at rate`);
  }
  if (last !== best)
    return done({
      learningRate,
      epochs: Math.max(known.epochs, Math.min(maxEpochs, Math.ceil(epochsOf(2 * steps, of)))),
    });
  // Trials that see all of train can show whether the full length is better than theirs.
  if (train.length + held.length < of || lossOf(best) >= given.learnt)
    return done({ ...known, learningRate });
  const whole = await attempt({ ...known, learningRate }, `${known.epochs} epochs at rate ${learningRate}`);
  return done({ learningRate, epochs: takeIfBetter(whole) ? known.epochs : best.epochs });

  function done(recipe: Recipe): Chosen {
    return { recipe, sweep, tokens };
  }
}

/** About `count` samples, from the first in the order, in whole groups where these are small enough. */
function heldOut(order: readonly number[], groups: readonly string[], count: number): number[] {
  const members = new Map<string, number[]>();
  for (const at of order) {
    const group = groups[at] as string;
    members.set(group, [...(members.get(group) ?? []), at]);
  }
  const held: number[] = [];
  for (const group of members.values()) if (held.length < count && group.length <= count) held.push(...group);
  // A few large groups would leave too little to compare by.
  return 2 * held.length >= count ? held : order.slice(0, count);
}

function lossOf({ loss }: Trial): number {
  return loss ?? Number.POSITIVE_INFINITY;
}
