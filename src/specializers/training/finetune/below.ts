// Outputs of the untrained layers below the trained ones for each example: computed once, kept for all epochs and other
// trainings on the same model, also across a stop, and copied into packed rows. If memory is short nothing is kept.

import { Tensor } from "onnxruntime-node";
import { freeMemory } from "../../../core/memory.js";
import type { LanguageModel } from "../../../core/model.js";
import type { Given } from "../../../core/specializer.js";
import { type AnswerBatch, lengthOf } from "../../../nets/answer.js";
import {
  type Block,
  type BlockShape,
  type PackedExample,
  packBlock,
  type Span,
} from "../../../nets/packing.js";
import type { Tensors } from "../../../tensor/compile.js";
import { type Programs, sharedStates } from "./bench.js";
import { statesFile } from "./states-file.js";

interface Packed {
  examples: readonly PackedExample[];
  blocks: readonly Block[];
  shape: BlockShape;
}

/** Puts the kept states into a block's inputs. */
export type LayIn = (
  inputs: AnswerBatch<Tensor>,
  examples: readonly PackedExample[],
  spans: readonly Span[],
) => AnswerBatch<Tensor>;

/** Computes the missing states and returns the function that puts states into a block's inputs. */
export async function statesBelow(
  model: LanguageModel,
  programs: Programs,
  frozen: Tensors,
  all: Packed,
  { layer, width, context: given }: { layer: number; width: number; context: Given },
): Promise<LayIn> {
  const as = (inputs: AnswerBatch<Tensor>) => inputs;
  if (layer === 0) return as;
  const known = sharedStates(model);
  const keyOf = ({ prompt, answer }: PackedExample) => `${layer}:${prompt.join()}:${answer.join()}`;
  const unknown = () => all.examples.filter((one) => !known.has(keyOf(one)));
  const bytes = (list: readonly PackedExample[]) =>
    list.reduce((sum, one) => sum + 4 * width * lengthOf(one), 0);
  if (bytes(unknown()) > freeMemory() / 3) {
    known.clear();
    if (bytes(all.examples) > freeMemory() / 3) return as;
  }
  const { examples, blocks, shape } = all;
  const file = statesFile(await given.artifacts.scratch(`below/${model.id}`));
  const kept = await file.read(all.examples.map(keyOf));
  for (const one of unknown()) {
    const states = kept.get(keyOf(one));
    if (states?.length === lengthOf(one) * width) known.set(keyOf(one), states);
  }
  const shared = all.examples.map(keyOf).filter((key) => known.has(key) && !kept.has(key));
  for (const key of new Set(shared)) await file.add([[key, known.get(key) as Float32Array]]);
  const todo = blocks.filter((block) =>
    block.flat().some((i) => !known.has(keyOf(examples[i] as PackedExample))),
  );
  for (const [done, block] of todo.entries()) {
    given.context.signal.throwIfAborted();
    given.progress(done, todo.length, "computing the layers below");
    const { inputs, spans } = packBlock(examples, block, shape, 0);
    const found = (await programs.trunk(frozen, inputs)).data as Float32Array;
    const fresh = new Map<string, Float32Array>();
    for (const { index, row, head, start, length } of spans) {
      const key = keyOf(examples[index] as PackedExample);
      if (known.has(key)) continue;
      const states = new Float32Array((head + length) * width);
      states.set(found.subarray(row * width, (row + head) * width));
      states.set(found.subarray(start * width, (start + length) * width), head * width);
      fresh.set(key, states);
    }
    await file.add(fresh);
    for (const [key, states] of fresh) known.set(key, states);
  }
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
