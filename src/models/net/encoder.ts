// Encoders whose network runs in this process, with access to every layer: texts in, means of their states out, many texts packed
// into a row in one compiled program. Training such an encoder yields another one.

import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { type CallContext, noCost } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import type { Grant } from "../../core/model.js";
import {
  packRows,
  packTexts,
  pooled,
  type TextBlock,
  type TextShape,
  type TokenText,
} from "../../nets/texts.js";
import { type Compiled, compile, type Tensors } from "../../tensor/compile.js";
import { inLanes } from "../llama/queue.js";
import type { Net, Pool } from "./net.js";
import { sayingOf, sayTexts } from "./say.js";
import type { NetChange, NetEncoder } from "./types.js";

export interface NetEncoderOptions {
  name: string;
  pool: Pool;
  /** The last by default. */
  layer?: number;
  threads?: number;
  /** Most tokens read of a text. */
  maxPieces?: number;
}

/** Block shapes for a single word, a few texts, and many; longer texts get longer rows. */
const few: readonly TextShape[] = [
  { rows: 1, length: 16, texts: 4 },
  { rows: 1, length: 64, texts: 16 },
];
const many = [64, 128, 256, 512] as const;
/** Tokens of a full block. */
const blockTokens = 1024;

export function netEncoder(net: Net, options: NetEncoderOptions): NetEncoder {
  return make(net, options, undefined);
}

function make(net: Net, options: NetEncoderOptions, changed: NetChange | undefined): NetEncoder {
  const { pool, threads } = options;
  const layer = changed?.layer ?? options.layer ?? net.layers;
  const most = options.maxPieces ?? net.longest;
  const readText = (text: string, gloss?: string) => net.read(text, pool, { gloss, most });
  const queue = inLanes(1);
  const programs = new Map<string, Compiled<[Tensors, Tensors, Tensors], Tensor[]>>();
  const programFor = (layers: readonly number[]) => {
    const key = layers.join();
    const found = programs.get(key) ?? meansOf(net, layers, changed?.change, threads);
    programs.set(key, found);
    return found;
  };
  let opening: Promise<{ weights: Tensors; trained: Tensors }> | undefined;
  const arrays = () => {
    opening ??= opened(net, changed);
    opening.catch(() => (opening = undefined));
    return opening;
  };
  let saying: ReturnType<typeof sayingOf> | undefined;
  const run = async (
    texts: readonly string[],
    layers: readonly number[],
    signal: AbortSignal,
  ): Promise<{ vectors: Float32Array[]; tokens: number }> => {
    const { width } = net;
    const vectors = layers.map(() => new Float32Array(texts.length * width));
    const read = texts.map((text) => readText(text));
    const first = new Map<string, number>();
    const same = read.map(({ ids, from }, i) => {
      const key = `${from} ${ids.join()}`;
      if (!first.has(key)) first.set(key, i);
      return first.get(key) as number;
    });
    const order = [...first.values()].sort(
      (a, b) => (read[b] as TokenText).ids.length - (read[a] as TokenText).ids.length,
    );
    const program = programFor(layers);
    const { weights, trained } = await arrays();
    let tokens = 0;
    for (const { rows, shape } of blocksOf(read, order)) {
      signal.throwIfAborted();
      const { block, order: slots } = packTexts(read, rows, shape);
      const found = await program(weights, trained, { ...block });
      for (const [l, tensor] of found.entries()) {
        const data = tensor.data as Float32Array;
        for (const [slot, index] of slots.entries())
          unit(data.subarray(slot * width, (slot + 1) * width), vectors[l] as Float32Array, index * width);
      }
      tokens += slots.reduce((sum, index) => sum + (read[index] as TokenText).ids.length, 0);
    }
    for (const each of vectors)
      for (const [i, from] of same.entries())
        if (from !== i) each.copyWithin(i * width, from * width, (from + 1) * width);
    return { vectors, tokens };
  };
  const inTurn = (texts: readonly string[], layers: readonly number[], signal: AbortSignal) =>
    queue(signal, () => run(texts, layers, signal));
  const grants: readonly Grant[] = ["embeddings", "weights", "gradients"];
  return {
    id: `net:${net.id};pool=${pool};layer=${layer};pieces=${most}${changed ? `;${changed.id}` : ""}`,
    name: changed ? `${options.name} + ${changed.name}` : options.name,
    grants: new Set(grants),
    concurrency: 16,
    net,
    pool,
    layer,
    threads,
    read: readText,
    vectors: async (texts, signal) => (await inTurn(texts, [layer], signal)).vectors[0] as Float32Array,
    layers: async (texts, layers, signal) => (await inTurn(texts, layers, signal)).vectors,
    ...(net.logprobs
      ? {
          say: (texts: readonly string[], signal: AbortSignal) =>
            queue(signal, async () => {
              saying ??= sayingOf(net, changed?.change, threads);
              const { weights, trained } = await arrays();
              return sayTexts(net, saying, weights, trained, texts, signal);
            }),
        }
      : {}),
    embed: async (texts: readonly string[], context: CallContext) => {
      const start = performance.now();
      const { vectors, tokens } = await inTurn(texts, [layer], context.signal);
      const cost = { ...noCost, calls: 1, inputTokens: tokens, ms: performance.now() - start };
      return { vectors: rowsOf(vectors[0] as Float32Array, net.width), cost };
    },
    // The network's own reader truncates at its longest text.
    cut: async (texts) => ({
      texts: texts.filter((text) => net.read(text, pool).ids.length >= Math.min(most + 1, net.longest))
        .length,
      pieces: Math.min(most, net.longest),
    }),
    specialize: (change) => make(net, options, change),
    atLayer: (at) => make(net, { ...options, layer: checkLayer(options.name, net, at) }, changed),
    async close() {
      await queue(new AbortController().signal, async () => {
        for (const program of programs.values()) await program.release();
        programs.clear();
        await saying?.release();
        saying = undefined;
      });
    },
  };
}

