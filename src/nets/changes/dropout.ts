// Dropout on the input of low-rank matrices (Hu et al. 2021, arXiv 2106.09685, appendix D; peft's `lora_dropout`): a share p of
// the inputs of every A is set to 0 and the others are divided by 1 - p (inverted dropout, Srivastava et al. 2014). Only the
// product with A is affected; the model's own product reads its full input.
//
// A compiled step draws no random numbers, so masks are inputs, drawn for each batch. A separate mask for every place of every
// matrix would be larger than the activations. Instead, rows of independent numbers are drawn, one for each place of a batch,
// and for each matrix a permutation of these rows. Within a matrix no two places share a row, so its mask consists of
// independent draws. Two matrices with inputs of equal width share rows, at places that the permutations decide: any place of
// the one has the mask of a given place of the other with probability 1 / K.

import { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { type Random, shuffled } from "../../core/random.js";
import { type NetConfig, tensorShapes } from "../config.js";

/** The draws for a batch of at most K places (tokens, or answer tokens if there are more). */
export type Dropout<A = np.Array> = {
  /** By input width: [K, width] float32, each number 0 or 1 / (1 - p). */
  readonly rows: Readonly<Record<string, A>>;
  /** [M, K] int32: for each of M matrices, the row of each place. */
  readonly order: A;
};

/** Input width of each of a config's matrices, by GGUF name. */
function widthOf(config: NetConfig): (name: string) => number {
  const shapes = tensorShapes(config);
  return (name) => (shapes.get(name) as number[])[1] as number;
}

/**
 * Draws masks.
 *
 * @param names the matrices, by GGUF name
 * @param share p, the share that is dropped, from 0 to below 1
 * @param places K
 */
export function drawDropout(
  config: NetConfig,
  names: readonly string[],
  share: number,
  places: number,
  random: Random,
): Dropout<Tensor> {
  const kept = 1 / (1 - share);
  const rows: Record<string, Tensor> = {};
  for (const width of new Set(names.map(widthOf(config)))) {
    const data = new Float32Array(places * width);
    for (let i = 0; i < data.length; i++) data[i] = random() < share ? 0 : kept;
    rows[width] = new Tensor("float32", data, [places, width]);
  }
  const all = Array.from({ length: places }, (_, place) => place);
  const order = Int32Array.from(names.flatMap(() => shuffled(all, random)));
  return { rows, order: new Tensor("int32", order, [names.length, places]) };
}

/** The `matrix`-th matrix's input `x` [n, width], n at most K, after dropout. Borrows everything; traced. */
export function dropped({ rows, order }: Dropout, matrix: number, x: np.Array): np.Array {
  const [places, width] = x.shape as [number, number];
  const bank = rows[width];
  if (!bank) throw new Error(`No dropout was drawn for inputs of ${width}.`);
  const own = order.ref.slice(matrix, [0, places]);
  return x.ref.mul(np.take(bank.ref, own, 0));
}

/**
 * Additional numbers per place that a step keeps for the backward pass: each matrix's mask and masked input, and the draws.
 */
export function keptByDropout(config: NetConfig, names: readonly string[]): number {
  const widths = names.map(widthOf(config));
  const sum = (list: Iterable<number>) => [...list].reduce((a, b) => a + b, 0);
  return 2 * sum(widths) + sum(new Set(widths)) + names.length;
}
