// The training loop: gradients summed over small batches, one update, periodic evaluation on held-out data and
// checkpoints.
import { valueAndGrad } from "@jax-js/jax";
import { HoneError } from "../core/errors.js";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.js";
import { compile } from "./compile.js";
import { adamW, zerosLike } from "./optimizer.js";
/** Readies a loss and AdamW for training. What depends on shapes is compiled at its first use. */
export function makeTrainer({ loss, optimizer: options, ...runtime }) {
  const optimizer = adamW(options);
  const gradients = compile(
    (fixed, params, sums, inputs) => {
      const of = (trained) => loss(fixed, trained, inputs);
      const [value, found] = valueAndGrad(of)(params);
      for (const [key, sum] of Object.entries(sums)) found[key] = found[key].add(sum);
      return [value, found];
    },
    { ...runtime, name: "the loss and its gradient" },
  );
  const update = compile((params, state, sums, scalars) => optimizer.update(params, state, sums, scalars), {
    ...runtime,
    name: "the optimizer's update",
  });
  const release = async () => {
    await gradients.release();
    await update.release();
  };
  return { optimizer, gradients, update, release };
}
/** A loss or a gradient that is not finite any more: the steps before it are good, and kept. */
export class Diverged extends HoneError {}
/**
 * Trains. Killed and called again with the same options it goes on from its last checkpoint, and ends with the same
 * parameters to the last bit (one machine, the same number of threads).
 *
 * @throws Diverged when a loss or a gradient is not finite, with the samples of the batch
 */
export async function train(options) {
  const { frozen, steps, signal, onStep, evaluate, checkpoint } = options;
  const { optimizer, gradients, update } = options.trainer;
  const start = {
    step: 0,
    params: options.params,
    moments: optimizer.init(options.params),
    best: null,
    losses: [],
    heldOut: [],
  };
  let at = (checkpoint && (await loadCheckpoint(checkpoint.folder, checkpoint.key, options.params))) ?? start;
  const zeros = zerosLike(options.params);
  let saved = performance.now();
  try {
    while (at.step < steps && !stopped(at, evaluate)) {
      signal?.throwIfAborted();
      const began = performance.now();
      const step = at.step + 1;
      let sums = zeros;
      let loss = 0;
      let tokens = 0;
      const batches = options.batches(step);
      for (const batch of batches) {
        signal?.throwIfAborted();
        const [value, found] = await gradients(frozen, at.params, sums, batch.inputs);
        const part = value.data[0];
        if (!Number.isFinite(part)) throw notFinite("loss", part, step, [batch]);
        loss += part;
        tokens += batch.tokens;
        sums = found;
      }
      const learningRate = options.schedule(step);
      const next = await update(at.params, at.moments, sums, optimizer.scalars(step, learningRate));
      const gradientNorm = next.norm.data[0];
      if (!Number.isFinite(gradientNorm)) throw notFinite("gradient", gradientNorm, step, batches);
      at = { ...at, step, params: next.params, moments: next.state, losses: [...at.losses, loss] };
      const seconds = (performance.now() - began) / 1000;
      let heldOut;
      if (evaluate && (step % evaluate.every === 0 || step === steps)) {
        heldOut = await evaluate.loss(at.params);
        const better = !at.best || heldOut < at.best.loss;
        at = {
          ...at,
          heldOut: [...at.heldOut, { step, loss: heldOut }],
          best: better ? { step, loss: heldOut, params: at.params } : at.best,
        };
      }
      onStep?.({
        step,
        steps,
        loss,
        gradientNorm,
        learningRate,
        tokens,
        seconds,
        ...(heldOut === undefined ? {} : { heldOut }),
      });
      if (checkpoint && performance.now() - saved > checkpoint.seconds * 1000) {
        await saveCheckpoint(checkpoint.folder, checkpoint.key, at);
        saved = performance.now();
      }
    }
  } catch (error) {
    // Whatever stopped it, the steps made are good.
    if (checkpoint && at.step > 0) await saveCheckpoint(checkpoint.folder, checkpoint.key, at);
    throw error;
  }
  if (checkpoint) await saveCheckpoint(checkpoint.folder, checkpoint.key, at);
  return {
    params: at.best?.params ?? at.params,
    bestStep: at.best?.step ?? at.step,
    steps: at.step,
    losses: at.losses,
    heldOut: at.heldOut,
  };
}
/** Early stopping: it has learnt something, and the last `patience` evaluations brought nothing better than the best before. */
function stopped({ heldOut, best }, evaluate) {
  if (!evaluate || !best || best.loss >= (evaluate.learnt ?? Number.POSITIVE_INFINITY)) return false;
  return heldOut.filter(({ step }) => step > best.step).length >= evaluate.patience;
}
function notFinite(what, value, step, batches) {
  const ids = batches.flatMap((batch) => batch.ids);
  return new Diverged({
    what: `The ${what} is not a number any more`,
    where: `training step ${step}, samples ${ids.slice(0, 20).join(", ")}${ids.length > 20 ? ", …" : ""}`,
    why: `it is ${value}: the step before went too far, or these samples are unlike the rest`,
    next: "Take a smaller learning rate or a longer warm-up; look at these samples. What was trained up to here is kept.",
  });
}
