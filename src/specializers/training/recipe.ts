// The rate and the number of epochs, where the user gives none: a small sweep on a part of train, held against another part.
// dev is not touched by it. Layers below the trained ones are computed once for the sweep and the training after it.

import { randomFor, shuffled } from "../../core/random.js";
import type { Trained } from "../../tensor/train.js";
import type { TrainingOptions } from "./options.js";
import type { Course, Rig } from "./rig.js";

export type Recipe = { learningRate: number; epochs: number };

/** One training of the sweep. */
export type Trial = Recipe & { steps: number; loss: number };

export interface Chosen {
  recipe: Recipe;
  sweep: Trial[];
  /** Tokens read for it, without padding. */
  tokens: number;
}

/** Steps below which a LoRA on a small model has mostly not begun to learn, and those that are more than enough. */
const enoughSteps = 400;
/** Steps of a trial that compares rates. */
const trialSteps = 64;
const [fewestEpochs, mostEpochs] = [2, 20];
/** Samples of a trial: those that are learnt, those that are held against them. Below `fewest` nothing can be told. */
const trialSize = { train: 256, held: 64, fewest: 40 };
/** The share by which a longer training has to be better. */
const gain = 0.01;

/** Epochs that make enough steps: many on few labels, two on many. */
export function enoughEpochs(samples: number, batch: number): number {
  return Math.min(mostEpochs, Math.max(fewestEpochs, Math.ceil((enoughSteps * batch) / samples)));
}

/**
 * What the user gave, and for the rest the best of a few short trainings: half, one and two times the method's usual rate, then
 * the best of them for longer, as long as that helps.
 *
 * @param of how many examples of the rig, from the first, are train's
 * @param run trains a course and tells the person about it
 */
export async function chooseRecipe(
  rig: Rig,
  of: number,
  given: { usualRate: number; seed: number; learnt?: number; options: TrainingOptions },
  run: (course: Course, what: string) => Promise<Trained>,
): Promise<Chosen> {
  const { options, usualRate, seed } = given;
  const most = options.epochs ?? enoughEpochs(of, options.batch);
  const known: Recipe = { learningRate: options.learningRate ?? usualRate, epochs: most };
  const settled = options.learningRate !== undefined && options.epochs !== undefined;
  if (settled || of < trialSize.fewest) return { recipe: known, sweep: [], tokens: 0 };

  const order = shuffled([...Array(of).keys()], randomFor(seed, "sweep"));
  const heldCount = Math.min(trialSize.held, Math.floor(of / 5));
  const held = order.slice(0, heldCount);
  const train = order.slice(heldCount, heldCount + trialSize.train);
  const sweep: Trial[] = [];
  let tokens = 0;
  const attempt = async (recipe: Recipe, what: string): Promise<Trial> => {
    const course: Course = {
      name: `sweep/${sweep.length}`,
      train,
      held,
      ...recipe,
      ...(given.learnt === undefined ? {} : { learnt: given.learnt }),
    };
    const { steps, heldOut } = await run(course, what);
    const loss = Math.min(...heldOut.map((look) => look.loss));
    tokens += rig.tokensIn(course, steps);
    const trial = { ...recipe, steps, loss };
    sweep.push(trial);
    return trial;
  };

  const short = Math.min(most, (trialSteps * options.batch) / train.length);
  const rates =
    options.learningRate === undefined ? [1, 0.5, 2].map((by) => by * usualRate) : [known.learningRate];
  for (const [i, learningRate] of rates.entries()) {
    await attempt({ learningRate, epochs: short }, `rate ${learningRate}, ${i + 1} of ${rates.length}`);
  }
  let best = lowest(sweep);
  const { learningRate } = best;
  // Where trials see all of train, they can also tell how long is long enough; of what has learnt nothing no one can.
  let { epochs } = best;
  while (options.epochs === undefined && train.length + heldCount === of && epochs < most) {
    epochs = Math.min(most, 2 * epochs);
    const longer = await attempt({ learningRate, epochs }, `${Math.round(epochs)} epochs`);
    const helped = longer.loss < (1 - gain) * best.loss;
    if (helped) best = longer;
    else if (best.loss < (given.learnt ?? Number.POSITIVE_INFINITY))
      return done({ learningRate, epochs: best.epochs });
  }
  return done({ learningRate, epochs: most });

  function done(recipe: Recipe): Chosen {
    return { recipe, sweep, tokens };
  }
}

function lowest(sweep: readonly Trial[]): Trial {
  return sweep.reduce((best, trial) => (trial.loss < best.loss ? trial : best));
}
