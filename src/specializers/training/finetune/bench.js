// What trainings on one model share, one after the other: its weights as float32 and the programs compiled last. It lives
// as long as the model does. Compiling takes seconds, and a study may train dozens of specialists of one kind.
import { fingerprint } from "../../../core/json.js";
import { answerLogprobs, answerLoss } from "../../../nets/answer.js";
import { hidden } from "../../../nets/decoder.js";
import { loadWeights } from "../../../nets/weights.js";
import { compile } from "../../../tensor/compile.js";
import { makeTrainer } from "../../../tensor/train.js";

const benches = new WeakMap();
function benchOf(model) {
  const known = benches.get(model) ?? { states: new Map() };
  benches.set(model, known);
  return known;
}
/** What the layers below gave for examples so far. */
export function sharedStates(model) {
  return benchOf(model).states;
}
/** The model's weights, read once. */
export function sharedWeights(model, gguf, config) {
  const bench = benchOf(model);
  bench.weights ??= loadWeights(gguf, config);
  bench.weights.catch(() => delete bench.weights);
  return bench.weights;
}
/** The programs of a method at a shape: those of the training before if nothing differs, else new ones. */
export async function sharedPrograms(model, config, method, optimizer, shapes) {
  const bench = benchOf(model);
  const key = fingerprint([
    method.name,
    method.options,
    { ...optimizer },
    shapes.map((shape) => ({ ...shape })),
  ]);
  if (bench.programs?.key === key) return bench.programs.made;
  const before = bench.programs?.made;
  delete bench.programs;
  if (before) {
    await before.trainer.release();
    await before.logprobs.release();
    await before.trunk.release();
  }
  const first = method.first(config);
  const under = (trained) => [method.change(config, trained)];
  const made = {
    trainer: makeTrainer({
      loss: (fixed, params, inputs) => answerLoss(config, fixed, inputs, under(params), first),
      optimizer,
    }),
    logprobs: compile(
      (fixed, trained, inputs) => answerLogprobs(config, fixed, inputs, under(trained), first),
      { name: "the answers' probabilities" },
    ),
    trunk: compile(
      (fixed, { tokens, packing }) =>
        hidden(config, fixed, tokens, { until: first, ...(packing ? { packing } : {}) }),
      { name: "the layers below" },
    ),
  };
  bench.programs = { key, made };
  return made;
}
