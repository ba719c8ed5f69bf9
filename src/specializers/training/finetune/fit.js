// Training some weights of a model on a task's answers: one recipe for every way of changing weights. It ends with the
// trained arrays; what is made of them is the way's own business.
import { guessingLoss, learntBelow } from "./guessing.js";
import { chooseRecipe } from "./recipe.js";
import { setUp } from "./rig.js";
/** Trains a method's arrays on `given.train`, choosing the step by the loss on `given.dev`. */
export async function fitMethod(method, target, given, options) {
  const rig = await setUp(method, target, given, options);
  const guessing = guessingLoss(given);
  const learnt = guessing === undefined ? {} : { learnt: learntBelow(guessing) };
  const everything = [...rig.examples.keys()];
  const told = teller(given.progress);
  const run = (course, what) => rig.train(course, told(what));
  const count = given.train.length;
  const { recipe, sweep, tokens } = await chooseRecipe(
    rig,
    count,
    { usualRate: method.rate, seed: given.seed, options, ...learnt },
    (course, what) => run(course, `${what}: `),
  );
  const course = {
    name: "training",
    train: everything.slice(0, count),
    held: everything.slice(count),
    evals: 10,
    ...recipe,
    ...learnt,
  };
  const trained = await run(course, "");
  return {
    base: rig.base,
    params: trained.params,
    report: {
      examples: count,
      trainable: method.trainable(rig.base.config),
      ...recipe,
      sweep,
      steps: trained.steps,
      bestStep: trained.bestStep,
      tokens: tokens + rig.tokensIn(course, trained.steps),
      heldOut: trained.heldOut.map((look) => ({ ...look })),
      guessing: guessing ?? null,
      firstLoss: trained.losses[0] ?? Number.NaN,
      lastLoss: trained.losses.at(-1) ?? Number.NaN,
    },
  };
}
/** Puts a training's steps in words: its losses, its speed and what is left of it at most. */
function teller(progress) {
  return (what) => {
    const started = performance.now();
    let tokens = 0;
    let made = 0;
    return (at) => {
      tokens += at.tokens;
      made++;
      const seconds = (performance.now() - started) / 1000;
      const dev = at.heldOut === undefined ? "" : `, dev loss ${at.heldOut.toFixed(3)}`;
      const left = Math.ceil((seconds / made) * (at.steps - at.step));
      const eta = left >= 120 ? `${Math.round(left / 60)} min` : `${left} s`;
      const rate = `${Math.round(tokens / seconds)} tokens/s`;
      const told = `${what}loss ${at.loss.toFixed(3)}${dev}, ${rate}, at most ${eta} left`;
      progress(at.step, at.steps, told);
    };
  };
}
