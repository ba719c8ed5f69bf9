// A soft prompt (Lester et al. 2021): k trained vectors that act as additional tokens. They follow the last row of the
// embedding table, with token ids vocab, vocab + 1, ...; the caller chooses their place in a prompt.

import { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { randomFor, shuffled } from "../../core/random.js";
import type { NetConfig } from "../config.js";
import type { Change } from "../decoder.js";

/** The name of the trained rows. */
const key = "token_embd.soft";

/** The token ids of a soft prompt's k vectors, in order. */
export function softTokens(config: NetConfig, k: number): number[] {
  return Array.from({ length: k }, (_, i) => config.vocab + i);
}

/**
 * A new soft prompt, `token_embd.soft` [k, width]: embeddings of k tokens drawn without replacement from those given (Lester et
 * al. found that real embeddings are the better start), starting again from the first if there are fewer.
 *
 * @param table the model's embedding table, [vocab, width]
 * @param tokens to initialize from, such as those of the task's own texts
 */
export function initSoftPrompt(
  config: NetConfig,
  k: number,
  table: Float32Array,
  tokens: readonly number[],
  seed: number,
): Record<string, Tensor> {
  if (!Number.isSafeInteger(k) || k <= 0) throw new RangeError(`A soft prompt has k vectors, not ${k}.`);
  const { width, vocab } = config;
  const known = [...new Set(tokens)].filter((token) => token >= 0 && token < vocab);
  if (known.length === 0) throw new RangeError("A soft prompt needs tokens to begin from.");
  const drawn = shuffled(known, randomFor(seed, "softPrompt"));
  const rows = new Float32Array(k * width);
  for (let i = 0; i < k; i++) {
    const token = drawn[i % drawn.length] as number;
    rows.set(table.subarray(token * width, (token + 1) * width), i * width);
  }
  return { [key]: new Tensor("float32", rows, [k, width]) };
}

/** The change by such rows: embeddings of tokens from vocab on are taken from them. */
export function softPrompt(config: NetConfig, trained: Readonly<Record<string, np.Array>>): Change {
  const rows = trained[key];
  if (!rows) throw new Error(`A soft prompt lacks ${key}.`);
  return {
    embed(tokens, y) {
      const soft = tokens.ref.greaterEqual(config.vocab);
      const at = np.where(soft.ref, tokens.ref.sub(config.vocab), 0);
      return np.where(soft.reshape([...tokens.shape, 1]), np.take(rows.ref, at, 0), y);
    },
  };
}
