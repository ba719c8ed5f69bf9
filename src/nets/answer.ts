// The loss of an answer given its prompt, and the batches it is computed on: -log p(answer | prompt), logits only where
// answer tokens are predicted. It chooses no examples and updates nothing.

import { lax, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import type { NetConfig } from "./config.js";
import { type Change, hidden, logitsOf, type Weights } from "./decoder.js";

/** One example as tokens; neither part is empty. */
export interface TokenExample {
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
}

/** B sequences of T tokens, E examples in them, N answer tokens. Shapes are fixed by `BatchShape`, so programs are shared. */
export type AnswerBatch<A = np.Array> = {
  /** [B, T] int32 */
  readonly tokens: A;
  /** [N] int32: flat places (row · T + column) of the token before each answer token. */
  readonly places: A;
  /** [N] int32: the answer tokens. */
  readonly targets: A;
  /** [N] int32: the example of each, or -1 where there is none. */
  readonly owners: A;
  /** [E] float32: an example's share of the loss: 1, or 0 where there is none. */
  readonly shares: A;
  /** [B, T, width] float32: the states before the first layer that is computed here. */
  readonly states?: A;
  /** Where rows hold several sequences. */
  readonly packing?: { readonly segments: A; readonly positions: A };
};

export interface BatchShape {
  /** Sequences, and examples. */
  readonly examples: number;
  /** Tokens of a sequence. */
  readonly length: number;
  /** Answer tokens of all examples together. */
  readonly answers: number;
}

/** Tokens that an example takes in a sequence: its last answer token is predicted, never read. */
export function lengthOf({ prompt, answer }: TokenExample): number {
  return prompt.length + answer.length - 1;
}

/** The length of the bucket for such an example: a multiple of `grain`, so that few programs serve all lengths. */
export function bucketOf(example: TokenExample, grain = 64): number {
  return Math.ceil(lengthOf(example) / grain) * grain;
}

/**
 * Examples as one batch of host tensors, filled up to the shape with nothing.
 *
 * @throws RangeError when they do not fit the shape, or an example has no prompt or no answer
 */
export function answerBatch(examples: readonly TokenExample[], shape: BatchShape): AnswerBatch<Tensor> {
  const { length } = shape;
  const tokens = new Int32Array(shape.examples * length);
  const places = new Int32Array(shape.answers);
  const targets = new Int32Array(shape.answers);
  const owners = new Int32Array(shape.answers).fill(-1);
  const shares = new Float32Array(shape.examples);
  if (examples.length > shape.examples) {
    throw new RangeError(`${examples.length} examples do not fit a batch of ${shape.examples}.`);
  }
  let n = 0;
  for (const [row, example] of examples.entries()) {
    const { prompt, answer } = example;
    if (prompt.length === 0 || answer.length === 0)
      throw new RangeError(`Example ${row + 1} has an empty part.`);
    if (lengthOf(example) > length) {
      throw new RangeError(
        `Example ${row + 1} takes ${lengthOf(example)} tokens; the batch is for ${length}.`,
      );
    }
    if (n + answer.length > shape.answers) {
      throw new RangeError(`The examples have more than ${shape.answers} answer tokens.`);
    }
    tokens.set([...prompt, ...answer.slice(0, -1)], row * length);
    shares[row] = 1;
    for (const [i, token] of answer.entries()) {
      places[n] = row * length + prompt.length - 1 + i;
      targets[n] = token;
      owners[n] = row;
      n++;
    }
  }
  const int = (data: Int32Array, ...dims: number[]) => new Tensor("int32", data, dims);
  return {
    tokens: int(tokens, shape.examples, length),
    places: int(places, shape.answers),
    targets: int(targets, shape.answers),
    owners: int(owners, shape.answers),
    shares: new Tensor("float32", shares, [shape.examples]),
  };
}

/**
 * log p(answer | prompt) of each example, summed over its tokens: [E]. Borrows everything.
 *
 * @param layer where a batch's own states go in
 */
export function answerLogprobs(
  config: NetConfig,
  weights: Weights,
  batch: AnswerBatch,
  changes: readonly Change[] = [],
  layer = 0,
): np.Array {
  const { packing, states: below } = batch;
  const states = hidden(config, weights, batch.tokens, {
    changes,
    at: batch.places,
    ...(packing ? { packing } : {}),
    ...(below ? { from: { layer, states: below } } : {}),
  });
  const logits = logitsOf(config, weights, states, changes);
  states.dispose();
  const logprobs = chosenLogprobs(logits, batch.targets);
  // Owners are few: a small product adds each token to its example, where a scatter would be slow.
  const [examples] = batch.shares.shape as [number];
  const member = batch.owners.ref.reshape([1, -1]).equal(np.arange(examples).reshape([-1, 1]));
  return member.astype(np.float32).mul(logprobs).sum(1);
}

/**
 * The mean over a batch's examples of -log p(answer | prompt), and log p of each, [E], as `valueAndGrad` with `hasAux`
 * wants them.
 */
export function answerLoss(
  config: NetConfig,
  weights: Weights,
  batch: AnswerBatch,
  changes: readonly Change[] = [],
): [loss: np.Array, logprobs: np.Array] {
  const logprobs = answerLogprobs(config, weights, batch, changes);
  const loss = logprobs.ref.mul(batch.shares.ref).sum().neg().div(batch.shares.ref.sum());
  return [loss, logprobs];
}

/** log softmax of logits [N, vocab] at one token of each row, [N]. Consumes the logits. */
export function chosenLogprobs(logits: np.Array, tokens: np.Array): np.Array {
  const vocab = logits.shape[1] as number;
  const chosen = np
    .arange(vocab)
    .reshape([1, -1])
    .equal(tokens.ref.reshape([-1, 1]));
  const logit = np.where(chosen, logits.ref, 0).sum(1);
  const most = lax.stopGradient(logits.ref.max(1, { keepdims: true }));
  const total = np.log(np.exp(logits.sub(most.ref)).sum(1)).add(most.reshape([-1]));
  return logit.sub(total);
}
