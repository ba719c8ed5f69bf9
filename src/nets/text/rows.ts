// Texts as rows of one length: concatenated for training, each from its own beginning for evaluation.

import { Tensor } from "onnxruntime-node";
import { randomFor, shuffled } from "../../core/random.js";
import type { Bpe } from "../../learn/bpe.js";
import type { Batch } from "../../tensor/train.js";
import type { TextBatch } from "../language.js";

/** Texts in a shuffled order as one stream of tokens, each preceded by the begin token. */
export function streamOf(tokenizer: Bpe, texts: readonly string[], seed: number): Int32Array {
  const parts = shuffled(texts, randomFor(seed, "texts of a stream")).map((text) => tokenizer.encode(text));
  const stream = new Int32Array(parts.reduce((sum, part) => sum + part.length + 1, 0));
  let at = 0;
  for (const part of parts) {
    stream[at++] = tokenizer.begin;
    stream.set(part, at);
    at += part.length;
  }
  return stream;
}

/** Steps through a stream: `rows` rows of `length` tokens per step, reshuffled every epoch. */
export function batchesOf(
  stream: Int32Array,
  { rows, length, seed }: { rows: number; length: number; seed: number },
): (step: number) => readonly Batch[] {
  const count = Math.max(1, Math.floor((stream.length - 1) / length));
  const order = new Map<number, number[]>();
  const rowAt = (place: number): number => {
    const epoch = Math.floor(place / count);
    let own = order.get(epoch);
    if (!own) {
      own = shuffled([...Array(count).keys()], randomFor(seed, "rows of an epoch", epoch));
      order.set(epoch, own);
      order.delete(epoch - 2);
    }
    return own[place % count] as number;
  };
  return (step) => {
    const list = Array.from({ length: rows }, (_, i) => rowAt((step - 1) * rows + i));
    const size = rows * length;
    const [tokens, targets] = [new Int32Array(size), new Int32Array(size)];
    const counts = new Float32Array(size);
    for (const [i, row] of list.entries()) {
      const [from, to] = [row * length, Math.min((row + 1) * length, stream.length - 1)];
      tokens.set(stream.subarray(from, to), i * length);
      targets.set(stream.subarray(from + 1, to + 1), i * length);
      counts.fill(1, i * length, i * length + to - from);
    }
    const inputs: TextBatch<Tensor> = {
      tokens: new Tensor("int32", tokens, [rows, length]),
      targets: new Tensor("int32", targets, [rows, length]),
      counts: new Tensor("float32", counts, [rows, length]),
    };
    return [{ inputs, ids: list.map((row) => `row ${row}`), tokens: size }];
  };
}

/** A text's rows: input tokens and next tokens; the first row starts with the begin token. */
export function rowsOfText(
  tokenizer: Pick<Bpe, "begin" | "encode">,
  text: string,
  length: number,
): { read: Int32Array; next: Int32Array }[] {
  const ids = Int32Array.from([tokenizer.begin, ...tokenizer.encode(text)]);
  const rows: { read: Int32Array; next: Int32Array }[] = [];
  for (let from = 0; from < ids.length - 1; from += length) {
    const to = Math.min(from + length, ids.length - 1);
    rows.push({ read: ids.subarray(from, to), next: ids.subarray(from + 1, to + 1) });
  }
  return rows;
}
