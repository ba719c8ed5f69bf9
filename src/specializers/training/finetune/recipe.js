// The rate and the number of epochs, where the user gives none: a small sweep on a part of train, held against another part.
// dev is not touched by it. Layers below the trained ones are computed once for the sweep and the training after it.
import { randomFor, shuffled } from "../../../core/random.js";
import { Diverged } from "../../../tensor/train.js";
import { usualBatch } from "./options.js";

/** Steps below which a small model has mostly not begun to learn, and those after which more of the same labels add little. */
const [fewestSteps, manySteps] = [240, 1200];
const maxEpochs = 12;
/** Steps of a trial that compares rates, at most; and the part of the training's steps that it may be. */
const trialSteps = { most: 100, part: 1 / 3 };
/** Samples of a trial: those that are learnt, those that are held against them. Below `fewest` nothing can be told. */
const trialSize = { train: 256, held: 64, fewest: 40 };
/** The share by which another rate or length has to be better than the usual one: what trials are held against is small. */
const gain = 0.05;
/** Epochs that make enough steps: many on few labels, two while that is quick, one on many. */
export function enoughEpochs(samples, batch) {
  const perEpoch = Math.ceil(samples / batch);
  const usual = 2 * perEpoch > manySteps ? 1 : 2;
  return Math.min(maxEpochs, Math.max(usual, Math.ceil(fewestSteps / perEpoch)));
}
/**
 * About how many samples are seen in all, one of them as often as it is, the trials among them: what a training will take.
 * @param of samples of train
 */
export function samplesSeen(of, { epochs, learningRate, batch = usualBatch }) {
  const whole = of * (epochs ?? enoughEpochs(of, batch));
  if ((epochs !== undefined && learningRate !== undefined) || of < trialSize.fewest) return whole;
  const trial = Math.min(trialSteps.most * batch, trialSteps.part * whole);
  const seesAll = of - Math.min(trialSize.held, Math.floor(of / 5)) <= trialSize.train;
  return (
    whole + trial * (learningRate === undefined ? 3 : 1) + (epochs === undefined && seesAll ? 0.8 * whole : 0)
  );
}
/**
 * What the user gave, and for the rest what a few short trainings say: the rate is the method's usual one unless twice that,
 * or half of it, is clearly better; the epochs are those that make enough steps, more where it
 * took the best rate longer to begin to learn, and fewer where a trial on all of train was better without them.
 *
 * @param of how many examples of the rig, from the first, are train's
 * @param run trains a course and tells the person about it
 */
export async function chooseRecipe(rig, of, given, run) {
  const { options, usualRate, seed } = given;
  const known = {
    learningRate: options.learningRate ?? usualRate,
    epochs: options.epochs ?? enoughEpochs(of, options.batch),
  };
  const settled = options.learningRate !== undefined && options.epochs !== undefined;
  if (settled || of < trialSize.fewest) return { recipe: known, sweep: [], tokens: 0 };
  const order = shuffled([...Array(of).keys()], randomFor(seed, "sweep"));
  const heldCount = Math.min(trialSize.held, Math.floor(of / 5));
  const held = order.slice(0, heldCount);
  const train = order.slice(heldCount, heldCount + trialSize.train);
  const sweep = [];
  let tokens = 0;
  const attempt = async (recipe, what) => {
    const course = {
      name: `sweep/${sweep.length}`,
      train,
      held,
      evals: 4,
      ...recipe,
      ...(given.learnt === undefined ? {} : { learnt: given.learnt }),
    };
    const ended = await run(course, what).catch((error) => {
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
  const epochsOf = (steps, samples) => (steps * options.batch) / samples;
  const most = rig.stepsIn({ train: [...Array(of).keys()], epochs: known.epochs });
  let steps = Math.min(trialSteps.most, Math.ceil(trialSteps.part * most));
  const atRate = (learningRate, what) =>
    attempt({ learningRate, epochs: epochsOf(steps, train.length) }, `${what} ${learningRate}`);
  let best = await atRate(known.learningRate, "rate");
  const takeIfBetter = (trial) => {
    const better = lossOf(trial) < (1 - gain) * lossOf(best);
    if (better) best = trial;
    return better;
  };
  // The loss has one valley in the rate: what twice made better, half makes worse.
  if (options.learningRate === undefined && !takeIfBetter(await atRate(2 * usualRate, "twice the rate,")))
    takeIfBetter(await atRate(usualRate / 2, "half the rate,"));
  const { learningRate } = best;
  if (options.epochs !== undefined || given.learnt === undefined) return done({ ...known, learningRate });
  // Nothing has begun to learn: the best rate for longer, until it does.
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
  // Where trials see all of train they can tell whether the whole length is better than theirs.
  if (train.length + heldCount < of || lossOf(best) >= given.learnt) return done({ ...known, learningRate });
  const whole = await attempt({ ...known, learningRate }, `${known.epochs} epochs at rate ${learningRate}`);
  return done({ learningRate, epochs: takeIfBetter(whole) ? known.epochs : best.epochs });
  function done(recipe) {
    return { recipe, sweep, tokens };
  }
}
function lossOf({ loss }) {
  return loss ?? Number.POSITIVE_INFINITY;
}
