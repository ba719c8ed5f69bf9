// The loss of an answer given its prompt, and the batches it is computed on: -log p(answer | prompt), logits only where
// answer tokens are predicted.
import { lax, numpy as np } from "@jax-js/jax";
import { hidden, logitsOf } from "./decoder.js";
/** Tokens that an example takes in a sequence: its last answer token is predicted, never read. */
export function lengthOf({ prompt, answer }) {
  return prompt.length + answer.length - 1;
}
/**
 * log p(answer | prompt) of each example, summed over its tokens: [E]. Borrows everything.
 *
 * @param layer where a batch's own states go in
 */
export function answerLogprobs(config, weights, batch, changes = [], layer = 0) {
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
  const [examples] = batch.shares.shape;
  const member = batch.owners.ref.reshape([1, -1]).equal(np.arange(examples).reshape([-1, 1]));
  return member.astype(np.float32).mul(logprobs).sum(1);
}
/** The sum over a batch's examples of share · -log p(answer | prompt), as training minimises it. Borrows everything. */
export function answerLoss(...given) {
  return answerLogprobs(...given)
    .mul(given[2].shares.ref)
    .sum()
    .neg();
}
/** log softmax of logits [N, vocab] at one token of each row, [N]. Consumes the logits. */
export function chosenLogprobs(logits, tokens) {
  const vocab = logits.shape[1];
  const chosen = np
    .arange(vocab)
    .reshape([1, -1])
    .equal(tokens.ref.reshape([-1, 1]));
  const logit = np.where(chosen, logits.ref, 0).sum(1);
  const most = lax.stopGradient(logits.ref.max(1, { keepdims: true }));
  const total = np.log(np.exp(logits.sub(most.ref)).sum(1)).add(most.reshape([-1]));
  return logit.sub(total);
}
