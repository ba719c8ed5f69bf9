// Negative log-likelihoods of texts under an encoder's decoder: how much language modelling survives its training for vectors.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { HoneError } from "../../core/errors.js";
import type { TextReply } from "../../core/text.js";
import { packRows, packTexts, type TextBlock, type TokenText } from "../../nets/texts.js";
import { type Compiled, compile, type Tensors } from "../../tensor/compile.js";
import type { Net } from "./net.js";
import type { NetChange } from "./types.js";

type Said = Omit<TextBlock, "pool"> & { readonly targets: np.Array };

/** A compiled program for log p of the next token at each position of a row. */
export function sayingOf(
  net: Net,
  change: NetChange["change"] | undefined,
  threads: number | undefined,
): Compiled<[Tensors, Tensors, Tensors], Tensor> {
  const { logprobs } = net;
  if (!logprobs) throw new TypeError("Only a decoder gives texts probabilities.");
  return compile(
    (weights: Record<string, np.Array>, trained: Record<string, np.Array>, { targets, ...block }: Said) =>
      logprobs(weights, block as TextBlock, targets, change ? [change(trained)] : []),
    { name: "the texts' probabilities", ...(threads === undefined ? {} : { threads }) },
  );
}

/**
 * -log p of each text after the begin token.
 * @throws HoneError if a text is longer than the decoder reads here
 */
export async function sayTexts(
  net: Net,
  program: ReturnType<typeof sayingOf>,
  weights: Tensors,
  trained: Tensors,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<TextReply[]> {
  const read = texts.map((text) => net.read(text, "own"));
  const most = read.reduce((top, { ids }) => Math.max(top, ids.length), 1);
  if (most >= net.longest) {
    throw new HoneError({
      what: "A text is too long for the model",
      where: JSON.stringify(texts[read.findIndex(({ ids }) => ids.length === most)]?.slice(0, 40)),
      why: `the model reads at most ${net.longest} tokens of a text here`,
      next: "Give the task a smaller `bytes`.",
      kind: "usage",
    });
  }
  const length = 32 * Math.ceil(most / 32);
  const nats = texts.map(() => 0);
  const order = [...read.keys()].sort((a, b) => lengthOf(read, b) - lengthOf(read, a));
  // One row at a time: a row's logits over Gemma's vocabulary take half a gigabyte.
  for (const row of packRows(read, order, length)) {
    signal.throwIfAborted();
    const { block } = packTexts(read, [row], { rows: 1, length, texts: row.length });
    const { tokens, positions, segments } = block;
    const targets = new Int32Array(length);
    targets.set((tokens.data as Int32Array).subarray(1));
    const asked = { tokens, positions, segments, targets: new Tensor("int32", targets, [1, length]) };
    const values = (await program(weights, trained, asked)).data as Float32Array;
    let at = 0;
    for (const index of row) {
      const count = lengthOf(read, index);
      // The token after a text's last belongs to the next text.
      for (let t = at; t < at + count - 1; t++) (nats[index] as number) -= values[t] as number;
      at += count;
    }
  }
  return texts.map((text, i) => ({
    nats: nats[i] as number,
    tokens: lengthOf(read, i) - 1,
    bytes: Buffer.byteLength(text),
  }));
}

const lengthOf = (read: readonly TokenText[], index: number) => (read[index] as TokenText).ids.length;
