// Programs that run texts through a net: each text's likelihood, and text that the net writes.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import type { Random } from "../../core/random.js";
import type { TextReply } from "../../core/text.js";
import { compile, type Tensors } from "../../tensor/compile.js";
import type { NetConfig } from "../config.js";
import { hidden, logitsOf } from "../decoder.js";
import { nextLogprobs } from "../language.js";
import type { Probe } from "../moe.js";
import type { TrainedNet } from "./checkpoint.js";
import { rowsOfText } from "./rows.js";

/** Most rows that run through a program together; `mostLogits` limits their logits. */
const rowsTogether = 16;
const mostLogits = 1 << 27;

/** The parts of a net needed for scoring: of its tokenizer, only encoding. */
export type SayingNet = Pick<TrainedNet, "config" | "weights"> & {
  tokenizer: Pick<TrainedNet["tokenizer"], "begin" | "encode">;
};

// biome-ignore lint/suspicious/noExplicitAny: trees of arrays while traced.
type Traced = any;

/** Programs for nets of one shape. @param probe changes to their experts */
export function sayingOf(config: NetConfig, probe: Probe = {}, threads?: number) {
  const runtime = threads === undefined ? {} : { threads };
  const length = config.context;
  const together = Math.min(rowsTogether, Math.max(1, Math.floor(mostLogits / (length * config.vocab))));
  const logprobs = compile<Tensors[], Tensor>(
    (weights: Traced, tokens: np.Array, targets: np.Array) =>
      nextLogprobs(config, weights, { tokens, targets }, { probe }),
    { ...runtime, name: "the texts' probabilities" },
  );
  const next = compile<Tensors[], Tensor>(
    (weights: Traced, tokens: np.Array, at: np.Array) => {
      const states = hidden(config, weights, tokens, { at });
      return logitsOf(config, weights, states);
    },
    { ...runtime, name: "the next token" },
  );
  /** -log p of each text. */
  const say = async (
    { weights, tokenizer }: SayingNet,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<TextReply[]> => {
    const rows = texts.flatMap((text, owner) =>
      rowsOfText(tokenizer, text, length).map((row) => ({ ...row, owner })),
    );
    const nats = texts.map(() => 0);
    const counts = texts.map(() => 0);
    for (let from = 0; from < rows.length; from += together) {
      signal?.throwIfAborted();
      const part = rows.slice(from, from + together);
      const [tokens, targets] = [new Int32Array(together * length), new Int32Array(together * length)];
      for (const [i, { read, next }] of part.entries()) {
        tokens.set(read, i * length);
        targets.set(next, i * length);
      }
      const dims = [together, length];
      const found = await logprobs(
        weights as Tensors,
        new Tensor("int32", tokens, dims),
        new Tensor("int32", targets, dims),
      );
      const values = found.data as Float32Array;
      for (const [i, { read, owner }] of part.entries()) {
        for (let t = 0; t < read.length; t++) (nats[owner] as number) -= values[i * length + t] as number;
        (counts[owner] as number) += read.length;
      }
    }
    return texts.map((text, i) => ({
      nats: nats[i] as number,
      tokens: counts[i] as number,
      bytes: Buffer.byteLength(text),
    }));
  };
  /** Continues a text for up to that many tokens, sampled at a temperature. */
  const write = async (
    { weights, tokenizer }: TrainedNet,
    given: string,
    { tokens: count, temperature, random }: { tokens: number; temperature: number; random: Random },
  ): Promise<string> => {
    const ids = [tokenizer.begin, ...tokenizer.encode(given)];
    const first = ids.length;
    for (let i = 0; i < count; i++) {
      const window = ids.slice(-length);
      const tokens = new Int32Array(length);
      tokens.set(window);
      const at = new Tensor("int32", Int32Array.of(window.length - 1), [1]);
      const logits = await next(weights as Tensors, new Tensor("int32", tokens, [1, length]), at);
      const id = drawn(logits.data as Float32Array, temperature, random);
      if (id === tokenizer.begin) break;
      ids.push(id);
    }
    return tokenizer.decode(ids.slice(first));
  };
  const release = async () => {
    await logprobs.release();
    await next.release();
  };
  return { say, write, release };
}

function drawn(logits: Float32Array, temperature: number, random: Random): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const weights = Array.from(logits, (one) => Math.exp((one - most) / temperature));
  let left = random() * weights.reduce((sum, one) => sum + one, 0);
  for (const [id, weight] of weights.entries()) {
    left -= weight;
    if (left <= 0) return id;
  }
  return weights.length - 1;
}
