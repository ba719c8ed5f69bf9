// BERT (Devlin et al. 2019) and XLM-R (Conneau et al. 2020) as a pure function over a record of weights by their names in
// transformers' safetensors files. Meant to be traced and compiled; it borrows its arguments.

import { lax, numpy as np } from "@jax-js/jax";
import { HoneError } from "../core/errors.js";
import type { Change, Weights } from "./decoder.js";
import { product } from "./decoder.js";

/** Sizes of one encoder. */
export interface BertConfig {
  readonly architecture: "bert" | "xlm-roberta";
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Neurons of each feed-forward. */
  readonly hidden: number;
  readonly vocab: number;
  /** Rows of the position table. */
  readonly places: number;
  /** The row of the first token: 0 for BERT, padding id + 1 for XLM-R. */
  readonly firstPlace: number;
  readonly types: number;
  readonly normEps: number;
}

/** Most tokens of one text, including the two markers. */
export function longest(config: BertConfig): number {
  return config.places - config.firstPlace;
}

/**
 * Reads transformers' `config.json`.
 * @param where the file, for the error message
 * @throws HoneError for another model, or a variant that is not supported here
 */
export function bertConfig(json: unknown, where: string): BertConfig {
  const fail = (why: string): never => {
    throw new HoneError({
      what: "Hone cannot run this encoder",
      where,
      why,
      next: "Name a folder with a BERT or XLM-R model: config.json, model.safetensors, tokenizer.json.",
      kind: "usage",
    });
  };
  if (json === null || typeof json !== "object" || Array.isArray(json))
    return fail("it is not a JSON object");
  const read = json as Record<string, unknown>;
  const type = read.model_type;
  if (type !== "bert" && type !== "xlm-roberta")
    return fail(`its model_type is ${JSON.stringify(type) ?? "missing"}`);
  const whole = (key: string, most: number): number => {
    const value = read[key];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value <= most) return value;
    return fail(`its ${key} is ${JSON.stringify(value) ?? "missing"}`);
  };
  if ((read.position_embedding_type ?? "absolute") !== "absolute")
    return fail(`its positions are ${JSON.stringify(read.position_embedding_type)}`);
  if (read.hidden_act !== "gelu") return fail(`its hidden_act is ${JSON.stringify(read.hidden_act)}`);
  const eps = read.layer_norm_eps;
  if (typeof eps !== "number" || !(eps > 0)) return fail(`its layer_norm_eps is ${JSON.stringify(eps)}`);
  const pad = typeof read.pad_token_id === "number" ? read.pad_token_id : 0;
  const config: BertConfig = {
    architecture: type,
    layers: whole("num_hidden_layers", 1000),
    width: whole("hidden_size", 1 << 16),
    heads: whole("num_attention_heads", 1 << 12),
    hidden: whole("intermediate_size", 1 << 20),
    vocab: whole("vocab_size", 1 << 24),
    places: whole("max_position_embeddings", 1 << 20),
    firstPlace: type === "bert" ? 0 : pad + 1,
    types: whole("type_vocab_size", 1 << 10),
    normEps: eps,
  };
  if (config.width % config.heads !== 0)
    return fail(`${config.heads} heads do not divide a width of ${config.width}`);
  if (longest(config) < 2) return fail("it has no positions");
  return config;
}

/** Every tensor by its name, with its shape; matrices are [out, in]. Without heads and poolers. */
export function bertShapes(config: BertConfig): Map<string, readonly number[]> {
  const { width, hidden } = config;
  const shapes = new Map<string, readonly number[]>();
  const norm = (name: string) => {
    shapes.set(`${name}.weight`, [width]);
    shapes.set(`${name}.bias`, [width]);
  };
  const dense = (name: string, out: number, inner: number) => {
    shapes.set(`${name}.weight`, [out, inner]);
    shapes.set(`${name}.bias`, [out]);
  };
  shapes.set("embeddings.word_embeddings.weight", [config.vocab, width]);
  shapes.set("embeddings.position_embeddings.weight", [config.places, width]);
  shapes.set("embeddings.token_type_embeddings.weight", [config.types, width]);
  norm("embeddings.LayerNorm");
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ["query", "key", "value"]) dense(`${at}.attention.self.${part}`, width, width);
    dense(`${at}.attention.output.dense`, width, width);
    norm(`${at}.attention.output.LayerNorm`);
    dense(`${at}.intermediate.dense`, hidden, width);
    dense(`${at}.output.dense`, width, hidden);
    norm(`${at}.output.LayerNorm`);
  }
  return shapes;
}

