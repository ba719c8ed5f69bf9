// The loss of an answer given its prompt, -log p(answer | prompt), and its batches. Logits are computed only where answer
// tokens are predicted.

import { lax, numpy as np } from "@jax-js/jax";
import type { Dropout } from "./changes/dropout.js";
import type { NetConfig } from "./config.js";
import { type Change, hidden, logitsOf, type Weights } from "./decoder.js";

/** One example as tokens; neither part is empty. */
export interface TokenExample {
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
}

/** B rows of T tokens, E examples in them, N answer tokens; `packing.ts` makes them. */
export type AnswerBatch<A = np.Array> = {
  /** [B, T] int32 */
  readonly tokens: A;
  /** [N] int32: flat places (row · T + column) of the token before each answer token. */
  readonly places: A;
  /** [N] int32: the answer tokens. */
  readonly targets: A;
  /** [N] int32: the example of each answer token, or -1 for padding. */
  readonly owners: A;
  /**
   * [N, K] int32: the tokens that each answer token is compared with, itself included; padded with -1. The probability is then
   * normalized over these instead of the whole vocabulary.
   */
  readonly rivals?: A;
  /** [E] float32: each example's weight in the loss: 1, or 0 for padding. */
  readonly shares: A;
  /** [B, T, width] float32: the states before the first layer that is computed. */
  readonly states?: A;
  /** Present if rows contain several sequences. */
  readonly packing?: { readonly segments: A; readonly positions: A };
  /** In training, for methods with dropout. */
  readonly dropout?: Dropout<A>;
};

/** Tokens that an example takes in a sequence; its last answer token is predicted, never read. */
export function lengthOf({ prompt, answer }: TokenExample): number {
  return prompt.length + answer.length - 1;
}

/**
 * log p(answer | prompt) of each example, summed over its tokens: [E]. Borrows everything.
 *
 * @param layer the layer at which a batch's own states enter
 */
export function answerLogprobs(
  config: NetConfig,
  weights: Weights,
  batch: AnswerBatch,
  changes: readonly Change[] = [],
  layer = 0,
): np.Array {
  return summed(batch, answerLogits(config, weights, batch, changes, layer));
}

/**
 * The same, [E], and the logits of each answer token's `options`, [N, K], from one pass; for an option of -1 the logit is
 * arbitrary. Borrows everything.
 */
export function optionLogits(
  config: NetConfig,
  weights: Weights,
  batch: AnswerBatch,
  options: np.Array,
  changes: readonly Change[] = [],
  layer = 0,
): { logprobs: np.Array; options: np.Array } {
  const logits = answerLogits(config, weights, batch, changes, layer);
  const [rows, vocab] = logits.shape as [number, number];
  const row = np.arange(rows).astype(np.int32).mul(vocab).reshape([rows, 1]);
  const place = row.add(np.maximum(options.ref, 0));
  return {
    options: np.take(logits.ref.reshape([rows * vocab]), place, 0),
    logprobs: summed(batch, logits),
  };
}

/** Logits at the places before answer tokens, [N, vocab]. Borrows everything. */
function answerLogits(
  config: NetConfig,
  weights: Weights,
  batch: AnswerBatch,
  changes: readonly Change[],
  layer: number,
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
  return logits;
}

/** log p of the answers' tokens, summed over each example's: [E]. Borrows the batch and consumes the logits. */
function summed(batch: AnswerBatch, logits: np.Array): np.Array {
  const logprobs = batch.rivals
    ? logprobsAmong(logits, batch.targets, batch.rivals)
    : chosenLogprobs(logits, batch.targets);
  // There are few owners, so a small product sums each example's tokens faster than a scatter.
  const [examples] = batch.shares.shape as [number];
  const member = batch.owners.ref.reshape([1, -1]).equal(np.arange(examples).reshape([-1, 1]));
  return member.astype(np.float32).mul(logprobs).sum(1);
}

/** The sum over a batch's examples of share · -log p(answer | prompt), as training minimizes it. Borrows everything. */
export function answerLoss(...given: Parameters<typeof answerLogprobs>): np.Array {
  return answerLogprobs(...given)
    .mul(given[2].shares.ref)
    .sum()
    .neg();
}

/** log softmax of logits [N, vocab] over some tokens of each row, [N, K] (-1 for none), at one of them, [N]. Consumes the logits. */
function logprobsAmong(logits: np.Array, tokens: np.Array, rivals: np.Array): np.Array {
  const [rows, vocab] = logits.shape as [number, number];
  const known = np.arange(vocab).reshape([1, -1]);
  const logitOf = (column: np.Array) =>
    np.where(known.ref.equal(column.reshape([-1, 1])), logits.ref, 0).sum(1);
  const logit = logitOf(tokens.ref);
  const columns = Array.from({ length: rivals.shape[1] as number }, (_, k) => {
    const column = np.take(rivals.ref, np.array(Int32Array.of(k), { shape: [1], dtype: np.int32 }), 1);
    const there = column.ref.reshape([rows]).less(0);
    return np.where(there, -1e9, logitOf(column)).reshape([rows, 1]);
  });
  known.dispose();
  logits.dispose();
  const among = np.concatenate(columns, 1);
  const most = lax.stopGradient(among.ref.max(1, { keepdims: true }));
  const total = np.log(np.exp(among.sub(most.ref)).sum(1)).add(most.reshape([-1]));
  return logit.sub(total);
}

/** log softmax of logits [N, vocab] at one token of each row, [N]. Consumes the logits. */
function chosenLogprobs(logits: np.Array, tokens: np.Array): np.Array {
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