/** Rows of an array as vectors. */
export function rowsOf(flat: Float32Array, width: number): number[][] {
  return Array.from({ length: flat.length / width }, (_, i) => [
    ...flat.subarray(i * width, (i + 1) * width),
  ]);
}

/** A compiled program for the means of some layers' states, an array [texts, width] each. */
function meansOf(
  net: Net,
  layers: readonly number[],
  change: NetChange["change"] | undefined,
  threads: number | undefined,
): Compiled<[Tensors, Tensors, Tensors], Tensor[]> {
  return compile(
    (weights: Record<string, np.Array>, trained: Record<string, np.Array>, block: TextBlock) => {
      const found = new Map<number, np.Array>();
      const last = net.hidden(weights, block, change ? [change(trained)] : [], (layer, states) => {
        if (layers.includes(layer)) found.set(layer, pooled(block.pool, states));
      });
      if (layers.includes(net.layers)) found.set(net.layers, pooled(block.pool, last));
      last.dispose();
      return layers.map((layer) => found.get(layer) as np.Array);
    },
    { name: "the encoder", ...(threads === undefined ? {} : { threads }) },
  );
}

/** The trained arrays, and the weights that they do not replace. */
async function opened(
  net: Net,
  changed: NetChange | undefined,
): Promise<{ weights: Tensors; trained: Tensors }> {
  const [weights, trained] = await Promise.all([net.weights(), changed?.trained() ?? {}]);
  const kept = Object.entries(weights).filter(([name]) => !(name in trained));
  return { weights: Object.fromEntries(kept) as Tensors, trained: trained as Tensors };
}

function* blocksOf(
  read: readonly TokenText[],
  order: readonly number[],
): Generator<{ rows: number[][]; shape: TextShape }> {
  const total = order.reduce((sum, index) => sum + (read[index] as TokenText).ids.length, 0);
  const small = few.find(({ length, texts }) => total <= length && order.length <= texts);
  if (small) {
    if (order.length > 0) yield { rows: [[...order]], shape: small };
    return;
  }
  let at = 0;
  for (const [step, length] of [...many].reverse().entries()) {
    const shorter = [...many].reverse()[step + 1] ?? 0;
    const end = order.findIndex((index) => (read[index] as TokenText).ids.length <= shorter);
    const own = order.slice(at, end < 0 ? order.length : end);
    at = end < 0 ? order.length : end;
    const rows = packRows(read, own, length);
    const count = blockTokens / length;
    for (let row = 0; row < rows.length; row += count) {
      const part = rows.slice(row, row + count);
      yield { rows: part, shape: { rows: count, length, texts: blockTokens / 2 } };
    }
  }
}

function unit(from: Float32Array, into: Float32Array, at: number): void {
  let square = 0;
  for (const value of from) square += value * value;
  const scale = square > 0 && Number.isFinite(square) ? 1 / Math.sqrt(square) : 0;
  for (let i = 0; i < from.length; i++) into[at + i] = (from[i] as number) * scale;
}

/** @throws HoneError if the network has no such layer */
export function checkLayer(name: string, net: Net, layer: number): number {
  if (layer >= 0 && layer <= net.layers) return layer;
  throw new HoneError({
    what: `${name} has no layer ${layer}`,
    where: "layer",
    why: `it has the embeddings, 0, and layers 1 to ${net.layers}`,
    next: `Write a number from 0 to ${net.layers}; in a model's reference -1 is the last.`,
    kind: "usage",
  });
}
