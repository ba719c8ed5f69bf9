// A soft prompt (Lester et al. 2021): k trained vectors that stand for tokens of their own. They are rows after the last
// of the embedding table, token ids vocab, vocab + 1, ...; where they stand in a prompt is the caller's choice.
import { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { randomFor, shuffled } from "../../core/random.js";

/** The name of the trained rows. */
const key = "token_embd.soft";
/** The token ids of a soft prompt's k vectors, in order. */
export function softTokens(config, k) {
  return Array.from({ length: k }, (_, i) => config.vocab + i);
}
/**
 * A new soft prompt, `token_embd.soft` [k, width]: embeddings of k tokens drawn from those given without return (Lester et
 * al. found that real embeddings are the better start), again from the first where there are fewer.
 *
 * @param table the model's embedding table, [vocab, width]
 * @param tokens to begin from, such as those of the task's own texts
 */
export function initSoftPrompt(config, k, table, tokens, seed) {
  if (!Number.isSafeInteger(k) || k <= 0) throw new RangeError(`A soft prompt has k vectors, not ${k}.`);
  const { width, vocab } = config;
  const known = [...new Set(tokens)].filter((token) => token >= 0 && token < vocab);
  if (known.length === 0) throw new RangeError("A soft prompt needs tokens to begin from.");
  const drawn = shuffled(known, randomFor(seed, "softPrompt"));
  const rows = new Float32Array(k * width);
  for (let i = 0; i < k; i++) {
    const token = drawn[i % drawn.length];
    rows.set(table.subarray(token * width, (token + 1) * width), i * width);
  }
  return { [key]: new Tensor("float32", rows, [k, width]) };
}
/** The change that such rows make: tokens from vocab on are read from them. */
export function softPrompt(config, trained) {
  const rows = trained[key];
  if (!rows) throw new Error(`A soft prompt has ${key}.`);
  return {
    embed(tokens, y) {
      const soft = tokens.ref.greaterEqual(config.vocab);
      const at = np.where(soft.ref, tokens.ref.sub(config.vocab), 0);
      return np.where(soft.reshape([...tokens.shape, 1]), np.take(rows.ref, at, 0), y);
    },
  };
}
