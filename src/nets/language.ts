// Language modelling with a decoder: the log-probability of each next token, and the loss that training minimizes.

import { lax, numpy as np } from "@jax-js/jax";
import type { NetConfig } from "./config.js";
import { disposeRouting, type HiddenOptions, hidden, logitsOf, type Weights } from "./decoder.js";
import { type BalanceOptions, balanceLoss, loadError, type Routing } from "./moe.js";

/** Rows of text: input tokens and next tokens. */
export type TextBatch<A = np.Array> = {
  /** [B, T] int32 */
  readonly tokens: A;
  /** [B, T] int32: the token after each. */
  readonly targets: A;
  /** [B, T] float32: 1 where the next token counts, else 0. */
  readonly counts: A;
};

/** log p of each next token, [B · T], in nats. Borrows everything. */
export function nextLogprobs(
  config: NetConfig,
  weights: Weights,
  { tokens, targets }: Pick<TextBatch, "tokens" | "targets">,
  options: Pick<HiddenOptions, "changes" | "packing" | "probe" | "onRouting"> = {},
): np.Array {
  const states = hidden(config, weights, tokens, options);
  const flat = states.reshape([-1, config.width]);
  const logits = logitsOf(config, weights, flat, options.changes);
  flat.dispose();
  const [rows, vocab] = logits.shape as [number, number];
  const most = lax.stopGradient(logits.ref.max(1, { keepdims: true }));
  const total = np.log(np.exp(logits.ref.sub(most.ref)).sum(1)).add(most.reshape([-1]));
  const place = np
    .arange(rows)
    .astype(np.int32)
    .mul(vocab)
    .add(targets.ref.reshape([-1]));
  return np.take(logits.reshape([rows * vocab]), place, 0).sub(total);
}

/**
 * The training loss of a batch: the sum of -log p of the next tokens that count, times `scale`. It includes the gradients of every
 * layer's balance losses but not their values: losses are reported without them (Dai et al. 2024). Borrows everything.
 */
export function textLoss(
  config: NetConfig,
  weights: Weights,
  batch: TextBatch,
  { balance, scale }: { balance: BalanceOptions; scale: number },
): { loss: np.Array; nats: np.Array } {
  let extra: np.Array | undefined;
  const add = (term: np.Array) => {
    extra = extra ? extra.add(term) : term;
  };
  const onRouting = (routing: Routing) => {
    if (!config.experts) return;
    const bias = weights[`blk.${routing.layer}.exp_probs_b.bias`];
    if (bias) add(loadError(bias, routing));
    if (balance.experts || balance.devices) add(balanceLoss(config.experts, routing, balance));
    disposeRouting(routing);
  };
  const logprobs = nextLogprobs(config, weights, batch, { onRouting });
  const nats = logprobs
    .mul(batch.counts.ref.reshape([-1]))
    .sum()
    .neg();
  const loss = nats.ref.mul(scale);
  return {
    loss: extra ? loss.add(extra.ref.sub(lax.stopGradient(extra))) : loss,
    nats: lax.stopGradient(nats),
  };
}
