// Outputs of the untrained layers below the trained ones for each example: computed once, kept for all epochs and other
// trainings on the same model, also across a stop, and copied into packed rows. If memory is short nothing is kept.

import { Tensor } from "onnxruntime-node";
import { freeMemory } from "../../../core/memory.js";
import type { LanguageModel } from "../../../core/model.js";
import type { Given } from "../../../core/specializer.js";
import { type AnswerBatch, lengthOf } from "../../../nets/answer.js";
import type { PackedExample, Span } from "../../../nets/packing.js";
import { frozenRows } from "../frozen/rows.js";
import type { TrainableSubject } from "./examples.js";
import { statesFile } from "./states-file.js";

/** By model, and by first trained layer and tokens: the output of the layers below for an example, [tokens, width]. */
const outputs = new WeakMap<LanguageModel, Map<string, Float32Array>>();

/** Puts the kept states into a block's inputs. */
export type LayIn = (
  inputs: AnswerBatch<Tensor>,
  examples: readonly PackedExample[],
  spans: readonly Span[],
) => AnswerBatch<Tensor>;

/** Computes the missing states of the examples and returns the function that puts states into a block's inputs. */
export async function statesBelow(
  { model, weights }: TrainableSubject,
  all: readonly PackedExample[],
  { layer, context: given }: { layer: number; context: Given },
): Promise<LayIn> {
  const as = (inputs: AnswerBatch<Tensor>) => inputs;
  if (layer === 0) return as;
  const known = outputs.get(model) ?? new Map<string, Float32Array>();
  outputs.set(model, known);
  const keyOf = ({ prompt, answer }: PackedExample) => `${layer}:${prompt.join()}:${answer.join()}`;
  const { width, read } = await frozenRows(model, weights, [layer]);
  const unknown = () => all.filter((one) => !known.has(keyOf(one)));
  const bytes = (list: readonly PackedExample[]) =>
    list.reduce((sum, one) => sum + 4 * width * lengthOf(one), 0);
  if (bytes(unknown()) > freeMemory() / 3) {
    known.clear();
    if (bytes(all) > freeMemory() / 3) return as;
  }
  const file = statesFile(await given.artifacts.scratch(`below/${model.id}`));
  const kept = await file.read(all.map(keyOf));
  for (const one of unknown()) {
    const states = kept.get(keyOf(one));
    if (states?.length === lengthOf(one) * width) known.set(keyOf(one), states);
  }
  const shared = all.map(keyOf).filter((key) => known.has(key) && !kept.has(key));
  for (const key of new Set(shared)) await file.add([[key, known.get(key) as Float32Array]]);
  await read(all, {
    signal: given.context.signal,
    progress: (done, total) => given.progress(done, total, "computing the layers below"),
    wanted: (index) => !known.has(keyOf(all[index] as PackedExample)),
    found: async (read) => {
      const fresh = [...read].map(
        ([index, [states]]) => [keyOf(all[index] as PackedExample), states as Float32Array] as const,
      );
      const missing = fresh.filter(([key]) => !known.has(key));
      await file.add(missing);
      for (const [key, states] of missing) known.set(key, states);
    },
  });
  return (inputs, examples, spans) => {
    const states = new Float32Array(inputs.tokens.size * width);
    for (const { index, row, head, start } of spans) {
      const own = known.get(keyOf(examples[index] as PackedExample)) as Float32Array;
      if (start === row + head) states.set(own.subarray(0, head * width), row * width);
      states.set(own.subarray(head * width), start * width);
    }
    return { ...inputs, states: new Tensor("float32", states, [...inputs.tokens.dims, width]) };
  };
}