export interface BertInput {
  /** Token ids; `positions` are their positions in their texts, counted from 0. Both [B, T] int32. */
  readonly tokens: np.Array;
  readonly positions: np.Array;
  /** Which text of its row a token belongs to, [B, T] int32; 0 is padding. Tokens see only their own text. */
  readonly segments: np.Array;
}

/** Added to the score of a masked token: its exp is 0 in float32. */
export const unseen = -1e9;

/**
 * Last states, [B, T, width].
 * @param tap borrows the states before each layer, [B · T, width]: embeddings first
 */
export function bertHidden(
  config: BertConfig,
  weights: Weights,
  { tokens, positions, segments }: BertInput,
  changes: readonly Change[] = [],
  tap: (layer: number, states: np.Array) => void = () => {},
): np.Array {
  const [batch, length] = tokens.shape as [number, number];
  const { width, heads } = config;
  const headWidth = width / heads;
  const weight = (name: string): np.Array => {
    const owner = changes.findLast((change) => change.weights?.[name] !== undefined)?.weights ?? weights;
    const found = owner[name];
    if (!found) throw new Error(`The weights lack ${name}.`);
    return found.ref;
  };
  /** Borrows x. */
  const dense = (name: string, x: np.Array): np.Array => {
    let y = product(x.ref, weight(`${name}.weight`)).add(weight(`${name}.bias`));
    for (const { linear } of changes) if (linear) y = linear(`${name}.weight`, x, y);
    return y;
  };
  const norm = (name: string, x: np.Array): np.Array => {
    const centred = x.ref.sub(x.mean(-1, { keepdims: true }));
    const variance = centred.ref.mul(centred.ref).mean(-1, { keepdims: true });
    const unit = centred.mul(np.reciprocal(np.sqrt(variance.add(config.normEps))));
    return unit.mul(weight(`${name}.weight`)).add(weight(`${name}.bias`));
  };
  const own = segments.ref.reshape([batch, 1, length, 1]);
  const other = segments.ref.reshape([batch, 1, 1, length]);
  const mask = np.where(own.equal(other), 0, unseen);
  const split = (y: np.Array) =>
    y
      .reshape([batch, length, heads, headWidth])
      .transpose([0, 2, 1, 3])
      .reshape([batch * heads, length, headWidth]);

  const types = weight("embeddings.token_type_embeddings.weight");
  const type = np.take(types, np.array([0], { dtype: np.int32 }), 0).reshape([1, 1, width]);
  const words = np.take(weight("embeddings.word_embeddings.weight"), tokens.ref, 0);
  const rows = positions.ref.add(config.firstPlace);
  const places = np.take(weight("embeddings.position_embeddings.weight"), rows, 0);
  let x = norm("embeddings.LayerNorm", words.add(places).add(type)).reshape([-1, width]);
  for (let layer = 0; layer < config.layers; layer++) {
    tap(layer, x);
    const at = `encoder.layer.${layer}`;
    const q = split(dense(`${at}.attention.self.query`, x)).mul(1 / Math.sqrt(headWidth));
    const k = split(dense(`${at}.attention.self.key`, x));
    const v = split(dense(`${at}.attention.self.value`, x));
    const scores = batched(q, k, 2)
      .reshape([batch, heads, length, length])
      .add(mask.ref)
      .reshape([batch * heads, length, length]);
    const most = lax.stopGradient(scores.ref.max(-1, { keepdims: true }));
    const shares = np.exp(scores.sub(most));
    const total = shares.ref.sum(-1, { keepdims: true });
    const seen = batched(shares, v, 1)
      .div(total)
      .reshape([batch, heads, length, headWidth])
      .transpose([0, 2, 1, 3])
      .reshape([-1, width]);
    x = norm(`${at}.attention.output.LayerNorm`, x.add(denseOf(dense, `${at}.attention.output.dense`, seen)));
    const neurons = gelu(dense(`${at}.intermediate.dense`, x));
    x = norm(`${at}.output.LayerNorm`, x.add(denseOf(dense, `${at}.output.dense`, neurons)));
  }
  mask.dispose();
  return x.reshape([batch, length, width]);
}

/** The same product, but consumes x. */
function denseOf(dense: (name: string, x: np.Array) => np.Array, name: string, x: np.Array): np.Array {
  const y = dense(name, x);
  x.dispose();
  return y;
}

/** x · Φ(x), exactly. */
function gelu(x: np.Array): np.Array {
  const half = lax.erf(x.ref.mul(Math.SQRT1_2)).add(1).mul(0.5);
  return x.mul(half);
}

function batched(x: np.Array, y: np.Array, axis: 1 | 2): np.Array {
  return lax.dot(x, y, {
    lhsBatchDims: [0],
    rhsBatchDims: [0],
    lhsContractingDims: [2],
    rhsContractingDims: [axis],
  });
}
