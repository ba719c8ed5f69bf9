// Contrastive training of an encoder with an open network: batches of texts with labels in, changed weights out. `lexical` and
// `setfit` differ in where their batches come from.

import { Tensor } from "onnxruntime-node";
import { fingerprint } from "../../../core/json.js";
import type { NetChange, NetEncoder } from "../../../models/net/types.js";
import { bottleneck, initBottleneck } from "../../../nets/changes/bottleneck.js";
import { lora } from "../../../nets/changes/lora.js";
import { initLoraOn } from "../../../nets/changes/matrices.js";
import { type ContrastOptions, contrastLoss } from "../../../nets/contrast.js";
import { packRows, packTexts, pooled, type TextBlock } from "../../../nets/texts.js";
import type { Tensors } from "../../../tensor/compile.js";
import { type Arrays, type Parameters, schedule } from "../../../tensor/optimizer.js";
import { makeTrainer, type StepReport, train } from "../../../tensor/train.js";

/** A text, or a word that is read with its gloss. */
export type ContrastText = string | readonly [word: string, gloss: string];

/** The texts of one step; equal labels belong together. */
export interface ContrastBatch {
  readonly texts: readonly ContrastText[];
  readonly labels: readonly number[];
}

export type ContrastMethod =
  | { readonly kind: "full" }
  | { readonly kind: "lora"; readonly rank: number; readonly alpha: number; readonly first: number }
  | { readonly kind: "adapter"; readonly reduction: number; readonly first: number };

export interface ContrastTraining {
  readonly encoder: NetEncoder;
  readonly method: ContrastMethod;
  readonly loss: ContrastOptions;
  /** All batches, in order; their texts may differ in number. */
  readonly batches: readonly ContrastBatch[];
  readonly learningRate: number;
  /** Share of the steps in which the rate rises; from then on it follows `shape`. */
  readonly warmup: number;
  readonly shape: "constant" | "linear" | "cosine";
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly checkpoint?: string;
  readonly onStep?: (step: StepReport) => void;
}

export interface ContrastTrained {
  readonly params: Parameters;
  readonly losses: readonly number[];
  /** Tokens read in all, without padding. */
  readonly tokens: number;
}

/** Trains, with a checkpoint every minute from which training resumes. */
export async function trainContrast(options: ContrastTraining): Promise<ContrastTrained> {
  const { encoder, method, batches, seed } = options;
  const { net, layer } = encoder;
  const weights = await net.weights();
  const params = startOf(method, encoder, weights, seed);
  const frozen = Object.fromEntries(Object.entries(weights).filter(([name]) => !(name in params)));
  const read = batches.map(({ texts, labels }) => {
    const tokens = texts.map((text) =>
      typeof text === "string" ? encoder.read(text) : encoder.read(...text),
    );
    const order = [...tokens.keys()].sort(
      (a, b) => (tokens[b]?.ids.length ?? 0) - (tokens[a]?.ids.length ?? 0),
    );
    return { tokens, labels, order };
  });
  const most = read.reduce((top, { tokens }) => Math.max(top, ...tokens.map(({ ids }) => ids.length)), 1);
  const length = Math.max(32, 16 * Math.ceil(most / 16));
  const packed = read.map(({ tokens, labels, order }) => ({
    tokens,
    labels,
    rows: packRows(tokens, order, length),
  }));
  // One shape for all steps, so that one program serves them.
  const rows = packed.reduce((top, one) => Math.max(top, one.rows.length), 1);
  const texts = packed.reduce((top, one) => Math.max(top, one.labels.length), 1);
  const count = packed.map(({ tokens }) => tokens.reduce((sum, { ids }) => sum + ids.length, 0));
  const change = changeOf(method);
  const trainer = makeTrainer({
    loss: (fixed, trained: Arrays, { block, labels }: { block: TextBlock; labels: Arrays[string] }) => {
      let states: Arrays[string] | undefined;
      const last = net.hidden(fixed, block, [change(trained)], (at, found) => {
        if (at === layer) states = pooled(block.pool, found);
      });
      const vectors = states ?? pooled(block.pool, last);
      last.dispose();
      return contrastLoss(vectors, labels, options.loss);
    },
    optimizer: { weightDecay: 0, clipNorm: 1 },
    ...(encoder.threads === undefined ? {} : { threads: encoder.threads }),
  });
  const steps = batches.length;
  try {
    const { params: trained, losses } = await train({
      trainer,
      frozen: frozen as Tensors,
      params,
      batches: (step) => {
        const one = packed[step - 1] as (typeof packed)[number];
        const { block } = packTexts(one.tokens, one.rows, { rows, length, texts }, (index) => index);
        const labels = new Int32Array(texts).fill(-1);
        labels.set(one.labels);
        return [
          {
            inputs: { block: { ...block }, labels: new Tensor("int32", labels, [texts]) },
            ids: [`step ${step}`],
            tokens: count[step - 1] as number,
          },
        ];
      },
      steps,
      schedule: schedule({
        shape: options.shape,
        peak: options.learningRate,
        steps,
        warmup: Math.round(options.warmup * steps),
        floor: 0.1,
      }),
      signal: options.signal,
      ...(options.checkpoint === undefined
        ? {}
        : {
            checkpoint: {
              folder: options.checkpoint,
              key: fingerprint([
                encoder.id,
                { ...method },
                { ...options.loss },
                options.learningRate,
                options.warmup,
                options.shape,
                seed,
                batches.map((batch) => [[...batch.texts], [...batch.labels]]),
              ]),
              seconds: 60,
            },
          }),
      ...(options.onStep ? { onStep: options.onStep } : {}),
    });
    return { params: trained, losses, tokens: count.reduce((a, b) => a + b, 0) };
  } finally {
    await trainer.release();
  }
}

/** Initial arrays. */
function startOf(
  method: ContrastMethod,
  { net, layer }: NetEncoder,
  weights: Readonly<Record<string, Tensor>>,
  seed: number,
): Parameters {
  if (method.kind === "full")
    return Object.fromEntries([...net.shapes.keys()].map((name) => [name, weights[name] as Tensor]));
  const names = net.matrices(method.first).filter(below(layer));
  return method.kind === "lora"
    ? initLoraOn(net.shapes, names, method.rank, seed)
    : initBottleneck(net.shapes, names, method.reduction, seed);
}

/** How the trained arrays change the network. */
export function changeOf(method: ContrastMethod): NetChange["change"] {
  if (method.kind === "full") return (trained) => ({ weights: trained });
  if (method.kind === "adapter") return bottleneck;
  const { rank, alpha } = method;
  return (trained) => lora({ rank, alpha }, trained);
}

/** Whether a matrix is below the layer that is read; those above have no effect. */
function below(layer: number): (name: string) => boolean {
  return (name) => Number(/\.(\d+)\./.exec(name)?.[1] ?? 0) < layer;
}
