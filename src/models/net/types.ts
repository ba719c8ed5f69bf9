// Types of an encoder with an open network, and a check for one. Nothing else, so that importing the check loads no library.

import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import type { Encoder, Model } from "../../core/model.js";
import type { TextReply } from "../../core/text.js";
import type { Change } from "../../nets/decoder.js";
import type { TokenText } from "../../nets/texts.js";
import type { Net, Pool } from "./net.js";

/** A trained change of an encoder. */
export interface NetChange {
  /** Content identity. */
  readonly id: string;
  readonly name: string;
  /** The trained arrays, by name; read on first use. */
  readonly trained: () => Promise<Readonly<Record<string, Tensor>>>;
  /** Applies the trained arrays; traced. */
  readonly change: (trained: Readonly<Record<string, np.Array>>) => Change;
  /** The layer read from now on; unchanged if absent. */
  readonly layer?: number;
}

/** An encoder with its network open. */
export interface NetEncoder extends Encoder {
  readonly net: Net;
  readonly pool: Pool;
  /** The layer whose states are read: 0 is the embeddings, `net.layers` the last. */
  readonly layer: number;
  readonly threads: number | undefined;
  /** A text's tokens, or a word's with its gloss, truncated as for vectors, so that training reads no more than they do. */
  read(text: string, gloss?: string): TokenText;
  /** Unit vectors row by row, `texts.length · width`; `layers` returns one array per named layer. */
  vectors(texts: readonly string[], signal: AbortSignal): Promise<Float32Array>;
  layers(texts: readonly string[], layers: readonly number[], signal: AbortSignal): Promise<Float32Array[]>;
  /** Negative log-likelihood of texts, each from its beginning and read no further than for vectors; decoders only. */
  say?(texts: readonly string[], signal: AbortSignal): Promise<TextReply[]>;
  /** The same encoder, changed. Changes do not accumulate: this one replaces any earlier one. */
  specialize(change: NetChange): NetEncoder;
  /** The same encoder, read at another layer. @throws HoneError if it has no such layer */
  atLayer(layer: number): NetEncoder;
}

export function hasNet(model: Model | undefined): model is NetEncoder {
  return model !== undefined && "net" in model && "specialize" in model;
}
